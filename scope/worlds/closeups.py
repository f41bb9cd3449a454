"""Close-ups: one thing before a piece of a setting, 32 px. The small world in which tokenizers are compared.

A 64-px window of a 128-px picture at half size, with the thing 48 px large in it: a drawing keeps its detail, and a
network needs a sixteenth of the work. The truth is exact: noun, colour and setting, and which 4-px cells it covers.
"""

from dataclasses import dataclass

import numpy as np
from numpy.random import Generator as Random
from numpy.typing import NDArray

from scope.worlds.pocket.background import background
from scope.worlds.pocket.catalogue import COLORS, FIRST, SETTINGS
from scope.worlds.pocket.plan import Group, Plan
from scope.worlds.pocket.splits import held_out
from scope.worlds.pocket.sprites import SIZE, sprite

SIDE, PATCH = 32, 4  # pixels
CELLS = SIDE // PATCH
NOUNS, COLOR_NAMES, PLACES = tuple(FIRST), ("own", *COLORS), tuple(SETTINGS)
_WINDOW, _THING, _OWN = 64, 48, 0.35


@dataclass(frozen=True)
class CloseUps:
    """Pictures and their truth. `nouns`, `colors` and `settings` index NOUNS, COLOR_NAMES and PLACES."""

    images: NDArray[np.uint8]  # (n, 32, 32, 3)
    nouns: NDArray[np.int64]  # (n,)
    colors: NDArray[np.int64]
    settings: NDArray[np.int64]
    covered: NDArray[np.bool_]  # (n, 8, 8): whether most of a cell shows the thing

    def __len__(self) -> int:
        return len(self.images)

    def prompt(self, index: int) -> str:
        """Return the words of one picture."""
        color, noun = COLOR_NAMES[self.colors[index]], NOUNS[self.nouns[index]]
        words = noun if color == "own" else f"{color} {noun}"
        article = "an" if words[0] in "aeiou" else "a"
        return f"{article} {words} {SETTINGS[PLACES[self.settings[index]]][0]}".strip()


def _chosen(random: Random) -> tuple[str, str | None, str]:
    """Draw a noun, a colour and a setting that training may see together."""
    while True:
        noun, setting = NOUNS[random.integers(len(NOUNS))], PLACES[random.integers(len(PLACES))]
        color = None if random.random() < _OWN else COLOR_NAMES[random.integers(1, len(COLOR_NAMES))]
        if not held_out(Plan((Group(noun, 1, color),), setting=setting)):
            return noun, color, setting


def closeups(count: int, seed: int) -> CloseUps:
    """Draw `count` close-ups, the same ones for the same seed."""
    random = np.random.default_rng(seed)
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    covered = np.empty((count, CELLS, CELLS), bool)
    truth = np.empty((3, count), np.int64)
    for i in range(count):
        noun, color, setting = _chosen(random)
        left, top = random.integers(0, SIZE - _WINDOW + 1, 2)
        x, y = random.integers(0, _WINDOW - _THING + 1, 2)
        window = background(setting)[top : top + _WINDOW, left : left + _WINDOW].copy()
        rgb, alpha = sprite(noun, color, _THING)
        ground = window[y : y + _THING, x : x + _THING]
        ground += alpha * (rgb - ground)
        ink = np.zeros((_WINDOW, _WINDOW), np.float32)
        ink[y : y + _THING, x : x + _THING] = alpha[..., 0]
        images[i] = (_shrunk(window, 2) * 255 + 0.5).clip(0, 255)
        covered[i] = _shrunk(ink[..., None], _WINDOW // CELLS)[..., 0] > 0.5
        truth[:, i] = NOUNS.index(noun), COLOR_NAMES.index(color or "own"), PLACES.index(setting)
    return CloseUps(images, truth[0], truth[1], truth[2], covered)


def _shrunk(picture: NDArray[np.floating], by: int) -> NDArray[np.floating]:
    """Average squares of `by` x `by` pixels of (h, w, c)."""
    side = len(picture) // by
    mean: NDArray[np.floating] = picture.reshape(side, by, side, by, -1).mean((1, 3))
    return mean
