"""Cluttered scenes for the training of detectors: as many objects as fit, so that every picture teaches ten times.

Objects stand on the world's grid, or on a grid moved by some pixels; each has its own noun, colour and vendor, and some
stand on top of another. A few pictures have a sign. Pairs of colour and noun that the world holds out are held out
here too.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

from scope.worlds.pocket import Group, Plan, Scene, held_out
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
from scope.worlds.pocket.rng import Rng
from scope.worlds.pocket.sign import FONTS, HEIGHT, WIDTH, sign
from scope.worlds.pocket.sprites import GRID, SIZE, Pixels, sprite

VendorShares = tuple[float, ...]

#: Shares of the vendors, those of the world first: what the judge learns from, and what the loop's detector may see.
JUDGE_VENDORS: VendorShares = (0.25, 0.25, 0.25, 0.125, 0.125)
WORLD_VENDORS: VendorShares = (0.5, 0.25, 0.25, 0.0, 0.0)

_MAX_OBJECTS = 13
_PLACEMENT_TRIES = 60
_SIDES, _SIDE_SHARES = (2, 3, 4), (0.6, 0.25, 0.15)  # in cells of the grid: small objects are the harder ones
_MOVED_GRID_P = 0.5
_OWN_COLOR_P = 0.3  # of an object to be in the colours that its vendor gave it
_SKIN_TONE_P = 0.5  # of a person in its own colours to have another skin
_STACKED_P = 0.1  # of an object to have another one on top, where there is room
_SIGN_P = 0.12
_BRIGHTNESS = (0.94, 1.0)  # of the background
_LETTERS = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"))


@dataclass(frozen=True)
class PlacedObject:
    """An object in a picture. `style` None: its vendor does not draw this noun, and another's drawing stands in."""

    noun: str
    color: str | None
    style: str | None
    box: tuple[float, float, float]  # centre x, centre y, side, in pixels


@dataclass(frozen=True)
class ClutteredScene:
    """A picture (128, 128, 3) and every object in it."""

    image: NDArray[np.uint8]
    objects: tuple[PlacedObject, ...]
    setting: str


@dataclass(frozen=True)
class _Drawing:
    noun: str
    color: str | None
    style: str | None
    rgb: Pixels
    alpha: Pixels

    def paint(self, canvas: Pixels, x: int, y: int) -> PlacedObject:
        """Draw it with its corner at (x, y)."""
        side = len(self.rgb)
        part = canvas[y : y + side, x : x + side]
        part += self.alpha * (self.rgb - part)
        return PlacedObject(self.noun, self.color, self.style, (x + side / 2, y + side / 2, float(side)))

    @property
    def ink_rows(self) -> tuple[int, int]:
        """First row of its ink, and the row after the last."""
        ink = np.flatnonzero((self.alpha[..., 0] > 0.5).any(1))
        return int(ink[0]), int(ink[-1]) + 1


def of_world(scene: Scene) -> ClutteredScene:
    """Return a scene of the world with its objects described in the same way."""
    corners = ((o, *o.xyxy_px[:2], o.side_px) for o in scene.objects)
    objects = (PlacedObject(o.noun, o.color, o.style, (x + s / 2, y + s / 2, float(s))) for o, x, y, s in corners)
    return ClutteredScene(scene.image, tuple(objects), scene.plan.setting)


def cluttered_scene(rng: Rng, vendor_shares: VendorShares = JUDGE_VENDORS) -> ClutteredScene:
    """Draw one to about twelve objects, by the vendors in these shares."""
    setting = SETTING_NAMES[rng.integers(len(SETTING_NAMES))]
    canvas: Pixels = background(setting) * np.float32(rng.uniform(*_BRIGHTNESS))
    offset = rng.integers(0, GRID, 2) * int(rng.random() < _MOVED_GRID_P)  # x, y, in pixels
    cells = (SIZE - offset) // GRID
    free = np.ones((cells[1], cells[0]), bool)
    if rng.random() < _SIGN_P:
        _place_sign(rng, canvas, offset, free)
    objects, wanted = list[PlacedObject](), int(rng.integers(1, _MAX_OBJECTS + 1))
    for side in rng.choice(_SIDES, _PLACEMENT_TRIES, p=_SIDE_SHARES):
        x, y = rng.integers(0, cells - side + 1)
        if len(objects) < wanted and free[y : y + side, x : x + side].all():
            objects += _place_object(rng, canvas, offset, free, (x, y, side), vendor_shares)
    image: NDArray[np.uint8] = (canvas * 255 + 0.5).clip(0, 255).astype(np.uint8)
    return ClutteredScene(image, tuple(objects), setting)


def _place_object(
    rng: Rng,
    canvas: Pixels,
    offset: NDArray[np.int64],
    free: NDArray[np.bool_],
    cell: tuple[int, int, int],
    vendor_shares: VendorShares,
) -> list[PlacedObject]:
    """Draw an object in the square (x, y, side) of cells, sometimes with another on top, and take their cells."""
    x, y, side = cell
    left, top = (offset + (x, y) * np.array(GRID)).tolist()
    placed, lower = list[PlacedObject](), _random_drawing(rng, side * GRID, vendor_shares)
    if y >= side and free[y - side : y, x : x + side].all() and rng.random() < _STACKED_P:
        upper = _random_drawing(rng, side * GRID, vendor_shares)
        placed.append(upper.paint(canvas, left, top + lower.ink_rows[0] - upper.ink_rows[1]))
        free[y - side : y, x : x + side] = False
    placed.append(lower.paint(canvas, left, top))
    free[y : y + side, x : x + side] = False
    return placed


def _place_sign(rng: Rng, canvas: Pixels, offset: NDArray[np.int64], free: NDArray[np.bool_]) -> None:
    """Draw a sign with random characters, and take its rows."""
    row, left = int(rng.integers(0, len(free) - 1)), int(rng.integers(0, SIZE - WIDTH + 1))
    text = "".join(rng.choice(_LETTERS, int(rng.integers(1, MAX_LETTERS + 1))))
    top = int(offset[1]) + row * GRID
    canvas[top : top + HEIGHT, left : left + WIDTH] = sign(text, FONTS[rng.integers(len(FONTS))])
    free[row : row + HEIGHT // GRID] = False


def _random_drawing(rng: Rng, side_px: int, vendor_shares: VendorShares) -> _Drawing:
    noun, style = NOUNS[rng.integers(len(NOUNS))], str(rng.choice(ALL_VENDORS, p=vendor_shares))
    colors = trained_colors(noun)
    color = None if rng.random() < _OWN_COLOR_P else colors[rng.integers(len(colors))]
    name = noun
    if color is None and style == "noto" and noun in TONED and rng.random() < _SKIN_TONE_P:
        name = f"{noun}/{TONES[rng.integers(len(TONES))]}"
    return _Drawing(noun, color, style if noun in _drawn_by(style) else None, *sprite(name, color, side_px, style))


@cache
def _drawn_by(vendor: str) -> frozenset[str]:
    return frozenset(drawn_by(vendor))


@cache
def trained_colors(noun: str) -> tuple[str, ...]:
    """Return the colours in which a noun is not held out."""
    return tuple(color for color in COLORS if not held_out(Plan((Group(noun, 1, color),))))
