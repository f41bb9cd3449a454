"""All runs at a glance: when, what was asked, how it went, and where its picture is; and which of them to delete.

What was read of a run is remembered in home()/runs.sqlite, until something in its folder is made or replaced. It is a
memory and no record: what cannot be remembered is read again.
"""

import json
import os
import re
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Literal

from scope.config import home
from scope.errors import ScopeError, UsageError
from scope.files import read_json
from scope.runs.store import MAX_JSON, SCHEMA, Run
from scope.runs.target import Target

State = Literal["finished", "unfinished", "damaged", "made by another version of scope"]
Verdict = Literal["met", "unmet"]

_FORMAT = 1  # of what is remembered
_SETTLED = 2_000_000_000  # nanoseconds: what changed just now may change again within one tick of the clock
_UNITS = {"m": "minutes", "h": "hours", "d": "days", "w": "weeks"}


@dataclass(frozen=True)
class Listed:
    """One run. `created` is UTC, ISO 8601; `exit`, `met` and `commitments` are of a finished one, as in its report."""

    id: str
    state: State
    created: str | None = None
    exit: int | None = None
    met: int | None = None
    commitments: int | None = None
    prompt: str | None = None
    image: str | None = None  # where its picture was written; it may have been moved since


@dataclass(frozen=True)
class Which:
    """Which runs are meant: all of these hold; None: whatever it is. `prompt` is a part of it, in any case."""

    state: str | None = None
    verdict: Verdict | None = None
    since: datetime | None = None
    before: datetime | None = None
    prompt: str | None = None

    def __contains__(self, run: Listed) -> bool:
        created = datetime.fromisoformat(run.created) if run.created else None
        if self.since is not None and not (created is not None and created >= self.since):
            return False
        if self.before is not None and not (created is not None and created < self.before):
            return False
        return (
            (self.state is None or run.state.startswith(self.state))
            and (self.verdict is None or (run.exit is not None and (run.exit == 0) is (self.verdict == "met")))
            and (self.prompt is None or self.prompt.casefold() in (run.prompt or "").casefold())
        )


def moment(text: str, now: datetime | None = None) -> datetime:
    """Return the time, in UTC, that "30d" ago was (m, h, d, w), or the beginning of a date: "2026-11-28".

    Raises: UsageError.
    """
    now = now or datetime.now(UTC)
    try:
        if found := re.fullmatch(r"([0-9]{1,6})([mhdw])", text.strip()):
            return now - timedelta(**{_UNITS[found[2]]: int(found[1])})
        at = datetime.fromisoformat(text.strip())
    except (ValueError, OverflowError):
        raise UsageError(f"{text!r} is no time; write an age such as 30d (m, h, d, w), or a date: 2026-11-28") from None
    return at if at.tzinfo is not None else at.replace(tzinfo=UTC)


def listed(which: Which | None = None) -> list[Listed]:
    """Return the runs that are meant, newest first. A damaged run is listed as such, and hides no other."""
    if not (home() / "runs").is_dir():
        return []
    with _memory() as memory:
        runs = list(_read(memory))
    return [run for run in runs if which is None or run in which]


def to_prune(runs: Sequence[Listed], keep: int | None, older_than: datetime | None) -> list[Listed]:
    """Return which of these runs, newest first, go: all but the newest `keep`, of those older than a time.

    Raises: UsageError if neither is said.
    """
    if keep is None and older_than is None:
        raise UsageError("say which runs are to go: --older-than 30d, or --keep 100, or both")
    beyond = runs[keep or 0 :]
    return [run for run in beyond if older_than is None or run in Which(before=older_than)]


