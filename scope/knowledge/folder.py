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

from scope.errors import UsageError
from scope.knowledge.documents import MAX_PASSAGE, Unreadable, clean, decode
from scope.knowledge.index import Document, Index, build
from scope.knowledge.pictures import (
    EncoderError,
    ImageIndex,
    ImageTextEncoder,
    Picture,
    build_image_index,
    load_encoder,
)
from scope.knowledge.places import PICTURES, Place
from scope.knowledge.reading import READERS, Reading
from scope.knowledge.store import Store
from scope.protocols import Passage
from scope.specification import Source

MAX_FILES = 10_000
#: Of the passages of a search, at most one in so many was found by sight.
BY_SIGHT = 4

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
        self._place = Place(self.root)
        self._load_encoder = encoder

    def search(self, query: str, count: int = 5) -> list[Passage]:
        """Return the passages nearest to a query, best first; pictures that only sight finds come last."""
        index, images, _ = self._built
        by_words = index.search(query, count)
        named = {p.source.image for p in by_words}
        by_sight = images.search(query, count // BY_SIGHT) if images else []
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
        pictures = [p for p in files if p.suffix.lower() in PICTURES]
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
        taken, reading = set(captions.values()), Reading(self._place)
        for path in files:
            with self._noting(notes):
                if caption := captions.get(path):
                    yield self._document(path, reading, caption)
                elif path.suffix.lower() in READERS and path not in taken:
                    yield self._document(path, reading)

    def _pictures(self, captions: Captions, notes: list[str]) -> Iterator[Picture]:
        """Yield the pictures of the folder, with a caption or without, in the order of their names."""
        for path, caption in captions.items():
            with self._noting(notes):
                yield self._shown(path, caption)

    @contextmanager
    def _noting(self, notes: list[str]) -> Iterator[None]:
        """Note that a file cannot be read, and go on."""
        try:
            yield
        except Unreadable as error:
            notes.append(str(error))

    def _files(self, notes: list[str]) -> Iterator[Path]:
        """Yield the files whose kinds can be read; hidden ones and links that lead out of the folder are not."""
        count = 0
        for here, folders, names in os.walk(self.root):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            for name in sorted(names):
                path = Path(here, name)
                if name.startswith(".") or path.suffix.lower() not in READERS.keys() | PICTURES:
                    continue
                if not self._place.holds(path):
                    notes.append(f"{self._place.locator(path)}: a link that leaves the folder, or no file; not read")
                elif (count := count + 1) > MAX_FILES:
                    notes.append(f"more than {MAX_FILES} files; the rest was not read")
                    return
                else:
                    yield path

    def _document(self, path: Path, reading: Reading, caption: Path | None = None) -> Document:
        """Return a document, or a picture under its caption, to be read when it is needed."""
        parts = [path] if caption is None else [path, caption]
        content = "".join(sha256(self._place.read(part)).hexdigest() for part in parts)
        return Document(self._place.locator(path), content, lambda: reading.passages(path, content, caption))

    def _shown(self, path: Path, caption: Path | None) -> Picture:
        """Return a picture to be found by sight. Its caption, or its name, only tells which it is: it is no quote."""
        data = self._place.read(path)
        origin = self._place.origin(path, data)
        words, origin = decode(self._place.read(caption), origin) if caption else ("", origin)
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
            seen = sha256(self._place.read(path)).hexdigest() if self._place.holds(path) else None
        except Unreadable:
            seen = None
        shown = {"image_sha256": seen} if seen is not None else {"image": None}
        return passage.model_copy(update={"source": passage.source.model_copy(update=shown)})
