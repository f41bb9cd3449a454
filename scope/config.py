"""How a run is to be made, declared once, and overrides of a recipe.

A field of `Options` is a flag of the command line, an environment variable (SCOPE_MAX_IMAGES) and a key of the file
home()/config.toml (max_images = 8), in this order of precedence, and then part of the record of the run.
"""

import json
import os
import re
from collections.abc import Callable, Iterable, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Annotated, Any, Literal, TypeVar

from platformdirs import user_data_dir
from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_settings import BaseSettings, PydanticBaseSettingsSource, SettingsConfigDict, TomlConfigSettingsSource

from scope.errors import UsageError
from scope.protocols import DEFAULT_GENERATOR
from scope.specification import LARGEST_SEED, Model, named_box
from scope.specification.placements import MOST_REGIONS

PREFIX = "SCOPE_"
LARGEST_SIDE = 4096  # pixels of a picture that may be asked for

M = TypeVar("M", bound=BaseModel)


def home() -> Path:
    """Return where runs, knowledge and config.toml are kept: $SCOPE_HOME, else the user's data folder."""
    chosen = os.environ.get(f"{PREFIX}HOME")
    return Path(chosen) if chosen else Path(user_data_dir("scope"))


def config_file() -> Path:
    """Return where the user's own defaults are read from."""
    return home() / "config.toml"


def _pixels(size: str) -> tuple[int, int]:
    """Return (width, height) of "N" or "WIDTHxHEIGHT".

    Raises: ValueError.
    """
    if not re.fullmatch(r"\s*\d+\s*([xX×]\s*\d+\s*)?", size, re.ASCII):
        raise ValueError("write N, or WIDTHxHEIGHT, in pixels: 256, or 256x128")
    sides = [int(side) for side in re.findall(r"\d+", size)]
    if wrong := [side for side in sides if not 1 <= side <= LARGEST_SIDE]:
        raise ValueError(f"{wrong[0]} pixels are no side of a picture; it has 1 to {LARGEST_SIDE}")
    return sides[0], sides[-1]


def _region(text: str) -> str:
    named_box(text)
    return text


def named_picture(text: str) -> tuple[str, Path]:
    """Return what is named, and the picture of it: of "a mascot=picture.png".

    Raises: ValueError.
    """
    name, _, path = (part.strip() for part in text.partition("="))
    if not (name and path):
        raise ValueError("write PHRASE=PICTURE: 'a mascot=picture.png'")
    return name, Path(path)


def _reference(text: str) -> str:
    name, path = named_picture(text)
    return f"{name}={path.absolute()}"  # a run may go on from another folder


class Options(Model):
    """How a run is to be made. It is part of the record, so a resumed run keeps its own."""

    generator: str = Field(default=DEFAULT_GENERATOR, description="which generator draws")
    seed: int = Field(
        default=0, ge=0, le=LARGEST_SEED, description="decides all noise: the same seed gives the same drafts"
    )
    drafts: int = Field(default=2, ge=1, le=64, description="drafts per round")
    max_rounds: int = Field(default=2, ge=0, le=100, description="repair rounds after the first")
    max_time: float | None = Field(
        default=None,
        gt=0,
        allow_inf_nan=False,
        description="seconds, over all resumptions; checked between drafts, the best so far is kept",
    )
    max_images: int | None = Field(default=None, ge=1, description="drafts in all")
    max_cost: float | None = Field(
        default=None,
        ge=0,
        allow_inf_nan=False,
        description="spent on all parts that cost, such as language models, in their prices' money",
    )
    language: str = Field(
        default="grammar", description="what reads the prompt and reasons: grammar, or a language model: openai, vllm"
    )
    editor: str | None = Field(
        default=None, description="which editor changes pictures; without it, the one that is installed"
    )
    verifiers: tuple[str, ...] = Field(
        default=(),
        exclude_if=lambda given: not given,
        description="what judges, in the order in which it is asked: the first that can say counts; without it, "
        "scope's own verifiers, then those of other packages",
    )
    knowledge: tuple[str, ...] = Field(default=(), description="folders to look things up in")
    region: tuple[Annotated[str, AfterValidator(_region)], ...] = Field(
        default=(),
        exclude_if=lambda given: not given,
        description="where a thing stands: 'a red apple=y_min,x_min,y_max,x_max' in thousandths, y first",
    )
    reference: tuple[Annotated[str, AfterValidator(_reference)], ...] = Field(
        default=(),
        exclude_if=lambda given: not given,
        description="a picture of what a thing is to look like: 'a mascot=picture.png'",
    )
    size: str | None = Field(
        default=None,
        exclude_if=lambda size: size is None,
        description="pixels of the picture, as N or WIDTHxHEIGHT; without it, the generator's own",
    )
    learned: bool = Field(
        default=True,
        description="choose repairs by what earlier runs of this machine showed; not where a seed is given",
    )
    without: tuple[str, ...] = Field(
        default=(), description="skills that are left out, such as retrieve,reason; and repair, for no repairs at all"
    )
    confirm: tuple[Literal["spec", "repair"], ...] = Field(
        default=(), description="what you are asked about first, as YAML in $EDITOR: spec,repair"
    )
    skill_timeout: float = Field(
        default=60.0, gt=0, allow_inf_nan=False, description="seconds for one step of another package's skill"
    )

    @field_validator("size", mode="before")
    @classmethod
    def _one_size(cls, given: Any) -> Any:
        return given if given is None or type(given) not in (int, str) else "x".join(map(str, _pixels(str(given))))

    @property
    def pixels(self) -> tuple[int, int] | None:
        """Return (width, height) of the picture; None: the generator's own."""
        return _pixels(self.size) if self.size is not None else None

    @field_validator("region", "reference")
    @classmethod
    def _few(cls, given: tuple[str, ...], info: ValidationInfo) -> tuple[str, ...]:
        if len(given) > MOST_REGIONS:
            raise ValueError(
                f"{len(given)} {info.field_name}s are more than the {MOST_REGIONS} that a picture may have"
            )
        return given


