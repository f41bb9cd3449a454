"""In which style the things of a picture are drawn: each is compared with the drawings of its noun in all styles.

The detector says what a thing is, in which colour and where; it is drawn there in each style, in that colour and in its
own, a little larger and smaller, a little to each side, and the nearest to what is seen counts. Of a noun that a style
does not draw the world's usual drawing stands in, and nothing tells the two apart.
"""

from collections.abc import Sequence
from functools import lru_cache
from itertools import product

import numpy as np
from numpy.typing import NDArray

from scope.models.detector import Detection
from scope.worlds.pocket.catalogue import STYLES, VENDORS
from scope.worlds.pocket.sprites import sprite

_SCALES, _SHIFTS = (0.92, 1.0, 1.08), (-2, 0, 2)  # of a side; pixels
_MARGIN = 12  # pixels around a frame that are looked at
_SAME = 1.02  # times the distance of the nearest: what is no farther may be as well

Pixels = NDArray[np.float32]


def distances(pixels: Pixels, things: Sequence[Detection]) -> dict[str, float]:
    """Return by vendor how far things (in a picture (h, w, 3) in [0, 1]) are from its drawings: a mean square."""
    found = [_of_thing(pixels, thing) for thing in things]
    return {vendor: float(np.mean([each[vendor] for each in found])) for vendor in VENDORS}


def nearest(far: dict[str, float], style: str) -> str:
    """Return the style that is the nearest, "" for the usual one; the one that is asked for where it is as near."""
    by_name = {STYLES[vendor].name if vendor in STYLES else "": distance for vendor, distance in far.items()}
    best = min(by_name, key=lambda name: by_name[name])
    return style if by_name.get(style, np.inf) <= _SAME * by_name[best] else best


def _of_thing(pixels: Pixels, thing: Detection) -> dict[str, float]:
    x0, y0, x1, y1 = thing.xyxy_px
    padded = np.pad(pixels, ((_MARGIN, _MARGIN), (_MARGIN, _MARGIN), (0, 0)), mode="edge")
    best = dict.fromkeys(VENDORS, np.inf)
    for vendor, color, scale in product(VENDORS, (None, thing.color), _SCALES):
        width, height = (max(8, round(scale * side)) for side in (x1 - x0, y1 - y0))
        rgb, alpha = _drawing(thing.noun, color, (width, height), vendor)
        left, top = round((x0 + x1 - width) / 2), round((y0 + y1 - height) / 2)
        for dx, dy in product(_SHIFTS, _SHIFTS):
            x, y = left + dx + _MARGIN, top + dy + _MARGIN
            seen = padded[max(0, y) : y + height, max(0, x) : x + width]
            if seen.shape == rgb.shape:
                best[vendor] = min(best[vendor], _far(seen, rgb, alpha))
    return best


def _far(seen: Pixels, rgb: Pixels, alpha: Pixels) -> float:
    """Return the mean square between what is seen and the drawing over the mean of what lies around it."""
    around = 1 - alpha
    ground = (seen * around).sum((0, 1)) / max(1e-3, float(around.sum()))
    return float(np.square(seen - (rgb * alpha + ground * around)).mean())


@lru_cache(maxsize=2048)
def _drawing(noun: str, color: str | None, size: tuple[int, int], vendor: str) -> tuple[Pixels, Pixels]:
    rgb, alpha = sprite(noun, color, size, vendor)
    return rgb.astype(np.float32), alpha.astype(np.float32)
