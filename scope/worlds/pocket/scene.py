"""Pictures and their truth. `arrange` puts the things of a plan in their places, `draw` paints them.

A scene is a pure function of (plan, seed), and its picture one of its layout: an edit changes a layout and draws it
again, so that all that it does not touch stays equal to the pixel.
"""

from dataclasses import dataclass, replace
from functools import cache, cached_property

import numpy as np
from numpy.typing import NDArray

from scope.worlds.pocket.background import background
from scope.worlds.pocket.placing import CELLS, place
from scope.worlds.pocket.plan import Plan
from scope.worlds.pocket.relations import Box
from scope.worlds.pocket.sign import HEIGHT, WIDTH, sign
from scope.worlds.pocket.sprites import GRID, SIZE, sprite

Mask = NDArray[np.uint8]


@dataclass(frozen=True)
class Object:
    """One thing that is drawn. Box is (x0, y0, x1, y1) in pixels, a square of 32, 48 or 64."""

    noun: str
    color: str | None
    box: Box
    group: int
    style: str = "noto"
    tone: str | None = None

    @property
    def drawing(self) -> str:
        """Name of its drawing in the atlas."""
        return f"{self.noun}/{self.tone}" if self.tone else self.noun


@dataclass(frozen=True)
class Layout:
    """All that decides a picture: where each thing stands, the box of the sign's board, and how light the ground is."""

    plan: Plan
    objects: tuple[Object, ...]
    board: Box | None
    light: float


@dataclass(frozen=True)
class Scene:
    """A picture and its truth. `mask` says of each pixel: 0 ground or sign, else 1 + the object's index."""

    image: NDArray[np.uint8]  # (128, 128, 3)
    objects: tuple[Object, ...]
    plan: Plan
    mask: Mask  # (128, 128)

    @cached_property
    def cells(self) -> Mask:
        """What most of each 16-px cell shows, (8, 8): 0 ground or sign, else 1 + the object's index."""
        labels = np.arange(len(self.objects) + 1, dtype=np.uint8)
        tiles = self.mask.reshape(CELLS, GRID, CELLS, GRID)
        covered = (tiles[..., None] == labels).sum((1, 3))
        most: Mask = labels[covered.argmax(-1)]
        return most

    def ink(self, index: int) -> Box:
        """Return the smallest box around what is opaque of one thing."""
        return _around(self.mask == index + 1)


def _around(area: NDArray[np.bool_]) -> Box:
    ys, xs = np.flatnonzero(area.any(1)), np.flatnonzero(area.any(0))
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1


@cache
def _ink(drawing: str, size: int, style: str) -> Box:
    return _around(sprite(drawing, None, size, style)[1][..., 0] > 0.5)


def arrange(plan: Plan, seed: int | tuple[int, ...]) -> Layout:
    """Put the things of a plan in places.

    Raises: UsageError if they do not fit.
    """
    random = np.random.default_rng(seed)
    boxes, row = place(random, plan)
    objects = [
        Object(group.noun, group.color, _pixels(cells), index, plan.style, group.tone)
        for index, (group, mine) in enumerate(zip(plan.groups, boxes, strict=True))
        for cells in mine
    ]
    if plan.relation == "on top of":
        objects[0] = _lowered(objects[0], objects[1])
    board = (8, row * GRID, 8 + WIDTH, row * GRID + HEIGHT) if row is not None else None
    return Layout(plan, tuple(objects), board, float(random.uniform(0.94, 1.0)))


def draw(layout: Layout) -> Scene:
    """Paint a layout."""
    plan = layout.plan
    canvas = background(plan.setting) * np.float32(layout.light)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    for number, thing in enumerate(layout.objects, 1):
        x0, y0, x1, y1 = thing.box
        rgb, alpha = sprite(thing.drawing, thing.color, x1 - x0, thing.style)
        ground = canvas[y0:y1, x0:x1]
        ground *= 1 - alpha  # nothing of the ground is left under what is opaque, not even in the last bit
        ground += alpha * rgb
        mask[y0:y1, x0:x1][alpha[..., 0] > 0.5] = number
    if plan.text is not None and layout.board is not None:
        x0, y0, x1, y1 = layout.board
        canvas[y0:y1, x0:x1] = sign(plan.text, plan.font)
    return Scene((canvas * 255 + 0.5).clip(0, 255).astype(np.uint8), layout.objects, plan, mask)


def compose(plan: Plan, seed: int | tuple[int, ...]) -> Scene:
    """Draw a plan. The same (plan, seed) gives the same picture.

    Raises: UsageError if the things do not fit.
    """
    return draw(arrange(plan, seed))


def _pixels(cells: Box) -> Box:
    x0, y0, x1, y1 = (GRID * c for c in cells)
    return x0, y0, x1, y1


def _lowered(upper: Object, lower: Object) -> Object:
    """Return a thing let down until its ink touches what it stands on."""

    def ink(thing: Object) -> Box:
        return _ink(thing.drawing, thing.box[2] - thing.box[0], thing.style)

    x0, y0, x1, y1 = upper.box
    gap = lower.box[1] + ink(lower)[1] - y0 - ink(upper)[3]
    return replace(upper, box=(x0, y0 + gap, x1, y1 + gap))
