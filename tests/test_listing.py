"""`scope runs`: the list with its filters, and what may be deleted and what stays."""

import json
import os
import shutil
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from conftest import Cli, Parts
from prompts import PROMPT

import scope
from scope.config import Options
from scope.errors import UsageError
from scope.runs import listing, store
from scope.runs.listing import Listed, Which, moment, to_prune
from scope.testing import FakeVerifier

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def ids(cli: Cli, *arguments: str) -> list[str]:
    done = cli("runs", *arguments, "--json")
    assert done.exit_code == 0, done.stderr
    return [run["id"] for run in json.loads(done.stdout)["runs"]]


def old(days: int, number: int = 0) -> str:
    """Make an unfinished run that began so many days ago; return its id."""
    run = store.create(f"{number} apple")
    created = datetime.now(UTC) - timedelta(days=days)
    aged = run.manifest.model_copy(update={"created": created.isoformat(timespec="seconds")})
    (run.folder / "run.json").write_bytes(store._sealed(aged.model_dump(mode="json")))
    return run.id


# -- the list ------------------------------------------------------------------------------------


def test_the_list_says_when_how_it_went_and_where_the_picture_is(cli: Cli, parts: Parts) -> None:
    parts["verifiers", "objects"] = lambda: FakeVerifier({"count": "violated"})
    assert cli("generate", PROMPT, "-o", "a.png", "--max-rounds", "0").exit_code == 3
    (run,) = json.loads(cli("runs", "--json").stdout)["runs"]
    assert (run["state"], run["exit"], run["met"], run["commitments"]) == ("finished", 3, 6, 8)
    assert (run["prompt"], run["image"]) == (PROMPT, str(Path.cwd() / "a.png"))
    assert datetime.now(UTC) - datetime.fromisoformat(run["created"]) < timedelta(minutes=5)
    line = " ".join(cli("runs").stdout.split())
    assert all(said in line for said in (run["id"], run["created"][:10], "finished (3)", "6 of 8", PROMPT))


def test_a_run_is_read_again_when_it_has_changed(cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listing, "_SETTLED", -1)  # remembered at once
    run = scope.app.start(scope.app.plan(PROMPT, Options(drafts=1)))
    assert [one.state for one in listing.listed()] == ["unfinished"]
    scope.resume(run.id)
    assert [one.state for one in listing.listed()] == ["finished"]
    (run.folder / "run.json").write_bytes(b"damaged")
    assert [one.state for one in listing.listed()] == ["damaged"]
    shutil.rmtree(run.folder)
    assert listing.listed() == []


@pytest.mark.parametrize("content", [b"no database", b""])
def test_a_memory_that_cannot_be_read_hides_nothing(cli: Cli, home: Path, content: bytes) -> None:
    run = store.create(PROMPT)
    listing.listed()
    (home / "runs.sqlite").write_bytes(content)
    assert [one.id for one in listing.listed()] == [run.id]


def test_one_damaged_run_hides_no_other(cli: Cli, home: Path) -> None:
    good = store.create(PROMPT).id
    for number, content in enumerate((b"", b"{}", b"[]", b'{"value": 1}', b"\xff")):
        run = store.create("1 apple")
        (run.folder / "run.json").write_bytes(content)
        if number == 0:
            (run.folder / "run.json").unlink()
    (home / "runs" / "a file").write_text("")
    assert ids(cli, "--state", "unfinished") == [good]
    assert len(ids(cli, "--state", "damaged")) == 5
    assert cli("runs").exit_code == 0


RUNS = [
    Listed("5", "damaged", "2026-11-28T11:00:00+00:00"),
    Listed("4", "finished", "2026-11-27T00:00:00+00:00", exit=0, met=3, commitments=3, prompt="A Red apple"),
    Listed("3", "finished", "2026-11-20T00:00:00+00:00", exit=3, met=1, commitments=3, prompt="a car"),
    Listed("2", "unfinished", "2026-10-01T00:00:00+00:00", prompt="a red car"),
    Listed("1", "damaged"),
]


@pytest.mark.parametrize(
    ("which", "found"),
    [
        (Which(), "54321"),
        (Which(state="finished"), "43"),
        (Which(state="damaged"), "51"),
        (Which(verdict="met"), "4"),
        (Which(verdict="unmet"), "3"),
        (Which(prompt="red"), "42"),
        (Which(since=moment("2d", NOW)), "54"),
        (Which(before=moment("2d", NOW)), "32"),
        (Which(since=moment("2026-11-01"), before=moment("2026-11-27")), "3"),
        (Which(state="finished", prompt="car"), "3"),
    ],
)
def test_filters(which: Which, found: str) -> None:
    assert "".join(run.id for run in RUNS if run in which) == found


