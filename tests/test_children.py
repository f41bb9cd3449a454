"""Work in a process of its own: it answers, or it is cut; and whatever it does, nothing of it is left."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from scope.plugins.worker import GRACE, Child, ChildDied, TimeIsUp

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


def test_a_child_answers_and_what_it_prints_disturbs_nothing(capfd: pytest.CaptureFixture[str]) -> None:
    with Child("works:double", 21) as child:
        assert child.hear(30) == ("done", 42)
    assert capfd.readouterr() == ("", "")


def test_a_child_tells_news_and_asks() -> None:
    with Child("works:greet", "Zoë 🦖") as child:
        assert child.hear(30) == ("say", "began")
        assert child.hear(30) == ("ask", "Zoë 🦖")
        child.answer("Hello")
        assert child.hear(30) == ("done", "Hello, Zoë 🦖")


@pytest.mark.parametrize(
    ("work", "why"),
    [
        ("works:fail", ["ValueError", "no such thing"]),
        ("works:leave", ["SystemExit", "I am leaving"]),
        ("works:no_such_work", ["AttributeError", "module 'works' has no attribute 'no_such_work'"]),
    ],
)
def test_a_child_that_raises_says_what(work: str, why: list[str]) -> None:
    with Child(work, None) as child:
        assert child.hear(30) == ("failed", why)


def test_a_child_has_no_keyboard() -> None:
    with Child("works:read_the_keyboard", None) as child:
        assert child.hear(30) == ("done", "")


@pytest.mark.parametrize("work", ["works:hang", "works:spin"])
def test_a_child_that_takes_too_long_is_cut(work: str) -> None:
    began = time.monotonic()
    with Child(work, None) as child:
        with pytest.raises(TimeIsUp, match="did not end within 1 s"):
            child.hear(LIMIT)
        assert gone(child._process.pid)
    assert time.monotonic() - began < LIMIT + 1.0


@pytest.mark.parametrize(
    ("work", "how"),
    [("works:segfault", "killed by SIGSEGV"), ("works:vanish", "exit code 7: the last words")],
)
def test_a_child_that_dies_says_how(work: str, how: str) -> None:
    with Child(work, None) as child, pytest.raises(ChildDied, match=how):
        child.hear(30)


def test_what_a_child_started_ends_with_it() -> None:
    with Child("works:leave_a_child", None) as child:
        _, grandchild = child.hear(30)
    assert gone(grandchild)


def test_a_child_whose_parent_was_killed_ends_by_itself() -> None:
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


def test_an_interrupt_ends_the_child(monkeypatch: pytest.MonkeyPatch) -> None:
    def interrupt() -> None:
        with Child("works:hang", None) as child:
            processes.append(child._process.pid)
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
    with Child("works:double", 1) as child:
        assert child.hear(30) == ("done", 2)
