"""Options that several commands share, and the flags that are the fields of `Options`."""

from collections.abc import Callable
from functools import wraps
from inspect import Parameter, Signature, signature
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_origin

import typer
from pydantic.fields import FieldInfo

from scope.config import Options

if TYPE_CHECKING:
    from scope.specification import Specification

Prompt = Annotated[str, typer.Argument(help="What to draw, in English.", show_default=False)]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="PNG to write. Without it: a new name that says what it is.")
]
MaybePrompt = Annotated[
    str | None, typer.Argument(help="What is to be in the picture, in English.", show_default=False)
]
SpecFile = Annotated[
    Path | None, typer.Option("--spec", help="A specification in place of a prompt: YAML or JSON, of scope spec -o.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]


def option_flags(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Give a command a flag for each of these fields of `Options`. Its `**flags` get those that were given."""
    flags = [_flag(name, Options.model_fields[name]) for name in names]

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        own = [p for p in signature(command).parameters.values() if p.kind is not Parameter.VAR_KEYWORD]

        @wraps(command)
        def with_flags(**given: Any) -> None:
            absent = {name for name in names if given[name] is None or given[name] == []}
            command(**{name: value for name, value in given.items() if name not in absent})

        parameters = [p.replace(kind=Parameter.KEYWORD_ONLY) for p in own]
        with_flags.__dict__["__signature__"] = Signature([*parameters, *flags])
        return with_flags

    return decorate


def asked(prompt: str | None, spec_file: Path | None) -> "str | Specification":
    """Return the prompt, or the specification that stands in its place.

    Raises: typer.BadParameter if there is neither or both; UsageError if the file cannot be used.
    """
    from scope import app

    if (prompt is None) is (spec_file is None):
        raise typer.BadParameter("give a prompt, or a specification with --spec FILE: one of the two")
    return app.load_spec(spec_file) if spec_file is not None else str(prompt)


def flag_name(field: str) -> str:
    """Return the flag of a field: --max-time."""
    return "--" + field.replace("_", "-")


def _flag(name: str, field: FieldInfo) -> Parameter:
    """Return a field as a parameter that typer reads: its type, bounds, words and default; None is "not given".

    The bounds of a float are left to `resolve`, which says of nan and infinity what is wrong with them.
    """
    several = get_origin(field.annotation) is tuple
    kind: Any = list[str] if several else field.annotation
    found = {bound: getattr(m, bound) for m in field.metadata for bound in ("ge", "le") if hasattr(m, bound)}
    bounds = found if kind in (int, int | None) else {}
    words = field.description or ""
    option = typer.Option(
        min=bounds.get("ge"),
        max=bounds.get("le"),
        help=words[:1].upper() + words[1:] + ("; may be repeated." if several else "."),
        show_default=False if field.default is None or several else str(field.default),
    )
    return Parameter(name, Parameter.KEYWORD_ONLY, default=None, annotation=Annotated[kind | None, option])
