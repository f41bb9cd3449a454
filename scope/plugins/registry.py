"""Finds plugins by name. Built-in ones and those of other packages are declared alike, as entry points.

A package adds a generator named "mine" with two lines of its pyproject.toml:

    [project.entry-points."scope.generators"]
    mine = "my_package.module:load"
"""

import ast
import os
from dataclasses import dataclass
from difflib import get_close_matches
from hashlib import sha256
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import Any, Final, Literal, get_args

from scope.errors import PluginError
from scope.worker import Channel, MessageKind, Worker, WorkerDied, WorkerTimeout

Kind = Literal["skills", "generators", "tokenizers", "verifiers", "language", "knowledge", "editors", "benchmarks"]

#: Set to 1, only the plugins that come with scope are found.
NO_THIRD_PARTY = "SCOPE_NO_THIRD_PARTY"

#: Kinds of parts that scope works without.
OPTIONAL: Final = ("editors",)

_OURS = "scope-t2i"


@dataclass(frozen=True)
class Plugin:
    """One declared plugin. Nothing here imports it."""

    kind: Kind
    point: EntryPoint

    @property
    def name(self) -> str:
        """Return the name that it is asked for by."""
        return self.point.name

    @property
    def package(self) -> str:
        """Return the name of the distribution that declares it."""
        return self.point.dist.name if self.point.dist else "an unnamed package"

    @property
    def version(self) -> str:
        """Return the version of that distribution."""
        return self.point.dist.version if self.point.dist else "?"

    @property
    def third_party(self) -> bool:
        """Return whether another package than scope declares it."""
        return self.package.lower().replace("_", "-") != _OURS

    @property
    def module(self) -> str:
        """Return the module that it lies in."""
        return self.point.value.partition(":")[0].strip()

    @property
    def source(self) -> Path | None:
        """Return the file of that module, found without importing its packages; None: it is not there."""
        top, *rest = self.module.split(".")
        for root in _roots(top):
            inside = root.joinpath(*rest)
            for path in (inside, inside.with_name(f"{inside.name}.py"), inside / "__init__.py"):
                if path.is_file():
                    return path
        return None

    @property
    def owner(self) -> str:
        """Return who declares it, in words."""
        return f"{self.package} ({self.point.value})"

    @property
    def fingerprint(self) -> str:
        """Return the hex sha256 of its package's Python files, and of the list of all that was installed with them."""
        listed = self.point.dist.read_text("RECORD") if self.point.dist else None
        digest = sha256((listed or "").encode())
        for root in _roots(self.module.partition(".")[0]):
            for path in sorted(root.rglob("*.py")) if root.is_dir() else [root]:
                digest.update(f"\n{path.relative_to(root.parent).as_posix()} ".encode())
                digest.update(sha256(path.read_bytes()).digest())
        return digest.hexdigest()

    @property
    def summary(self) -> str:
        """Return what it is in one line: its class's docstring, else its module's, read from the source; else ""."""
        path = self.source
        try:
            module = ast.parse(path.read_bytes()) if path is not None else ast.Module([], [])
        except (OSError, SyntaxError, ValueError):
            return ""
        classes = (node for node in module.body if isinstance(node, ast.ClassDef))
        named = [node for node in classes if self.point.value == f"{self.module}:{node.name}"]
        docs = [*map(ast.get_docstring, named), ast.get_docstring(module)]
        return next((doc.partition("\n")[0] for doc in docs if doc), "")


def installed(kind: Kind) -> list[Plugin]:
    """Return what is declared of one kind, sorted by name. Reads package metadata only."""
    found = (Plugin(kind, point) for point in entry_points(group=f"scope.{kind}"))
    # A package that is found twice on the path counts once.
    once = {(plugin.name, plugin.owner): plugin for plugin in found if third_party_allowed() or not plugin.third_party}
    return [once[key] for key in sorted(once)]


def names(kind: Kind) -> list[str]:
    """Return the installed names of one kind. Reads package metadata only."""
    return sorted({plugin.name for plugin in installed(kind)})


def find(kind: Kind, name: str) -> Plugin:
    """Return the one plugin that is installed as `name`.

    Raises: PluginError if no package or more than one owns the name.
    """
    owners = [plugin for plugin in installed(kind) if plugin.name == name]
    if not owners:
        raise PluginError(_unknown(kind, name))
    if len(owners) > 1:
        raise PluginError(
            f"{kind} {name!r} is declared twice: {' and '.join(plugin.owner for plugin in owners)}. "
            "Uninstall one of the two, or leave out the plugins of other packages: scope --no-third-party"
        )
    return owners[0]


def load(kind: Kind, name: str) -> Any:
    """Import and return the class or factory that is installed as `name`.

    Raises: PluginError if no package or more than one owns the name, or if it cannot be imported.
    """
    plugin = find(kind, name)
    try:
        return plugin.point.load()
    except Exception as error:
        raise PluginError(
            f"{kind} {name!r} of {plugin.owner} cannot be imported: {type(error).__name__}: {error}"
        ) from error


def fault(kind: Kind, name: str, limit: float = 30.0) -> str:
    """Return why a plugin cannot be used; "": it can. It is imported in a process of its own, in `limit` seconds."""
    with Worker("scope.plugins.registry:work", [kind, name, limit]) as worker:
        try:
            outcome, value = worker.receive(limit)
        except (WorkerTimeout, WorkerDied) as error:
            return f"importing it: {error}"
    if outcome is MessageKind.RESULT:
        return ""
    raised, why = value
    return str(why) if raised == PluginError.__name__ else f"importing it: {raised}: {why}"


def work(channel: Channel, task: tuple[Kind, str, float]) -> None:
    """Import a plugin, in the worker of `fault`."""
    kind, name, limit = task
    channel.exit_after(limit)
    load(kind, name)


def versions() -> dict[str, str]:
    """Return "kind/name" -> "package version sha256:..." of every plugin that other packages bring, for the record."""
    foreign = [plugin for kind in get_args(Kind) for plugin in installed(kind) if plugin.third_party]
    return {f"{p.kind}/{p.name}": f"{p.package} {p.version} sha256:{p.fingerprint}" for p in foreign}


def third_party_allowed() -> bool:
    """Return whether plugins of other packages are found: unless $SCOPE_NO_THIRD_PARTY is set."""
    return os.environ.get(NO_THIRD_PARTY, "").lower() in ("", "0", "false", "no")


def _roots(top: str) -> list[Path]:
    """Return the folders or the file of a top-level module, without importing it."""
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):
        return []
    if spec is None:
        return []
    places = spec.submodule_search_locations or ([spec.origin] if spec.has_location and spec.origin else [])
    return [Path(place) for place in places]


def _unknown(kind: Kind, name: str) -> str:
    known = sorted({plugin.name for plugin in installed(kind)})
    if not known and kind in OPTIONAL:
        return f"no {kind} named {name!r}: none are installed. A package brings one by an entry point in scope.{kind}"
    if not known:
        return f"no {kind} are installed: this looks like a checkout. Install it with: pip install -e ."
    close = get_close_matches(name, known, n=1)
    hint = f"; did you mean {close[0]!r}?" if close else ";"
    return f"no {kind} named {name!r}{hint} installed: {', '.join(known)}"
