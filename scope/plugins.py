"""Finds parts by name. Built-in parts and those of other packages are declared alike, as entry points.

A package adds a generator named "mine" with two lines of its pyproject.toml:

    [project.entry-points."scope.generators"]
    mine = "my_package.module:load"
"""

from difflib import get_close_matches
from importlib.metadata import EntryPoint, entry_points
from pathlib import Path
from typing import Any, Literal

from scope.errors import PluginError
from scope.protocols import Toolbox

Kind = Literal["generators", "tokenizers", "verifiers", "skills", "language"]


def names(kind: Kind) -> list[str]:
    """Return the installed names of one kind. Reads package metadata only."""
    return sorted({point.name for point in _points(kind)})


def load(kind: Kind, name: str) -> Any:
    """Import and return the class or factory that is installed as `name`.

    Raises: PluginError if no package or more than one owns the name, or if it cannot be imported.
    """
    owners = [point for point in _points(kind) if point.name == name]
    if not owners:
        raise PluginError(_unknown(kind, name))
    if len(owners) > 1:
        raise PluginError(
            f"{kind} {name!r} is declared twice: {' and '.join(map(_owner, owners))}. Uninstall one of the two packages"
        )
    try:
        return owners[0].load()
    except Exception as error:
        raise PluginError(
            f"{kind} {name!r} of {_owner(owners[0])} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def toolbox(generator: str, folder: Path) -> Toolbox:
    """Return what a run works with: one generator, the grammar, and every verifier that is installed.

    Raises: PluginError, WeightsError.
    """
    return Toolbox(
        reader=load("language", "grammar")(),
        generator=load("generators", generator)(),
        verifiers=tuple(load("verifiers", name)() for name in names("verifiers")),
        folder=folder,
    )


def _points(kind: Kind) -> list[EntryPoint]:
    """Return the entry points of one kind; a package that is found twice on the path counts once."""
    found = {(point.name, point.value, _package(point)): point for point in entry_points(group=f"scope.{kind}")}
    return list(found.values())


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "an unnamed package"


def _owner(point: EntryPoint) -> str:
    return f"{_package(point)} ({point.value})"


def _unknown(kind: Kind, name: str) -> str:
    installed = names(kind)
    if not installed:
        return f"no {kind} are installed: this looks like a checkout. Install it with: pip install -e ."
    close = get_close_matches(name, installed, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    return f"no {kind} named {name!r}{hint} installed: {', '.join(installed)}"
