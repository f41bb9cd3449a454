"""Run folders: found again, sealed, owned by one process, and whole or absent when the disk is full."""

import json
import resource
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from scope.config import Options
from scope.engine import execution
from scope.engine.outcome import Progress
from scope.errors import OtherSchema, OutputError, RunBusy, ScopeError, StateCorrupt, UsageError
from scope.files import write_atomic
from scope.runs import store
from scope.runs.store import Run
from scope.specification import canonical_json, sha256_of
from scope.testing import FakeGenerator, fake_toolbox

pytestmark = pytest.mark.usefixtures("home")


def drawn(prompt: str = "1 apple") -> Run:
    run = store.create(prompt, Options(drafts=1))
    execution.generate(run, fake_toolbox())
    return run


# -- finding -------------------------------------------------------------------------------------


def test_a_run_is_found_again_with_what_was_asked() -> None:
    run = store.create("1 apple", Options(seed=7, max_time=3.5))
    found = store.open_run(run.id).manifest
    assert (found.prompt, found.options) == ("1 apple", Options(seed=7, max_time=3.5))
    assert found.schema_number == json.loads((run.folder / "run.json").read_text())["value"]["schema"] == 2


def test_a_run_that_cannot_be_made_leaves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    def full(path: Path, data: bytes) -> None:
        raise OutputError("the disk is full")

    monkeypatch.setattr(store, "write_atomic", full)
    with pytest.raises(OutputError):
        store.create("1 apple")
    assert store.list_runs() == []


def test_runs_are_listed_newest_first_however_fast_they_come() -> None:
    made = [store.create(f"{n} apple").id for n in range(20)]
    assert [run.id for run in store.list_runs()] == made[::-1]


def test_without_a_name_the_latest_unfinished_run_is_opened() -> None:
    waiting, _, _ = store.create("1 apple"), drawn(), drawn()
    assert store.open_run().id == waiting.id


def test_without_a_name_and_nothing_unfinished_it_says_so() -> None:
    drawn()
    with pytest.raises(UsageError, match="no run is waiting"):
        store.open_run()


@pytest.mark.parametrize("name", ["nothing", "../home", "", ".", "..", "a/b", "a\0b"])
def test_a_name_that_is_no_run(name: str) -> None:
    store.create("1 apple")
    with pytest.raises(UsageError, match="scope runs"):
        store.open_run(name)


def test_resolve_takes_id_folder_draft_or_picture(tmp_path: Path) -> None:
    run = drawn()
    picture = tmp_path / "apple.png"
    picture.write_bytes((run.drafts / "d1.png").read_bytes())
    (tmp_path / "apple.png.json").write_text(json.dumps({"run": run.id}))
    for name in (run.id, str(run.folder), str(run.drafts / "d1.png"), str(picture)):
        assert store.resolve(name).id == run.id


def test_a_picture_of_nobody_is_no_run(tmp_path: Path) -> None:
    (tmp_path / "other.png").write_bytes(b"png")
    with pytest.raises(UsageError, match=r"other\.png"):
        store.resolve(str(tmp_path / "other.png"))


# -- damage --------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"", b"{}", b"[]", b"null", b"\xff\xfe", b'{"value": {}, "sha256": "0"}'])
def test_a_damaged_manifest_is_refused_with_what_to_do(content: bytes) -> None:
    run = store.create("1 apple")
    (run.folder / "run.json").write_bytes(content)
    with pytest.raises(StateCorrupt, match="scope generate"):
        store.open_run(run.id)


@pytest.mark.parametrize(
    ("number", "error", "said"),
    [
        (1, OtherSchema, r"an older scope \(schema 1\); start again"),
        (0, OtherSchema, r"an older scope \(schema 0\)"),
        (3, OtherSchema, r"a newer scope \(schema 3\); update scope"),
        (None, StateCorrupt, "another version of scope"),
        ("1", StateCorrupt, "another version of scope"),
        (1.5, StateCorrupt, "another version of scope"),
    ],
)
def test_a_run_of_another_version_is_refused(number: object, error: type[ScopeError], said: str) -> None:
    run = store.create("1 apple")
    later = run.manifest.model_dump(mode="json") | {"schema": number}
    whole = {"value": later, "sha256": sha256_of(later)}
    (run.folder / "run.json").write_text(canonical_json(whole))
    with pytest.raises(error, match=said):
        store.open_run(run.id)


