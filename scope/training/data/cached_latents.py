"""Latents of pictures with the states of their texts, in memory: what a trajectory model of texts is trained on."""

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from scope.models.text_encoder import Conditioning
from scope.nn.transformer import to_tokens


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
