"""The frame of a drawing, from its ink: detectors find ink, which can be seen; layouts and regions speak of frames."""

from collections.abc import Sequence
from functools import cache

import numpy as np
from numpy.typing import NDArray

from scope.worlds.pocket.catalogue import VENDORS
from scope.worlds.pocket.sprites import SIZE, ink

Corners = tuple[float, float, float, float]  # x0, y0, x1, y1


def frame_of(found: Corners, noun: str, vendors: Sequence[str] = VENDORS) -> Corners:
    """Return the corners of the frame in which a drawing has its ink there, as these vendors draw its noun on average.

    A vendor that does not draw the noun is counted with the drawing that stands in.
    """
    x0, y0, x1, y1 = np.mean([_share(noun, vendor) for vendor in vendors], 0).tolist()
    width, height = (found[2] - found[0]) / (x1 - x0), (found[3] - found[1]) / (y1 - y0)
    left, top = found[0] - x0 * width, found[1] - y0 * height
    return left, top, left + width, top + height


@cache
def _share(noun: str, vendor: str) -> NDArray[np.float64]:
    """Return the corners of the ink of a drawing, its frame being from 0 to 1."""
    return np.array(ink(noun, SIZE, vendor)) / SIZE
