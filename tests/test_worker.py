"""Work in a process of its own: it answers, or it is cut; and whatever it does, nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scope.worker import GRACE, MessageKind, Worker, WorkerDied, WorkerTimeout

LIMIT = 1.0


def gone(pid: int) -> bool:
    """Return whether a process ends within some seconds."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
            if Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z":
                return True
        except (ProcessLookupError, FileNotFoundError):
            return True
        time.sleep(0.1)
    return False


def test_a_worker_answers_and_what_it_prints_disturbs_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with Worker("works:double", 21) as worker:
        assert worker.receive(30) == (MessageKind.RESULT, 42)
    assert capfd.readouterr() == ("", "")


def test_a_worker_tells_news_and_asks() -> None:
    with Worker("works:greet", "Zoë 🦖") as worker:
        assert worker.receive(30) == (MessageKind.LOG, "began")
        assert worker.receive(30) == (MessageKind.QUESTION, "Zoë 🦖")
        worker.send("Hello")
        assert worker.receive(30) == (MessageKind.RESULT, "Hello, Zoë 🦖")


@pytest.mark.parametrize(
    ("work", "why"),
    [
        ("works:fail", ["ValueError", "no such thing"]),
        ("works:leave", ["SystemExit", "I am leaving"]),
        ("works:no_such_work", ["AttributeError", "module 'works' has no attribute 'no_such_work'"]),
    ],
)
def test_a_worker_that_raises_says_what(work: str, why: list[str]) -> None:
    with Worker(work, None) as worker:
        assert worker.receive(30) == (MessageKind.ERROR, why)


def test_a_worker_has_no_keyboard() -> None:
    with Worker("works:read_the_keyboard", None) as worker:
        assert worker.receive(30) == (MessageKind.RESULT, "")


@pytest.mark.parametrize("work", ["works:hang", "works:spin"])
def test_a_worker_that_takes_too_long_is_cut(work: str) -> None:
    began = time.monotonic()
    with Worker(work, None) as worker:
        with pytest.raises(WorkerTimeout, match="did not end within 1 s"):
            worker.receive(LIMIT)
        assert gone(worker._process.pid)
    assert time.monotonic() - began < LIMIT + 1.0


@pytest.mark.parametrize(
    ("work", "how"),
    [("works:segfault", "killed by SIGSEGV"), ("works:vanish", "exit code 7: the last words")],
)
def test_a_worker_that_dies_says_how(work: str, how: str) -> None:
    with Worker(work, None) as worker, pytest.raises(WorkerDied, match=how):
        worker.receive(30)


def test_what_a_worker_started_ends_with_it() -> None:
    with Worker("works:leave_a_child", None) as worker:
        _, grandchild = worker.receive(30)
    assert gone(grandchild)


@pytest.mark.heavy
def test_a_worker_whose_parent_was_killed_ends_by_itself() -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import works; works.parent({LIMIT})"],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).parent,
        text=True,
    )
    assert parent.stdout is not None
    with parent:
        child = int(parent.stdout.readline())
        parent.send_signal(signal.SIGKILL)
    began = time.monotonic()
    assert gone(child)
    assert time.monotonic() - began < LIMIT + GRACE + 2.0


def test_an_interrupt_ends_the_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        with Worker("works:hang", None) as worker:
            processes.append(worker._process.pid)
            raise KeyboardInterrupt

    processes: list[int] = []
    with pytest.raises(KeyboardInterrupt):
        interrupt()
    assert gone(processes[0])


def test_a_file_in_the_working_directory_does_not_pass_for_a_module(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "json.py").write_text("raise RuntimeError('not this one')")
    monkeypatch.chdir(tmp_path)
    with Worker("works:double", 1) as worker:
        assert worker.receive(30) == (MessageKind.RESULT, 2)


def test_memory_has_a_limit() -> None:
    with Worker("works:fill_memory", 1 << 30) as worker:
        assert worker.receive(60) == (MessageKind.RESULT, "MemoryError")


def test_a_time_that_was_taken_back_ends_nothing() -> None:
    with Worker("works:wait_beyond", 0.1) as worker:
        assert worker.receive(60) == (MessageKind.RESULT, "alive")
