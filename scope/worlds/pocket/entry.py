"""One noun of the world, looked up by any of its names: who draws it, and whose its drawings are."""

import csv
import difflib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray

from scope import text
from scope.errors import UsageError
from scope.worlds.pocket.background import background
from scope.worlds.pocket.catalogue import (
    ALL_VENDORS,
    AMBIGUOUS,
    DRAWN,
    NOUN_OF,
    STYLES,
    WIDER_OF,
    Concept,
    drawings,
)
from scope.worlds.pocket.sprites import SIZE, sprite

_LOOKS = (None, "red", "blue")  # in which a drawing is shown
_SHOWN = 96  # pixels
_ARTICLES = ("a ", "an ", "the ")


@dataclass(frozen=True)
class Drawing:
    """One vendor's drawing. `style` "": none that has a name; "held out": seen by the judge alone."""

    vendor: str
    style: str
    source: str
    licence: str


@dataclass(frozen=True)
class Entry:
    """A noun. `wider`: whether it was found by a narrower word than the world knows."""

    concept: Concept
    names: tuple[str, ...]
    drawings: tuple[Drawing, ...]
    wider: bool


def find(name: str) -> Entry:
    """Return the noun that goes by a name: its own, its plural, a synonym or a narrower word.

    Raises: UsageError if none does, with the nearest three; or if several do.
    """
    word = " ".join(name.lower().split())
    word = next((word.removeprefix(article) for article in _ARTICLES if word.startswith(article)), word)
    if word in AMBIGUOUS:
        raise UsageError(f"{name!r} is {' or '.join(AMBIGUOUS[word])}: say which")
    known = _known()
    noun = known.get(word) or WIDER_OF.get(word)
    if noun is None:
        near = difflib.get_close_matches(word, known, 3, cutoff=0.3)
        raise UsageError(f"the world draws nothing called {name!r}; the nearest names are {', '.join(near) or 'none'}")
    names = sorted(other for other, of in known.items() if of == noun and other not in (noun, text.plural(noun)))
    return Entry(DRAWN[noun], tuple(names), _drawn(noun), word not in known)


@cache
def _known() -> dict[str, str]:
    own = {name: c.noun for c in DRAWN.values() for name in (c.noun, c.plural, *c.aliases)}
    return own | NOUN_OF


def _drawn(noun: str) -> tuple[Drawing, ...]:
    with files("scope.data").joinpath("atlas", "licences.csv").open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["drawing"] == noun]
    return tuple(Drawing(row["vendor"], _style(row["vendor"]), _source(row), row["licence"]) for row in rows)


def _source(row: dict[str, str]) -> str:
    return f"{row['package']} {row['version']}".strip() or "scope"


def _style(vendor: str) -> str:
    if vendor in STYLES:
        return STYLES[vendor].name
    return "" if vendor == ALL_VENDORS[0] else "held out"


def sheet(entry: Entry) -> NDArray[np.uint8]:
    """Return its drawings: a row a vendor, in its own colours, in red and in blue."""
    drawn = drawings()
    rows = [
        np.concatenate([_shown(entry.concept.noun, look, drawing.vendor) for look in _LOOKS], 1)
        for drawing in entry.drawings
        if entry.concept.noun in drawn[drawing.vendor]
    ]
    return np.concatenate(rows)


def _shown(noun: str, look: str | None, vendor: str) -> NDArray[np.uint8]:
    picture, edge = background("plain").copy(), (SIZE - _SHOWN) // 2
    rgb, alpha = sprite(noun, look, _SHOWN, vendor)
    part = picture[edge : edge + _SHOWN, edge : edge + _SHOWN]
    part += alpha * (rgb - part)
    pixels: NDArray[np.uint8] = (picture * 255 + 0.5).clip(0, 255).astype(np.uint8)
    return pixels
