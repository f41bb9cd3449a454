"""Documents that others wrote: mutated ones, and small ones that keep a reader busy, or unfold.

An attack bites if anything but Unreadable comes of it, if it outlasts the limit of time, or if a passage holds what
nobody can see.
"""

import io
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from itertools import islice
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from PIL import Image

from scope.benchmarks.attacks.tally import Tally
from scope.benchmarks.experiments.injection import pdf_of
from scope.knowledge.places import Place
from scope.knowledge.reading import Reading
from scope.testing.malformed import scrambled
from scope.text import printable

_SECONDS = 4.0  # for one document
_TEXT = """---
licence: CC0
---
# Team Zorvex

The mascot is a *green* turtle. [a](b) ![fox](fox.png)

| a | b |
|---|---|
| c | d |
"""


def attack(count: int, chance: Random) -> Tally:
    """Read `count` odd documents."""
    tally = Tally()
    with TemporaryDirectory() as folder:
        place = Place(Path(folder).resolve())
        for name, data in islice(_cases(chance), count):
            path = place.root / name
            path.write_bytes(data)
            tally.attempt(f"{name}, {data[:24]!r}", partial(_read, place, path, data))
    return tally


def _read(place: Place, path: Path, data: bytes) -> None:
    caption, content = None, sha256(data).hexdigest()
    if path.suffix == ".png":
        caption = path.with_suffix(".txt")
        caption.write_bytes(data)
        content *= 2
    for passage in Reading(place, _SECONDS).passages(path, content, caption):
        shown = (passage.text, passage.source.quote, passage.source.locator, passage.source.licence)
        if any(printable(text, joiners=False) != text for text in shown):
            raise ValueError(f"{passage.text!r} cannot be shown")


def _cases(chance: Random) -> Iterator[tuple[str, bytes]]:
    for name, text in _SLOW:
        yield name, text.encode()
    for stream in (
        b"BT /F 12 Tf 10 10 Td (a) Tj ET\n" * 300_000,
        b"q " * 3_000_000,
        b"(" * 3_000_000,
        b"/X Do\n" * 50_000,
    ):
        yield "a.pdf", pdf_of(stream)
    whole = {
        "a.md": _TEXT.encode(),
        "a.txt": _TEXT.encode(),
        "a.pdf": pdf_of(b"BT /F 12 Tf (a turtle) Tj ET"),
        "a.png": _png(),
    }
    while True:
        name = chance.choice(list(whole))
        yield name, scrambled(whole[name], chance)


#: Files whose reading took a time that grows with the square of their size, or would yield too much.
_SLOW = (
    ("a.md", "---" + "\n" * 1_000_000 + "x"),
    ("a.txt", "---\nlicence: " + " " * 1_000_000 + "x\n---\n"),
    ("a.txt", "licence:\n" * 200_000),
    ("a.md", "a\n\n" * 600_000),
    ("a.txt", "a\n\n" * 600_000),
    ("a.md", "|" + "a|" * 200_000 + "\n|" + "-|" * 200_000 + "\n|" + "b|" * 200_000),
    ("a.md", "> " * 50_000 + "a"),
    ("a.md", "[" * 200_000),
    ("a.md", "*a_ " * 200_000),
    ("a.md", "![a](" * 100_000),
    ("a.md", "<a " * 200_000),
    ("a.md", "`" * 500_000 + "a"),
    ("a.md", "&#x1b;[2J\u202e\u200b\x00\x07"),
    ("a.txt", "\x1b]0;pwn\x07\u202e a turtle."),
    ("a.txt", ". " * 900_000),
    ("a.txt", "\n \n" * 600_000 + "x"),
    ("a.txt", "\ufeff---\n---"),
    ("a.md", "- " * 20_000 + "a"),
)


def _png() -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 4), "green").save(file, "PNG")
    return file.getvalue()
