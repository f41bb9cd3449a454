"""The pictures that tokenizers learn from, drawn once, and what each of their cells shows.

Two worlds: "scenes" (128 px, cells of 16 px; a third each of crowds, of scenes as the world draws them, and of those
that a first generator learns to draw) and "closeups" (32 px, cells of 4 px). Nothing that is held out is among them.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from scope.training.data.cluttered_scenes import WORLD, crowd
from scope.worlds import closeups as near
from scope.worlds.pocket import compose, sample, sample_whole
from scope.worlds.pocket.catalogue import COLOR_NAMES, NOUNS, SETTING_NAMES
from scope.worlds.pocket.sprites import GRID, SIZE

World = Literal["scenes", "closeups"]


#: Classes of a cell: nothing or a noun; nothing, own colours or a colour; the setting.
CLASSES = (1 + len(NOUNS), 2 + len(COLOR_NAMES), len(SETTING_NAMES))


@dataclass(frozen=True)
class Views:
    """Pictures (n, 3, s, s) in bytes, and noun, colour and setting of each cell (n, 3, h, w)."""

    images: Tensor
    cells: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, chosen: Tensor, where: torch.device) -> Tensor:
        """Return the chosen pictures in [-1, 1]."""
        return self.images[chosen].to(where).float().div_(127.5).sub_(1)


@cache
def views(world: World, count: int, seed: int) -> Views:
    """Draw the pictures of a world, the same ones for the same count and seed."""
    return _closeups(count, seed) if world == "closeups" else _scenes(count, seed)


def _closeups(count: int, seed: int) -> Views:
    drawn = near.closeups(count, seed)
    nouns = np.array([1 + NOUNS.index(noun) for noun in near.NOUNS])[drawn.nouns]
    cells = np.zeros((count, 3, near.CELLS, near.CELLS), np.int16)
    cells[:, 0] = drawn.covered * nouns[:, None, None]
    cells[:, 1] = drawn.covered * (1 + drawn.colors[:, None, None])
    cells[:, 2] = drawn.settings[:, None, None]
    return _tensors(drawn.images, cells)


def _scenes(count: int, seed: int) -> Views:
    random = np.random.default_rng(seed)
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    cells = np.zeros((count, 3, SIZE // GRID, SIZE // GRID), np.int16)
    for i in range(count):
        if i % 3 == 0:
            drawn = crowd(random, WORLD)
            setting = drawn.setting
            things = [(m.noun, m.color, m.box) for m in drawn.members]
            images[i] = drawn.image
        else:
            scene = compose(sample_whole(random) if i % 3 == 1 else sample(random, "train"), (seed, i))
            setting, images[i] = scene.plan.setting, scene.image
            things = [
                (o.noun, o.color, (o.xyxy_px[0] + o.side_px / 2, o.xyxy_px[1] + o.side_px / 2, float(o.side_px)))
                for o in scene.objects
            ]
        cells[i, 2] = SETTING_NAMES.index(setting)
        for noun, color, (x, y, side) in things:
            here = i, slice(None), _between(y, side), _between(x, side)
            cells[here][0] = 1 + NOUNS.index(noun)
            cells[here][1] = 2 + COLOR_NAMES.index(color) if color else 1
    return _tensors(images, cells)


def _between(middle: float, side: float) -> slice:
    """Return the cells of a thing along one axis: those half of which it covers, and as many as it is wide."""
    first = int((middle - side / 2) / GRID + 0.5)
    return slice(first, first + round(side / GRID))


def _tensors(images: np.ndarray, cells: np.ndarray) -> Views:
    return Views(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(cells))
