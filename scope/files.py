"""Files that are whole or absent, whenever the power goes, and reading of files that others may have put there."""

import errno
import hashlib
import json
import os
import secrets
import stat
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from scope.errors import OutputError

TEMPORARY = ".partial"
HEAD = 4096  # bytes that tell who wrote a file

_FULL = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG}
_NO_LINK = getattr(os, "O_NOFOLLOW", 0)
_NO_WAIT = getattr(os, "O_NONBLOCK", 0)  # opening a pipe that nobody writes to would wait for ever


# -- writing -------------------------------------------------------------------------------------


def write_atomic(path: Path, data: bytes) -> None:
    """Write `data` so that a reader, or a crash, sees the old file or the new one and nothing between.

    A file that is replaced leaves its rights to the new one; a link is replaced, and what it leads to stays.

    Raises: OutputError if the file cannot be written; no part of it is left behind.
    """
    partial = path.with_name(f".{secrets.token_hex(8)}{TEMPORARY}")  # a name that nobody can have prepared
    try:
        handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL | _NO_LINK, _mode(path))
        with os.fdopen(handle, "wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.replace(path)
        _sync_folder(path.parent)
    except (OSError, ValueError) as error:  # a name that no file can have is a ValueError
        raise unwritable(path, error) from error
    finally:
        with suppress(OSError, ValueError):
            partial.unlink(missing_ok=True)


def write_over(path: Path, data: bytes, is_ours: Callable[[bytes], bool]) -> None:
    """Write `data` as `write_atomic` does, unless that would replace a file that scope did not write.

    Raises: OutputError, also as of `check_ours`.
    """
    check_ours(path, is_ours)
    write_atomic(path, data)


def check_ours(path: Path, is_ours: Callable[[bytes], bool]) -> None:
    """Look whether `path` is free, empty, or a file that scope wrote: `is_ours` tells by its first `HEAD` bytes.

    Raises: OutputError if something else is there, or no file can have this name.
    """
    try:
        with os.fdopen(_opened(path), "rb") as file:
            head = file.read(HEAD)
    except FileNotFoundError:  # it is free, or a link to nothing, which is replaced
        return
    except (OSError, ValueError) as error:
        raise unwritable(path, error) from error
    if head and not is_ours(head):
        raise OutputError(f"{path} is there, and was not written by scope: remove it, or choose another name")


def unwritable(path: Path, error: OSError | ValueError) -> OutputError:
    """Return the error that tells why `path` could not be written and what to do."""
    if isinstance(error, OSError) and error.errno in _FULL:
        return OutputError(f"the disk is full: {path} was not written. Free some space, then run the command again")
    return OutputError(f"cannot write {path}: {_reason(error)}. Check the rights, or choose another place")


def _mode(path: Path) -> int:
    """Return the rights of the file that is there, else what the umask leaves of reading and writing for all."""
    try:
        there = os.lstat(path).st_mode
    except (OSError, ValueError):
        return 0o666
    return stat.S_IMODE(there) & 0o777 if stat.S_ISREG(there) else 0o666


def remove_partial(folder: Path) -> None:
    """Remove what writers that were killed left behind. Call it only while nobody else writes there."""
    for orphan in folder.rglob(f".*{TEMPORARY}"):
        with suppress(OSError):  # a folder of this name is not ours
            orphan.unlink()


def _sync_folder(folder: Path) -> None:
    """Make a rename durable. Only POSIX can open a folder to do so."""
    if os.name != "posix":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


# -- reading -------------------------------------------------------------------------------------


def is_file(path: Path) -> bool:
    """Return whether there is a regular file, or a link to one; no name is an error."""
    try:
        return stat.S_ISREG(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def is_folder(path: Path) -> bool:
    """Return whether there is a folder, or a link to one; no name is an error."""
    try:
        return stat.S_ISDIR(path.stat().st_mode)
    except (OSError, ValueError):
        return False


def read_file(path: Path, limit: int) -> bytes:
    """Return the bytes of a regular file of at most `limit` bytes: no pipe, device or folder, and nothing endless.

    Raises: OSError that says what is wrong.
    """
    try:
        with os.fdopen(_opened(path), "rb") as file:
            data = file.read(limit + 1)
    except ValueError as error:  # a name that no file can have
        raise FileNotFoundError(errno.ENOENT, str(error)) from error
    if len(data) > limit:
        raise OSError(errno.EFBIG, f"larger than {limit} bytes")
    return data


def read_json(path: Path, limit: int) -> Any:
    """Return the JSON of a regular file of at most `limit` bytes.

    Raises: OSError; ValueError if it is no JSON, or nested too deeply.
    """
    return parsed_json(read_file(path, limit))


def parsed_json(text: str | bytes) -> Any:
    """Return what a JSON text says.

    Raises: ValueError if it is none, or nested too deeply.
    """
    try:
        return json.loads(text)
    except RecursionError:
        raise ValueError("nested too deeply") from None


def sha256_of_file(path: Path) -> str:
    """Return the hex sha256 of a file's bytes."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _opened(path: Path) -> int:
    """Return the handle of a regular file that is open to be read.

    Raises: OSError; ValueError if no file can have this name.
    """
    handle = os.open(path, os.O_RDONLY | _NO_WAIT)
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise OSError(errno.EINVAL, "it is not a file")
    return handle


def _reason(error: OSError | ValueError) -> str:
    return (error.strerror if isinstance(error, OSError) else None) or str(error)
