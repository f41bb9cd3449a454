"""How the files that scope writes are known: a picture by its record, a sidecar by its name and its beginning."""

import re
from pathlib import Path


def sidecar(path: Path) -> Path:
    """Return where the record of the picture `path` lies beside it."""
    return path.with_name(path.name + ".json")


def is_picture(head: bytes) -> bool:
    """Return whether a file that begins so is a picture with a record of scope's."""
    return head.startswith(b"\x89PNG\r\n\x1a\n") and b"iTXtscope\0" in head


def is_record(head: bytes) -> bool:
    """Return whether a file that begins so is a sidecar of scope's."""
    return re.match(rb'\{\s*"schema": *\d+,\s*"run": *("[\d-]+"|null),', head) is not None
