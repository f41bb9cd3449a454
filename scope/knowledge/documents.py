"""Reads one document into passages: a run of sentences with its title, and the words under which a picture stands.

What is read is not trusted. It is text to be quoted and nothing else: markup, comments and characters that nobody can
see are left out, and nothing that it names is fetched. Readers of Markdown and PDF can be kept busy for hours by a
small file: `reading.py` has them work in a process with limits.
"""

import io
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

from markdown_it import MarkdownIt
from markdown_it.token import Token
from PIL import Image
from pypdf import PdfReader

from scope.errors import ScopeError
from scope.protocols import Passage
from scope.specification import Source
from scope.text import printable

MAX_FILE = 20 * 1024 * 1024  # bytes
MAX_PIXELS = 40_000_000
MAX_PAGES = 500
MAX_TEXT = 2_000_000  # characters of one document
MAX_PASSAGE = 300  # characters, about what the encoder reads
MAX_PASSAGES = 10_000  # of one document

_FORMATS = ("PNG", "JPEG", "WEBP")
_FENCE = "---"  # the lines before and after front matter
_LICENCE = re.compile(r"licen[cs]e:", re.IGNORECASE)
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")


class Unreadable(ScopeError):
    """A document that cannot be read; the others still can."""


@dataclass(frozen=True)
class Origin:
    """The file that passages come from. `picture` finds a picture that a document names; None: not in the folder."""

    locator: str  # relative to the folder
    title: str
    sha256: str
    licence: str = ""
    picture: Callable[[str], str | None] = lambda name: None


def clean(text: str) -> str:
    """Return text on one line, without characters that are not seen or that move others."""
    return printable(text, joiners=False)


def sentences(text: str) -> list[str]:
    """Return the sentences of a text on one line."""
    return [part for part in _SENTENCE_END.split(text) if part]


def decode(data: bytes, origin: Origin) -> tuple[str, Origin]:
    """Return the text of a file without its front matter, and its origin with the licence that was stated there.

    Raises: Unreadable if it is not UTF-8, or too long.
    """
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise Unreadable(f"{origin.locator}: not UTF-8 text; save it as UTF-8") from error
    if len(text) > MAX_TEXT:
        raise Unreadable(f"{origin.locator}: more than {MAX_TEXT} characters; split it")
    lines = text.split("\n")
    fences = [number for number, line in enumerate(lines) if line.rstrip() == _FENCE]
    if len(fences) < 2 or fences[0] != 0:
        return text, origin
    front, rest = lines[1 : fences[1]], lines[fences[1] + 1 :]
    licence = next((line.partition(":")[2] for line in front if _LICENCE.match(line)), "")
    blank = [""] * (fences[1] + 1)  # so that lines keep their numbers
    return "\n".join([*blank, *rest]), replace(origin, licence=clean(licence).strip("\"'"))


def read_text(data: bytes, origin: Origin) -> list[Passage]:
    """Read text: paragraphs are set apart by empty lines."""
    text, origin = decode(data, origin)
    return list(paragraphs(text, origin))


def read_markdown(data: bytes, origin: Origin) -> list[Passage]:
    """Read Markdown: headings are titles; pictures of the folder are passages under their alternative text."""
    text, origin = decode(data, origin)
    headings: dict[int, str] = {}
    cells: list[str] | None = None  # of the row of a table that is being read
    found: list[Passage] = []
    line, before = 1, ""
    for token in MarkdownIt("commonmark").enable("table").parse(text):
        line = token.map[0] + 1 if token.map else line
        titled = replace(origin, title=", ".join(filter(None, headings.values())) or origin.title)
        where = f"{origin.locator}:{line}"
        if token.type == "inline" and before.startswith("h"):
            level = int(before[1])
            headings = {k: v for k, v in headings.items() if k < level} | {level: _words(token)}
        elif token.type == "inline" and cells is not None:
            cells += [_words(token)] if before == "td" else []  # the head of a table says nothing by itself
        elif token.type == "inline":
            found += [*_passages(_words(token), titled, where), *_pictures(token, titled, where)]
        elif token.type == "tr_open":
            cells = []
        elif token.type == "tr_close" and cells is not None:
            found += _passages(": ".join([*cells[:1], ", ".join(cells[1:])]).strip(": "), titled, where)
            cells = None
        before = token.tag
    return found


