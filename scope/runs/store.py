"""A run is a folder that outlives the process: what was asked, the drafts, and the state of the machine.

home()/runs/<id>/
    run.json        what was asked, sealed by its sha256
    drafts/         one PNG per draft
    masks/          one PNG per repair of regions: what of a draft may change
    references/     copies of the pictures that show how things are to look
    state.sqlite    LangGraph's checkpoints, and the calls that were already made
    result.json     written last: the run is finished when it exists
    target.json     where its picture goes
    lock            held by the process that works on the run

Only their owner can read runs. Those that others made are not trusted: what is read of a run is of its own files, of
bounded size, and whole; one that is damaged is told, and hides no other.
"""

import os
import platform
import shutil
import sqlite3
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property
from hashlib import sha256
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any, Final, Literal

from filelock import FileLock, Timeout
from pydantic import ConfigDict, Field, ValidationError

from scope.config import Options, home
from scope.errors import OtherSchema, OutputError, RunBusy, StateCorrupt, UsageError
from scope.files import is_file, parsed_json, read_file, read_json, remove_partial, unwritable, write_atomic
from scope.specification import Model, Specification, canonical_json, sha256_of
from scope.text import excerpt

#: Version of what scope writes: runs, the records in pictures, and the JSON of the command line. Under the same number
#: a field may be added; none is renamed or removed.
SCHEMA: Final = 2

MAX_PICTURE: Final = 20 * 1024 * 1024  # bytes of a picture that is read
MAX_JSON: Final = 64 * 1024 * 1024  # bytes of a file that scope wrote
_OWN_FOLDERS: Final = ("drafts", "masks", "references")


def schema_of(error: ValidationError) -> int | None:
    """Return the schema of a document that did not validate, where that is what is wrong with it."""
    named = (e["input"] for e in error.errors() if e["loc"] in (("schema",), ("format",)))
    return next((number for number in named if isinstance(number, int) and number != SCHEMA), None)


