"""Scenes drawn, encoded and captioned once, to be noised many times: a generator's training data in memory.

Drawing and encoding a scene costs more than a step on its latents. A cache is a pure function of its arguments and
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
from scope.nn.transformer import to_tokens
from scope.tokenizers.pae import PAE
from scope.worlds.pocket import Plan, caption, held_out, sample, single_object
from scope.worlds.pocket.rng import Rng, pick
from scope.worlds.pocket.sampling import WORDS
from scope.worlds.pocket.scene import arrange, draw

_BATCH = 64


@dataclass(frozen=True)
class SceneMix:
    """What share of scenes is one coloured object, and which of the others get a sign where they have room for one."""

    single_p: float = 0.35
    sign_p: float = 0.0


def sample_plan(rng: Rng, mix: SceneMix) -> Plan:
    """Draw a plan of the train split."""
    plan = replace(sample(rng, "train"), text=None)
    if rng.random() < mix.single_p:
        return replace(single_object(rng, "train"), setting=plan.setting)
    signed = replace(plan, text=pick(rng, WORDS))
    room = sum(group.count for group in plan.groups) <= 3 and plan.relation not in ("above", "below")
    return signed if rng.random() < mix.sign_p and room and not held_out(signed) else plan


@dataclass(frozen=True)
class LatentCache:
    """Latents (n, d, 8, 8) and text states in half precision."""

    latents: Tensor
    hidden_states: Tensor  # (n, m, 384)
    groups: Tensor  # (n, m)
    mask: Tensor  # (n, m)
    letters: Tensor  # (n, 8): bytes

    def __len__(self) -> int:
        return len(self.latents)

    def tokens(self, chosen: Tensor) -> Tensor:
        """Return the latents of these scenes (b, n, d)."""
        return to_tokens(self.latents[chosen].float())

    def condition(self, chosen: Tensor, noise: torch.Generator, drop: float = 0.0) -> Conditioning:
        """Return what these scenes are drawn from: their texts, a share `drop` of them without groups."""
        return drop_groups(self.text(chosen), drop, noise)

    def text(self, chosen: Tensor) -> Conditioning:
        """Return the conditioning of these scenes, all as long as the longest of the cache."""
        letters = self.letters[chosen].long() if self.letters.any() else None
        return Conditioning(self.hidden_states[chosen].float(), self.groups[chosen].long(), self.mask[chosen], letters)


def drop_groups(text: Conditioning, p: float, noise: torch.Generator) -> Conditioning:
    """Return texts, a share p of them without the groups of their words."""
    dropped = torch.rand(len(text.groups), generator=noise) < p
    return replace(text, groups=text.groups.masked_fill(dropped[:, None], 0))


def build(tokenizer: PAE, count: int, seed: int, mix: SceneMix, where: torch.device) -> LatentCache:
    """Draw, encode and caption `count` scenes."""
    rng = np.random.default_rng((seed, 999_983))
    plans = [sample_plan(rng, mix) for _ in range(count)]
    texts = [TextInput(c.text, c.spans, c.quoted) for c in (caption(plan, rng) for plan in plans)]
    latents = []
    for start in range(0, count, _BATCH):
        layouts = [arrange(plan, (seed, start + i), grid=True) for i, plan in enumerate(plans[start : start + _BATCH])]
        images = to_tensor([draw(layout).image for layout in layouts], where)
        with torch.no_grad(), torch.autocast(where.type, torch.bfloat16):
            latents.append(tokenizer.encode(images).half().cpu())
        if start % (100 * _BATCH) == 0:
            print(f"latents: {start} of {count} scenes", flush=True)
    return LatentCache(torch.cat(latents), *_encoded(texts))


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


def load_or_build(path: Path, tokenizer: PAE, count: int, seed: int, mix: SceneMix, where: torch.device) -> LatentCache:
    """Return a cache, built on the first call and read from `path` on the next."""
    if path.exists():
        return LatentCache(**torch.load(path, weights_only=True))
    cache = build(tokenizer, count, seed, mix, where)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(vars(cache), path.with_suffix(".tmp"))
    path.with_suffix(".tmp").replace(path)
    return cache
