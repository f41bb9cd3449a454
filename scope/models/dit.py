"""A diffusion transformer over latent tokens, with joint attention to text and convolutions for its MLP.

DiT (arXiv 2212.09748) with one adaLN for all blocks and a learned offset a block (adaLN-single of PixArt-alpha, arXiv
2310.00426, section 2.3), with two changes that learn from fewer pictures: text is refined once and then only read (keys
and values beside those of the image), and the MLP is two 3x3 convolutions, since what a patch of a drawing shows
follows from the patches around it, wherever the drawing stands. The network predicts x_0; the velocity of flow matching
is (x_t - x_0) / t (arXiv 2511.13720: data lie on fewer dimensions than noise).

Shapes: b batch, n image tokens of d numbers, m text tokens, c width; times (b,) in [0, 1].
"""

from dataclasses import dataclass

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.backbone import BackboneOutput
from scope.models.text_encoder import MAX_GROUPS, MAX_LETTERS, STATE_DIM, Conditioning
from scope.nn import paths, samplers
from scope.nn.paths import State, Time
from scope.nn.samplers import Velocity
from scope.nn.timesteps import TimestepEmbedder
from scope.nn.transformer import MLP, Attention, attend, qk_norm, to_grid, to_tokens, zero_init

T_MIN = 0.05  # the velocity of an error in x_0 grows as 1 / t; below this it is held


@dataclass
class DiTOutput(BackboneOutput):
    """What the DiT makes of noisy tokens."""

    velocity: Float[Tensor, "b n d"]  # that of x_0
    middle: Float[Tensor, "b n dim"]  # the tokens half way up, on which a trainer may hang another loss


