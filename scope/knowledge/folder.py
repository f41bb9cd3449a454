"""The user's own folder: Markdown, text, PDF and pictures with captions, searched by meaning.

A picture's caption is the text file of the same name beside it (`fox.png`, `fox.txt`), or its alternative text where a
Markdown file shows it. Nothing leaves the machine, and nothing outside the folder is read: links that lead out of it
are not followed.
"""

import os
from collections.abc import Iterator
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

from scope.errors import UsageError
from scope.knowledge.documents import MAX_FILE, Origin, clean, markdown, pdf, picture, plain
from scope.knowledge.index import Document, Index, Unreadable, build
from scope.knowledge.store import Store
from scope.protocols import Passage

MAX_FILES = 10_000

_READERS = {".md": markdown, ".markdown": markdown, ".txt": plain, ".pdf": pdf}
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp"})


def load(folder: str | Path) -> "Folder":
    """Return what a folder knows. Its files are read at the first search.

    Raises: UsageError if there is no such folder.
    """
    return Folder(Path(folder))


class Folder:
    """A folder of documents. `notes` says which files could not be read, and why."""

    name = "folder"
    version = "1"

    def __init__(self, root: Path) -> None:
        if not root.is_dir():
            raise UsageError(f"{root}: there is no such folder of knowledge; give one that exists to --knowledge")
        self.root = root.resolve()

    def search(self, query: str, count: int = 5) -> list[Passage]:
        """Return the passages nearest to a query, best first."""
        return self._built[0].search(query, count)

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what could not be read, a line each. Reads the folder if that was not done yet."""
        return tuple(self._built[1])

    @cached_property
    def _built(self) -> tuple[Index, list[str]]:
        notes: list[str] = []
        store = Store(sha256(os.fsencode(self.root)).hexdigest()[:16])
        index, unread = build(self._documents(notes), store)
        return index, notes + unread

    def _documents(self, notes: list[str]) -> Iterator[Document]:
        """Yield the documents of the folder in the order of their names; what is left out is noted."""
        files = list(self._files(notes))
        captions = {p: p.with_suffix(".txt") for p in files if p.suffix.lower() in _PICTURES}
        taken = set(captions.values())
        for path in files:
            try:
                if path in captions and captions[path] in files:
                    yield self._picture(path, captions[path])
                elif path.suffix.lower() in _READERS and path not in taken:
                    yield self._text(path)
            except Unreadable as error:
                notes.append(str(error))
            except OSError as error:
                notes.append(f"{self._locator(path)}: cannot be read ({error.strerror or error})")

    def _files(self, notes: list[str]) -> Iterator[Path]:
        """Yield the files whose kinds can be read; hidden ones and links that lead out of the folder are not."""
        count = 0
        for here, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(here, name)
                if name.startswith(".") or path.suffix.lower() not in _READERS.keys() | _PICTURES:
                    continue
                if not self._inside(path):
                    notes.append(f"{self._locator(path)}: a link that leaves the folder, or no file; not read")
                elif (count := count + 1) > MAX_FILES:
                    notes.append(f"more than {MAX_FILES} files; the rest was not read")
                    return
                else:
                    yield path

    def _inside(self, path: Path) -> bool:
        real = path.resolve()
        return real.is_relative_to(self.root) and real.is_file()

    def _text(self, path: Path) -> Document:
        data, reader = self._read(path), _READERS[path.suffix.lower()]
        origin = self._origin(path, data)
        return Document(origin.locator, origin.sha256, lambda: reader(data, origin))

    def _picture(self, path: Path, caption: Path) -> Document:
        data, words = self._read(path), self._read(caption)
        origin = self._origin(path, data)
        content = origin.sha256 + sha256(words).hexdigest()
        return Document(origin.locator, content, lambda: picture(data, words, origin))

    def _read(self, path: Path) -> bytes:
        """Return the bytes of a file.

        Raises: Unreadable if it is too large; OSError.
        """
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise Unreadable(f"{self._locator(path)}: larger than {MAX_FILE} bytes")
        return data

    def _origin(self, path: Path, data: bytes) -> Origin:
        def shown(name: str) -> str | None:
            there = path.parent / unquote(name)
            fits = there.suffix.lower() in _PICTURES and self._inside(there)
            return self._locator(there.resolve()) if fits else None

        title = path.stem.replace("-", " ").replace("_", " ")
        return Origin(self._locator(path), clean(title), sha256(data).hexdigest(), picture=shown)

    def _locator(self, path: Path) -> str:
        """Return the place of a file in the folder, as it can be shown."""
        relative = path.relative_to(self.root).as_posix()
        return clean(relative.encode("utf-8", "replace").decode())