def read_pdf(data: bytes, origin: Origin) -> list[Passage]:
    """Read the text of a PDF, page by page.

    Raises: Unreadable if it is damaged, encrypted, or has too many pages.
    """
    found: list[Passage] = []
    try:
        reader = PdfReader(io.BytesIO(data))
        if len(reader.pages) > MAX_PAGES:
            raise Unreadable(f"{origin.locator}: more than {MAX_PAGES} pages; split it")
        for number, page in enumerate(reader.pages, start=1):
            found += paragraphs(page.extract_text(), origin, f"{origin.locator}#page={number}")
            if sum(len(p.text) for p in found) > MAX_TEXT:
                raise Unreadable(f"{origin.locator}: more than {MAX_TEXT} characters; split it")
    except Unreadable:
        raise
    except Exception as error:  # a hostile file makes the reader raise almost anything
        raise Unreadable(f"{origin.locator}: not a PDF that can be read ({type(error).__name__})") from error
    return found


def read_picture(data: bytes, caption: bytes, origin: Origin) -> list[Passage]:
    """Return the passage of a picture under its caption.

    Raises: Unreadable if it is no PNG, JPEG or WEBP within the limits.
    """
    open_picture(data, origin.locator)
    text, origin = decode(caption, origin)
    return _passages(clean(text), origin, origin.locator, origin.locator)


def open_picture(data: bytes, locator: str) -> Image.Image:
    """Return a picture, decoded.

    Raises: Unreadable if it is no PNG, JPEG or WEBP within the limits.
    """
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # Pillow only warns of pictures that unpack to gigabytes
            image = Image.open(io.BytesIO(data), formats=_FORMATS)
            if image.width * image.height > MAX_PIXELS:
                raise Unreadable(f"{locator}: {image.width} x {image.height} pixels are too many")
            image.load()
            return image
    except Unreadable:
        raise
    except Exception as error:  # as above
        raise Unreadable(f"{locator}: not a picture that can be read ({type(error).__name__})") from error


def paragraphs(text: str, origin: Origin, locator: str | None = None) -> Iterator[Passage]:
    """Yield the passages of paragraphs; without a `locator` of their own, they are at their line of the file."""
    line = 1
    for block in re.split(r"(\n\s*\n)", text):
        begins = line + len(block) - len(block.lstrip("\n"))
        yield from _passages(clean(block), origin, locator or f"{origin.locator}:{begins}")
        line += block.count("\n")


def _passages(text: str, origin: Origin, locator: str, image: str | None = None) -> list[Passage]:
    """Return a paragraph as passages: as many whole sentences each as the encoder reads."""
    runs: list[str] = []
    for sentence in sentences(text):
        if runs and len(runs[-1]) + len(sentence) < MAX_PASSAGE:
            runs[-1] += " " + sentence
        else:
            runs.append(sentence)
    source = Source(
        title=origin.title, locator=locator, licence=origin.licence, sha256=origin.sha256, image=image
    )  # fmt: skip
    return [Passage(text=run, source=source.model_copy(update={"quote": run[:500]}), score=0.0) for run in runs]


def _words(token: Token) -> str:
    """Return the words of a paragraph as they are read; HTML and pictures are left out."""
    spoken = {"text": None, "code_inline": None, "softbreak": " ", "hardbreak": " "}
    children = token.children or []
    return clean("".join(spoken[c.type] or c.content for c in children if c.type in spoken))


def _pictures(token: Token, origin: Origin, locator: str) -> Iterator[Passage]:
    for child in token.children or []:
        if child.type == "image" and (path := origin.picture(str(child.attrs.get("src", "")))):
            alternative = clean("".join(c.content for c in child.children or []))
            yield from _passages(alternative, origin, locator, path)
