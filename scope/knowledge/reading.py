"""Documents are read in a process of its own, within limits of time and memory.

A small file can keep a reader of Markdown or PDF busy for hours, or have it unfold to gigabytes. One process reads the
documents of a folder, one after another; what takes too long is left out, and a new process reads the next. It is kept
while this process lives, for it takes a second to start.
"""

import atexit
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import Any

from scope.knowledge.documents import MAX_PASSAGES, Origin, Unreadable, read_markdown, read_pdf, read_picture, read_text
from scope.knowledge.places import Place
from scope.protocols import Passage
from scope.worker import Channel, MessageKind, Worker, WorkerDied, WorkerTimeout

SECONDS = 30.0  # for one document
MEMORY = 2 * 1024**3  # bytes, of the whole process
MOST_CUT = 2  # documents of a folder that were cut off, after which no more of it are read

#: Suffix -> what reads such a file.
READERS: dict[str, Callable[[bytes, Origin], list[Passage]]] = {
    ".md": read_markdown,
    ".markdown": read_markdown,
    ".txt": read_text,
    ".pdf": read_pdf,
}


@dataclass
class Reading:
    """The reading of one folder; `seconds` for each of its documents."""

    place: Place
    seconds: float = SECONDS
    cut: int = field(default=0, init=False)

    def passages(self, path: Path, content: str, caption: Path | None = None) -> list[Passage]:
        """Return the passages of a document, or of a picture under its caption.

        Args:
            path: the document, in the folder.
            content: the sha256 of its bytes, and of those of its caption after them.
            caption: the file with the caption of a picture.

        Raises: Unreadable if it is no such document, has changed, or takes too long or too much memory.
        """
        if self.cut >= MOST_CUT:
            raise Unreadable(f"{self.cut} files took too long or too much memory to read; no more are read")
        task = {"root": str(self.place.root), "path": str(path), "content": content, "seconds": self.seconds}
        try:
            answer = _process(os.getpid()).ask(task | {"caption": str(caption) if caption else None})
        except (WorkerTimeout, WorkerDied) as error:
            self.cut += 1
            raise Unreadable(
                f"{self.place.locator(path)}: cannot be read ({error}); split it, or leave it out"
            ) from error
        if "passages" not in answer:
            raise Unreadable(str(answer.get("unreadable")))
        return [Passage.model_validate(passage) for passage in answer["passages"]]


class _Process:
    """The process that reads, started when it is needed."""

    def __init__(self) -> None:
        self._worker: Worker | None = None
        self._one_at_a_time = threading.Lock()
        atexit.register(self.end)

    def ask(self, task: dict[str, Any]) -> dict[str, Any]:
        """Return what comes of a task.

        Raises: WorkerTimeout, WorkerDied.
        """
        with self._one_at_a_time:
            if self._worker is None:
                self._worker = Worker(f"{__name__}:work", MEMORY).__enter__()
            try:
                self._worker.send(task)
                kind, answer = self._worker.receive(task["seconds"])
                if kind is not MessageKind.LOG:
                    raise WorkerDied(f"its reader failed: {answer}")
            except (WorkerTimeout, WorkerDied):
                self.end()
                raise
            return dict(answer)

    def end(self) -> None:
        """End the process, if there is one."""
        if self._worker is not None:
            self._worker.__exit__()
            self._worker = None


@cache
def _process(pid: int) -> _Process:
    """Return the process that reads for this one, whose number is `pid`: one that was forked has its own."""
    return _Process()


# -- in the process that reads -------------------------------------------------------------------


def work(channel: Channel, memory: int) -> None:
    """Read one document after another within so many bytes, until nobody asks any more."""
    channel.limit_memory(memory)
    while True:
        task = channel.receive()
        channel.exit_after(task["seconds"])
        try:
            answer: dict[str, Any] = {"passages": [passage.model_dump(mode="json") for passage in _read(task)]}
        except Unreadable as error:
            answer = {"unreadable": str(error)}
        channel.exit_after(None)
        channel.log(answer)


def _read(task: dict[str, Any]) -> list[Passage]:
    """Return the passages of a document that is as it was, and no more than a search can be given."""
    place, path = Place(Path(task["root"])), Path(task["path"])
    data = place.read(path)
    words = place.read(Path(task["caption"])) if task["caption"] else b""
    origin = place.origin(path, data)
    if sha256(data).hexdigest() + (sha256(words).hexdigest() if task["caption"] else "") != task["content"]:
        raise Unreadable(f"{origin.locator}: it changed while it was read")
    found = read_picture(data, words, origin) if task["caption"] else READERS[path.suffix.lower()](data, origin)
    if len(found) > MAX_PASSAGES:
        raise Unreadable(f"{origin.locator}: more than {MAX_PASSAGES} passages; split it")
    return found
