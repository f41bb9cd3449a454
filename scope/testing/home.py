"""A place for the runs of a test."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from unittest.mock import patch


@contextmanager
def temporary_home() -> Iterator[Path]:
    """Keep runs in a fresh folder for a while, and not with those of the user."""
    with TemporaryDirectory() as folder, patch.dict(os.environ, {"SCOPE_HOME": folder}):
        yield Path(folder)
