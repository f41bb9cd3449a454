"""Pictures and their truth. `arrange` puts the objects of a plan in their places, `draw` paints them.

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
from scope.worlds.pocket.relations import XyxyPx
from scope.worlds.pocket.sign import HEIGHT, WIDTH, sign
from scope.worlds.pocket.sprites import GRID, SIZE, sprite

Mask = NDArray[np.uint8]


@dataclass(frozen=True)
class Object:
    """One drawing in a picture, in a square of 32, 48 or 64 pixels."""

    noun: str
    color: str | None
    xyxy_px: XyxyPx
    group: int
    style: str = "noto"
    tone: str | None = None

    @property
    def side_px(self) -> int:
        """Size of its square."""
        return self.xyxy_px[2] - self.xyxy_px[0]

    @property
    def drawing(self) -> str:
        """Name of its drawing in the atlas."""
        return f"{self.noun}/{self.tone}" if self.tone else self.noun


@dataclass(frozen=True)
class Layout:
    """All that decides a picture: where objects stand, the box of the sign's board, how light the ground is."""

    plan: Plan
    objects: tuple[Object, ...]
    board: XyxyPx | None
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

    def ink(self, index: int) -> XyxyPx:
        """Return the smallest box around what is opaque of one object."""
        return _bounding_box(self.mask == index + 1)


def _bounding_box(area: NDArray[np.bool_]) -> XyxyPx:
    ys, xs = np.flatnonzero(area.any(1)), np.flatnonzero(area.any(0))
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1


@cache
def _ink(drawing: str, size: int, style: str) -> XyxyPx:
    return _bounding_box(sprite(drawing, None, size, style)[1][..., 0] > 0.5)


def arrange(plan: Plan, seed: int | tuple[int, ...]) -> Layout:
    """Put the objects of a plan in places.

    Raises: UsageError if they do not fit.
    """
    rng = np.random.default_rng(seed)
    boxes, row = place(rng, plan)
    objects = [
        Object(group.noun, group.color, _pixels(cells), index, plan.style, group.tone)
        for index, (group, group_boxes) in enumerate(zip(plan.groups, boxes, strict=True))
        for cells in group_boxes
    ]
    if plan.relation == "on top of":
        objects[0] = _lowered(objects[0], objects[1])
    board = (8, row * GRID, 8 + WIDTH, row * GRID + HEIGHT) if row is not None else None
    return Layout(plan, tuple(objects), board, float(rng.uniform(0.94, 1.0)))


def draw(layout: Layout) -> Scene:
    """Paint a layout."""
    plan = layout.plan
    canvas = background(plan.setting) * np.float32(layout.light)
    mask = np.zeros((SIZE, SIZE), np.uint8)
    for number, obj in enumerate(layout.objects, 1):
        x0, y0, x1, y1 = obj.xyxy_px
        rgb, alpha = sprite(obj.drawing, obj.color, obj.side_px, obj.style)
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

    Raises: UsageError if the objects do not fit.
    """
    return draw(arrange(plan, seed))


def _pixels(cells: XyxyPx) -> XyxyPx:
    x0, y0, x1, y1 = (GRID * c for c in cells)
    return x0, y0, x1, y1


def _lowered(upper: Object, lower: Object) -> Object:
    """Return an object let down until its ink touches what it stands on."""

    def ink(obj: Object) -> XyxyPx:
        return _ink(obj.drawing, obj.side_px, obj.style)

    x0, y0, x1, y1 = upper.xyxy_px
    gap = lower.xyxy_px[1] + ink(lower)[1] - y0 - ink(upper)[3]
    return replace(upper, xyxy_px=(x0, y0 + gap, x1, y1 + gap))
