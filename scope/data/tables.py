"""The tables of scope/data/world: what the pocket world draws, and what that is called."""

import csv
from importlib.resources import files


def table_of(file: str) -> list[dict[str, str]]:
    """Return the rows of a table of scope/data/world."""
    lines = files("scope.data").joinpath("world", file).read_text(encoding="utf-8").splitlines()
    return list(csv.DictReader(lines))