def _read(memory: sqlite3.Connection | None) -> Iterator[Listed]:
    """Yield all runs, newest first; those that have changed since they were remembered are read, and remembered."""
    entries = sorted(os.scandir(home() / "runs"), key=lambda e: e.name, reverse=True)
    known = dict(_remembered(memory))
    fresh: list[tuple[str, int, str]] = []
    for entry in entries:
        if not entry.is_dir():
            continue
        changed = _changed(entry)
        seen, said = known.get(entry.name, (None, ""))
        if seen == changed and (remembered := _parsed(said)) is not None:
            yield remembered
            continue
        run = _of(Run(Path(entry.path)))
        if time.time_ns() - changed > _SETTLED:
            fresh.append((entry.name, changed, json.dumps(asdict(run))))
        yield run
    _remember(memory, fresh, known.keys() - {entry.name for entry in entries})


def _parsed(said: str) -> Listed | None:
    """Return a run as it is remembered; None: not as we write it."""
    try:
        return Listed(**json.loads(said))
    except (ValueError, TypeError, RecursionError):
        return None


def _changed(entry: "os.DirEntry[str]") -> int:
    """Return when something in a run's folder was made or replaced, or its run.json changed, in nanoseconds."""
    try:
        manifest = Path(entry.path, "run.json").stat().st_mtime_ns
    except OSError:
        manifest = 0
    return max(entry.stat().st_mtime_ns, manifest)


def _of(run: Run) -> Listed:
    """Return one run, as its folder says. What was asked is held to its seal; the report is, once it is shown."""
    try:
        asked = run.asked()
        if asked["schema"] != SCHEMA:
            return Listed(id=run.id, state="made by another version of scope", created=_when(run.id))
        begun = Listed(id=run.id, state="unfinished", created=str(asked["created"]), prompt=str(asked["prompt"]))
        if not run.finished:
            return begun
        report = read_json(run.folder / "result.json", MAX_JSON)["value"]
        fates = [row["outcome"] == "met" for row in report["commitments"] if row["status"] != "waived"]
        image = str(Target.of(run).path)
        code = int(report["exit"])
        return replace(begun, state="finished", exit=code, met=sum(fates), commitments=len(fates), image=image)
    except (ScopeError, KeyError, TypeError, ValueError, OSError):
        return Listed(id=run.id, state="damaged", created=_when(run.id))


def _when(run_id: str) -> str | None:
    """Return when a run was made, as its name says; None: it does not."""
    try:
        return datetime.strptime(run_id[:15], "%Y%m%d-%H%M%S").replace(tzinfo=UTC).isoformat(timespec="seconds")
    except ValueError:
        return None


# -- what is remembered --------------------------------------------------------------------------


@contextmanager
def _memory() -> Iterator[sqlite3.Connection | None]:
    """Open the memory; None: it cannot be had, and everything is read."""
    try:
        connection = sqlite3.connect(home() / "runs.sqlite", timeout=5)
    except sqlite3.Error:
        yield None
        return
    with closing(connection):
        yield connection


def _remembered(memory: sqlite3.Connection | None) -> Iterator[tuple[str, tuple[int, str]]]:
    if memory is None:
        return
    try:
        memory.execute(
            "CREATE TABLE IF NOT EXISTS runs (id TEXT PRIMARY KEY, changed INTEGER, said TEXT, format INTEGER)"
        )
        rows = memory.execute("SELECT id, changed, said FROM runs WHERE format = ?", (_FORMAT,)).fetchall()
    except sqlite3.Error:
        return
    yield from ((name, (changed, said)) for name, changed, said in rows)


def _remember(memory: sqlite3.Connection | None, fresh: Sequence[tuple[str, int, str]], gone: Iterable[str]) -> None:
    """Remember what was read, and forget what is gone; what cannot be written is not remembered."""
    if memory is None:
        return
    try:
        with memory:
            rows = [(*row, _FORMAT) for row in fresh]
            memory.executemany("INSERT OR REPLACE INTO runs VALUES (?, ?, ?, ?)", rows)
            memory.executemany("DELETE FROM runs WHERE id = ?", [(name,) for name in gone])
    except sqlite3.Error:
        return
