"""The command line with fakes for its parts: no weights, no torch, a home of its own."""

import os
import shutil
import signal
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from scope.cli import app
from scope.config import Options
from scope.plugins import registry
from scope.protocols import DEFAULT_GENERATOR
from scope.testing import FakeGenerator, FakeReader, FakeVerifier

pytest_plugins = ["scope.testing.fixtures"]

NOT_FAST = ("heavy", "slow", "weights")
NO_TESSERACT = pytest.mark.skip(reason="Tesseract is not installed: apt-get install tesseract-ocr")

if "PYTEST_XDIST_WORKER" in os.environ:  # one thread each, or the workers fight for the cores
    os.environ["OMP_NUM_THREADS"] = "1"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if not any(item.get_closest_marker(mark) for mark in NOT_FAST):
            item.add_marker(pytest.mark.fast)
        if item.get_closest_marker("needs_tesseract") and shutil.which("tesseract") is None:
            item.add_marker(NO_TESSERACT)


Parts = dict[tuple[str, str], Callable[[], Any]]
Cli = Callable[..., Result]


@pytest.fixture(autouse=True)
def exact_floats() -> Iterator[None]:
    """Undo what a training does to the whole process: it lets the CPU round the smallest numbers to zero."""
    yield
    if torch := sys.modules.get("torch"):
        torch.set_flush_denormal(False)


@pytest.fixture
def sigint() -> Iterator[None]:
    """Have Ctrl-C do what it does in the foreground: where pytest runs in the background, the shell lets it be ignored.

    Child processes do as this one does.
    """
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.fixture
def parts(monkeypatch: pytest.MonkeyPatch) -> Parts:
    """What is installed. A test replaces a part by assigning to it."""
    installed: Parts = {
        ("generators", DEFAULT_GENERATOR): lambda: FakeGenerator(
            name=DEFAULT_GENERATOR, weights={"fake.safetensors": "ab" * 32}
        ),
        ("verifiers", "objects"): FakeVerifier,
        ("language", "grammar"): FakeReader,
    }
    real = registry.load
    monkeypatch.setattr(registry, "load", lambda kind, name: installed.get((kind, name)) or real(kind, name))
    monkeypatch.setattr(registry, "names", lambda kind: [name for of, name in installed if of == kind])
    return installed


@pytest.fixture
def cli(parts: Parts, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """Run one command in an empty folder; stdout and stderr are kept apart."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    for variable in ("SCOPE_DEBUG", *(f"SCOPE_{name.upper()}" for name in Options.model_fields)):
        monkeypatch.delenv(variable, raising=False)
    runner = CliRunner()
    return lambda *arguments: runner.invoke(app, [str(argument) for argument in arguments], prog_name="scope")
