"""A diffusion transformer over latent cells, bound to regions: it reads no prompt, only what each cell is to show.

DiT (arXiv 2212.09748) with one adaLN for all blocks and a learned offset a block (adaLN-single of PixArt-alpha, arXiv
2310.00426, section 2.3); a depth-wise convolution in the MLP passes on what neighbouring cells show. What cells hear of
their regions (binding.py) joins them at the input, and its sketch goes straight to the output: what a cell shows is
mostly decided there, and the transformer makes it one picture. The network predicts x_0; the velocity of flow matching
is (x_t - x_0) / t (arXiv 2511.13720).

Shapes: b batch, n cells of d numbers, c width; times (b,) in [0, 1].
"""

import torch
from einops import rearrange
from jaxtyping import Bool, Float
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.backbone import BackboneOutput
from scope.models.binding import HEARD, Heard
from scope.nn import paths
from scope.nn.paths import State, Time
from scope.nn.samplers import Velocity
from scope.nn.timesteps import TimestepEmbedder
from scope.nn.transformer import Attention, to_grid, to_tokens, zero_init

T_MIN = 0.05  # the velocity of an error in x_0 grows as 1 / t; below this it is held


class ConvMLP(nn.Module):
    """Two layers with a depth-wise 3x3 convolution over the grid of cells between them."""

    def __init__(self, dim: int, ratio: int = 4) -> None:
        super().__init__()
        self.fc1, self.fc2 = nn.Linear(dim, ratio * dim), nn.Linear(ratio * dim, dim)
        self.conv = nn.Conv2d(ratio * dim, ratio * dim, 3, padding=1, groups=ratio * dim)

    def forward(self, x: Float[Tensor, "b n c"]) -> Float[Tensor, "b n c"]:
        """Apply to the grid of x."""
        h = self.fc1(x)
        h = h + to_tokens(self.conv(to_grid(h).contiguous(memory_format=torch.channels_last)))
        out: Tensor = self.fc2(F.gelu(h, approximate="tanh"))
        return out


class BoundBlock(nn.Module):
    """Attention among cells, then the MLP; both scaled, shifted and gated by the time."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attn, self.mlp = Attention(dim, heads), ConvMLP(dim)
        self.scale_shift_table = nn.Parameter(torch.zeros(6, dim))

    def forward(self, x: Float[Tensor, "b n c"], modulation: Float[Tensor, "b 6 c"]) -> Float[Tensor, "b n c"]:
        """Move x as much as `modulation` of the time says."""
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation + self.scale_shift_table)[:, :, None].unbind(1)
        x = x + gate1 * self.attn(F.layer_norm(x, x.shape[-1:]) * (1 + scale1) + shift1)
        out: Tensor = x + gate2 * self.mlp(F.layer_norm(x, x.shape[-1:]) * (1 + scale2) + shift2)
        return out


class BoundDiT(nn.Module):
    """The network. It is a `scope.models.backbone.Backbone`, whose text is what cells hear."""

    def __init__(
        self, d: int, side: int = 8, dim: int = 256, depth: int = 3, heads: int = 4, sketched: bool = True
    ) -> None:
        """`sketched`: what it says comes on top of the sketch, and not of nothing."""
        super().__init__()
        self.d, self.side, self.dim, self.sketched = d, side, dim, sketched
        self.embed, self.hear = nn.Linear(d, dim), nn.Linear(HEARD, dim)
        self.pos_embed = nn.Parameter(torch.randn(1, side * side, dim) * 0.02)
        self.t_embedder = TimestepEmbedder(dim)
        self.adaln = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.blocks = nn.ModuleList(BoundBlock(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.out = zero_init(nn.Linear(dim, d))

    def forward(
        self,
        x_t: Float[Tensor, "b n d"],
        t: Float[Tensor, " b"],
        heard: Heard,
        cond_mask: Bool[Tensor, " b"] | None = None,
        extra_cond: Float[Tensor, "b dim"] | None = None,
    ) -> BackboneOutput:
        """Predict x_0 of cells x_t at times t: the sketch, and what it lacks.

        `extra_cond` joins the embedding of the time. There is no guidance, so `cond_mask` is not read: without its
        regions there is nothing that the network could draw.
        """
        time = self.t_embedder(t)
        modulation = rearrange(self.adaln(time if extra_cond is None else time + extra_cond), "b (s c) -> b s c", s=6)
        x = self.embed(x_t) + self.pos_embed + self.hear(heard.cells)
        for block in self.blocks:
            x = block(x, modulation)
        last = self.norm(x)
        more = self.out(last).float()
        return BackboneOutput(heard.x_0 + more if self.sketched else more, last)


def velocity_fn(model: BoundDiT, heard: Heard) -> Velocity:
    """Return (x_t (b, n, d), t (b,)) -> v."""

    def velocity(x_t: State, t: Time) -> State:
        return paths.x0_to_velocity(x_t, model(x_t, t, heard).x_0, t.clamp_min(T_MIN))

    return velocity
