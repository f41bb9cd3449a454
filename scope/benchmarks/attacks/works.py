"""What is attacked: a run and its picture, made with fake parts in a home of their own, beside a file of somebody's."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from unittest.mock import patch

from scope import app
from scope.config import Options
from scope.engine.outcome import json_report
from scope.plugins import registry
from scope.runs.marks import sidecar
from scope.runs.store import Run
from scope.testing import FakeGenerator, FakeReader, FakeVerifier, temporary_home

GENERATOR = "fake"
PROMPT = "2 red apple left of 1 blue car on beach"
_MINE = b"MINE"
_PARTS: dict[tuple[str, str], Callable[[], Any]] = {
    ("generators", GENERATOR): lambda: FakeGenerator(name=GENERATOR),
    ("verifiers", "objects"): FakeVerifier,
    ("language", "grammar"): FakeReader,
}


@dataclass(frozen=True)
class Works:
    """A picture with its sidecar, the run that drew it, and a file beside them that nobody may touch."""

    picture: Path
    run: Run
    victim: Path

    @property
    def folder(self) -> Path:
        """Return the folder of the picture."""
        return self.picture.parent

    def harm(self, said: str = "") -> str:
        """Return what went wrong beside the words of a refusal, if anything."""
        if self.victim.read_bytes() != _MINE:
            self.victim.write_bytes(_MINE)
            return "it wrote over a file that scope did not write"
        if partial := next(self.folder.glob(".*.partial"), None):
            partial.unlink()
            return "part of a file is left"
        return "the refusal is twice in itself" if said.count("is damaged (") > 1 else ""


@contextmanager
def works() -> Iterator[Works]:
    """Make a run and its picture, and keep fake parts installed meanwhile."""
    real = registry.load
    loaded = patch.object(registry, "load", lambda kind, name: _PARTS.get((kind, name)) or real(kind, name))
    named = patch.object(registry, "names", lambda kind: [name for of, name in _PARTS if of == kind])
    with temporary_home(), TemporaryDirectory() as folder, loaded, named:
        result = app.generate(PROMPT, output=Path(folder) / "a.png", options=Options(generator=GENERATOR, drafts=1))
        victim = Path(folder) / "mine.png"
        victim.write_bytes(_MINE)
        assert result.run is not None
        assert result.path is not None
        yield Works(result.path, result.run, victim)


def explain(what: Path | str, page: Path) -> None:
    """Do all that `scope show` does of a picture or a run, and what `--json` would.

    Raises: ScopeError.
    """
    result = app.load_run(what)
    app.show(result, page)
    assert result.proof.summary
    json_report(result.outcome)


def forget(picture: Path) -> None:
    """Remove the sidecar of a picture, whatever it is."""
    beside = sidecar(picture)
    if beside.is_dir() and not beside.is_symlink():
        beside.rmdir()
    else:
        beside.unlink(missing_ok=True)
