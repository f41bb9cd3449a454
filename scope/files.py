"""Files that are whole or absent, whenever the power goes."""

import errno
import hashlib
import os
from pathlib import Path

from scope.errors import OutputError

TEMPORARY = ".partial"

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` so that a reader, or a crash, sees the old file or the new one and nothing between.

    Raises: OutputError if the file cannot be written; no part of it is left behind.
    """
    partial = path.with_name(f".{path.name}.{os.getpid()}{TEMPORARY}")
    try:
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    except OSError as error:
        raise unwritable(path, error) from error
    finally:
        partial.unlink(missing_ok=True)


def sha256_of_file(path: Path) -> str:
    """Return the hex sha256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def unwritable(path: Path, error: OSError) -> OutputError:
    """Return the error that tells why `path` could not be written and what to do."""
    if error.errno in _FULL:
        return OutputError(f"the disk is full: {path} was not written. Free some space, then run the command again")
    return OutputError(f"cannot write {path}: {error.strerror or error}. Check the rights, or choose another place")


def remove_partial(folder: Path) -> None:
    """Remove what writers that were killed left behind. Call it only while nobody else writes there."""
    for orphan in folder.rglob(f".*{TEMPORARY}"):
        orphan.unlink(missing_ok=True)


def _sync_folder(folder: Path) -> None:
    """Make a rename durable. Only POSIX can open a folder to do so."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
