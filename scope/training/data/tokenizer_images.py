"""The pictures that tokenizers learn from, drawn once, and what each of their cells shows.

Two worlds: "scenes" (128 px, cells of 16 px; a third each of cluttered scenes, of scenes as the world draws them, and
of those that a first generator learns to draw) and "closeups" (32 px, cells of 4 px). Nothing that is held out is among
them.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

import numpy as np
import torch
from torch import Tensor

from scope.training.data.cluttered_scenes import WORLD_VENDORS, Clutter, cluttered_scene, of_world
from scope.worlds import closeups
from scope.worlds.pocket import compose, sample, sample_whole
from scope.worlds.pocket.catalogue import COLOR_NAMES, NOUNS, SETTING_NAMES
from scope.worlds.pocket.sprites import GRID, SIZE

World = Literal["scenes", "closeups"]

#: Classes of each of a cell's labels: nothing or a noun; nothing, own colours or a colour; the setting.
CELL_CLASSES = (1 + len(NOUNS), 2 + len(COLOR_NAMES), len(SETTING_NAMES))


@dataclass(frozen=True)
class TokenizerImages:
    """Pictures (n, 3, s, s) in bytes, and noun, colour and setting of each cell (n, 3, h, w)."""

    images: Tensor
    cell_labels: Tensor

    def __len__(self) -> int:
        return len(self.images)

    def batch(self, chosen: Tensor, where: torch.device) -> Tensor:
        """Return the chosen pictures in [-1, 1]."""
        return self.images[chosen].to(where).float().div_(127.5).sub_(1)


@cache
def tokenizer_images(world: World, count: int, seed: int) -> TokenizerImages:
    """Draw the pictures of a world, the same ones for the same count and seed."""
    return _closeups(count, seed) if world == "closeups" else _scenes(count, seed)


def _closeups(count: int, seed: int) -> TokenizerImages:
    drawn = closeups.closeups(count, seed)
    nouns = np.array([1 + NOUNS.index(noun) for noun in closeups.NOUNS])[drawn.nouns]
    cell_labels = np.zeros((count, 3, closeups.CELLS, closeups.CELLS), np.int16)
    cell_labels[:, 0] = drawn.covered * nouns[:, None, None]
    cell_labels[:, 1] = drawn.covered * (1 + drawn.colors[:, None, None])
    cell_labels[:, 2] = drawn.settings[:, None, None]
    return _tensors(drawn.images, cell_labels)


def _scenes(count: int, seed: int) -> TokenizerImages:
    rng = np.random.default_rng(seed)
    images = np.empty((count, SIZE, SIZE, 3), np.uint8)
    cell_labels = np.zeros((count, 3, SIZE // GRID, SIZE // GRID), np.int16)
    for i in range(count):
        if i % 3 == 0:
            scene = cluttered_scene(rng, Clutter(WORLD_VENDORS))
        else:
            scene = of_world(compose(sample_whole(rng) if i % 3 == 1 else sample(rng, "train"), (seed, i)))
        images[i] = scene.image
        cell_labels[i, 2] = SETTING_NAMES.index(scene.setting)
        for shown in scene.objects:
            x, y, width, height = shown.box
            covered = i, slice(None), _covered(y, height), _covered(x, width)
            cell_labels[covered][0] = 1 + NOUNS.index(shown.noun)
            cell_labels[covered][1] = 2 + COLOR_NAMES.index(shown.color) if shown.color else 1
    return _tensors(images, cell_labels)


def _covered(middle: float, side: float) -> slice:
    """Return the cells of a thing along one axis: those half of which it covers, and as many as it is wide."""
    first = int((middle - side / 2) / GRID + 0.5)
    return slice(first, first + max(1, round(side / GRID)))


def _tensors(images: np.ndarray, cell_labels: np.ndarray) -> TokenizerImages:
    return TokenizerImages(torch.from_numpy(images).permute(0, 3, 1, 2).contiguous(), torch.from_numpy(cell_labels))
