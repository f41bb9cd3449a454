"""Every drawing that a generator may learn: each noun in each style and each colour, alone, as a map's points show it.

None is of a noun or of a pair of colour and noun that is held out, and none by a vendor that is no style. Of a noun
that a style does not draw, the world's usual drawing stands in.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor

from scope.generators.references import reference_of, reference_pixels
from scope.models.regions import REFERENCE
from scope.training.data.bound_scenes import TRAINED_NOUNS, phrase_table, phrases, style_of
from scope.training.data.cluttered_scenes import trained_colors
from scope.worlds.pocket.catalogue import VENDORS
from scope.worlds.pocket.sprites import sprite

_OWN_P, _REFERENCE_P, _UNNAMED_P = 0.35, 0.12, 0.7  # of a drawing: its own colours, a picture of it, and no words then


@dataclass(frozen=True)
class Said:
    """What is said of some drawings, as states of words, and the pictures that come with some; zeros: nothing."""

    phrases: Float[Tensor, "p state_dim"]
    looks: Float[Tensor, "p state_dim"]
    styles: Float[Tensor, "p state_dim"]
    references: Float[Tensor, "p 4 s s"]

    def to(self, device: torch.device) -> "Said":
        """Move to a device."""
        return Said(*(part.to(device) for part in vars(self).values()))


@dataclass(frozen=True)
class Drawings:
    """Drawings in bytes (m, 4, s, s), and what they show: by number, the number of `phrases()`."""

    pixels: Tensor
    said: Tensor  # (m, 3): phrase, look, style
    kinds: Tensor  # (k, 2): of each noun in a style, the first of its drawings, which has its own colours, and how many

    def sample(self, count: int, noise: torch.Generator) -> tuple[Float[Tensor, "p 4 s s"], Said]:
        """Return drawings, as references are, each noun in each style as often as any, and what is said of them."""
        kinds = self.kinds[torch.randint(len(self.kinds), (count,), generator=noise)]
        own, shown, unnamed = (torch.rand(3, count, generator=noise).T < _SHARES).T
        others = (torch.rand(count, generator=noise) * (kinds[:, 1] - 1)).long()
        chosen = kinds[:, 0] + torch.where(own, 0, 1 + others)
        truth = reference_of(self.pixels[chosen])
        numbers = self.said[chosen].clone()
        numbers[shown & unnamed, :2] = 0
        phrase, look, style = phrase_table()[numbers].unbind(1)
        return truth, Said(phrase, look, style, truth * shown[:, None, None, None])


_SHARES = torch.tensor([_OWN_P, _REFERENCE_P, _UNNAMED_P])


def all_drawings() -> Drawings:
    """Draw them."""
    number = {phrase: i for i, phrase in reversed(list(enumerate(phrases())))}
    pixels, said, kinds = list[Tensor](), list[tuple[int, int, int]](), list[tuple[int, int]]()
    for vendor in VENDORS:
        for noun in TRAINED_NOUNS:
            looks = ("", *trained_colors(noun))
            kinds.append((len(pixels), len(looks)))
            for look in looks:
                drawn = reference_pixels(*sprite(noun, look or None, REFERENCE[1:], vendor))
                pixels.append(torch.from_numpy(drawn))
                said.append((number[noun], number[look], number[style_of(vendor)]))
    return Drawings(torch.stack(pixels), torch.tensor(said), torch.tensor(kinds))
