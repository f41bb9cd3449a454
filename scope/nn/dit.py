"""A diffusion transformer over latent tokens and text tokens in one stream.

DiT (arXiv 2212.09748) with one adaLN for all blocks and a learned offset a block (PixArt-alpha, arXiv
2310.00426, section 2.3). Latents (b, d, 8, 8); time (b,) in [0, 1]; the text may be left out a sample.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.nn.text import MAX_GROUPS, MAX_LETTERS, STATE_DIM, Conditioning
from scope.nn.transformer import MLP, Attention, to_grid, to_tokens


def sinusoids(t: Tensor, dim: int) -> Tensor:
    """Embed times (b,) in [0, 1] as (b, dim)."""
    rates = torch.exp(-math.log(10_000) * torch.arange(dim // 2, device=t.device) / (dim // 2))
    angles = 1000 * t.float()[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], -1)


class Neighbours(nn.Module):
    """What the eight neighbours of an image token say: a narrow 3x3 convolution, nothing at construction.

    Attention with learned places has to learn each place anew; this branch is the same everywhere.
    """

    def __init__(self, dim: int, width: int) -> None:
        super().__init__()
        self.narrow, self.out = nn.Linear(dim, width), nn.Linear(width, dim)
        self.mix = nn.Conv2d(width, width, 3, padding=1)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, x: Tensor) -> Tensor:
        """(b, n, dim) of image tokens -> the same."""
        h = F.gelu(self.narrow(x), approximate="tanh")
        out: Tensor = self.out(F.gelu(to_tokens(self.mix(to_grid(h).contiguous())), approximate="tanh"))
        return out


class ModulatedBlock(nn.Module):
    """Neighbours, attention and MLP; the latter two scaled, shifted and gated by the time."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attention, self.mlp, self.near = Attention(dim, heads), MLP(dim), Neighbours(dim, 3 * dim // 8)
        self.offset = nn.Parameter(torch.zeros(6, dim))

    def forward(self, x: Tensor, modulation: Tensor, mask: Tensor, images: int) -> Tensor:
        """Take x (b, n, c), modulation (b, 6, c), mask (b, n): True where a token is there; the first are the image."""
        image, words = x[:, :images], x[:, images:]
        x = torch.cat([image + self.near(F.layer_norm(image, image.shape[-1:])), words], 1)
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation + self.offset)[:, :, None].unbind(1)
        h = F.layer_norm(x, x.shape[-1:]) * (1 + scale1) + shift1
        x = x + gate1 * self.attention(h, mask=mask)
        h = F.layer_norm(x, x.shape[-1:]) * (1 + scale2) + shift2
        out: Tensor = x + gate2 * self.mlp(h)
        return out


class DiT(nn.Module):
    """The velocity field."""

    def __init__(self, d: int = 32, tokens: int = 64, dim: int = 256, depth: int = 6, heads: int = 4) -> None:
        super().__init__()
        self.dim = dim
        self.embed = nn.Linear(d, dim)
        self.position = nn.Parameter(torch.randn(1, tokens, dim) * 0.02)
        self.text = nn.Sequential(nn.Linear(STATE_DIM, dim), nn.GELU(), nn.Linear(dim, dim))
        self.group = nn.Embedding(MAX_GROUPS, dim)
        self.letter = nn.Embedding(256, dim)
        self.letter_position = nn.Parameter(torch.randn(1, MAX_LETTERS, dim) * 0.02)
        self.nothing = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.modulation = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.blocks = nn.ModuleList(ModulatedBlock(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, d)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        nn.init.normal_(self.group.weight, std=0.5)

    def forward(self, x_t: Tensor, t: Tensor, text: Conditioning, keep: Tensor | None = None) -> Tensor:
        """Return v like x_t. Where `keep` (b,) is False the text is replaced by one learned token a place."""
        image = self.embed(to_tokens(x_t)) + self.position
        words, seen = self._read(text, keep)
        mask = torch.cat([torch.ones(image.shape[:2], dtype=torch.bool, device=x_t.device), seen], 1)
        stream = torch.cat([image, words.to(image.dtype)], 1)
        modulation = self.modulation(self.time(sinusoids(t, self.dim))).view(-1, 6, self.dim)
        for block in self.blocks:
            stream = block(stream, modulation, mask, image.shape[1])
        v: Tensor = self.out(self.norm(stream[:, : image.shape[1]])).float()
        return to_grid(v)

    def _read(self, text: Conditioning, keep: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the text tokens (b, m, c), letters after them where any are asked for, and which are there."""
        tokens, seen = self.text(text.states.float()) + self.group(text.groups), text.mask
        if text.letters is not None:
            letters = self.letter(text.letters) + self.letter_position
            tokens, seen = torch.cat([tokens, letters], 1), torch.cat([seen, text.letters > 0], 1)
        if keep is not None:
            tokens = torch.where(keep[:, None, None], tokens, self.nothing.to(tokens.dtype))
        return tokens, seen
