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

from scope.models.text_encoder import STATE_DIM, Conditioning, TextInput, encode, letters_of
from scope.nn.images import to_tensor
from scope.tokenizers.pae import PAE
from scope.worlds.pocket import Plan, caption, held_out, sample, single_object
from scope.worlds.pocket.catalogue import COLORS, CORE_NOUNS
from scope.worlds.pocket.rng import pick
from scope.worlds.pocket.sampling import WORDS
from scope.worlds.pocket.scene import Layout, arrange, draw
from scope.worlds.pocket.sprites import GRID, SIZE

SIDES = (2, 3, 4)  # of a drawing, in cells
#: How many answers each of `cells` can have: 0 is background; nouns and the sign; colours and "as drawn"; places in a
#: drawing.
CELL_CLASSES = (2 + len(CORE_NOUNS), 2 + len(COLORS), 1 + sum(side * side for side in SIDES))
_BATCH = 64


def cells(layout: Layout) -> Tensor:
    """Return what each cell of a scene shows, (3, 8, 8): noun, colour, and which part of a drawing of which size."""
    truth = torch.zeros(3, SIZE // GRID, SIZE // GRID, dtype=torch.int16)
    nouns, colors = list(CORE_NOUNS), list(COLORS)
    if layout.board is not None:
        truth[0, layout.board[1] // GRID : layout.board[3] // GRID] = 1 + len(nouns)
    for thing in layout.objects:
        x0, y0, x1, y1 = (v // GRID for v in thing.xyxy_px)
        side = x1 - x0
        first = 1 + sum(s * s for s in SIDES if s < side)
        truth[0, y0:y1, x0:x1] = 1 + nouns.index(thing.noun)
        truth[1, y0:y1, x0:x1] = 1 + (colors.index(thing.color) if thing.color else len(colors))
        truth[2, y0:y1, x0:x1] = torch.arange(first, first + side * side).view(side, side)
    return truth


@dataclass(frozen=True)
class Mix:
    """What share of a pool is one coloured thing, and how many of the other scenes get a sign where one has room."""

    single: float = 0.35
    signs: float = 0.0


def plan_of(random: np.random.Generator, mix: Mix) -> Plan:
    """Draw a plan of the train split."""
    plan = replace(sample(random, "train"), text=None)
    if random.random() < mix.single:
        return replace(single_object(random, "train"), setting=plan.setting)
    signed = replace(plan, text=pick(random, WORDS))
    room = sum(group.count for group in plan.groups) <= 3 and plan.relation not in ("above", "below")
    return signed if random.random() < mix.signs and room and not held_out(signed) else plan


@dataclass(frozen=True)
class Pool:
    """Latents (n, d, 8, 8) and text states in half precision, cells (n, 3, 8, 8)."""

    latents: Tensor
    cells: Tensor
    states: Tensor  # (n, m, 384)
    groups: Tensor  # (n, m)
    mask: Tensor  # (n, m)
    letters: Tensor  # (n, 8): bytes

    def __len__(self) -> int:
        return len(self.latents)

    def text(self, chosen: Tensor) -> Conditioning:
        """Return the conditioning of these scenes, all as long as the longest of the pool."""
        letters = self.letters[chosen].long() if self.letters.any() else None
        return Conditioning(self.states[chosen].float(), self.groups[chosen].long(), self.mask[chosen], letters)


def make(pae: PAE, count: int, seed: int, mix: Mix, where: torch.device) -> Pool:
    """Draw, encode and caption `count` scenes."""
    random = np.random.default_rng((seed, 999_983))
    plans = [plan_of(random, mix) for _ in range(count)]
    texts = [TextInput(c.text, c.spans, c.quoted) for c in (caption(plan, random) for plan in plans)]
    latents, truth = [], []
    for start in range(0, count, _BATCH):
        layouts = [arrange(plan, (seed, start + i)) for i, plan in enumerate(plans[start : start + _BATCH])]
        truth.append(torch.stack([cells(layout) for layout in layouts]))
        images = to_tensor([draw(layout).image for layout in layouts], where)
        with torch.no_grad(), torch.autocast(where.type, torch.bfloat16):
            latents.append(pae.encode(images).half().cpu())
        if start % (100 * _BATCH) == 0:
            print(f"pool: {start} of {count} scenes", flush=True)
    return Pool(torch.cat(latents), torch.cat(truth), *_encoded(texts))


def _encoded(texts: Sequence[TextInput]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Encode captions in the order of their length, since a batch is padded to its longest."""
    codes: list[Conditioning] = []
    order = sorted(range(len(texts)), key=lambda i: len(texts[i].text))
    for start in range(0, len(order), 256):
        codes.append(encode([texts[i] for i in order[start : start + 256]]))
    length = max(code.hidden_states.shape[1] for code in codes)
    states = torch.zeros(len(texts), length, STATE_DIM, dtype=torch.half)
    groups = torch.zeros(len(texts), length, dtype=torch.uint8)
    mask = torch.zeros(len(texts), length, dtype=torch.bool)
    for start, code in zip(range(0, len(order), 256), codes, strict=True):
        rows, n = torch.tensor(order[start : start + 256]), code.hidden_states.shape[1]
        states[rows, :n], groups[rows, :n], mask[rows, :n] = code.hidden_states.half(), code.groups.byte(), code.mask
    letters = torch.tensor([letters_of(words.quoted) for words in texts], dtype=torch.uint8)
    return states, groups, mask, letters


def kept(path: Path, pae: PAE, count: int, seed: int, mix: Mix, where: torch.device) -> Pool:
    """Return the pool of a training, made on the first call and read from `path` on the next."""
    if path.exists():
        return Pool(**torch.load(path, weights_only=True))
    pool = make(pae, count, seed, mix, where)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(vars(pool), path.with_suffix(".tmp"))
    path.with_suffix(".tmp").replace(path)
    return pool
