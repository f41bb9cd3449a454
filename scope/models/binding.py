"""Binding: what each latent cell hears of the regions that cover it.

A cell of a drawing shows "this part of that thing": a look-up by two keys. So the code of a phrase and the code of a
place are multiplied, number by number, before a small network reads the product; a sum of the two would have to learn
the table entry by entry. Letters are things of their own small table, and the setting is one of the whole picture.

    h = gelu( sum over the cell's regions W (A(phrase, style) * B(place))
              + V (a(letter) * b(place in the letter)) + U (s(setting) * p(cell)) )

Shapes: b batch, r regions, n cells, k regions that a cell hears.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.regions import SYMBOLS, Regions
from scope.models.text_encoder import STATE_DIM
from scope.nn.cells import PLACE, owners, places
from scope.nn.transformer import zero_init


class Binding(nn.Module):
    """Regions -> (tokens (b, n, dim), and what they were read from, (b, n, hidden))."""

    phrase_mean: Tensor
    phrase_whitening: Tensor

    def __init__(
        self, side: int, dim: int, d: int, wide: int = 2048, hidden: int = 512, heard: int = 2, letters_heard: int = 3
    ) -> None:
        """`side` cells a side of latents of d numbers; a cell hears `heard` regions and `letters_heard` letters."""
        super().__init__()
        self.side, self.heard, self.letters_heard, self.reference_dim = side, heard, letters_heard, 16 * d
        self.register_buffer("phrase_mean", torch.zeros(STATE_DIM))
        self.register_buffer("phrase_whitening", torch.eye(STATE_DIM))
        self.code = nn.Sequential(nn.Linear(2 * STATE_DIM, hidden), nn.GELU(), nn.Linear(hidden, wide))
        self.phrase = nn.Linear(2 * STATE_DIM, wide)  # beside the network: look-ups are nearly linear in phrases
        self.reference = nn.Sequential(nn.Linear(self.reference_dim, 256), zero_init(nn.Linear(256, wide)))
        self.place = nn.Sequential(nn.Linear(PLACE, 192), nn.GELU(), nn.Linear(192, wide))
        self.read = nn.Linear(wide, hidden)
        self.letter, self.letter_place = nn.Embedding(SYMBOLS, 192), nn.Linear(PLACE, 192)
        self.letter_net = nn.Sequential(nn.Linear(192, 192), nn.GELU(), nn.Linear(192, 192))
        self.read_letter = nn.Linear(192, hidden, bias=False)
        self.setting, self.cell = nn.Linear(STATE_DIM, 192), nn.Parameter(torch.randn(side * side, 192))
        self.read_setting = nn.Linear(192, hidden, bias=False)
        self.out = nn.Linear(hidden, dim)

    @torch.no_grad()
    def whiten(self, phrases: Float[Tensor, "n state_dim"], floor: float = 1e-2) -> None:
        """Set the axes in which phrases are read: those of the states of many phrases, at equal variance.

        Axes of less than `floor` of the mean variance are not enlarged further.
        """
        mean = phrases.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov((phrases - mean).double().T))
        scale = (values + floor * values.mean()).rsqrt()
        self.phrase_mean.copy_(mean)
        self.phrase_whitening.copy_((vectors * scale) @ vectors.T)

    def forward(self, regions: Regions) -> tuple[Float[Tensor, "b n dim"], Float[Tensor, "b n hidden"]]:
        """Return the tokens and the hidden layer that they come from."""
        h = self._things(regions) + self.read_setting(self.setting(self._white(regions.setting))[:, None] * self.cell)
        if regions.letters.shape[1]:
            h = h + self._letters(regions)
        h = F.gelu(h, approximate="tanh")
        return self.out(h), h

    def _white(self, states: Tensor) -> Tensor:
        there = states.abs().amax(-1, keepdim=True) > 0
        return torch.where(there, (states - self.phrase_mean) @ self.phrase_whitening, 0.0)

    def _things(self, regions: Regions) -> Tensor:
        """Return what cells hear of the regions that cover most of them."""
        owner, share = owners(regions.boxes, regions.mask, self.side, self.heard)
        said = torch.cat([self._white(regions.phrases), self._white(regions.styles)], -1)
        code = self.code(said) + self.phrase(said)
        if regions.references is not None:
            code = code + self.reference(regions.references)
        where = _Heard.of(regions.boxes, owner, share, self.side)
        return where.summed(self.read(where.codes(code) * self.place(where.places)))

    def _letters(self, regions: Regions) -> Tensor:
        owner, share = owners(regions.letter_boxes, regions.letter_mask, self.side, self.letters_heard)
        where = _Heard.of(regions.letter_boxes, owner, share, self.side)
        product = where.codes(self.letter(regions.letters)) * self.letter_place(where.places)
        return where.summed(self.read_letter(self.letter_net(product)))


@dataclass(frozen=True)
class _Heard:
    """All p pairs of a cell and a region that it hears: most cells hear less than they could, and cost less for it."""

    sample: Tensor  # (p,)
    cell: Tensor
    owner: Tensor
    places: Tensor  # (p, place)
    shape: tuple[int, int]  # b, n

    @classmethod
    def of(cls, boxes: Tensor, owner: Tensor, share: Tensor, side: int) -> "_Heard":
        sample, cell, slot = (share > 0).nonzero(as_tuple=True)
        chosen = owner[sample, cell, slot]
        pairs = places(boxes[sample, chosen], cell, share[sample, cell, slot], side)
        return cls(sample, cell, chosen, pairs, (share.shape[0], share.shape[1]))

    def codes(self, codes: Float[Tensor, "b r c"]) -> Float[Tensor, "p c"]:
        """Return the code of each pair's region."""
        return codes[self.sample, self.owner]

    def summed(self, said: Float[Tensor, "p c"]) -> Float[Tensor, "b n c"]:
        """Return what each cell hears in all."""
        b, n = self.shape
        cells = said.new_zeros(b * n, said.shape[1]).index_add(0, self.sample * n + self.cell, said)
        return cells.view(b, n, -1)
