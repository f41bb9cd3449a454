"""Which pictures are to be checked, and by what: one file, the lines of a JSONL file, or a folder with captions.

{"image": "a.png", "prompt": "two red apples"}       a line; paths are relative to the file
{"image": "b.jpg", "spec": "b.yaml"}
a.png a.txt b.jpg b.txt                              a folder: a caption has its picture's name
"""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from scope.errors import ImageError, UsageError
from scope.files import read_file
from scope.text import excerpt

if TYPE_CHECKING:
    from scope.specification import Specification

PICTURES = (".png", ".jpg", ".jpeg", ".webp")
MAX_BYTES = 64 * 1024 * 1024  # of a JSONL file
_CAPTION_BYTES = 64 * 1024


@dataclass(frozen=True)
class Item:
    """One picture: the file, and what is to be in it; `why`: what is wrong with its line or its caption."""

    name: str
    image: Path
    asked: "str | Specification | Path | None" = None  # a path: of a specification
    why: str = ""


def is_many(what: Path) -> bool:
    """Return whether a path means many pictures, rather than one."""
    return what.is_dir() or what.suffix.lower() == ".jsonl"


def items(what: Path, asked: "str | Specification | None") -> list[Item]:
    """Return the pictures that a path means; `asked` is of those that bring nothing of their own.

    Raises: ImageError if it is a folder without pictures; UsageError if it is no JSONL file that can be read.
    """
    if not is_many(what):
        return [Item(what.name, what, asked)]
    found = list(_in_folder(what, asked) if what.is_dir() else _in_lines(what, asked))
    if not found:
        raise ImageError(f"{what}: there are no pictures in it (PNG, JPEG or WebP)")
    return found


def _in_folder(folder: Path, asked: "str | Specification | None") -> Iterator[Item]:
    for path in sorted(folder.iterdir()):
        if path.suffix.lower() not in PICTURES or not path.is_file():
            continue
        caption = path.with_suffix(".txt")
        if not caption.is_file() and asked is None:
            yield Item(path.name, path, why=f"it has no caption: {caption.name}, or a prompt for all")
            continue
        try:
            yield Item(path.name, path, _words(caption) if caption.is_file() else asked)
        except (OSError, ValueError) as error:
            yield Item(path.name, path, why=f"its caption {caption.name} cannot be read: {excerpt(error)}")


def _words(caption: Path) -> str:
    """Return a caption.

    Raises: OSError, ValueError.
    """
    return read_file(caption, _CAPTION_BYTES).decode("utf-8-sig")


def _in_lines(path: Path, asked: "str | Specification | None") -> Iterator[Item]:
    try:
        lines = read_file(path, MAX_BYTES).decode("utf-8-sig").splitlines()
    except (OSError, ValueError) as error:
        raise UsageError(f"{path}: cannot be read as UTF-8 text: {error}") from error
    for number, line in enumerate(lines, start=1):
        if line.strip():
            yield _of_line(path.parent, f"line {number}", line, asked)


def _of_line(folder: Path, name: str, line: str, asked: "str | Specification | None") -> Item:
    try:
        row = json.loads(line)
    except (ValueError, RecursionError) as error:
        return Item(name, folder, why=f"this is not JSON: {excerpt(error)}")
    texts = {key: row.get(key) for key in ("image", "prompt", "spec")} if isinstance(row, dict) else {}
    given = {key: text for key, text in texts.items() if text is not None}
    if not all(isinstance(text, str) for text in given.values()) or "image" not in given or len(given) == 3:
        return Item(name, folder, why='write {"image": PATH, "prompt": TEXT}, or "spec": PATH in place of the prompt')
    image = folder / given["image"]
    mine = folder / given["spec"] if "spec" in given else given.get("prompt", asked)
    why = "" if mine is not None else "it has no prompt"
    return Item(given["image"], image, mine, why)
