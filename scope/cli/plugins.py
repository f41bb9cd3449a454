"""`scope plugins`: which parts are installed, whether they work, and a package to begin one of your own."""

from difflib import get_close_matches
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, get_args

import typer

from scope.cli.console import Commands, emit_json, emit_path, emit_table, log
from scope.cli.options import Json
from scope.cli.scaffold import Kind, write_package
from scope.errors import PluginError, UsageError

if TYPE_CHECKING:
    from scope.plugins import registry

app = typer.Typer(cls=Commands, help="List the installed parts, look at one, begin your own.", no_args_is_help=True)

_SLOW = 120.0  # seconds to import one part: torch, on a busy machine


@app.command("list")
def list_(as_json: Json = False) -> None:
    """List every part that is installed. Those of other packages are imported, each in a process of its own."""
    from scope.plugins import registry

    parts = [part for kind in get_args(registry.Kind) for part in registry.installed(kind)]
    rows = [_described(part, _fault(part)) for part in parts]
    if as_json:
        return emit_json({"plugins": rows})
    emit_table(
        ("kind", "name", "package", "", "what it is"),
        (
            (r["kind"], r["name"], f"{r['package']} {r['version']}", _word(r), r["why"] or r["summary"])
            for r in rows
        ),
        styles={"ok": "green", "broken": "bold red"},
    )  # fmt: skip
    broken = sum(not row["ok"] for row in rows)
    return log(f"{len(rows)} parts, {broken} broken" if broken else f"{len(rows)} parts")


@app.command()
def info(
    kind: Annotated[str, typer.Argument(help="skill, generator, verifier ...", show_default=False)],
    name: Annotated[str, typer.Argument(help="What it is installed as.", show_default=False)],
    as_json: Json = False,
) -> None:
    """Show one part: whose it is, where it lies, and whether it can be imported."""
    from scope.plugins import registry

    part = registry.find(_kind(kind), name)
    fault = registry.fault(part.kind, name, _SLOW)
    row = _described(part, fault) | {"file": str(part.source or ""), "sha256": part.fingerprint}
    if as_json:
        emit_json(row)
    else:
        emit_table(("", ""), ((field, str(value)) for field, value in row.items()))
    if fault:
        raise PluginError(fault)


@app.command()
def new(
    name: Annotated[str, typer.Argument(help="Of the package, such as team-mascots.", show_default=False)],
    kind: Annotated[Kind, typer.Option(help="What is in it.")] = "skill",
) -> None:
    """Write a package that works into a new folder; print its path."""
    folder = write_package(name, kind, Path())
    emit_path(folder.absolute())
    log(f"try it: cd {folder} && pip install -e '.[test]' && pytest")


def _described(part: "registry.Plugin", fault: str) -> dict[str, Any]:
    return {
        "kind": part.kind,
        "name": part.name,
        "package": part.package,
        "version": part.version,
        "entry_point": part.point.value,
        "third_party": part.third_party,
        "summary": part.summary,
        "ok": not fault,
        "why": fault,
    }


def _word(row: dict[str, Any]) -> str:
    return "ok" if row["ok"] else "broken"


def _fault(part: "registry.Plugin") -> str:
    """Return why a part cannot be used; our own are only looked for, as importing them takes seconds."""
    from scope.plugins import registry

    if part.third_party:
        return registry.fault(part.kind, part.name)
    try:
        registry.find(part.kind, part.name)
    except PluginError as error:
        return str(error)
    return "" if part.source else f"{part.module} is missing: reinstall scope"


def _kind(word: str) -> "registry.Kind":
    """Return the kind that a word means, in the singular or the plural.

    Raises: UsageError if it means none.
    """
    from scope.plugins import registry

    meant: dict[str, registry.Kind] = {}
    for kind in get_args(registry.Kind):
        meant |= {kind: kind, kind.removesuffix("s"): kind}
    if word in meant:
        return meant[word]
    close = get_close_matches(word, meant, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else f"; choose from {', '.join(get_args(registry.Kind))}"
    raise UsageError(f"there are no parts of the kind {word!r}{hint}")
