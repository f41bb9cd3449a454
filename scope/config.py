"""Settings of the machine from the environment, and overrides of a recipe from the command line."""

import json
import os
from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import Any, TypeVar

from pydantic import BaseModel, Field, ValidationError

from scope.errors import UsageError
from scope.protocols import DEFAULT_GENERATOR
from scope.specification import Model

PREFIX = "SCOPE_"

M = TypeVar("M", bound=BaseModel)


class Settings(Model):
    """Defaults that the environment may change: SCOPE_GENERATOR, SCOPE_DRAFTS and so on.

    SCOPE_HOME, where runs are kept, is read by `scope.runs.store.home`.
    """

    generator: str = DEFAULT_GENERATOR
    drafts: int = Field(default=2, ge=1, le=64, description="drafts per round")
    max_rounds: int = Field(default=2, ge=0, le=100, description="repair rounds after the first")
    max_time: float | None = Field(default=None, gt=0, description="seconds")
    max_images: int | None = Field(default=None, ge=1, description="drafts in all")
    max_cost: float | None = Field(default=None, ge=0, description="spent on language models")
    language: str = "grammar"
    skill_timeout: float = Field(default=60.0, gt=0, description="seconds for one step of another package's skill")

    @classmethod
    def load(cls, environment: Mapping[str, str] | None = None) -> "Settings":
        """Return the settings of `environment` (None: of this process).

        Raises: UsageError naming the variable whose value cannot be used.
        """
        environment = os.environ if environment is None else environment
        given = {f: environment[PREFIX + f.upper()] for f in cls.model_fields if environment.get(PREFIX + f.upper())}
        try:
            return cls.model_validate(given)
        except ValidationError as error:
            first = error.errors()[0]
            variable = PREFIX + str(first["loc"][0]).upper()
            raise UsageError(f"{variable}={first['input']!r}: {first['msg']}") from error


def override(config: M, assignments: Iterable[str]) -> M:
    """Return `config` with "name=value" assignments applied and validated.

    A value that starts like a JSON list, object or string is read as JSON; so are null, true and false.

    Raises: UsageError if an assignment is malformed, names no field, or has a value that the field refuses.
    """
    given: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, text = assignment.partition("=")
        if not equals:
            raise UsageError(f"{assignment!r} is not an assignment; write name=value")
        if name not in type(config).model_fields:
            raise UsageError(_unknown(name, list(type(config).model_fields)))
        given[name] = _value(name, text)
    try:
        return type(config).model_validate(config.model_dump() | given)
    except ValidationError as error:
        first = error.errors()[0]
        raise UsageError(f"{'.'.join(map(str, first['loc']))}={first['input']!r}: {first['msg']}") from error


def _value(name: str, text: str) -> Any:
    if text not in ("null", "true", "false") and not text.startswith(("[", "{", '"')):
        return text
    try:
        return json.loads(text)
    except ValueError as error:
        raise UsageError(f"{name}={text}: not valid JSON ({error})") from error


def _unknown(name: str, fields: list[str]) -> str:
    close = get_close_matches(name, fields, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; it has: {', '.join(fields)}"
    return f"this recipe has no setting {name!r}{hint}"