def test_any_changed_character_of_the_manifest_is_refused() -> None:
    run = store.create("1 apple", Options(seed=3))
    whole = (run.folder / "run.json").read_bytes()
    for at in range(len(whole)):
        changed = whole[:at] + (b"7" if whole[at : at + 1] != b"7" else b"8") + whole[at + 1 :]
        (run.folder / "run.json").write_bytes(changed)
        with pytest.raises(StateCorrupt):
            store.open_run(run.id)


@pytest.mark.parametrize("content", [b"", b"not a database, but long enough to have a header of one" * 20])
def test_database_gone_or_foreign_is_refused(content: bytes) -> None:
    run = half_drawn()
    (run.folder / "state.sqlite").write_bytes(content)
    with pytest.raises(StateCorrupt, match="drafts are kept"):
        execution.generate(run, fake_toolbox())
    assert (run.drafts / "d1.png").exists()


def other_program(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE places (url TEXT)")


def other_tables(path: Path) -> None:
    path.unlink()
    with closing(sqlite3.connect(path)) as connection, connection:
        for table in ("checkpoints", "writes", "calls", "costs"):
            connection.execute(f"CREATE TABLE {table} (url TEXT)")


def other_run(path: Path) -> None:
    path.write_bytes((half_drawn("3 pear").folder / "state.sqlite").read_bytes())


@pytest.mark.parametrize("change", [other_program, other_tables, other_run])
def test_database_of_others_is_refused(change: Callable[[Path], None]) -> None:
    run = half_drawn()
    change(run.folder / "state.sqlite")
    with pytest.raises(ScopeError, match=run.id):
        execution.generate(run, fake_toolbox())
    assert not run.finished
    assert (run.drafts / "d1.png").exists()


@pytest.mark.heavy
def test_database_cut_anywhere_is_refused_or_whole(tmp_path: Path) -> None:
    run, toolbox = half_drawn(), fake_toolbox()
    whole, refused = (run.folder / "state.sqlite").read_bytes(), 0
    shutil.copytree(run.folder, tmp_path / "half")
    expected = execution.generate(run, toolbox).spec.canonical()
    sizes = range(0, len(whole), 64)
    for size in sizes:
        shutil.rmtree(run.folder)
        shutil.copytree(tmp_path / "half", run.folder)
        (run.folder / "state.sqlite").write_bytes(whole[:size])
        try:
            assert execution.generate(run, toolbox).spec.canonical() == expected, size
        except ScopeError:
            refused += 1
    assert len(sizes) > 500
    assert refused > 0.9 * len(sizes)


def test_recorded_call_comes_back_or_is_refused_if_changed() -> None:
    run = store.create("1 apple")
    assert run.recall("key") is None
    run.record("key", {"a": 0.1})
    assert run.recall("key") == {"a": 0.1}
    with run.database() as connection, connection:
        connection.execute("UPDATE calls SET value = replace(value, '0.1', '0.2')")
    with pytest.raises(StateCorrupt, match="recorded call"):
        run.recall("key")


def half_drawn(prompt: str = "1 apple") -> Run:
    """Return a run that was interrupted when its first draft was made."""
    run = store.create(prompt)

    def stop(news: Progress) -> None:
        if news.stage == "verify":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.generate(run, fake_toolbox(), stop)
    return run


# -- owners --------------------------------------------------------------------------------------


@pytest.mark.heavy
def test_lock_lasts_as_long_as_its_process() -> None:
    run = store.create("1 apple")
    code = f"from scope.runs import store\nwith store.open_run({run.id!r}).locked(): print('mine')"
    with run.locked():
        other = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert RunBusy.__name__ in other.stderr
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "mine\n"


#: Works on each run that it is told of, and tells how many drafts it made and its exit code.
RACER = """
import sys
from scope.engine import execution
from scope.runs import store as runs
from scope.errors import ScopeError
from scope.testing import FakeGenerator, fake_toolbox
print("ready", flush=True)
for line in sys.stdin:
    run, generator, code = runs.open_run(line.strip()), FakeGenerator(delay=0.01), 0
    try:
        execution.generate(run, fake_toolbox(generator=generator))
    except ScopeError as error:
        code = error.exit_code
    print(len(generator.requests), code, flush=True)
"""


@pytest.mark.heavy
def test_lock_lets_one_of_two_racing_processes_work() -> None:
    pipes: dict[str, Any] = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True, "bufsize": 1}
    turned_away = 0
    with (
        subprocess.Popen([sys.executable, "-c", RACER], **pipes) as one,
        subprocess.Popen([sys.executable, "-c", RACER], **pipes) as other,
    ):
        assert [racer.stdout.readline() for racer in (one, other)] == ["ready\n"] * 2
        for _ in range(100):
            run = store.create("1 apple", Options(drafts=1))
            for racer in (one, other):
                racer.stdin.write(f"{run.id}\n")
            told = [tuple(map(int, racer.stdout.readline().split())) for racer in (one, other)]
            assert sorted(drafts for drafts, _ in told) == [0, 1]
            assert {code for _, code in told} <= {0, 2}
            assert run.finished
            turned_away += any(code == 2 for _, code in told)
    assert turned_away > 10


