"""The transporter of NTM (arXiv 2605.08078): an invertible map of one state, made of causal affine flows over tokens.

TarFlow (Normalizing Flows are Capable Generative Models, arXiv 2412.06329), a few flows that run in turn forwards and
backwards over the tokens:

    u_n = (x_n - mu_n) / sigma_n,  (mu_n, sigma_n) = net(x_1..x_{n-1}; t, T)        log|det du/dx| = -sum log sigma

Departures: a learned bos token lets the first token be moved, too (as STARFlow, arXiv 2506.06276); log sigma is held
within +-4 by a tanh and mu is free; positions are rotary; the time and the number of steps are added to each token.
Heads start at zero, weights and biases, so that an untrained transporter is the identity. The coupling is computed in
fp32 or more, whatever the precision around it.

Shapes: b batch, n tokens of d numbers, c width.
"""

from collections.abc import Sequence

import torch
from einops import rearrange
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from scope.nn import rope
from scope.nn.timesteps import TimestepEmbedder
from scope.nn.transformer import MLP, attend, zero_init

LIMIT = 4.0  # of |log sigma|


class TrajectoryEmbedder(nn.Module):
    """Embeds a time and the number of steps of its trajectory; zero at first."""

    levels: Tensor

    def __init__(self, dim: int, levels: Sequence[int]) -> None:
        super().__init__()
        self.register_buffer("levels", torch.tensor(sorted(levels)), persistent=False)
        self.time = TimestepEmbedder(dim)
        zero_init(self.time.fc2)
        self.steps = nn.Embedding(len(levels), dim)
        nn.init.zeros_(self.steps.weight)

    def forward(self, t: Float[Tensor, " b"], T: Int[Tensor, " b"]) -> Float[Tensor, "b c"]:
        """Take times t in [0, 1] and numbers of steps T, each one of `levels`."""
        out: Tensor = self.time(t) + self.steps(torch.searchsorted(self.levels, T.contiguous()))
        return out


class KVCache:
    """The keys and values (b, h, m, d) of the tokens that one layer has read."""

    def __init__(self) -> None:
        self.keys: Tensor | None = None
        self.values: Tensor | None = None

    def update(
        self, k: Float[Tensor, "b h n d"], v: Float[Tensor, "b h n d"]
    ) -> tuple[Float[Tensor, "b h m d"], Float[Tensor, "b h m d"]]:
        """Append keys and values of the next tokens; return all of them."""
        self.keys = k if self.keys is None else torch.cat([self.keys, k], 2)
        self.values = v if self.values is None else torch.cat([self.values, v], 2)
        return self.keys, self.values


