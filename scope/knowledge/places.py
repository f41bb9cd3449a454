"""Where the files of a folder of knowledge lie: inside it, and nowhere else."""

from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from urllib.parse import unquote

from scope.files import read_file
from scope.knowledge.documents import MAX_FILE, Origin, Unreadable, clean

PICTURES = frozenset({".png", ".jpg", ".jpeg", ".webp"})


@dataclass(frozen=True)
class Place:
    """A folder, by its resolved path."""

    root: Path

    def holds(self, path: Path) -> bool:
        """Return whether a path is that of a file in the folder; a link may lead to another one of it."""
        try:
            real = path.resolve()
            return real.is_relative_to(self.root) and real.is_file()
        except (OSError, ValueError, RuntimeError):  # no name of a file, or links in a circle
            return False

    def read(self, path: Path) -> bytes:
        """Return the bytes of a file.

        Raises: Unreadable if it is too large, no file, or cannot be read.
        """
        try:
            return read_file(path, MAX_FILE)
        except OSError as error:
            raise Unreadable(f"{self.locator(path)}: cannot be read ({error.strerror or error})") from error

    def origin(self, path: Path, data: bytes) -> Origin:
        """Return what passages of a file say of where they come from."""

        def shown(name: str) -> str | None:
            there = path.parent / unquote(name)
            fits = there.suffix.lower() in PICTURES and self.holds(there)
            return self.locator(there.resolve()) if fits else None

        title = path.stem.replace("-", " ").replace("_", " ")
        return Origin(self.locator(path), clean(title), sha256(data).hexdigest(), picture=shown)

    def locator(self, path: Path) -> str:
        """Return the place of a file in the folder, as it can be shown."""
        relative = path.relative_to(self.root).as_posix()
        return clean(relative.encode("utf-8", "replace").decode())
