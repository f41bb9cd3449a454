"""Prompts and where their things stand: what the learned layout is trained on.

Plans are those of the world, of which relations are the greater part: a relation is what a layout learns last. A layout
is a list of slots, those of one group side by side, and the sign's board among them.
"""

from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scope.models.layout_flow import SLOTS, to_slots
from scope.models.text_encoder import STATE_DIM, Conditioning, TextInput, encode
from scope.worlds.pocket import Plan, arrange, caption, sample_whole
from scope.worlds.pocket.catalogue import HELD_OUT_NOUNS, NOUNS
from scope.worlds.pocket.rng import Rng
from scope.worlds.pocket.scene import Layout
from scope.worlds.pocket.sprites import SIZE

_NOUNS = tuple(noun for noun in NOUNS if noun not in HELD_OUT_NOUNS)
_BATCH = 256


@dataclass(frozen=True)
class Layouts:
    """Slots (n, s, slot), and the prompts' token states in half precision, all padded to the longest."""

    slots: Tensor
    hidden_states: Tensor  # (n, m, 384)
    groups: Tensor  # (n, m)
    mask: Tensor  # (n, m)

    def __len__(self) -> int:
        return len(self.slots)

    def text(self, chosen: Tensor) -> Conditioning:
        """Return the prompts of these layouts."""
        mask = self.mask[chosen]
        m = int(mask.sum(1).max())
        return Conditioning(
            self.hidden_states[chosen, :m].float(), self.groups[chosen, :m].long(), mask[:, :m], letters=None
        )


def sample_plan(rng: Rng, relation_p: float) -> Plan:
    """Draw a plan of the train split, a share of them until it has a relation."""
    wants_relation = rng.random() < relation_p
    while True:
        plan = sample_whole(rng, "train", _NOUNS)
        if plan.relation is not None or not wants_relation:
            return replace(plan, absent=())


def slots_of(layout: Layout) -> Tensor:
    """Return the slots (s, slot) of a layout; the sign's group follows those of the plan."""
    placed = [(obj.xyxy_px, 1 + obj.group) for obj in layout.objects]
    if layout.board is not None:
        placed.append((layout.board, 1 + len(layout.plan.groups)))
    boxes, groups = torch.zeros(SLOTS, 4), torch.zeros(SLOTS, dtype=torch.long)
    for i, (box, group) in enumerate(placed[:SLOTS]):
        boxes[i], groups[i] = torch.tensor(box) / SIZE, group
    return to_slots(boxes[None], groups[None])[0]


def build(count: int, seed: int, relation_p: float) -> Layouts:
    """Draw `count` layouts and encode their prompts."""
    slots, texts = [], list[TextInput]()
    for i in range(count):
        rng = np.random.default_rng((seed, i, 11))
        plan = sample_plan(rng, relation_p)
        words = caption(plan, rng)
        slots.append(slots_of(arrange(plan, (seed, i))))
        texts.append(TextInput(words.text, words.spans, words.quoted))
        if i % 4096 == 0:
            print(f"layouts: {i} of {count}", flush=True)
    return Layouts(torch.stack(slots), *_encoded(texts))


def _encoded(texts: list[TextInput]) -> tuple[Tensor, Tensor, Tensor]:
    """Encode prompts in the order of their length, since a batch is padded to its longest."""
    order = sorted(range(len(texts)), key=lambda i: len(texts[i].text))
    codes = [encode([texts[i] for i in order[start : start + _BATCH]]) for start in range(0, len(order), _BATCH)]
    m = max(code.mask.shape[1] for code in codes)
    states = torch.zeros(len(texts), m, STATE_DIM, dtype=torch.half)
    groups, mask = torch.zeros(len(texts), m, dtype=torch.uint8), torch.zeros(len(texts), m, dtype=torch.bool)
    for start, code in zip(range(0, len(order), _BATCH), codes, strict=True):
        rows, n = torch.tensor(order[start : start + _BATCH]), code.mask.shape[1]
        states[rows, :n], groups[rows, :n], mask[rows, :n] = code.hidden_states.half(), code.groups.byte(), code.mask
    return states, groups, mask


def load_or_build(path: Path, count: int, seed: int, relation_p: float) -> Layouts:
    """Return layouts, built on the first call and read from `path` on the next."""
    if path.exists():
        return Layouts(**torch.load(path, weights_only=True))
    layouts = build(count, seed, relation_p)
    path.parent.mkdir(parents=True, exist_ok=True)
    torch.save(vars(layouts), path.with_suffix(".tmp"))
    path.with_suffix(".tmp").replace(path)
    return layouts