def test_leftovers_of_a_killed_writer_are_removed() -> None:
    run = store.create("1 apple")
    orphan = run.drafts / ".d1.png.123.partial"
    orphan.write_bytes(b"half")
    with run.locked():
        assert not orphan.exists()


# -- writing -------------------------------------------------------------------------------------


def test_write_atomic_replaces_the_whole_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_atomic(path, b"old and long")
    write_atomic(path, b"new")
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"new")]


def test_a_folder_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="nowhere"):
        write_atomic(tmp_path / "nowhere" / "file", b"")


def test_full_disk_leaves_the_old_file_whole(tmp_path: Path) -> None:
    """A process that may write no more than 2 KiB to a file stands for a disk that is full."""
    path = tmp_path / "file"
    write_atomic(path, b"old")

    def limit() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (2048, 2048))

    code = f"import pathlib, scope.files\nscope.files.write_atomic(pathlib.Path({str(path)!r}), bytes(9999))"
    full = subprocess.run([sys.executable, "-c", code], preexec_fn=limit, capture_output=True, text=True, check=False)
    assert "the disk is full" in full.stderr.splitlines()[-1]
    assert [(p.name, p.read_bytes()) for p in tmp_path.iterdir()] == [("file", b"old")]


def test_full_disk_at_any_draft_loses_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.create("1 apple", Options(drafts=3))
    generator = FakeGenerator()
    tools = fake_toolbox(generator=generator)
    for _ in range(3):
        room = [True, False]  # one picture fits, then no more does

        def write(path: Path, data: bytes, room: list[bool] = room) -> None:
            if not room.pop(0):
                raise OutputError("the disk is full")
            write_atomic(path, data)

        monkeypatch.setattr("scope.engine.context.write_atomic", write)
        try:
            execution.generate(run, tools)
        except OutputError:
            continue
    assert execution.generate(run, tools).exit == 0
    assert len(list(run.drafts.iterdir())) == 3


def test_full_database_says_so_and_the_run_resumes(monkeypatch: pytest.MonkeyPatch) -> None:
    run = store.create("1 apple", Options(drafts=1))
    tools = fake_toolbox()
    connect = sqlite3.connect

    def cramped(*args: object, **options: object) -> sqlite3.Connection:
        connection: sqlite3.Connection = connect(*args, **options)  # type: ignore[call-overload]
        connection.execute("PRAGMA max_page_count = 8")
        return connection

    with monkeypatch.context() as patch:
        patch.setattr("scope.runs.store.sqlite3.connect", cramped)
        with pytest.raises(OutputError, match=f"scope resume {run.id}"):
            execution.generate(run, tools)
    assert execution.generate(run, tools).exit == 0
