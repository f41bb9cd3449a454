"""The learned layout: a small flow over box slots, from a prompt to where its things stand.

A slot is centre x and y, width and height as shares of the picture, and whose it is: the number of the group of words
that names it, or nobody's. Slots have no order but their own position. The same path, samplers and training loop as for
pictures; the network predicts x_0 (bound_dit.py has its source) and reads the prompt's tokens with their groups.

Shapes: b batch, s slots of `SLOT` numbers, m text tokens, c width; times (b,) in [0, 1].
"""

import torch
from einops import rearrange
from jaxtyping import Float, Integer
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.dit import JointAttention, TextRefinerBlock
from scope.models.text_encoder import MAX_GROUPS, STATE_DIM, Conditioning
from scope.nn import paths
from scope.nn.paths import State, Time
from scope.nn.samplers import Velocity
from scope.nn.timesteps import TimestepEmbedder
from scope.nn.transformer import MLP, zero_init

SLOTS = 16
SLOT = 4 + MAX_GROUPS  # box; one number a group, the first for nobody's
T_MIN = 0.05
#: How far from zero boxes and groups lie in x_0: about as far as unit noise.
_BOX_SCALE, _GROUP_SCALE = 3.5, 1.5


def to_slots(boxes: Float[Tensor, "b s 4"], groups: Integer[Tensor, "b s"]) -> Float[Tensor, "b s slot"]:
    """Return boxes (x0, y0, x1, y1) of groups (0: an empty slot, whose box is not read) as x_0."""
    corner, end = boxes[..., :2], boxes[..., 2:]
    box = torch.cat([(corner + end) / 2 - 0.5, end - corner - 0.3], -1) * _BOX_SCALE
    box = torch.where((groups > 0)[..., None], box, 0.0)
    owner = (2 * F.one_hot(groups, MAX_GROUPS).to(box.dtype) - 1) * _GROUP_SCALE
    return torch.cat([box, owner], -1)


def from_slots(x_0: Float[Tensor, "b s slot"]) -> tuple[Float[Tensor, "b s 4"], Integer[Tensor, "b s"]]:
    """Return the boxes within the picture and their groups; the inverse of `to_slots` where a slot is somebody's."""
    box = x_0[..., :4] / _BOX_SCALE
    middle, side = box[..., :2] + 0.5, (box[..., 2:] + 0.3).clamp(0.05, 1.0)
    middle = torch.minimum(torch.maximum(middle, side / 2), 1 - side / 2)
    return torch.cat([middle - side / 2, middle + side / 2], -1), x_0[..., 4:].argmax(-1)


class LayoutBlock(nn.Module):
    """Attention of slots to slots and text, then an MLP; both scaled, shifted and gated by the time."""

    def __init__(self, dim: int, heads: int) -> None:
        super().__init__()
        self.attn, self.mlp = JointAttention(dim, heads), MLP(dim)
        self.scale_shift_table = nn.Parameter(torch.zeros(6, dim))

    def forward(self, x: Tensor, modulation: Tensor, text: Tensor, mask: Tensor) -> Float[Tensor, "b s c"]:
        """Move the slots x (b, s, c) as much as `modulation` (b, 6, c) of the time says."""
        shift1, scale1, gate1, shift2, scale2, gate2 = (modulation + self.scale_shift_table)[:, :, None].unbind(1)
        x = x + gate1 * self.attn(F.layer_norm(x, x.shape[-1:]) * (1 + scale1) + shift1, text, mask)
        out: Tensor = x + gate2 * self.mlp(F.layer_norm(x, x.shape[-1:]) * (1 + scale2) + shift2)
        return out


class LayoutFlow(nn.Module):
    """The network."""

    def __init__(self, dim: int = 192, depth: int = 4, heads: int = 4, text_depth: int = 1) -> None:
        super().__init__()
        self.embed, self.pos_embed = nn.Linear(SLOT, dim), nn.Parameter(torch.randn(1, SLOTS, dim) * 0.5)
        self.text_embed, self.group_embed = nn.Linear(STATE_DIM, dim), nn.Embedding(MAX_GROUPS, dim)
        self.text_refiner = nn.ModuleList(TextRefinerBlock(dim, heads) for _ in range(text_depth))
        self.t_embedder = TimestepEmbedder(dim)
        self.adaln = nn.Sequential(nn.SiLU(), nn.Linear(dim, 6 * dim))
        self.blocks = nn.ModuleList(LayoutBlock(dim, heads) for _ in range(depth))
        self.norm, self.out = nn.LayerNorm(dim), zero_init(nn.Linear(dim, SLOT))

    def forward(
        self, x_t: Float[Tensor, "b s slot"], t: Float[Tensor, " b"], text: Conditioning
    ) -> Float[Tensor, "b s slot"]:
        """Predict x_0 of slots x_t at times t."""
        words = self.text_embed(text.hidden_states.float()) + self.group_embed(text.groups)
        for block in self.text_refiner:
            words = block(words, text.mask)
        words = F.layer_norm(words, words.shape[-1:])
        mask = torch.cat([text.mask.new_ones(x_t.shape[:2]), text.mask], 1)
        modulation = rearrange(self.adaln(self.t_embedder(t)), "b (s c) -> b s c", s=6)
        x = self.embed(x_t) + self.pos_embed
        for block in self.blocks:
            x = block(x, modulation, words, mask)
        out: Tensor = self.out(self.norm(x)).float()
        return out


def velocity_fn(model: LayoutFlow, text: Conditioning) -> Velocity:
    """Return (x_t (b, s, slot), t (b,)) -> v."""

    def velocity(x_t: State, t: Time) -> State:
        return paths.x0_to_velocity(x_t, model(x_t, t, text), t.clamp_min(T_MIN))

    return velocity
