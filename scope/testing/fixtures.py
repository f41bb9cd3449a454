"""Fixtures for the tests of those who write parts: `pytest_plugins = ["scope.testing.fixtures"]` in conftest.py."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from scope.testing.home import temporary_home


@pytest.fixture
def home() -> Iterator[Path]:
    """Keep runs in a fresh folder, which is returned, and not with those of the user."""
    with temporary_home() as folder:
        yield folder
