"""Close-ups: 32-px crops of the pocket world, one object before a piece of a setting. Tokenizers are compared on them.

A crop is a 64-px window of a 128-px scene at half size, with the object 48 px large in it: a drawing keeps its detail,
and a network needs a sixteenth of the work. The truth is exact: noun, colour and setting, and which 4-px cells the
object covers.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from scope.worlds.pocket.background import background
from scope.worlds.pocket.catalogue import COLOR_NAMES, CORE_NOUNS, SETTING_NAMES, SETTINGS
from scope.worlds.pocket.plan import Group, Plan
from scope.worlds.pocket.rng import Rng, pick
from scope.worlds.pocket.splits import held_out
from scope.worlds.pocket.sprites import SIZE, sprite

SIDE, PATCH = 32, 4  # pixels
CELLS = SIDE // PATCH
NOUNS = tuple(CORE_NOUNS)
COLORS = ("own", *COLOR_NAMES)  # "own": as the vendor drew it
_WINDOW, _OBJECT = 64, 48  # pixels of the scene
_OWN = 0.35  # share of objects in their own colours


@dataclass(frozen=True)
class CloseUps:
    """Pictures and their truth. `nouns`, `colors` and `settings` index NOUNS, COLORS and SETTING_NAMES."""

    images: NDArray[np.uint8]  # (n, 32, 32, 3)
    nouns: NDArray[np.int64]  # (n,)
    colors: NDArray[np.int64]
    settings: NDArray[np.int64]
    covered: NDArray[np.bool_]  # (n, 8, 8): whether most of a cell shows the object

    def __len__(self) -> int:
        return len(self.images)

    def prompt(self, index: int) -> str:
        """Return the caption of one picture."""
        color, noun = COLORS[self.colors[index]], NOUNS[self.nouns[index]]
        words = noun if color == "own" else f"{color} {noun}"
        article = "an" if words[0] in "aeiou" else "a"
        return f"{article} {words} {SETTINGS[SETTING_NAMES[self.settings[index]]][0]}".strip()


def _sample(rng: Rng) -> tuple[str, str | None, str]:
    """Draw a noun, a colour and a setting that training may see together."""
    while True:
        noun, setting = pick(rng, NOUNS), pick(rng, SETTING_NAMES)
        color = None if rng.random() < _OWN else COLORS[rng.integers(1, len(COLORS))]
        if not held_out(Plan((Group(noun, 1, color),), setting=setting)):
            return noun, color, setting


def closeups(count: int, seed: int) -> CloseUps:
    """Draw `count` close-ups, the same ones for the same seed."""
    rng = np.random.default_rng(seed)
    images = np.empty((count, SIDE, SIDE, 3), np.uint8)
    covered = np.empty((count, CELLS, CELLS), bool)
    truth = np.empty((3, count), np.int64)
    for i in range(count):
        noun, color, setting = _sample(rng)
        left, top = rng.integers(0, SIZE - _WINDOW + 1, 2)
        x, y = rng.integers(0, _WINDOW - _OBJECT + 1, 2)
        window = background(setting)[top : top + _WINDOW, left : left + _WINDOW].copy()
        rgb, alpha = sprite(noun, color, _OBJECT)
        ground = window[y : y + _OBJECT, x : x + _OBJECT]
        ground += alpha * (rgb - ground)
        ink = np.zeros((_WINDOW, _WINDOW), np.float32)
        ink[y : y + _OBJECT, x : x + _OBJECT] = alpha[..., 0]
        images[i] = (_downsample(window, 2) * 255 + 0.5).clip(0, 255)
        covered[i] = _downsample(ink[..., None], _WINDOW // CELLS)[..., 0] > 0.5
        truth[:, i] = NOUNS.index(noun), COLORS.index(color or "own"), SETTING_NAMES.index(setting)
    return CloseUps(images, truth[0], truth[1], truth[2], covered)


def _downsample(picture: NDArray[np.floating], factor: int) -> NDArray[np.floating]:
    """Average squares of `factor` x `factor` pixels of a square picture (h, h, c)."""
    side = len(picture) // factor
    mean: NDArray[np.floating] = picture.reshape(side, factor, side, factor, -1).mean((1, 3))
    return mean