def _folder(path: Any) -> str:
    if not isinstance(path, str | Path) or not Path(path).is_dir():
        raise ValueError("this is not a folder")
    return str(Path(path).absolute())


class _Given(BaseSettings, Options):
    """Options as people write them: lists in one text, folders relative to where they are."""

    model_config = SettingsConfigDict(env_prefix=PREFIX, env_ignore_empty=True, enable_decoding=False)

    knowledge: tuple[Annotated[str, BeforeValidator(_folder)], ...] = ()

    @model_validator(mode="before")
    @classmethod
    def _same_everywhere(cls, given: Any) -> Any:
        """Who names a seed wants the same picture again, whatever this machine has learned since."""
        return {"learned": False} | given if isinstance(given, dict) and "seed" in given else given

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Return where options come from, the strongest first."""
        return init_settings, env_settings, TomlConfigSettingsSource(settings_cls, config_file())

    @field_validator("without", "confirm", "verifiers", mode="before")
    @classmethod
    def _names(cls, given: Any) -> Any:
        texts = [given] if isinstance(given, str) else given
        if not isinstance(texts, list | tuple) or not all(isinstance(text, str) for text in texts):
            return given
        return tuple(dict.fromkeys(name for text in texts for name in re.split(r"[,\s]+", text) if name))

    @field_validator("region", "reference", mode="before")
    @classmethod
    def _parted(cls, given: Any) -> Any:
        if isinstance(given, str):
            return tuple(text.strip() for text in given.split(";") if text.strip())
        return given

    @field_validator("knowledge", mode="before")
    @classmethod
    def _paths(cls, given: Any) -> Any:
        if isinstance(given, str):
            return tuple(path for path in given.split(os.pathsep) if path)
        return given


def resolve(flags: Mapping[str, Any], spelled: Callable[[str], str] = str) -> Options:
    """Return the options of a run: `flags` before the environment before config.toml before the defaults.

    Args:
        flags: values by the names of fields; None is as good as absent.
        spelled: how the reader wrote the flag of a field, for errors.

    Raises: UsageError naming the flag, the variable, or the key of the file whose value cannot be used.
    """
    given = {name: value for name, value in flags.items() if value is not None}
    try:
        return Options.model_validate(_Given(**given).model_dump())
    except ValidationError as error:
        first = error.errors()[0]
        name = str(first["loc"][0])
        source = spelled(name) if name in given else _source(name)
        if first["type"] == "extra_forbidden":
            raise UsageError(f"{source}: {_unknown('option', name, list(Options.model_fields))}") from error
        raise UsageError(f"{source}={first['input']!r}: {first['msg'].removeprefix('Value error, ')}") from error
    except (OSError, ValueError) as error:
        raise UsageError(f"{config_file()} cannot be read: {error}") from error


def misspelt() -> tuple[str, ...]:
    """Return a sentence for each environment variable that is nearly one of an option, and so says nothing."""
    variables = [PREFIX + name.upper() for name in Options.model_fields]
    found = {name: get_close_matches(name.upper(), variables, n=1, cutoff=0.93) for name in sorted(os.environ)}
    return tuple(
        f"{name} is no option; did you mean {close[0]}?"
        for name, close in found.items()
        if close and name.upper() not in variables
    )


def _source(name: str) -> str:
    """Return where the value of a field comes from that no flag gave: its variable, or its key in the file."""
    variable = PREFIX + name.upper()
    is_set = any(value and found.upper() == variable for found, value in os.environ.items())
    return variable if is_set else f"{config_file()}: {name}"


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
            raise UsageError(f"this recipe has {_unknown('setting', name, list(type(config).model_fields))}")
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


def _unknown(what: str, name: str, fields: list[str]) -> str:
    close = get_close_matches(name, fields, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; there are: {', '.join(fields)}"
    return f"no {what} {name!r}{hint}"
