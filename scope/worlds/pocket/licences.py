"""Whose each drawing is: one line a drawing of every vendor, as CSV. It ships beside the atlases; NOTICE sums it up."""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping

from scope.worlds.pocket.atlas import DRAWN_HERE
from scope.worlds.pocket.catalogue import DRAWN
from scope.worlds.pocket.packages import SOURCES

FILE = "licences.csv"  # in scope/data/atlas
COLUMNS = ("drawing", "vendor", "emoji", "package", "version", "author", "licence")
_OURS = ("", "scope", "", "The scope authors", "Apache-2.0")


def table(drawings: Mapping[str, Iterable[str]]) -> str:
    """Return the table of what each vendor draws, a header first."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(COLUMNS)
    writer.writerows(_rows(drawings))
    return text.getvalue()


def _rows(drawings: Mapping[str, Iterable[str]]) -> Iterator[tuple[str, ...]]:
    for vendor, names in drawings.items():
        source = SOURCES[vendor]
        for name in names:
            emoji = DRAWN[name.partition("/")[0]].icon
            whose = (emoji, source.package, source.version, source.author, source.licence)
            yield (name, vendor, *(_OURS if emoji == DRAWN_HERE else whose))
