"""Where a picture goes: a name that can be written, known before anything is drawn, and remembered by the run.

A file that scope did not write is never written over. A picture of scope's is known by its record; one without, by the
sha256 that its run remembers.
"""

import os
import re
import tempfile
import unicodedata
from hashlib import sha256
from pathlib import Path

from pydantic import ValidationError

from scope.errors import StateCorrupt, UsageError
from scope.files import check_ours, is_file, is_folder, sha256_of_file, unwritable
from scope.runs.marks import is_picture, is_record, sidecar
from scope.runs.store import Run
from scope.specification import Model
from scope.text import is_text, printable

_LONGEST = 48  # characters of a slug
_LONGEST_STEM = 200  # bytes of a file name, before what makes it another's and its endings


class Target(Model):
    """Where the picture of a run is to go. It lies in the run's folder, so that resuming knows it."""

    path: Path
    metadata: bool = True
    written: str = ""  # the sha256 of the picture, once it was written there

    def keep(self, run: Run) -> None:
        """Write it into the run's folder."""
        run.keep("target.json", self.model_dump(mode="json"))

    @classmethod
    def of(cls, run: Run) -> "Target":
        """Return the target of a run; one that has none that can be read has the run's own folder."""
        try:
            found = cls.model_validate(run.kept("target.json"))
        except (StateCorrupt, ValidationError):
            found = None
        usable = found is not None and found.path.is_absolute() and found.path.suffix.lower() == ".png"
        return found if found and usable else cls(path=(run.folder / "picture.png").absolute())

    def check(self) -> None:
        """Raise OutputError now rather than after minutes of drawing."""
        if not (self.written and is_file(self.path) and sha256_of_file(self.path) == self.written):
            check_writable(self.path)

    def with_written(self, png: bytes) -> "Target":
        """Return the target that knows what is going to be there."""
        return self.model_copy(update={"written": sha256(png).hexdigest()})


def png_path(output: Path, stem: str) -> Path:
    """Return the absolute path to write: `output` or, where that is a folder, a new name in it, made from `stem`.

    Raises: UsageError if it is not named *.png; OutputError if it cannot be written, or is a file of somebody else.
    """
    if is_folder(output):
        output = free_name(output, stem, ".png")
    if output.suffix.lower() != ".png":
        raise UsageError(f"{output}: scope writes PNG; end the name with .png")
    if not is_text(str(output)):
        raise UsageError(f"{output}: this name is not UTF-8; choose another")
    check_writable(output)
    return output.absolute()


def check_writable(path: Path) -> None:
    """Look whether a picture and its sidecar can be written, whole names and all.

    Raises: OutputError if not, or if one would replace a file that scope did not write.
    """
    check_ours(path, is_picture)
    check_ours(sidecar(path), is_record)
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise unwritable(path, error) from error


def free_name(folder: Path, stem: str, suffix: str) -> Path:
    """Return the path of a file that is not there yet, in a folder. What cannot be printed of the stem is left out."""
    plain = printable(stem).encode()[:_LONGEST_STEM].decode(errors="ignore") or "picture"
    path, number = folder / f"{plain}{suffix}", 1
    while os.path.lexists(path):
        number += 1
        path = folder / f"{plain}-{number}{suffix}"
    return path


def slug(text: str) -> str:
    """Return a file name's worth of a text: whole ASCII words joined by dashes, never empty."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    name = ""
    for word in re.findall(r"[a-z0-9]+", ascii_only):
        longer = f"{name}-{word}" if name else word[:_LONGEST]
        if len(longer) > _LONGEST:
            break
        name = longer
    return name or "picture"
