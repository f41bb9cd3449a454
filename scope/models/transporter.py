"""The transporter of NTM (arXiv 2605.08078): an invertible map of one state, made of causal affine flows over tokens.

TarFlow (Normalizing Flows are Capable Generative Models, arXiv 2412.06329), a few blocks that scan in turn forwards
and backwards:

    u_n = (x_n - mu_n) / sigma_n,  (mu_n, sigma_n) = net(x_1..x_{n-1}; t, T)        log|det du/dx| = -sum log sigma

Departures: a learned start token lets the first token be moved, too (as STARFlow, arXiv 2506.06276); log sigma is held
within +-4 by a tanh and mu is free; positions are rotary; the time and the number of steps are added to each token.
Heads start at zero, weights and biases, so that an untrained transporter is the identity. The coupling is computed in
fp32 or more, whatever the precision around it.
"""

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.dit import timestep_embedding
from scope.nn import rope
from scope.nn.transformer import MLP, attend

LIMIT = 4.0  # of |log sigma|


class Clock(nn.Module):
    """Embeds a time and the number of steps of its trajectory; zero at first."""

    levels: Tensor

    def __init__(self, dim: int, levels: Sequence[int]) -> None:
        super().__init__()
        self.dim = dim
        self.register_buffer("levels", torch.tensor(sorted(levels)), persistent=False)
        self.time = nn.Sequential(nn.Linear(dim, dim), nn.SiLU(), zero_init(nn.Linear(dim, dim)))
        self.steps = nn.Embedding(len(levels), dim)
        nn.init.zeros_(self.steps.weight)

    def forward(self, t: Tensor, T: Tensor) -> Tensor:
        """Take times t (b,) in [0, 1] and numbers of steps T (b,), each one of `levels`; return (b, dim)."""
        embedded: Tensor = self.time(timestep_embedding(t, self.dim).to(self.steps.weight.dtype))
        out: Tensor = embedded + self.steps(torch.searchsorted(self.levels, T.contiguous()))
        return out


class KVCache:
    """The keys and values of the tokens that one layer has read, (b, heads, m, head_dim)."""

    def __init__(self) -> None:
        self.kept: tuple[Tensor, Tensor] | None = None

    def update(self, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Return all keys and values so far, these included, and keep them."""
        if self.kept is not None:
            k, v = torch.cat([self.kept[0], k], 2), torch.cat([self.kept[1], v], 2)
        self.kept = k, v
        return k, v


class CausalBlock(nn.Module):
    """Pre-norm attention to the tokens before, and MLP."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.qkv, self.out = nn.LayerNorm(dim), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.norm2, self.mlp = nn.LayerNorm(dim), MLP(dim)

    def forward(self, x: Tensor, angles: Tensor, past: KVCache | None = None) -> Tensor:
        """Take the next tokens x (b, m, c), whose places are `angles`, after those that are in the past."""
        b, m, c = x.shape
        q, k, v = self.qkv(self.norm1(x)).view(b, m, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        q, k = (rope.apply_rope(F.rms_norm(a, a.shape[-1:]), angles).to(v.dtype) for a in (q, k))
        if past is not None:
            k, v = past.update(k, v)
        seen = torch.ones(m, k.shape[2], dtype=torch.bool, device=x.device).tril(k.shape[2] - m)
        x = x + self.out(attend(q, k, v, seen).transpose(1, 2).reshape(b, m, c))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class AffineFlowBlock(nn.Module):
    """One causal affine flow, from the first token to the last or the other way."""

    angles: Tensor

    def __init__(self, d: int, tokens: int, dim: int, layers: int, heads: int, backwards: bool) -> None:
        super().__init__()
        self.backwards = backwards
        self.embed = nn.Linear(d, dim)
        self.start = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.blocks = nn.ModuleList(CausalBlock(dim, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        self.head = zero_init(nn.Linear(dim, 2 * d))
        self.register_buffer("angles", self._ordered(rope.angles(tokens, dim // heads), 0), persistent=False)

    def forward(self, x: Tensor, clock: Tensor) -> tuple[Tensor, Tensor]:
        """Take x (b, n, d) and clock (b, dim); return u like x, and log|det du/dx| (b,)."""
        x = self._ordered(x, 1)
        before = torch.cat([self.start.expand(len(x), 1, -1), self.embed(x[:, :-1])], 1)
        mu, log_sigma = self._coupling(before, clock, self.angles)
        u = (x - mu) * torch.exp(-log_sigma)
        return self._ordered(u, 1), -log_sigma.flatten(1).sum(1)

    def inverse(self, u: Tensor, clock: Tensor) -> Tensor:
        """Return x of u, token by token; what was read of a token is kept."""
        u = self._ordered(u, 1)
        past = [KVCache() for _ in self.blocks]
        before, x = self.start.expand(len(u), 1, -1), []
        for n in range(u.shape[1]):
            mu, log_sigma = self._coupling(before, clock, self.angles[n : n + 1], past)
            x.append(u[:, n : n + 1] * torch.exp(log_sigma) + mu)
            before = self.embed(x[-1])
        return self._ordered(torch.cat(x, 1), 1)

    def _coupling(
        self, before: Tensor, clock: Tensor, angles: Tensor, past: Sequence[KVCache] | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return (mu, log_sigma) of the tokens that follow those of `before` (b, m, dim)."""
        h = at_least_fp32(before) + clock[:, None]
        for i, block in enumerate(self.blocks):
            h = block(h, angles, None if past is None else past[i])
        with torch.autocast(h.device.type, enabled=False):
            mu, raw = self.head(self.norm(h)).chunk(2, -1)
        return mu, LIMIT * torch.tanh(raw / LIMIT)

    def _ordered(self, x: Tensor, dim: int) -> Tensor:
        """Return x in the order of the scan, or back in that of the grid."""
        return x.flip(dim) if self.backwards else x


class Transporter(nn.Module):
    """f_T: x -> u, as many numbers as before. With no blocks it is the identity."""

    def __init__(
        self, d: int, tokens: int, dim: int, blocks: int, layers: int, heads: int, levels: Sequence[int]
    ) -> None:
        super().__init__()
        self.clock = Clock(dim, levels)
        self.scans = nn.ModuleList(AffineFlowBlock(d, tokens, dim, layers, heads, i % 2 == 1) for i in range(blocks))

    def forward(self, x: Tensor, t: Tensor, T: Tensor) -> tuple[Tensor, Tensor]:
        """Take x (b, n, d), t (b,), T (b,); return u like x in fp32 or more, and log|det du/dx| (b,)."""
        u, clock = at_least_fp32(x), self.clock(t, T)
        log_det = torch.zeros(len(u), dtype=u.dtype, device=u.device)
        for scan in self.scans:
            u, more = scan(u, clock)
            log_det = log_det + more
        return u, log_det

    @torch.no_grad()
    def inverse(self, u: Tensor, t: Tensor, T: Tensor) -> Tensor:
        """Return the x of which u is the image."""
        x, clock = at_least_fp32(u), self.clock(t, T)
        for scan in reversed(self.scans):
            assert isinstance(scan, AffineFlowBlock)  # what a ModuleList holds is not typed
            x = scan.inverse(x, clock)
        return x


def zero_init(layer: nn.Linear) -> nn.Linear:
    """Return the layer with weights and biases of zero: with a random bias it would not start as the identity."""
    nn.init.zeros_(layer.weight)
    nn.init.zeros_(layer.bias)
    return layer


def at_least_fp32(x: Tensor) -> Tensor:
    """Return x in fp32, or in fp64 where it is that."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
