"""Whether a picture is drawn, as all that the loop's detector has ever seen: most of it is even, or shaded evenly."""

import numpy as np

from scope.verifiers.styles import Pixels

_EVEN = 4  # of two neighbouring pixels that are alike: how much they differ at the most, in any channel
_DRAWN = 0.58  # of a picture: how much is even at the least. Of 200 scenes of the world the least is .60


def looks_drawn(pixels: Pixels) -> bool:
    """Return whether enough of a picture (h, w, 3) in [0, 255] is even; a photograph with much clear sky may pass."""
    right, down = (np.abs(np.diff(pixels, axis=axis)).max(-1) for axis in (1, 0))
    return bool((np.maximum(right[:-1], down[:, :-1]) <= _EVEN).mean() >= _DRAWN)
