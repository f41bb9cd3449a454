"""A diffusion transformer over latent tokens that looks at its words and at its neighbours.

DiT (arXiv 2212.09748) with one adaLN for all blocks and a learned offset a block (PixArt-alpha, arXiv 2310.00426,
section 2.3), with two changes that learn from fewer pictures: text is refined once and then only read (keys and
values beside those of the image), and the MLP is two 3x3 convolutions, since what a patch of a drawing shows follows
from the patches around it, wherever the drawing stands. The network predicts x_0 and returns the velocity
(x_t - x_0) / t (arXiv 2511.13720: data lie on fewer dimensions than noise).

Latents (b, d, h, w); time (b,) in [0, 1]; the text may be left out a sample.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.text_encoder import MAX_GROUPS, MAX_LETTERS, STATE_DIM, Conditioning
from scope.nn.transformer import MLP, Attention, attend, to_grid, to_tokens

T_MIN = 0.05  # the velocity of an error in x_0 grows as 1 / t; below this it is held


def timestep_embedding(t: Tensor, dim: int) -> Tensor:
    """Embed times (b,) in [0, 1] as (b, dim)."""
    rates = torch.exp(-math.log(10_000) * torch.arange(dim // 2, device=t.device) / (dim // 2))
    angles = 1000 * t.float()[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], -1)


class JointAttention(nn.Module):
    """Attention of image tokens to themselves and to words."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.kv, self.words, self.out = (nn.Linear(dim, n * dim) for n in (1, 2, 2, 1))

    def forward(self, x: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """Take x (b, n, c), words (b, m, c), mask (b, n + m): True where a key may be seen."""
        b, n, c = x.shape
        q = self.q(x).view(b, n, self.heads, -1).transpose(1, 2)
        keys = torch.cat([self.kv(x), self.words(words)], 1)
        k, v = keys.view(b, -1, 2, self.heads, c // self.heads).permute(2, 0, 3, 1, 4)
        q, k = (F.rms_norm(a, a.shape[-1:]).to(v.dtype) for a in (q, k))
        mixed = attend(q, k, v, mask[:, None, None, :])
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(b, n, c))
        return out


class ConvFFN(nn.Module):
    """Two 3x3 convolutions over the grid of image tokens."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(dim, dim, 3, padding=1), nn.SiLU(), nn.Conv2d(dim, dim, 3, padding=1))

    def forward(self, x: Tensor) -> Tensor:
        """(b, n, dim) -> the same."""
        grid = to_grid(x).contiguous(memory_format=torch.channels_last)
        return to_tokens(self.body(grid))


class DiTBlock(nn.Module):
    """JointAttention, then neighbours; both scaled, shifted and gated by the time."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.look, self.near = JointAttention(dim, heads), ConvFFN(dim)
        self.offset = nn.Parameter(torch.zeros(6, dim))

    def forward(self, x: Tensor, modulation: Tensor, words: Tensor, mask: Tensor) -> Tensor:
        """Take x (b, n, c), modulation (b, 6, c), words (b, m, c), mask (b, n + m)."""
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation + self.offset)[:, :, None].unbind(1)
        h = F.layer_norm(x, x.shape[-1:]) * (1 + scale1) + shift1
        x = x + gate1 * self.look(h, words, mask)
        h = F.layer_norm(x, x.shape[-1:]) * (1 + scale2) + shift2
        out: Tensor = x + gate2 * self.near(h)
        return out


class TextRefinerBlock(nn.Module):
    """Attention and MLP among the words."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attention, self.mlp = Attention(dim, heads), MLP(dim, 2)

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        """(b, m, c) -> the same; `mask` (b, m) is True where a word is."""
        x = x + self.attention(F.layer_norm(x, x.shape[-1:]), mask=mask)
        out: Tensor = x + self.mlp(F.layer_norm(x, x.shape[-1:]))
        return out


class DiT(nn.Module):
    """The velocity field."""

    def __init__(
        self, d: int = 32, tokens: int = 64, dim: int = 256, depth: int = 5, heads: int = 4, word_depth: int = 2
    ) -> None:
        super().__init__()
        self.dim = dim
        self.embed = nn.Linear(d, dim)
        self.position = nn.Parameter(torch.randn(1, tokens, dim) * 0.02)
        self.text = nn.Linear(STATE_DIM, dim)
        self.group = nn.Embedding(MAX_GROUPS, dim)
        self.letter = nn.Embedding(256, dim)
        self.letter_position = nn.Parameter(torch.randn(1, MAX_LETTERS, dim) * 0.02)
        self.refine = nn.ModuleList(TextRefinerBlock(dim, heads) for _ in range(word_depth))
        self.nothing = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), nn.Linear(dim, dim))
        self.modulation = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.blocks = nn.ModuleList(DiTBlock(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, d)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)
        nn.init.normal_(self.group.weight, std=0.5)

    def forward(self, x_t: Tensor, t: Tensor, text: Conditioning, cond_mask: Tensor | None = None) -> Tensor:
        """Return v like x_t. Where `cond_mask` (b,) is False the text is replaced by one learned token a place."""
        return self.look(x_t, t, text, cond_mask)[0]

    def look(
        self, x_t: Tensor, t: Tensor, text: Conditioning, cond_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return (v, h): h (b, n, dim) are the tokens half way up, on which a trainer may hang another loss."""
        h, half_way = self._tokens(to_tokens(x_t), t, text, cond_mask)
        x_0 = to_grid(self.out(h).float())
        return (x_t - x_0) / t.clamp_min(T_MIN)[:, None, None, None], half_way

    def read(
        self,
        x_t: Tensor,
        t: Tensor,
        text: Conditioning,
        cond_mask: Tensor | None = None,
        extra_cond: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Return x_0 like the tokens x_t (b, n, d), and the last tokens h (b, n, dim), from which it is read.

        `extra_cond` (b, dim) joins the embedding of the time: what else a network that is built on this one must know.
        """
        h, _ = self._tokens(x_t, t, text, cond_mask, extra_cond)
        return self.out(h).float(), h

    def _tokens(
        self, x_t: Tensor, t: Tensor, text: Conditioning, cond_mask: Tensor | None, extra_cond: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return the last tokens and those half way up, each (b, n, dim)."""
        x = self.embed(x_t) + self.position
        words, seen = self._words(text, cond_mask)
        mask = torch.cat([torch.ones(x.shape[:2], dtype=torch.bool, device=x_t.device), seen], 1)
        time = self.time(timestep_embedding(t, self.dim))
        modulation = self.modulation(time if extra_cond is None else time + extra_cond).view(-1, 6, self.dim)
        half_way = x
        for i, block in enumerate(self.blocks):
            x = block(x, modulation, words, mask)
            if i == len(self.blocks) // 2:
                half_way = x
        return self.norm(x), half_way

    def _words(self, text: Conditioning, cond_mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Return the text tokens (b, m, c), letters after them where any are asked for, and which are there."""
        words, seen = self.text(text.hidden_states.float()) + self.group(text.groups), text.mask
        if text.letters is not None:
            letters = self.letter(text.letters) + self.letter_position
            words, seen = torch.cat([words, letters], 1), torch.cat([seen, text.letters > 0], 1)
        for block in self.refine:
            words = block(words, seen)
        words = F.layer_norm(words, words.shape[-1:])
        if cond_mask is not None:
            words = torch.where(cond_mask[:, None, None], words, self.nothing.to(words.dtype))
        return words, seen
