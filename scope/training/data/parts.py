"""Boxes within those of things: what shows a part of one is no thing, which those who name boxes have to learn."""

import numpy as np

from scope.nn.boxes import Xywh
from scope.worlds.pocket.rng import Rng

_SHARES = (0.2, 0.75)  # of a thing's sides


def part_of(things: list[Xywh], rng: Rng) -> Xywh:
    """Return a box within that of one of some things, the likelier the larger it is."""
    areas = np.array([width * height for *_, width, height in things])
    x, y, width, height = things[rng.choice(len(things), p=areas / areas.sum())]
    wide, high = rng.uniform(*_SHARES, 2).tolist()
    dx, dy = rng.uniform(-0.5, 0.5, 2).tolist()
    return x + dx * (1 - wide) * width, y + dy * (1 - high) * height, wide * width, high * height
