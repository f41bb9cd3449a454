"""Scenes drawn, encoded and captioned once, to be noised many times: a generator's training data in memory.

Drawing and encoding a scene costs more than a step on its latents. A pool is a pure function of its arguments and
of the tokenizer's weights, and is kept beside the training, so that a resumed one need not wait for it again.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scope.nn.text import STATE_DIM, Conditioning, Words, encode
from scope.tokenizers.pae import PAE
from scope.trainers.run import to_tensor
from scope.worlds.catalogue import COLORS, FIRST
from scope.worlds.pocket import Plan, Scene, caption, compose, sample, single_object
from scope.worlds.sprites import GRID, SIZE

SIDES = (2, 3, 4)  # of a drawing, in cells
#: How many answers each of `cells` can have: 0 is background, then nouns; colours and "as drawn"; places in a drawing.
CELL_CLASSES = (1 + len(FIRST), 2 + len(COLORS), 1 + sum(side * side for side in SIDES))
_BATCH = 64


def cells(scene: Scene) -> Tensor:
    """Return what each cell of a scene shows, (3, 8, 8): noun, colour, and which part of a drawing of which size."""
    truth = torch.zeros(3, SIZE // GRID, SIZE // GRID, dtype=torch.int16)
    nouns, colors = list(FIRST), list(COLORS)
    for thing in scene.objects:
        x0, y0, x1, y1 = (v // GRID for v in thing.box)
        side = x1 - x0
        first = 1 + sum(s * s for s in SIDES if s < side)
        truth[0, y0:y1, x0:x1] = 1 + nouns.index(thing.noun)
        truth[1, y0:y1, x0:x1] = 1 + (colors.index(thing.color) if thing.color else len(colors))
        truth[2, y0:y1, x0:x1] = torch.arange(first, first + side * side).view(side, side)
    return truth


def plan_of(random: np.random.Generator, single: float) -> Plan:
    """Draw a plan of the train split without a sign; a share `single` of them holds one coloured thing."""
    plan = replace(sample(random, "train"), text=None)
    if random.random() < single:
        return replace(single_object(random, "train"), setting=plan.setting)
    return plan


@dataclass(frozen=True)
class Pool:
    """Latents (n, d, 8, 8) and text states in half precision, cells (n, 3, 8, 8)."""

    latents: Tensor
    cells: Tensor
    states: Tensor  # (n, m, 384)
    groups: Tensor  # (n, m)
    mask: Tensor  # (n, m)

    def __len__(self) -> int:
        return len(self.latents)

    def text(self, chosen: Tensor) -> Conditioning:
        """Return the conditioning of these scenes, all as long as the longest of the pool."""
        return Conditioning(self.states[chosen].float(), self.groups[chosen].long(), self.mask[chosen], None)


def make(pae: PAE, count: int, seed: int, single: float, where: torch.device) -> Pool:
    """Draw, encode and caption `count` scenes."""
    random = np.random.default_rng((seed, 999_983))
    plans = [plan_of(random, single) for _ in range(count)]
    texts = [Words(c.text, c.spans) for c in (caption(plan, random) for plan in plans)]
    latents, truth = [], []
    for start in range(0, count, _BATCH):
        scenes = [compose(plan, (seed, start + i)) for i, plan in enumerate(plans[start : start + _BATCH])]
        truth.append(torch.stack([cells(scene) for scene in scenes]))
        with torch.no_grad(), torch.autocast(where.type, torch.bfloat16):
            latents.append(pae.encode(to_tensor([s.image for s in scenes], where)).half().cpu())
        if start % (100 * _BATCH) == 0:
            print(f"pool: {start} of {count} scenes", flush=True)
    return Pool(torch.cat(latents), torch.cat(truth), *_encoded(texts))


def _encoded(texts: Sequence[Words]) -> tuple[Tensor, Tensor, Tensor]:
    """Encode captions in the order of their length, since a batch is padded to its longest."""
    codes: list[Conditioning] = []
    order = sorted(range(len(texts)), key=lambda i: len(texts[i].text))
    for start in range(0, len(order), 256):
        codes.append(encode([texts[i] for i in order[start : start + 256]]))
    length = max(code.states.shape[1] for code in codes)
    states = torch.zeros(len(texts), length, STATE_DIM, dtype=torch.half)
    groups = torch.zeros(len(texts), length, dtype=torch.uint8)
    mask = torch.zeros(len(texts), length, dtype=torch.bool)
    for start, code in zip(range(0, len(order), 256), codes, strict=True):
        rows, n = torch.tensor(order[start : start + 256]), code.states.shape[1]
        states[rows, :n], groups[rows, :n], mask[rows, :n] = code.states.half(), code.groups.byte(), code.mask
    return states, groups, mask


def kept(path: Path, pae: PAE, count: int, seed: int, single: float, where: torch.device) -> Pool:
    """Return the pool of a training, made on the first call and read from `path` on the next."""
    if path.exists():
        return Pool(**torch.load(path, weights_only=True))
    pool = make(pae, count, seed, single, where)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(vars(pool), path.with_suffix(".tmp"))
    path.with_suffix(".tmp").replace(path)
    return pool
