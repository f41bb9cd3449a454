"""Pictures and their truth. `arrange` puts the objects of a plan in their places, `draw` paints them.

A scene is a pure function of (plan, seed), and its picture one of its layout: an edit changes a layout and draws it
again, so that all that it does not touch stays equal to the pixel.
"""

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from scope.worlds.pocket.background import background
from scope.worlds.pocket.free_placing import place_freely
from scope.worlds.pocket.placing import CELLS, place
from scope.worlds.pocket.plan import Plan
from scope.worlds.pocket.relations import XyxyPx
from scope.worlds.pocket.rng import Rng
from scope.worlds.pocket.sign import HEIGHT, WIDTH, sign
from scope.worlds.pocket.sprites import GRID, SIZE, bounding_box, ink, sprite

Mask = NDArray[np.uint8]


@dataclass(frozen=True)
class Object:
    """One drawing in a picture, as large as its box, in pixels of a 128-px scene."""

    noun: str
    color: str | None
    xyxy_px: XyxyPx
    group: int
    style: str = "noto"
    tone: str | None = None

    @property
    def width_px(self) -> int:
        """Width of its box."""
        return self.xyxy_px[2] - self.xyxy_px[0]

    @property
    def height_px(self) -> int:
        """Height of its box."""
        return self.xyxy_px[3] - self.xyxy_px[1]

    @property
    def ink_px(self) -> XyxyPx:
        """The smallest box around its ink, whatever lies over it."""
        x, y = self.xyxy_px[:2]
        x0, y0, x1, y1 = ink(self.drawing, (self.width_px, self.height_px), self.style)
        return x + x0, y + y0, x + x1, y + y1

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

    image: NDArray[np.uint8]  # (128, 128, 3), or larger by the scale
    objects: tuple[Object, ...]
    plan: Plan
    mask: Mask  # as large
    board: XyxyPx | None = None  # of the sign

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
        return bounding_box(self.mask == index + 1)


def arrange(plan: Plan, seed: int | tuple[int, ...], grid: bool = False) -> Layout:
    """Put the objects of a plan in places: anywhere, or in squares of the grid of 16 px, on which edits rest.

    Raises: UsageError if they do not fit.
    """
    rng = np.random.default_rng(seed)
    boxes, board = _on_grid(rng, plan) if grid else place_freely(rng, plan)
    objects = [
        Object(group.noun, group.color, box, index, plan.style, group.tone)
        for index, (group, group_boxes) in enumerate(zip(plan.groups, boxes, strict=True))
        for box in group_boxes
    ]
    if plan.relation == "on top of":
        objects[0] = _lowered(objects[0], objects[1])
    return Layout(plan, tuple(objects), board, float(rng.uniform(0.94, 1.0)))


def _on_grid(rng: Rng, plan: Plan) -> tuple[list[list[XyxyPx]], XyxyPx | None]:
    """Return the boxes of each group, and of the sign's board, on the grid."""
    boxes, row = place(rng, plan)
    board = (8, row * GRID, 8 + WIDTH, row * GRID + HEIGHT) if row is not None else None
    return [[_pixels(cells) for cells in group] for group in boxes], board


def draw(layout: Layout, scale: int = 1) -> Scene:
    """Paint a layout, `scale` times 128 pixels a side. What comes later lies over what comes before."""
    plan, side = layout.plan, scale * SIZE
    canvas = background(plan.setting, scale) * np.float32(layout.light)
    mask = np.zeros((side, side), np.uint8)
    for number, obj in enumerate(layout.objects, 1):
        x0, y0, x1, y1 = (scale * v for v in obj.xyxy_px)
        rgb, alpha = sprite(obj.drawing, obj.color, (x1 - x0, y1 - y0), obj.style)
        ground = canvas[y0:y1, x0:x1]
        ground *= 1 - alpha  # nothing of the ground is left under what is opaque, not even in the last bit
        ground += alpha * rgb
        mask[y0:y1, x0:x1][alpha[..., 0] > 0.5] = number
    if plan.text is not None and layout.board is not None:
        x0, y0, x1, y1 = (scale * v for v in layout.board)
        canvas[y0:y1, x0:x1] = sign(plan.text, plan.font, x1 - x0, y1 - y0, scale)
    return Scene((canvas * 255 + 0.5).clip(0, 255).astype(np.uint8), layout.objects, plan, mask, layout.board)


def compose(plan: Plan, seed: int | tuple[int, ...], scale: int = 1) -> Scene:
    """Draw a plan. The same (plan, seed) gives the same picture.

    Raises: UsageError if the objects do not fit.
    """
    return draw(arrange(plan, seed), scale)


def _pixels(cells: XyxyPx) -> XyxyPx:
    x0, y0, x1, y1 = (GRID * c for c in cells)
    return x0, y0, x1, y1


def _lowered(upper: Object, lower: Object) -> Object:
    """Return an object let down until its ink touches what it stands on."""
    x0, y0, x1, y1 = upper.xyxy_px
    gap = lower.ink_px[1] - upper.ink_px[3]
    return replace(upper, xyxy_px=(x0, y0 + gap, x1, y1 + gap))