class Manifest(Model):
    """What was asked, and with which versions. `created` is UTC, ISO 8601."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    schema_number: Literal[2] = Field(default=SCHEMA, alias="schema")
    id: str
    prompt: str
    options: Options
    versions: dict[str, str]
    created: str
    given: Specification | None = Field(default=None, exclude_if=lambda given: given is None)  # in place of a reading


@dataclass(frozen=True)
class Run:
    """One run's folder. Make it with `create` or `open_run`."""

    folder: Path

    @property
    def id(self) -> str:
        """Return the name of the run, which sorts by time."""
        return self.folder.name

    @property
    def drafts(self) -> Path:
        """Return the folder of its drafts."""
        return self.folder / "drafts"

    @property
    def finished(self) -> bool:
        """Return whether it has its result."""
        return is_file(self.folder / "result.json")

    @cached_property
    def manifest(self) -> Manifest:
        """Return what was asked.

        Raises: StateCorrupt if run.json is missing, or is not what was written; OtherSchema.
        """
        try:
            return Manifest.model_validate(self.asked())
        except ValidationError as error:
            schema = schema_of(error)
            if schema is not None:
                raise _made_by_another(self.id, schema) from error
            raise self.corrupt("run.json: written by another version of scope") from error

    def asked(self) -> dict[str, Any]:
        """Return what was asked as it was written, of whichever schema.

        Raises: StateCorrupt if run.json is missing, or is not what was written.
        """
        return self.kept("run.json")

    def result(self) -> dict[str, Any]:
        """Return the report that `finish` stored.

        Raises: StateCorrupt if it is not what was written.
        """
        return self.kept("result.json")

    def keep(self, name: str, value: dict[str, Any]) -> None:
        """Write a document into the run's folder, sealed by its sha256.

        Raises: OutputError.
        """
        write_atomic(self.folder / name, _sealed(value))

    def kept(self, name: str) -> dict[str, Any]:
        """Return what `keep` wrote.

        Raises: StateCorrupt if it is not that.
        """
        try:
            return _opened(read_json(self.folder / name, MAX_JSON))
        except (OSError, ValueError, TypeError, KeyError) as error:
            raise self.corrupt(f"{name}: {excerpt(error)}") from error

    def picture(self, name: str, made: str) -> bytes:
        """Return the bytes of a picture of this run, whose path is relative to its folder and sha256 is `made`.

        Raises: StateCorrupt if it lies elsewhere, is gone, or is not the one that was made.
        """
        try:
            path = (self.folder / name).resolve()
            data = read_file(path, MAX_PICTURE) if path.is_relative_to(self.folder.resolve()) else b""
        except (OSError, ValueError, RuntimeError):  # the last: links in a circle
            data = b""
        if sha256(data).hexdigest() != made:
            raise self.corrupt(f"{excerpt(name)} is not the picture that was made")
        return data

    def remove(self) -> None:
        """Delete the run and all that is in it."""
        shutil.rmtree(self.folder, ignore_errors=True)

    def delete(self) -> None:
        """Delete the run and all that is in it, unless a process works on it.

        Raises: RunBusy; OutputError if something of it is left.
        """
        if self.folder.is_symlink():
            raise OutputError(f"{self.folder} is a link and no run; remove it yourself")
        try:
            with self.locked():
                self.remove()
        except StateCorrupt:  # its folder is not as scope makes it, so nobody works there
            self.remove()
        if self.folder.exists():
            raise OutputError(f"run {self.id} could not be deleted whole; check the rights of {self.folder}")

    def finish(self, report: dict[str, Any]) -> None:
        """Store the report of the finished run."""
        self.keep("result.json", report)

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Own the run, and tidy up after an owner that was killed.

        Raises: RunBusy if another process owns it; StateCorrupt if its folder is not as scope makes it.
        """
        self._check_own("lock", *_OWN_FOLDERS)
        lock = FileLock(self.folder / "lock")
        try:
            lock.acquire(blocking=False)
        except Timeout as error:
            raise RunBusy(f"another process is working on run {self.id}; wait for it, or start a new run") from error
        except OSError as error:
            raise unwritable(self.folder / "lock", error) from error
        try:
            remove_partial(self.folder)
            yield
        finally:
            lock.release()

    # -- state.sqlite ----------------------------------------------------------------------------

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """Open state.sqlite, in the words of this package if it cannot be read or written.

        Raises: StateCorrupt, OutputError.
        """
        self._check_own("state.sqlite")
        try:
            with closing(sqlite3.connect(self.folder / "state.sqlite", check_same_thread=False)) as connection:
                yield connection
        except sqlite3.OperationalError as error:
            raise OutputError(
                f"cannot write the state of run {self.id} ({error}). Check the space and rights of {self.folder}, "
                f"then continue with: scope resume {self.id}"
            ) from error
        except sqlite3.DatabaseError as error:
            raise self.corrupt(f"state.sqlite: {error}") from error

    def recall(self, key: str) -> dict[str, Any] | None:
        """Return what a call with this key gave, if it was made before.

        Raises: StateCorrupt if the record is not what was written.
        """
        with self._calls() as connection:
            row = connection.execute("SELECT value FROM calls WHERE key = ?", (key,)).fetchone()
        if row is None:
            return None
        try:
            return _opened(parsed_json(row[0]))
        except (ValueError, TypeError, KeyError) as error:
            raise self.corrupt(f"a recorded call: {error}") from error

    def record(self, key: str, value: dict[str, Any]) -> None:
        """Record what a call gave, before anything uses it."""
        with self._calls() as connection, connection:
            connection.execute("INSERT OR REPLACE INTO calls VALUES (?, ?)", (key, _sealed(value).decode()))

    def spend(self, key: str, cost: float) -> None:
        """Note what a call costs: before it at most, after it in fact. The last word on a key counts."""
        with self._calls() as connection, connection:
            connection.execute("INSERT OR REPLACE INTO costs VALUES (?, ?)", (key, cost))

    def spent(self) -> float:
        """Return what all calls of this run cost so far, over all resumptions."""
        with self._calls() as connection:
            return float(connection.execute("SELECT COALESCE(SUM(cost), 0) FROM costs").fetchone()[0])

    @contextmanager
    def _calls(self) -> Iterator[sqlite3.Connection]:
        with self.database() as connection:
            connection.execute("CREATE TABLE IF NOT EXISTS calls (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
            connection.execute("CREATE TABLE IF NOT EXISTS costs (key TEXT PRIMARY KEY, cost REAL NOT NULL)")
            yield connection

    def _check_own(self, *names: str) -> None:
        """Look whether files and folders of this run are its own, where they are there: no links, nothing else.

        Raises: StateCorrupt.
        """
        for name in names:
            path, is_own = self.folder / name, Path.is_dir if name in _OWN_FOLDERS else is_file
            if os.path.lexists(path) and (path.is_symlink() or not is_own(path)):
                raise self.corrupt(f"{name} is not what scope made")

    def corrupt(self, what: str) -> StateCorrupt:
        """Return the error that says the record of this run is damaged and what to do."""
        return StateCorrupt(
            f"the record of run {self.id} is damaged ({what}). Its drafts are kept in {self.drafts}; "
            "start again with: scope generate"
        )


def _made_by_another(run_id: str, schema: int) -> OtherSchema:
    age, instead = (
        ("an older", "start again with") if schema < SCHEMA else ("a newer", "update scope, or start again with")
    )
    return OtherSchema(f"run {run_id} was made by {age} scope (schema {schema}); {instead}: scope generate PROMPT")


def create(
    prompt: str,
    options: Options | None = None,
    others: Mapping[str, str] | None = None,
    given: Specification | None = None,
) -> Run:
    """Make the folder of a new run. `others` are versions to record beside our own.

    `given` is what the prompt is to be read as; None: it is read by the run.

    Raises: OutputError if it cannot be written; then nothing of it is left.
    """
    run = Run(_new_folder())
    manifest = Manifest(
        id=run.id,
        prompt=prompt,
        options=options or Options(),
        versions=versions() | dict(others or {}),
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        given=given,
    )
    try:
        run.drafts.mkdir()
        run.keep("run.json", manifest.model_dump(mode="json"))
    except BaseException as error:
        run.remove()
        if isinstance(error, OSError):
            raise unwritable(run.folder, error) from error
        raise
    return run


def list_runs() -> list[Run]:
    """Return all runs, newest first. Their manifests are not read."""
    folder = home() / "runs"
    return [Run(f) for f in sorted(folder.glob("*/"), reverse=True)] if folder.exists() else []


def open_run(run_id: str | None = None) -> Run:
    """Return one run; None: the latest that is not finished and can be read.

    Raises: UsageError if there is none; StateCorrupt if its manifest is damaged; OtherSchema.
    """
    if run_id is None:
        return _latest_unfinished()
    run = find_run(run_id)
    run.manifest  # noqa: B018 - a damaged record is reported now, not later
    return run


def find_run(run_id: str) -> Run:
    """Return the run of this id, damaged or not.

    Raises: UsageError if there is none.
    """
    run = next((run for run in list_runs() if run.id == run_id), None)
    if run is None:
        raise UsageError(f"there is no run {excerpt(run_id, 80)!r}; `scope runs` lists all")
    return run


def _latest_unfinished() -> Run:
    for run in list_runs():
        if not run.finished:
            with suppress(StateCorrupt, OtherSchema):  # one that cannot be read does not hide those that can
                run.manifest  # noqa: B018
                return run
    raise UsageError("no run is waiting to be resumed; `scope runs` lists all")


def resolve(name: str) -> Run:
    """Return the run that `name` means: its id, its folder, one of its drafts, or a picture with its record beside it.

    Raises: UsageError if it means none.
    """
    path = Path(name)
    try:
        path.stat()
    except (OSError, ValueError):
        return open_run(name)
    runs = (home() / "runs").resolve()
    inside = path.resolve()
    if runs in inside.parents:
        return open_run(inside.relative_to(runs).parts[0])
    return open_run(_run_of_picture(path))


def _run_of_picture(path: Path) -> str:
    """Return the run that the record beside a picture names; what was edited was made by none."""
    try:
        run_id = read_json(path.with_name(path.name + ".json"), MAX_PICTURE)["run"]
    except (OSError, ValueError, KeyError, TypeError):
        run_id = None
    if not isinstance(run_id, str) or not run_id:
        raise UsageError(f"nothing beside {path} says which run made it; `scope runs` lists all runs")
    return run_id


def _new_folder() -> Path:
    """Make a folder named by the time to the millisecond; a second run in the same one gets the next."""
    while True:
        folder = home() / "runs" / datetime.now(UTC).strftime("%Y%m%d-%H%M%S-%f")[:-3]
        try:
            private_folder(folder.parent)
            folder.mkdir(mode=0o700)
        except FileExistsError:
            if not folder.is_dir():
                raise
            continue
        except OSError as error:
            raise unwritable(folder, error) from error
        return folder


def private_folder(folder: Path) -> None:
    """Make a folder of ours, and those above it, that only its owner can read; one that is there becomes so.

    Raises: OSError.
    """
    for made in reversed([folder, *folder.parents]):
        if not made.exists():
            made.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_mode & 0o077:
        folder.chmod(0o700)


def versions() -> dict[str, str]:
    """Return the versions that a run records: of scope, of Python, and of what most decides how a run goes."""
    found = {"python": platform.python_version()}
    for package in ("scope-t2i", "langgraph", "torch"):
        try:
            found[package] = version(package)
        except PackageNotFoundError:
            continue
    return found


def _sealed(value: dict[str, Any]) -> bytes:
    return canonical_json({"value": value, "sha256": sha256_of(value)}).encode()


def _opened(parsed: Any) -> dict[str, Any]:
    """Return the object inside a seal. Raises ValueError, TypeError or KeyError if it is not whole, or none."""
    value = parsed["value"]
    if not isinstance(value, dict) or sha256_of(value) != parsed["sha256"]:
        raise ValueError("its sha256 does not match")
    return value
