"""Work that must not take us down with it: done in a process of its own, and cut when its time is up.

    with Child("package.module:work", argument) as child:
        word, value = child.hear(limit=60)

The child calls `work(talk, argument)`. Everything that travels is JSON, one object a line. The child starts from
nothing but the search path: the caller's own script is not run again, as `multiprocessing` would. What the work prints
goes to a file that is thrown away, and it has no keyboard. It leads a process group, so that what it started ends
with it; and should we be killed, it ends itself a second after its time.
"""

import faulthandler
import json
import os
import queue
import signal
import subprocess
import sys
import tempfile
import threading
from contextlib import suppress
from pkgutil import resolve_name
from typing import IO, Any, Literal, Self

from scope.errors import ScopeError

#: What comes from a child: news, a question that it waits to have answered, its result, or why it has none.
Word = Literal["say", "ask", "done", "failed"]

#: What a limit gives the child to end by itself before it is orphaned, in seconds.
GRACE = 1.0

_LONGEST = 64 * 1024 * 1024  # bytes of one line
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from scope.plugins.worker import main; main()"


class TimeIsUp(ScopeError):
    """A child said nothing for as long as it was given."""


class ChildDied(ScopeError):
    """A child ended without a result: it crashed, was killed, or talked nonsense."""


class Child:
    """A process that does one piece of work. Leaving the `with` ends it, whatever it is doing."""

    def __init__(self, work: str, argument: Any) -> None:
        """Name the work as "module:function"; `argument` is plain JSON."""
        self._order = {"work": work, "argument": argument}
        self._lines: queue.Queue[bytes] = queue.Queue()

    def __enter__(self) -> Self:
        self._printed = tempfile.TemporaryFile()
        self._process = subprocess.Popen(
            [sys.executable, "-P", "-c", _BOOT, json.dumps(sys.path)],  # -P: a file here must not pass for a module
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=self._printed,
            start_new_session=True,  # Ctrl-C is for us; and the group can be ended as a whole
        )
        self._listener = threading.Thread(target=self._listen, daemon=True)
        self._listener.start()
        self.answer(self._order)
        return self

    def __exit__(self, *raised: object) -> None:
        self._end()
        self._printed.close()

    def hear(self, limit: float) -> tuple[Word, Any]:
        """Return the next thing that the child says, and end it if that takes longer than `limit` seconds.

        Raises: TimeIsUp; ChildDied.
        """
        try:
            line = self._lines.get(timeout=max(0.0, limit))
        except queue.Empty:
            self._end()
            raise TimeIsUp(f"it did not end within {limit:.3g} s") from None
        try:
            word, value = json.loads(line)
        except (TypeError, ValueError):
            raise ChildDied(self._death()) from None
        return word, value

    def answer(self, value: Any) -> None:
        """Answer what the child asked. One that is gone is noticed at the next `hear`."""
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):
            self._process.stdin.write(_line(value))
            self._process.stdin.flush()

    def _listen(self) -> None:
        """Pass on each line; an empty one is the end."""
        assert self._process.stdout is not None
        with self._process.stdout as stream:
            while line := stream.readline(_LONGEST):
                self._lines.put(line)
        self._lines.put(b"")

    def _end(self) -> int:
        """End the process group if it still runs, and return the exit code."""
        if self._process.returncode is None:  # not waited for yet, so that nobody else can have its number
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(self._process.pid, signal.SIGKILL) if os.name == "posix" else self._process.kill()
            self._process.wait()
            self._listener.join(GRACE)
            assert self._process.stdin is not None
            with suppress(BrokenPipeError):
                self._process.stdin.close()
        return self._process.returncode

    def _death(self) -> str:
        """Return how it died, with the last that it printed. What dies keeps its exit code when it is killed again."""
        code = self._end()
        how = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        self._printed.seek(-min(self._printed.seek(0, os.SEEK_END), 1000), os.SEEK_END)
        last = self._printed.read().decode(errors="replace").strip().splitlines()[-1:]
        return f"its process died ({': '.join([how, *last])})"


class Talk:
    """The child's side of the talk."""

    def __init__(self, read: IO[bytes], write: IO[bytes]) -> None:
        self._read, self._write = read, write

    def say(self, value: Any) -> None:
        """Tell news."""
        self.send("say", value)

    def ask(self, value: Any) -> Any:
        """Ask, and return the answer."""
        self.send("ask", value)
        return self.hear()

    def send(self, word: Word, value: Any) -> None:
        """Send one line."""
        self._write.write(_line([word, value]))
        self._write.flush()

    def hear(self) -> Any:
        """Return the next line from the parent."""
        return json.loads(self._read.readline())

    def leave_by_yourself(self, limit: float) -> None:
        """Have this process end after `limit` seconds and the grace, however busy it is, should the parent be gone."""
        faulthandler.dump_traceback_later(limit + GRACE, exit=True)


def main() -> None:
    """Be the child: what the parent hears is a copy of stdout, so that prints of the work cannot disturb it."""
    talk = Talk(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    order = talk.hear()
    try:
        talk.send("done", resolve_name(order["work"])(talk, order["argument"]))
    except BaseException as error:  # a part that leaves Python failed like any other
        talk.send("failed", [type(error).__name__, str(error)])


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"