class JointAttention(nn.Module):
    """Attention of image tokens to themselves and to text."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.heads = heads
        self.q, self.kv, self.text_kv, self.out = (nn.Linear(dim, n * dim) for n in (1, 2, 2, 1))

    def forward(
        self, x: Float[Tensor, "b n c"], text: Float[Tensor, "b m c"], mask: Bool[Tensor, "b n+m"]
    ) -> Float[Tensor, "b n c"]:
        """Attend from x to x and text; `mask` is True where a key may be seen."""
        q = rearrange(self.q(x), "b n (h d) -> b h n d", h=self.heads)
        keys = torch.cat([self.kv(x), self.text_kv(text)], 1)
        k, v = rearrange(keys, "b m (two h d) -> two b h m d", two=2, h=self.heads)
        q, k = qk_norm(q, k, v.dtype)
        mixed = attend(q, k, v, mask[:, None, None, :])
        out: Tensor = self.out(rearrange(mixed, "b h n d -> b n (h d)"))
        return out


class ConvFFN(nn.Module):
    """Two 3x3 convolutions over the grid of image tokens."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(dim, dim, 3, padding=1), nn.SiLU(), nn.Conv2d(dim, dim, 3, padding=1))

    def forward(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        """Convolve the grid of x."""
        grid = to_grid(x).contiguous(memory_format=torch.channels_last)
        return to_tokens(self.body(grid))


class DiTBlock(nn.Module):
    """Joint attention, then the convolutions; both scaled, shifted and gated by the time."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attn, self.ffn = JointAttention(dim, heads), ConvFFN(dim)
        self.scale_shift_table = nn.Parameter(torch.zeros(6, dim))

    def forward(
        self,
        x: Float[Tensor, "b n c"],
        modulation: Float[Tensor, "b 6 c"],
        text: Float[Tensor, "b m c"],
        mask: Bool[Tensor, "b n+m"],
    ) -> Float[Tensor, "b n c"]:
        """Move x by attention and convolutions, as much as `modulation` of the time says."""
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation + self.scale_shift_table)[:, :, None].unbind(1)
        h = F.layer_norm(x, x.shape[-1:]) * (1 + scale1) + shift1
        x = x + gate1 * self.attn(h, text, mask)
        h = F.layer_norm(x, x.shape[-1:]) * (1 + scale2) + shift2
        out: Tensor = x + gate2 * self.ffn(h)
        return out


class TextRefinerBlock(nn.Module):
    """Attention and MLP among the text tokens."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attn, self.mlp = Attention(dim, heads), MLP(dim, 2)

    def forward(self, x: Float[Tensor, "b m c"], mask: Bool[Tensor, "b m"]) -> Float[Tensor, "b m c"]:
        """Refine text tokens; `mask` is True where one is."""
        x = x + self.attn(F.layer_norm(x, x.shape[-1:]), mask=mask)
        out: Tensor = x + self.mlp(F.layer_norm(x, x.shape[-1:]))
        return out


class DiT(nn.Module):
    """The network: noisy tokens, times and text -> clean tokens. It is a `scope.models.backbone.Backbone`."""

    def __init__(
        self, d: int = 32, tokens: int = 64, dim: int = 256, depth: int = 5, heads: int = 4, text_depth: int = 2
    ) -> None:
        super().__init__()
        self.dim = dim
        self.embed = nn.Linear(d, dim)
        self.pos_embed = nn.Parameter(torch.randn(1, tokens, dim) * 0.02)
        self.text_embed = nn.Linear(STATE_DIM, dim)
        self.group_embed = nn.Embedding(MAX_GROUPS, dim)
        self.letter_embed = nn.Embedding(256, dim)
        self.letter_pos_embed = nn.Parameter(torch.randn(1, MAX_LETTERS, dim) * 0.02)
        self.text_refiner = nn.ModuleList(TextRefinerBlock(dim, heads) for _ in range(text_depth))
        self.null_text = nn.Parameter(torch.randn(1, 1, dim) * 0.02)
        self.t_embedder = TimestepEmbedder(dim)
        self.adaln = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.blocks = nn.ModuleList(DiTBlock(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.out = zero_init(nn.Linear(dim, d))
        nn.init.normal_(self.group_embed.weight, std=0.5)

    def forward(
        self,
        x_t: Float[Tensor, "b n d"],
        t: Float[Tensor, " b"],
        text: Conditioning,
        cond_mask: Bool[Tensor, " b"] | None = None,
        extra_cond: Float[Tensor, "b dim"] | None = None,
    ) -> DiTOutput:
        """Predict x_0 of tokens x_t at times t.

        Where `cond_mask` is False the text is replaced by one learned token a place (classifier-free guidance).
        `extra_cond` joins the embedding of the time.
        """
        tokens, text_mask = self._text(text, cond_mask)
        mask = torch.cat([torch.ones(x_t.shape[:2], dtype=torch.bool, device=x_t.device), text_mask], 1)
        time = self.t_embedder(t)
        modulation = rearrange(self.adaln(time if extra_cond is None else time + extra_cond), "b (s c) -> b s c", s=6)
        x = middle = self.embed(x_t) + self.pos_embed
        for i, block in enumerate(self.blocks):
            x = block(x, modulation, tokens, mask)
            if i == len(self.blocks) // 2:
                middle = x
        hidden = self.norm(x)
        x_0 = self.out(hidden).float()
        return DiTOutput(x_0, hidden, paths.x0_to_velocity(x_t, x_0, t.clamp_min(T_MIN)), middle)

    def _text(
        self, text: Conditioning, cond_mask: Bool[Tensor, " b"] | None
    ) -> tuple[Float[Tensor, "b m c"], Bool[Tensor, "b m"]]:
        """Return the text tokens, letters after them where any are asked for, and which are there."""
        x, mask = self.text_embed(text.hidden_states.float()) + self.group_embed(text.groups), text.mask
        if text.letters is not None:
            letters = self.letter_embed(text.letters) + self.letter_pos_embed
            x, mask = torch.cat([x, letters], 1), torch.cat([mask, text.letters > 0], 1)
        for block in self.text_refiner:
            x = block(x, mask)
        x = F.layer_norm(x, x.shape[-1:])
        if cond_mask is not None:
            x = torch.where(cond_mask[:, None, None], x, self.null_text.to(x.dtype))
        return x, mask


def velocity_fn(model: DiT, text: Conditioning, cfg_scale: float = 1.0) -> Velocity:
    """Return (x_t (b, n, d), t (b,)) -> v under classifier-free guidance (arXiv 2207.12598); scale 1 has none.

    With and without text, each sample is seen twice in one batch.
    """
    if cfg_scale == 1:
        return lambda x_t, t: model(x_t, t, text).velocity
    b = len(text.mask)
    twice, cond_mask = text.repeat(2), torch.arange(2 * b, device=text.mask.device) < b

    def guided(x_t: State, t: Time) -> State:
        conditional, unconditional = model(x_t.repeat(2, 1, 1), t.repeat(2), twice, cond_mask).velocity.chunk(2)
        return samplers.guided(conditional, unconditional, cfg_scale)

    return guided
