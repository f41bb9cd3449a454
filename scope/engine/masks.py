"""Masks: which part of a draft may change where regions are drawn anew, white; black is kept."""

from collections.abc import Sequence

from PIL import Image, ImageDraw

from scope.specification import Box, Region, to_pixels
from scope.specification.boxes import THOUSANDTHS

#: By how much a box is grown each way, in thousandths: what is drawn reaches a little over its edges.
GROWN = 30


def mask_of(
    regions: Sequence[Region], at_fault: Sequence[Region], strays: Sequence[Box], size: tuple[int, int]
) -> Image.Image:
    """Return the mask of a picture.

    Where regions overlap, the smaller one decides, as it is what stands in front or on the other.

    Args:
        regions: that are kept; those at fault are not, whether or not they are among them.
        at_fault: that are drawn anew.
        strays: where things stand that are to vanish; what is kept is not touched.
        size: (width, height) in pixels.
    """
    mask = Image.new("L", size, 0)
    paint = ImageDraw.Draw(mask)
    for box in (*(region.box for region in at_fault), *strays):
        _fill(paint, grown(box), 255, size)
    names = {region.id for region in at_fault}
    colors = [(region.box, 255) for region in at_fault] + [(r.box, 0) for r in regions if r.id not in names]
    for box, color in sorted(colors, key=lambda pair: -pair[0].area):
        _fill(paint, box, color, size)
    return mask


def grown(box: Box) -> Box:
    """Return a box that is `GROWN` larger each way, as far as the picture goes."""
    low = (max(0, side - GROWN) for side in box.root[:2])
    high = (min(THOUSANDTHS, side + GROWN) for side in box.root[2:])
    return Box.of(*low, *high)


def _fill(paint: ImageDraw.ImageDraw, box: Box, color: int, size: tuple[int, int]) -> None:
    x0, y0, x1, y1 = to_pixels(box, *size)
    paint.rectangle((x0, y0, x1 - 1, y1 - 1), fill=color)
