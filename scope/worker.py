"""Work that must not take us down with it: done in a process of its own, and cut when its time is up.

    with Worker("package.module:work", argument) as worker:
        kind, value = worker.receive(timeout=60)

The worker calls `work(channel, argument)`. Everything that travels is JSON, one object a line. The worker starts from
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
from enum import StrEnum
from pkgutil import resolve_name
from typing import IO, Any, Self

from scope.errors import ScopeError

#: Seconds that an orphaned worker is given beyond its limit before it ends itself.
GRACE = 1.0

_LONGEST = 64 * 1024 * 1024  # bytes of one line
_BOOT = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from scope.worker import main; main()"


class MessageKind(StrEnum):
    """What a worker sends."""

    LOG = "log"  # news on the way
    QUESTION = "question"  # it waits for the answer
    RESULT = "result"
    ERROR = "error"  # why there is no result: [type, message]


class WorkerTimeout(ScopeError):
    """A worker sent nothing for as long as it was given."""


class WorkerDied(ScopeError):
    """A worker ended without a result: it crashed, was killed, or sent nonsense."""


class Worker:
    """A process that does one piece of work. Leaving the `with` ends it, whatever it is doing."""

    def __init__(self, work: str, argument: Any) -> None:
        """Name the work as "module:function"; `argument` is plain JSON."""
        self._task = {"work": work, "argument": argument}
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
        self.send(self._task)
        return self

    def __exit__(self, *raised: object) -> None:
        self._end()
        self._printed.close()

    def receive(self, timeout: float) -> tuple[MessageKind, Any]:
        """Return the next message of the worker, and end it if that takes longer than `timeout` seconds.

        Raises: WorkerTimeout; WorkerDied.
        """
        try:
            line = self._lines.get(timeout=max(0.0, timeout))
        except queue.Empty:
            self._end()
            raise WorkerTimeout(f"it did not end within {timeout:.3g} s") from None
        try:
            kind, value = json.loads(line)
            return MessageKind(kind), value
        except (TypeError, ValueError):
            raise WorkerDied(self._death()) from None

    def send(self, value: Any) -> None:
        """Send the worker its task or an answer. One that is gone is noticed at the next `receive`."""
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


class Channel:
    """The worker's side: how its work speaks to the parent."""

    def __init__(self, read: IO[bytes], write: IO[bytes]) -> None:
        self._read, self._write = read, write

    def log(self, value: Any) -> None:
        """Send news."""
        self.send(MessageKind.LOG, value)

    def ask(self, value: Any) -> Any:
        """Send a question, and return the answer."""
        self.send(MessageKind.QUESTION, value)
        return self.receive()

    def send(self, kind: MessageKind, value: Any) -> None:
        """Send one message."""
        self._write.write(_line([kind, value]))
        self._write.flush()

    def receive(self) -> Any:
        """Return what the parent sends next."""
        return json.loads(self._read.readline())

    def exit_after(self, limit: float | None) -> None:
        """Have this process end after `limit` seconds and the grace, however busy it is, should the parent be gone.

        None: not any more.
        """
        if limit is None:
            faulthandler.cancel_dump_traceback_later()
        else:
            faulthandler.dump_traceback_later(limit + GRACE, exit=True)

    def limit_memory(self, limit: int) -> None:
        """Have allocations beyond `limit` bytes in all raise MemoryError; POSIX only."""
        with suppress(ImportError, ValueError, OSError):  # no such limits here, or a lower one holds already
            import resource

            resource.setrlimit(resource.RLIMIT_AS, (limit, limit))


def main() -> None:
    """Be the worker: the parent listens to a copy of stdout, so that prints of the work cannot disturb it."""
    channel = Channel(os.fdopen(os.dup(0), "rb"), os.fdopen(os.dup(1), "wb"))
    os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    os.dup2(2, 1)
    task = channel.receive()
    try:
        channel.send(MessageKind.RESULT, resolve_name(task["work"])(channel, task["argument"]))
    except BaseException as error:  # work that leaves Python failed like any other
        channel.send(MessageKind.ERROR, [type(error).__name__, str(error)])


def _line(value: Any) -> bytes:
    return json.dumps(value).encode() + b"\n"
