"""Crowded scenes for the training of detectors: as many things as fit, so that every picture teaches ten times.

Things stand on the world's grid, or on a grid moved by some pixels; each has its own noun, colour and vendor, and some
stand on top of another. A few pictures have a sign. Pairs of colour and noun that the world holds out are held out
here too.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.random import Generator as Random
from numpy.typing import NDArray

from scope.worlds.pocket import Group, Plan, held_out
from scope.worlds.pocket.background import background
from scope.worlds.pocket.catalogue import (
    ALL_VENDORS,
    COLORS,
    MAX_LETTERS,
    NOUNS,
    SETTING_NAMES,
    TONED,
    TONES,
    drawn_by,
)
from scope.worlds.pocket.sign import FONTS, HEIGHT, WIDTH, sign
from scope.worlds.pocket.sprites import GRID, SIZE, Pixels, sprite

Shares = tuple[float, ...]

#: Shares of the vendors, those of the world first: what the judge learns from, and what the loop's detector may see.
JUDGED: Shares = (0.25, 0.25, 0.25, 0.125, 0.125)
WORLD: Shares = (0.5, 0.25, 0.25, 0.0, 0.0)
_SIDES, _SIDE_SHARES = (2, 3, 4), (0.6, 0.25, 0.15)  # in cells of the grid: small things are the harder ones
_OWN_COLOR = 0.3  # share of things that are drawn in the colours that the vendor gave them
_STACKED = 0.1  # share of things that another one stands on, where there is room
_SIGNED = 0.12  # share of pictures with a sign
_MOST, _TRIES = 13, 60  # things a crowd, and places that are tried for them
_LETTERS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))


@dataclass(frozen=True)
class Member:
    """One thing of a crowd. `style` None: its vendor does not draw this noun, and another's drawing stands in."""

    noun: str
    color: str | None
    style: str | None
    box: tuple[float, float, float]  # centre x, centre y, side, in pixels


@dataclass(frozen=True)
class Crowd:
    """A picture (128, 128, 3) and everything in it."""

    image: NDArray[np.uint8]
    members: tuple[Member, ...]
    setting: str


@dataclass(frozen=True)
class _Thing:
    noun: str
    color: str | None
    style: str | None
    rgb: Pixels
    alpha: Pixels

    def paint(self, canvas: Pixels, x: int, y: int) -> Member:
        """Draw it with its corner at (x, y)."""
        side = len(self.rgb)
        part = canvas[y : y + side, x : x + side]
        part += self.alpha * (self.rgb - part)
        return Member(self.noun, self.color, self.style, (x + side / 2, y + side / 2, float(side)))

    @property
    def rows(self) -> tuple[int, int]:
        """First row of its ink, and the row after the last."""
        ink = np.flatnonzero((self.alpha[..., 0] > 0.5).any(1))
        return int(ink[0]), int(ink[-1]) + 1


@cache
def _drawn(vendor: str) -> frozenset[str]:
    return frozenset(drawn_by(vendor))


@cache
def trained_colors(noun: str) -> tuple[str, ...]:
    """Return the colours in which a noun is not held out."""
    return tuple(color for color in COLORS if not held_out(Plan((Group(noun, 1, color),))))


def crowd(random: Random, shares: Shares = JUDGED) -> Crowd:
    """Draw one crowd: one to about twelve things, drawn by the vendors in these shares."""
    setting = SETTING_NAMES[random.integers(len(SETTING_NAMES))]
    canvas: Pixels = background(setting) * np.float32(random.uniform(0.94, 1.0))
    offset = random.integers(0, GRID, 2) * int(random.random() < 0.5)  # x, y
    cells = (SIZE - offset) // GRID
    free = np.ones((cells[1], cells[0]), bool)
    if random.random() < _SIGNED:
        _hang(random, canvas, offset, free)
    members, wanted = list[Member](), int(random.integers(1, _MOST + 1))
    for side in random.choice(_SIDES, _TRIES, p=_SIDE_SHARES):
        x, y = random.integers(0, cells - side + 1)
        if len(members) < wanted and free[y : y + side, x : x + side].all():
            left, top = (offset + (x, y) * np.array(GRID)).tolist()
            thing = _thing(random, side * GRID, shares)
            if y >= side and free[y - side : y, x : x + side].all() and random.random() < _STACKED:
                upper = _thing(random, side * GRID, shares)
                members.append(upper.paint(canvas, left, top + thing.rows[0] - upper.rows[1]))
                free[y - side : y, x : x + side] = False
            members.append(thing.paint(canvas, left, top))
            free[y : y + side, x : x + side] = False
    image: NDArray[np.uint8] = (canvas * 255 + 0.5).clip(0, 255).astype(np.uint8)
    return Crowd(image, tuple(members), setting)


def _hang(random: Random, canvas: Pixels, offset: NDArray[np.int64], free: NDArray[np.bool_]) -> None:
    """Draw a sign with random characters, and take its rows."""
    row, left = int(random.integers(0, len(free) - 1)), int(random.integers(0, SIZE - WIDTH + 1))
    text = "".join(random.choice(_LETTERS, int(random.integers(1, MAX_LETTERS + 1))))
    top = int(offset[1]) + row * GRID
    canvas[top : top + HEIGHT, left : left + WIDTH] = sign(text, FONTS[random.integers(len(FONTS))])
    free[row : row + HEIGHT // GRID] = False


def _thing(random: Random, side: int, shares: Shares) -> _Thing:
    noun, style = NOUNS[random.integers(len(NOUNS))], str(random.choice(ALL_VENDORS, p=shares))
    colors = trained_colors(noun)
    color = None if random.random() < _OWN_COLOR else colors[random.integers(len(colors))]
    name = noun
    if color is None and style == "noto" and noun in TONED and random.random() < 0.5:
        name = f"{noun}/{TONES[random.integers(len(TONES))]}"
    return _Thing(noun, color, style if noun in _drawn(style) else None, *sprite(name, color, side, style))
