"""Binding: what each latent cell hears of the regions that cover it, as layers that are laid into their boxes.

A drawing is the same wherever its box stands, and whatever its size: a network that looks up "which part of which thing
is here" would have to learn that. So a region's words become a small map of features, as a square; a 1 x 1 network
paints it in the colour that is asked for, and says how opaque it is; and it is laid into its box (spatial transformers,
arXiv 1506.02025). Layers lie over one another in the order of the regions, over one of the setting (as in layered
decompositions, arXiv 2104.14553). Each cell then hears what lies on it.

    map     = W (A(phrase) * B(style)) + R(reference)          of S x S points
    p, a    = paint(map, look)                                   colours of each point, times its opacity, and that
    canvas  = p_r + (1 - a_r) (... (p_1 + (1 - a_1) setting))     as many points as the picture has pixels
    heard   = canvas(cell), letters(cell), gelu(U canvas(cell) + V letters(cell))
    x_0     = W heard                                            what that alone says of the latents

Nothing is drawn here: maps, paint and letters are weights, learnt from pictures alone. Letters are a layer of ink of
their own.

A binding is to generators what a tokenizer is: trained first, frozen, shared by all, asked once a picture.

Shapes: b batch, r regions, p of these that are there, n cells of d numbers, c channels of the canvas.
"""

from collections.abc import Callable
from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.regions import REFERENCE, SYMBOLS, Regions
from scope.models.text_encoder import STATE_DIM
from scope.nn.cells import laid

READ = 512  # numbers that a cell reads from what lies on it
POINTS, GROUND, LETTER = REFERENCE[1], 64, 24  # of the side of a map, of a setting, of a letter
FINE = 16  # points of the canvas, and of the ink, along a cell's side
MAP, COLORS, HIDDEN = 6, 3, 32  # channels of a map, of the canvas, and of what paints
HEARD = (COLORS + 1) * FINE**2 + READ  # numbers that a cell hears


@dataclass(frozen=True)
class Heard:
    """What each cell of pictures hears, and what that alone says of their latents."""

    cells: Float[Tensor, "b n heard"]
    x_0: Float[Tensor, "b n d"]

    def to(self, device: torch.device) -> "Heard":
        """Move to a device."""
        return self.each(lambda t: t.to(device))

    def repeat(self, times: int) -> "Heard":
        """Return the batch `times` over."""
        return self.each(lambda t: t.repeat(times, 1, 1))

    def each(self, change: Callable[[Tensor], Tensor]) -> "Heard":
        """Return the batch with both tensors changed."""
        return Heard(change(self.cells), change(self.x_0))


class Words(nn.Module):
    """States of words -> their coordinates on the k principal axes of those that are to be told apart.

    Each axis has the same variance, but for those on which words hardly differ. No words are zeros.
    """

    mean: Tensor
    axes: Tensor

    def __init__(self, k: int) -> None:
        super().__init__()
        self.k = k
        self.register_buffer("mean", torch.zeros(STATE_DIM))
        self.register_buffer("axes", torch.eye(STATE_DIM, k))

    @torch.no_grad()
    def fit(self, states: Float[Tensor, "m state_dim"], floor: float = 1e-3) -> None:
        """Take the axes of these words; variances of less than `floor` of the largest are not enlarged further."""
        mean = states.mean(0)
        values, vectors = torch.linalg.eigh(torch.cov((states - mean).double().T))
        values, vectors = values.flip(0)[: self.k], vectors.flip(1)[:, : self.k]
        self.mean.copy_(mean)
        self.axes.copy_(vectors * (values.clamp_min(0) + floor * values[0]).rsqrt())

    def forward(self, states: Float[Tensor, "*b state_dim"]) -> Float[Tensor, "*b k"]:
        """Return the coordinates."""
        there = states.abs().amax(-1, keepdim=True) > 0
        return torch.where(there, (states - self.mean) @ self.axes, 0.0)


def _told_apart(k: int, out: int) -> nn.Sequential:
    """Return what reads a few words: by a line alone, no words would always say the mean of what all of them say."""
    return nn.Sequential(nn.Linear(k, 64), nn.GELU(), nn.Linear(64, out))


class Paint(nn.Module):
    """Map and look -> colours of each point, multiplied by its opacity, and that."""

    def __init__(self, looks: int) -> None:
        super().__init__()
        self.read, self.look = nn.Conv2d(MAP, HIDDEN, 1), _told_apart(looks, 3 * HIDDEN)
        self.write = nn.Conv2d(HIDDEN, COLORS, 1)
        self.opacity = nn.Conv2d(MAP, 1, 1)

    def forward(
        self, maps: Float[Tensor, "p map s s"], looks: Float[Tensor, "p looks"]
    ) -> Float[Tensor, "p layer s s"]:
        """Paint maps."""
        scale, shift, gate = self.look(looks)[..., None, None].chunk(3, 1)
        painted = self.write(F.gelu(self.read(maps) * (1 + scale) + shift, approximate="tanh") * (1 + gate))
        opacity = self.opacity(maps).sigmoid()
        return torch.cat([painted * opacity, opacity], 1)