class CausalBlock(nn.Module):
    """Pre-norm attention to the tokens before, and MLP."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.norm1, self.qkv, self.out = nn.LayerNorm(dim), nn.Linear(dim, 3 * dim), nn.Linear(dim, dim)
        self.norm2, self.mlp = nn.LayerNorm(dim), MLP(dim)

    def forward(
        self, x: Float[Tensor, "b n c"], angles: Float[Tensor, "n half"], cache: KVCache | None = None
    ) -> Float[Tensor, "b n c"]:
        """Take the next tokens x, whose rotary angles are `angles`, after those of the cache."""
        q, k, v = rearrange(self.qkv(self.norm1(x)), "b n (three h d) -> three b h n d", three=3, h=self.heads)
        q, k = (rope.apply_rope(F.rms_norm(a, a.shape[-1:]), angles).to(v.dtype) for a in (q, k))
        if cache is not None:
            k, v = cache.update(k, v)
        n, m = q.shape[2], k.shape[2]
        causal = torch.ones(n, m, dtype=torch.bool, device=x.device).tril(m - n)
        x = x + self.out(rearrange(attend(q, k, v, causal), "b h n d -> b n (h d)"))
        out: Tensor = x + self.mlp(self.norm2(x))
        return out


class AffineFlowBlock(nn.Module):
    """One causal affine flow (TarFlow's MetaBlock), from the first token to the last or the other way."""

    angles: Tensor

    def __init__(self, d: int, tokens: int, dim: int, layers: int, heads: int, backwards: bool) -> None:
        super().__init__()
        self.backwards = backwards
        self.embed = nn.Linear(d, dim)
        self.bos = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.blocks = nn.ModuleList(CausalBlock(dim, heads) for _ in range(layers))
        self.norm = nn.LayerNorm(dim)
        self.head = zero_init(nn.Linear(dim, 2 * d))
        self.register_buffer("angles", self._ordered(rope.angles(tokens, dim // heads), 0), persistent=False)

    def forward(
        self, x: Float[Tensor, "b n d"], cond: Float[Tensor, "b c"]
    ) -> tuple[Float[Tensor, "b n d"], Float[Tensor, " b"]]:
        """Return u of x, and log|det du/dx|."""
        x = self._ordered(x, 1)
        before = torch.cat([self.bos.expand(len(x), 1, -1), self.embed(x[:, :-1])], 1)
        mu, log_sigma = self._coupling(before, cond, self.angles)
        u = (x - mu) * torch.exp(-log_sigma)
        return self._ordered(u, 1), -log_sigma.flatten(1).sum(1)

    def inverse(self, u: Float[Tensor, "b n d"], cond: Float[Tensor, "b c"]) -> Float[Tensor, "b n d"]:
        """Return the x of which u is the image, token by token, with a cache of keys and values."""
        u = self._ordered(u, 1)
        caches = [KVCache() for _ in self.blocks]
        before, x = self.bos.expand(len(u), 1, -1), []
        for n in range(u.shape[1]):
            mu, log_sigma = self._coupling(before, cond, self.angles[n : n + 1], caches)
            x.append(u[:, n : n + 1] * torch.exp(log_sigma) + mu)
            before = self.embed(x[-1])
        return self._ordered(torch.cat(x, 1), 1)

    def _coupling(
        self,
        before: Float[Tensor, "b n c"],
        cond: Float[Tensor, "b c"],
        angles: Float[Tensor, "n half"],
        caches: Sequence[KVCache] | None = None,
    ) -> tuple[Float[Tensor, "b n d"], Float[Tensor, "b n d"]]:
        """Return (mu, log_sigma) of the tokens that follow those of `before`."""
        h = at_least_fp32(before) + cond[:, None]
        for i, block in enumerate(self.blocks):
            h = block(h, angles, None if caches is None else caches[i])
        with torch.autocast(h.device.type, enabled=False):
            mu, raw = self.head(self.norm(h)).chunk(2, -1)
        return mu, LIMIT * torch.tanh(raw / LIMIT)

    def _ordered(self, x: Tensor, dim: int) -> Tensor:
        """Return x in the order of the flow, or back in that of the grid."""
        return x.flip(dim) if self.backwards else x


class Transporter(nn.Module):
    """f_T: x -> u, as many numbers as before. With no flows it is the identity."""

    def __init__(
        self, d: int, tokens: int, dim: int, flows: int, layers: int, heads: int, levels: Sequence[int]
    ) -> None:
        super().__init__()
        self.t_embedder = TrajectoryEmbedder(dim, levels)
        self.flows = nn.ModuleList(AffineFlowBlock(d, tokens, dim, layers, heads, i % 2 == 1) for i in range(flows))

    def forward(
        self, x: Float[Tensor, "b n d"], t: Float[Tensor, " b"], T: Int[Tensor, " b"]
    ) -> tuple[Float[Tensor, "b n d"], Float[Tensor, " b"]]:
        """Return u of states x at times t of trajectories of T steps, in fp32 or more, and log|det du/dx|."""
        u, cond = at_least_fp32(x), self.t_embedder(t, T)
        log_det = torch.zeros(len(u), dtype=u.dtype, device=u.device)
        for flow in self.flows:
            u, more = flow(u, cond)
            log_det = log_det + more
        return u, log_det

    @torch.no_grad()
    def inverse(
        self, u: Float[Tensor, "b n d"], t: Float[Tensor, " b"], T: Int[Tensor, " b"]
    ) -> Float[Tensor, "b n d"]:
        """Return the x of which u is the image."""
        x, cond = at_least_fp32(u), self.t_embedder(t, T)
        for flow in reversed(self.flows):
            assert isinstance(flow, AffineFlowBlock)  # what a ModuleList holds is not typed
            x = flow.inverse(x, cond)
        return x


def at_least_fp32(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return x in fp32, or in fp64 where it is that."""
    return x.to(torch.promote_types(x.dtype, torch.float32))
