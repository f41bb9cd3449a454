"""What another version of scope recorded gets one clear line. The data is real: written by a scope of schema 1."""

import json
import shutil
from pathlib import Path

import pytest
from conftest import Cli
from prompts import PROMPT

from scope.runs import store
from scope.runs.png import read_record

OLD = Path(__file__).parent / "data" / "schema1"
RUN = "20261127-141728-805"
OLDER = f"run {RUN} was made by an older scope (schema 1); start again with: scope generate PROMPT"


@pytest.fixture
def old(cli: Cli, home: Path) -> Path:
    """A home with an old run and, in the current folder, an old picture with its sidecar; its path."""
    shutil.copytree(OLD / "home", home, dirs_exist_ok=True)
    for path in OLD.glob("old.png*"):
        shutil.copy(path, Path())
    return Path("old.png")


def test_an_old_run_says_so_wherever_it_is_opened(cli: Cli, old: Path) -> None:
    for command in (("resume", RUN), ("show", RUN)):
        done = cli(*command)
        assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"scope: {OLDER}\n"), command


def test_an_old_picture_says_so_wherever_it_is_read(cli: Cli, old: Path) -> None:
    said = f"scope: the record in {old} is of schema 1, which this scope does not read (it reads 2)\n"
    for command in ("show", "rerun"):
        done = cli(command, old)
        assert (done.exit_code, done.stdout, done.stderr) == (1, "", said), command


def test_old_runs_are_listed_among_new_ones(cli: Cli, old: Path) -> None:
    assert cli("generate", PROMPT).exit_code == 0
    new, listed = json.loads(cli("runs", "--json").stdout)["runs"]
    assert new["prompt"] == PROMPT
    assert (listed["id"], listed["state"]) == (RUN, "made by another version of scope")
    assert {listed[name] for name in ("exit", "met", "commitments", "prompt", "image")} == {None}
    assert "made by another version" in cli("runs").stdout


def test_an_old_run_is_no_fault_of_the_installation(cli: Cli, old: Path) -> None:
    checks = {check["name"]: check for check in json.loads(cli("doctor", "--json").stdout)["checks"]}
    assert checks["latest run"]["ok"] is None
    assert "schema 1" in checks["latest run"]["found"]


@pytest.mark.heavy
def test_every_document_is_of_schema_2(cli: Cli) -> None:
    made = json.loads(cli("generate", PROMPT, "--json", "-o", "new.png").stdout)
    commands = [
        ("generate", PROMPT, "--dry-run"),
        ("spec", PROMPT),
        ("rerun", "new.png"),
        ("runs",),
        ("doctor",),
        ("plugins", "list"),
        ("plugins", "info", "skill", "reason"),
    ]
    assert made["schema"] == 2
    assert {json.loads(cli(*command, "--json").stdout)["schema"] for command in commands} == {2}
    assert json.loads(Path("new.png.json").read_text())["schema"] == 2
    assert read_record(Path("new.png")).schema_number == 2
    assert store.open_run(made["run"]).result()["schema"] == 2