class Binding(nn.Module):
    """Regions -> what each cell hears of them."""

    def __init__(self, side: int, d: int, wide: int = 1024) -> None:
        """`side`: cells of the picture's, of d numbers. `wide`: numbers of the code of a phrase in a style."""
        super().__init__()
        self.side = side
        self.nouns, self.looks, self.styles, self.settings = Words(STATE_DIM), Words(16), Words(8), Words(96)
        self.noun = nn.Sequential(nn.Linear(self.nouns.k, wide), nn.GELU(), nn.Linear(wide, wide))
        self.style = _told_apart(self.styles.k, wide)
        self.map = nn.Linear(wide, MAP * POINTS**2)
        self.reference = nn.Conv2d(REFERENCE[0], MAP, 1, bias=False)
        self.paint = Paint(self.looks.k)
        self.setting = nn.Linear(self.settings.k, COLORS * GROUND**2)
        self.letter = nn.Embedding(SYMBOLS, LETTER**2)
        self.read, self.sketch = nn.Linear(HEARD - READ, READ), nn.Linear(HEARD, d)
        nn.init.ones_(self.style[-1].bias)  # type: ignore[arg-type]
        nn.init.normal_(self.map.weight, std=wide**-0.5)
        nn.init.normal_(self.sketch.weight, std=0.02)

    def fit(self, words: dict[str, Float[Tensor, "m state_dim"]]) -> None:
        """Set the axes on which nouns, looks, styles and settings are read."""
        for kind, states in words.items():
            getattr(self, kind).fit(states)

    @torch.no_grad()
    def read_as(self, weight: Float[Tensor, "d k"], bias: Float[Tensor, " d"]) -> None:
        """Begin with the sketch of a linear tokenizer: k = COLORS * FINE**2 pixels of a cell in [-1, 1] -> latents."""
        self.sketch.weight.zero_()
        self.sketch.weight[:, : weight.shape[1]] = weight
        self.sketch.bias.copy_(bias)

    def forward(self, regions: Regions) -> Heard:
        """Return what cells hear: the canvas, the ink, and what is read from both; and the sketch that it makes."""
        lies = _cells(torch.cat([self.canvas(regions), self._ink(regions)], 1))
        cells = torch.cat([lies, F.gelu(self.read(lies), approximate="tanh")], -1)
        return Heard(cells, self.sketch(cells).float())

    def canvas(self, regions: Regions) -> Float[Tensor, "b colors h w"]:
        """Return what lies over what, at the points of the canvas: colours, about those of pixels in [-1, 1]."""
        b, r = regions.mask.shape
        there = regions.mask.nonzero(as_tuple=True)
        points, references = self.side * FINE, regions.references
        layers = self.layers(
            regions.phrases[there], regions.looks[there], regions.styles[there],
            None if references is None else references[there],
        )  # fmt: skip
        placed = laid(layers, regions.boxes[there], points)
        over = placed.new_zeros(r, b, COLORS + 1, points, points).index_put(there[::-1], placed)
        ground = self.setting(self.settings(regions.setting)).view(b, COLORS, GROUND, GROUND)
        canvas: Tensor = F.interpolate(ground, size=(points, points), mode="bilinear")
        for layer in over:
            canvas = canvas * (1 - layer[:, COLORS:]) + layer[:, :COLORS]
        return canvas

    def layers(
        self,
        phrases: Float[Tensor, "p state_dim"],
        looks: Float[Tensor, "p state_dim"],
        styles: Float[Tensor, "p state_dim"],
        references: Float[Tensor, "p 4 s s"] | None,
    ) -> Float[Tensor, "p layer s s"]:
        """Return the painted maps of regions."""
        code = self.noun(self.nouns(phrases)) * self.style(self.styles(styles))
        maps = self.map(code).view(-1, MAP, POINTS, POINTS)
        if references is not None:
            maps = maps + self.reference(references)
        layers: Tensor = self.paint(maps, self.looks(looks))
        return layers

    def _ink(self, regions: Regions) -> Float[Tensor, "b 1 h w"]:
        """Return the letters, each in its box."""
        sample, slot = regions.letter_mask.nonzero(as_tuple=True)
        points, letters = self.side * FINE, self.letter(regions.letters[sample, slot])
        placed = laid(letters.view(-1, 1, LETTER, LETTER), regions.letter_boxes[sample, slot], points)
        return placed.new_zeros(len(regions.mask), 1, points, points).index_add(0, sample, placed)


def _cells(canvas: Float[Tensor, "b c h w"]) -> Float[Tensor, "b n k"]:
    return rearrange(canvas, "b c (y i) (x j) -> b (y x) (c i j)", i=FINE, j=FINE)
