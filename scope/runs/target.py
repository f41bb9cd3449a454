"""Where a picture goes: a name that can be written, known before anything is drawn, and remembered by the run."""

import re
import tempfile
import unicodedata
from pathlib import Path

from scope.errors import OutputError, UsageError
from scope.files import unwritable, write_atomic
from scope.runs.store import Run
from scope.specification import Model

_LONGEST = 48  # characters of a slug


class Target(Model):
    """Where the picture of a run is to go. It lies in the run's folder, so that resuming knows it."""

    path: Path
    metadata: bool = True

    def keep(self, run: Run) -> None:
        """Write it into the run's folder."""
        write_atomic(run.folder / "target.json", self.model_dump_json().encode())

    @classmethod
    def of(cls, run: Run) -> "Target":
        """Return the target of a run; one that has none that can be read has the run's own folder."""
        try:
            return cls.model_validate_json((run.folder / "target.json").read_bytes())
        except (OSError, ValueError):
            return cls(path=(run.folder / "picture.png").absolute())


def png_path(output: Path, stem: str) -> Path:
    """Return the absolute path to write: `output` or, where that is a folder, a new name in it, made from `stem`.

    Raises: UsageError if it is not named *.png; OutputError if it cannot be written.
    """
    if output.is_dir():
        output = _free_name(output, stem)
    if output.suffix.lower() != ".png":
        raise UsageError(f"{output}: scope writes PNG; end the name with .png")
    check_writable(output)
    return output.absolute()


def check_writable(path: Path) -> None:
    """Raise OutputError now rather than after minutes of drawing."""
    if path.exists() and not path.is_file():
        raise OutputError(f"cannot write {path}: it is not a file. Choose another name")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise unwritable(path, error) from error


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


def _free_name(folder: Path, stem: str) -> Path:
    path, number = folder / f"{stem}.png", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.png"
    return path
