"""Boxes: the one public form of a place in a picture, and the one way to pixels and back.

A `Box` is [y_min, x_min, y_max, x_max] in thousandths of the canvas, y first, as FLUX.3's and Ideogram 4's captions
read it (COCO's boxes are x, y, width, height in pixels). Pixel boxes are `xyxy_px`: (x_min, y_min, x_max, y_max), the
maxima outside; they stay inside worlds, models and the verifiers that find them.
"""

import math
from collections.abc import Sequence
from typing import Annotated

from pydantic import ConfigDict, Field, RootModel, model_validator

#: Of the canvas's side, in a box.
THOUSANDTHS = 1000

_NAMES = "y_min,x_min,y_max,x_max"

Coordinate = Annotated[int, Field(ge=0, le=THOUSANDTHS, strict=True)]
XyxyPx = tuple[int, int, int, int]


class Box(RootModel[tuple[Coordinate, Coordinate, Coordinate, Coordinate]]):
    """[y_min, x_min, y_max, x_max], integers 0..1000, y first. A box has an area.

    Raises: ValueError (pydantic's) that names the sides which are swapped or equal.
    """

    model_config = ConfigDict(frozen=True)

    @model_validator(mode="after")
    def _has_an_area(self) -> "Box":
        for axis, low, high in (("y", self.y_min, self.y_max), ("x", self.x_min, self.x_max)):
            if low >= high:
                raise ValueError(_no_area(axis, low, high))
        return self

    @classmethod
    def of(cls, y_min: int, x_min: int, y_max: int, x_max: int) -> "Box":
        """Return the box with these sides."""
        return cls((y_min, x_min, y_max, x_max))

    @property
    def y_min(self) -> int:
        """Return its upper side."""
        return self.root[0]

    @property
    def x_min(self) -> int:
        """Return its left side."""
        return self.root[1]

    @property
    def y_max(self) -> int:
        """Return its lower side."""
        return self.root[2]

    @property
    def x_max(self) -> int:
        """Return its right side."""
        return self.root[3]

    @property
    def area(self) -> int:
        """Return its area in square thousandths."""
        return (self.x_max - self.x_min) * (self.y_max - self.y_min)

    def __str__(self) -> str:
        return f"[{', '.join(map(str, self.root))}]"


def named_box(text: str) -> tuple[str, Box]:
    """Return what is named, and its box: of "a red apple=100,50,400,350".

    Raises: ValueError that says which part is wrong.
    """
    name, equals, sides = (part.strip() for part in text.rpartition("="))
    if not (name and equals):
        raise ValueError(f"write PHRASE={_NAMES}, in thousandths of the picture: 'a red apple=100,50,400,350'")
    try:
        y_min, x_min, y_max, x_max = (int(side) for side in sides.split(","))
    except ValueError:
        raise ValueError(f"{sides!r} is no box; write {_NAMES}: four whole numbers from 0 to {THOUSANDTHS}") from None
    for side, value in zip(_NAMES.split(","), (y_min, x_min, y_max, x_max), strict=True):
        if not 0 <= value <= THOUSANDTHS:
            raise ValueError(f"{side} {value} lies outside the picture, which goes from 0 to {THOUSANDTHS}")
    for axis, low, high in (("y", y_min, y_max), ("x", x_min, x_max)):
        if low >= high:
            raise ValueError(_no_area(axis, low, high))
    return name, Box.of(y_min, x_min, y_max, x_max)


def to_pixels(box: Box, width: int, height: int) -> XyxyPx:
    """Return a box as (x_min, y_min, x_max, y_max) in pixels of a canvas; at least one pixel each way."""
    x_min, x_max = _pixels(box.x_min, box.x_max, width)
    y_min, y_max = _pixels(box.y_min, box.y_max, height)
    return x_min, y_min, x_max, y_max


def from_pixels(xyxy_px: Sequence[float], width: int, height: int) -> Box:
    """Return pixels of a canvas as a box. What lies outside the canvas is cut off; at least a thousandth is left.

    `to_pixels(from_pixels(b, w, h), w, h) == b` for boxes of whole pixels inside a canvas of up to 999 pixels a side.

    Raises: ValueError if sides are swapped or not finite, or the canvas has no area.
    """
    x_min, y_min, x_max, y_max = xyxy_px
    if not all(map(math.isfinite, xyxy_px)) or x_min > x_max or y_min > y_max:
        raise ValueError(f"{tuple(xyxy_px)} is no x_min, y_min, x_max, y_max")
    if min(width, height) < 1:
        raise ValueError(f"a canvas of {width} x {height} pixels has no area")
    left, right = _thousandths(x_min, x_max, width)
    top, bottom = _thousandths(y_min, y_max, height)
    return Box.of(top, left, bottom, right)


def _no_area(axis: str, low: int, high: int) -> str:
    return f"a box is y_min, x_min, y_max, x_max: {axis}_min {low} must be less than {axis}_max {high}"


def _pixels(low: int, high: int, side: int) -> tuple[int, int]:
    first, last = round(low * side / THOUSANDTHS), round(high * side / THOUSANDTHS)
    first = min(first, side - 1)
    return first, max(last, first + 1)


def _thousandths(low: float, high: float, side: int) -> tuple[int, int]:
    first, last = (min(THOUSANDTHS, max(0, round(value * THOUSANDTHS / side))) for value in (low, high))
    first = min(first, THOUSANDTHS - 1)
    return first, max(last, first + 1)
