"""Where a picture goes: a name that can be written, known before anything is drawn, and remembered by the run."""

import re
import tempfile
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from scope.errors import OutputError, UsageError
from scope.specification import Model

if TYPE_CHECKING:
    from scope.runs.store import Run

_LONGEST = 48  # characters of a slug


class Order(Model):
    """Where the picture of a run is to go. It lies in the run's folder, so that `scope resume` knows it."""

    output: Path
    metadata: bool = True

    def keep(self, run: "Run") -> None:
        """Write it into the run's folder."""
        from scope.files import write_atomic

        write_atomic(run.folder / "order.json", self.model_dump_json().encode())

    @classmethod
    def of(cls, run: "Run") -> "Order | None":
        """Return the order of a run; None: it has none that can be read, and a new name is as good."""
        try:
            return cls.model_validate_json((run.folder / "order.json").read_bytes())
        except (OSError, ValueError):
            return None


def target(output: Path | None, stem: str) -> Path:
    """Return the path asked for; None or a folder: one in it that does not exist yet, named after `stem`.

    Raises: UsageError if it is not named *.png; OutputError if it cannot be written.
    """
    if output is None or output.is_dir():
        output = _free_name(output or Path(), stem)
    if output.suffix.lower() != ".png":
        raise UsageError(f"{output}: scope writes PNG; end the name with .png")
    check_writable(output)
    return output.absolute()


def check_writable(path: Path) -> None:
    """Raise OutputError now rather than after minutes of drawing."""
    from scope.files import unwritable

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
