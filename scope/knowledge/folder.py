"""The user's own folder: Markdown, text, PDF and pictures with captions, searched by meaning.

A picture's caption is the text file of the same name beside it (`fox.png`, `fox.txt`), or its alternative text where a
Markdown file shows it. With an encoder of words and pictures, they are also found by what they show. Nothing leaves the
machine, and nothing outside the folder is read: links that lead out of it are not followed.
"""

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

from scope.errors import UsageError
from scope.knowledge.documents import (
    MAX_FILE,
    MAX_PASSAGE,
    Origin,
    clean,
    decode,
    read_markdown,
    read_pdf,
    read_picture,
    read_text,
)
from scope.knowledge.index import Document, Index, Unreadable, build
from scope.knowledge.pictures import (
    EncoderError,
    ImageIndex,
    ImageTextEncoder,
    Picture,
    build_image_index,
    load_encoder,
)
from scope.knowledge.store import Store
from scope.protocols import Passage
from scope.specification import Source

MAX_FILES = 10_000
#: Of the passages of a search, at most one in so many was found by sight.
PICTURES = 4

_READERS = {".md": read_markdown, ".markdown": read_markdown, ".txt": read_text, ".pdf": read_pdf}
_PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp"})

Captions = dict[Path, Path | None]  # the pictures of a folder, and the files that hold their captions


def load(folder: str | Path) -> "Folder":
    """Return what a folder knows. Its files are read at the first search.

    Raises: UsageError if there is no such folder.
    """
    return Folder(Path(folder))


class Folder:
    """A folder of documents; `encoder` gives what places its pictures among words, or None, or raises EncoderError."""

    name = "folder"
    version = "1"

    def __init__(self, root: Path, encoder: Callable[[], ImageTextEncoder | None] = load_encoder) -> None:
        if not root.is_dir():
            raise UsageError(f"{root}: there is no such folder of knowledge; give one that exists to --knowledge")
        self.root = root.resolve()
        self._load_encoder = encoder

    def search(self, query: str, count: int = 5) -> list[Passage]:
        """Return the passages nearest to a query, best first; pictures that only sight finds come last."""
        index, images, _ = self._built
        by_words = index.search(query, count)
        named = {p.source.image for p in by_words}
        by_sight = images.search(query, count // PICTURES) if images else []
        only_seen = [p for p in by_sight if p.source.image not in named]
        return [self._with_picture(p) for p in (*by_words[: count - len(only_seen)], *only_seen)]

    @property
    def notes(self) -> tuple[str, ...]:
        """Return what could not be read, a line each. Reads the folder if that was not done yet."""
        _, images, notes = self._built
        return tuple(dict.fromkeys([*notes, *(images.notes if images else ())]))

    @cached_property
    def _built(self) -> tuple[Index, ImageIndex | None, list[str]]:
        notes: list[str] = []
        collection = sha256(os.fsencode(self.root)).hexdigest()[:16]
        files = list(self._files(notes))
        texts = {p for p in files if p.suffix == ".txt"}
        pictures = [p for p in files if p.suffix.lower() in _PICTURES]
        captions = {p: words if (words := p.with_suffix(".txt")) in texts else None for p in pictures}
        index, unread = build(self._documents(files, captions, notes), Store(collection))
        images = None
        try:
            if captions and (encoder := self._load_encoder()):
                images = build_image_index(self._pictures(captions, notes), encoder, Store(f"{collection}/sight"))
        except EncoderError as error:
            notes.append(f"{error}; pictures are found by their captions only")
        return index, images, notes + unread

    def _documents(self, files: Sequence[Path], captions: Captions, notes: list[str]) -> Iterator[Document]:
        """Yield the documents of the folder in the order of their names; what is left out is noted."""
        taken = set(captions.values())
        for path in files:
            with self._noting(path, notes):
                if caption := captions.get(path):
                    yield self._picture(path, caption)
                elif path.suffix.lower() in _READERS and path not in taken:
                    yield self._text(path)

    def _pictures(self, captions: Captions, notes: list[str]) -> Iterator[Picture]:
        """Yield the pictures of the folder, with a caption or without, in the order of their names."""
        for path, caption in captions.items():
            with self._noting(path, notes):
                yield self._shown(path, caption)

    @contextmanager
    def _noting(self, path: Path, notes: list[str]) -> Iterator[None]:
        """Note that a file cannot be read, and go on."""
        try:
            yield
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
        return Document(origin.locator, content, lambda: read_picture(data, words, origin))

    def _shown(self, path: Path, caption: Path | None) -> Picture:
        """Return a picture to be found by sight. Its caption, or its name, only tells which it is: it is no quote."""
        data = self._read(path)
        origin = self._origin(path, data)
        words, origin = decode(self._read(caption), origin) if caption else ("", origin)
        source = Source(
            title=origin.title,
            locator=f"{origin.locator}#sight",  # apart from its caption, which may be right where sight is wrong
            licence=origin.licence,
            sha256=origin.sha256,
            image=origin.locator,
        )
        text = clean(words)[:MAX_PASSAGE] or origin.title
        return Picture(data, Passage(text=text, source=source, score=0.0, by_sight=True))

    def _with_picture(self, passage: Passage) -> Passage:
        """Return a passage with the hash of its picture as it is now; without the picture if it cannot be read."""
        if passage.source.image is None:
            return passage
        path = self.root / passage.source.image
        try:
            shown = {"image_sha256": sha256(self._read(path)).hexdigest()} if self._inside(path) else {"image": None}
        except (Unreadable, OSError):
            shown = {"image": None}
        return passage.model_copy(update={"source": passage.source.model_copy(update=shown)})

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