@pytest.mark.parametrize(
    ("keep", "older_than", "gone"),
    [(3, None, "21"), (0, None, "54321"), (9, None, ""), (None, "7d", "32"), (4, "7d", ""), (3, "7d", "2")],
)
def test_what_is_pruned_is_older_and_not_among_the_newest(keep: int | None, older_than: str | None, gone: str) -> None:
    before = moment(older_than, NOW) if older_than else None
    assert "".join(run.id for run in to_prune(RUNS, keep, before)) == gone


@pytest.mark.parametrize("text", ["", "d", "3", "-3d", "3y", "yesterday", "2026-13-01", "9" * 400 + "d", "999999w"])
def test_a_time_that_is_none(text: str) -> None:
    with pytest.raises(UsageError, match="write an age such as 30d"):
        moment(text, NOW)


# -- deleting ------------------------------------------------------------------------------------


def test_a_run_is_deleted_and_the_picture_stays(cli: Cli, home: Path) -> None:
    cli("generate", PROMPT, "-o", "a.png")
    run, kept = ids(cli)[0], store.create(PROMPT).id
    done = cli("runs", "delete", run)
    assert (done.exit_code, done.stdout) == (0, f"{run}\n")
    assert ids(cli) == [kept]
    assert Path("a.png").is_file()
    assert cli("show", "a.png").exit_code == 0


def test_all_are_there_or_none_goes(cli: Cli) -> None:
    run = store.create(PROMPT).id
    done = cli("runs", "delete", run, "20200101-000000-000")
    assert done.exit_code == 2
    assert ids(cli) == [run]


@pytest.mark.parametrize("name", ["..", ".", "../..", "a/b", ""])
def test_nothing_outside_of_the_runs_is_deleted(cli: Cli, home: Path, name: str) -> None:
    run = store.create(PROMPT).id
    assert cli("runs", "delete", name).exit_code == 2
    assert ids(cli) == [run]


def test_a_link_is_not_followed(cli: Cli, home: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "mine.txt").write_text("mine")
    store.create(PROMPT)
    (home / "runs" / "link").symlink_to(elsewhere)
    assert cli("runs", "delete", "link").exit_code == 1
    cli("runs", "prune", "--keep", "0")
    assert (elsewhere / "mine.txt").read_text() == "mine"


def test_a_damaged_run_may_be_deleted(cli: Cli) -> None:
    run = store.create(PROMPT)
    (run.folder / "run.json").write_bytes(b"")
    assert cli("runs", "delete", run.id).exit_code == 0
    assert ids(cli) == []


def test_what_another_process_works_on_stays(cli: Cli) -> None:
    busy, idle = store.create(PROMPT), store.create(PROMPT)
    hold = f"from scope.runs.store import find_run\nwith find_run({busy.id!r}).locked():\n print(flush=True)\n input()"
    with subprocess.Popen(
        [sys.executable, "-c", hold], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as other:
        assert other.stdout is not None
        other.stdout.readline()
        assert cli("runs", "delete", busy.id).exit_code == 2
        done = cli("runs", "prune", "--keep", "0")
        other.communicate("\n")
    assert (done.exit_code, done.stdout) == (0, f"{idle.id}\n")
    assert busy.id in done.stderr
    assert ids(cli) == [busy.id]


def test_prune_takes_the_old_and_keeps_the_newest(cli: Cli) -> None:
    first, second, third = (old(days, number) for number, days in enumerate((90, 60, 1)))
    dry = cli("runs", "prune", "--older-than", "30d", "--dry-run")
    assert dry.stdout.splitlines() == [second, first]
    assert "2 of 3 runs would be deleted" in dry.stderr
    assert ids(cli) == [third, second, first]
    assert cli("runs", "prune", "--older-than", "30d", "--keep", "2").stdout.splitlines() == [first]
    assert cli("runs", "prune", "--older-than", "30d", "--prompt", "9 apple").stdout == ""
    assert cli("runs", "prune", "--older-than", "30d").stdout.splitlines() == [second]
    assert ids(cli) == [third]
    assert cli("runs", "prune").exit_code == 2


# -- many ----------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_five_thousand_runs_are_listed_in_a_second_of_work(cli: Cli, home: Path) -> None:
    cli("generate", PROMPT, "-o", "a.png")
    (made,) = (home / "runs").iterdir()
    for number in range(4999):
        folder = home / "runs" / f"20260101-{number:06d}-000"
        folder.mkdir()
        for name in ("run.json", "result.json", "target.json"):
            (folder / name).hardlink_to(made / name)
    hour_ago = time.time() - 3600  # what changed just now is not remembered
    for path in (made / "run.json", *(home / "runs").iterdir()):
        os.utime(path, (hour_ago, hour_ago))
    listing.listed()
    began = time.process_time()
    found = listing.listed()
    assert time.process_time() - began < 1
    assert len(found) == 5000
    assert {run.met for run in found} == {8}
    began = time.process_time()
    done = cli("runs", "--limit", "0")
    assert time.process_time() - began < 2  # a long table is no work for rich
    assert len(done.stdout.splitlines()) == 5001
