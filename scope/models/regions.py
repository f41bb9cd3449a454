"""What a bound generator hears of a request: the phrase and box of each region, letters in their places, the setting.

Shapes: b batch, r regions (padded), l letters (padded), 384 numbers a phrase: the mean of its MiniLM token states.
Boxes are x0, y0, x1, y1 as shares of the picture, y growing downwards; later regions lie over earlier ones.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor

from scope.models.text_encoder import STATE_DIM, TextInput, encode

BoxShares = tuple[float, float, float, float]

#: A reference: red, green and blue in [-1, 1], multiplied by the opacity in [0, 1], which comes last; in its box.
REFERENCE = (4, 40, 40)


@dataclass(frozen=True)
class Thing:
    """One region: what it shows, where, how it looks ("red"), in which style; `reference`: a picture of it, if any."""

    phrase: str
    box: BoxShares
    look: str = ""
    style: str = ""
    reference: Float[Tensor, "4 40 40"] | None = None


@dataclass(frozen=True)
class Letter:
    """One character and where it stands."""

    character: str
    box: BoxShares


@dataclass(frozen=True)
class RegionRequest:
    """All that one picture is asked to show."""

    things: tuple[Thing, ...]
    letters: tuple[Letter, ...] = ()
    setting: str = ""


@dataclass(frozen=True)
class Regions:
    """A batch of region requests. `mask` and `letter_mask` are True where there is a region, or a letter."""

    phrases: Float[Tensor, "b r state_dim"]
    looks: Float[Tensor, "b r state_dim"]
    styles: Float[Tensor, "b r state_dim"]
    boxes: Float[Tensor, "b r 4"]
    mask: Bool[Tensor, "b r"]
    setting: Float[Tensor, "b state_dim"]
    letters: Integer[Tensor, "b l"]
    letter_boxes: Float[Tensor, "b l 4"]
    letter_mask: Bool[Tensor, "b l"]
    references: Float[Tensor, "b r 4 40 40"] | None = None  # REFERENCE of each; zeros: none

    def to(self, device: torch.device) -> "Regions":
        """Move to a device."""
        moved: dict[str, Any] = {name: None if t is None else t.to(device) for name, t in vars(self).items()}
        return Regions(**moved)


@lru_cache(maxsize=32_768)
def phrase_states(phrase: str) -> Float[Tensor, " state_dim"]:
    """Return the mean of a phrase's token states; zeros for none."""
    if not phrase:
        return torch.zeros(STATE_DIM)
    return mean_states([phrase])[0]


def mean_states(phrases: Sequence[str], batch: int = 256) -> Float[Tensor, "n state_dim"]:
    """Return the mean token states of many phrases."""
    means = []
    for start in range(0, len(phrases), batch):
        coded = encode([TextInput(phrase) for phrase in phrases[start : start + batch]])
        mask = coded.mask.unsqueeze(-1)
        means.append((coded.hidden_states * mask).sum(1) / mask.sum(1))
    return torch.cat(means)


def batched(requests: Sequence[RegionRequest]) -> Regions:
    """Return requests as one batch."""
    b = len(requests)
    r = max(1, *(len(request.things) for request in requests), 0)
    n = max((len(request.letters) for request in requests), default=0)
    said = {name: torch.zeros(b, r, STATE_DIM) for name in ("phrase", "look", "style")}
    boxes, references = torch.zeros(b, r, 4), torch.zeros(b, r, *REFERENCE)
    mask, letter_mask = torch.zeros(b, r, dtype=torch.bool), torch.zeros(b, n, dtype=torch.bool)
    letters, letter_boxes = torch.zeros(b, n, dtype=torch.long), torch.zeros(b, n, 4)
    for i, request in enumerate(requests):
        for j, thing in enumerate(request.things):
            for name, states in said.items():
                states[i, j] = phrase_states(getattr(thing, name))
            boxes[i, j], mask[i, j] = torch.tensor(thing.box), True
            if thing.reference is not None:
                references[i, j] = thing.reference
        for j, letter in enumerate(request.letters):
            letters[i, j], letter_mask[i, j] = symbol(letter.character), True
            letter_boxes[i, j] = torch.tensor(letter.box)
    setting = torch.stack([phrase_states(request.setting) for request in requests])
    return Regions(
        said["phrase"], said["look"], said["style"], boxes, mask, setting, letters, letter_boxes, letter_mask,
        references if references.any() else None,
    )  # fmt: skip


SYMBOLS = 128


def symbol(character: str) -> int:
    """Return the number of a character: its code, where that is ASCII, else that of "?"."""
    return ord(character) if ord(character) < SYMBOLS else ord("?")
