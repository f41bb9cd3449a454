"""Which emoji show the world's nouns: those that its drawings are of, by emojibase's labels."""

import csv
import io
import json
import re
from collections.abc import Iterator
from pathlib import Path

from scope.worlds.pocket.catalogue import DRAWN
from scope.worlds.pocket.packages import EMOJIBASE, opened

FILE = "emoji.csv"  # in scope/data/world
HEADER = ("emoji", "noun")


def table(art: Path) -> str:
    """Return the table of emoji as CSV, a header first.

    Raises: ScopeError if the package is missing or is not the pinned release.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    writer.writerows(_rows(opened(EMOJIBASE, art)))
    return out.getvalue()


def _rows(package: Path) -> Iterator[tuple[str, str]]:
    labelled = json.loads((package / "en" / "data.json").read_text(encoding="utf-8"))
    noun_of = {concept.icon: noun for noun, concept in DRAWN.items()}
    for one in labelled:
        if noun := noun_of.get(_icon(one["label"])):
            yield one["emoji"], noun


def _icon(label: str) -> str:
    """Return a label as the drawings are called: "woman's boot" -> "womans-boot"."""
    return re.sub(r"\W+", "-", label.lower().replace("’", "").replace("'", "")).strip("-")
