"""Times as vectors: what a network is told of how noisy its input is."""

import math

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


def timestep_embedding(t: Float[Tensor, " b"], dim: int) -> Float[Tensor, "b {dim}"]:
    """Return sinusoids (b, dim) of times t (b,) in [0, 1], which count 1000 steps (DDPM, arXiv 2006.11239)."""
    rates = torch.exp(-math.log(10_000) * torch.arange(dim // 2, device=t.device) / (dim // 2))
    angles = 1000 * t.float()[:, None] * rates
    return torch.cat([angles.cos(), angles.sin()], -1)


class TimestepEmbedder(nn.Module):
    """An MLP on the sinusoids of a time, as in DiT (arXiv 2212.09748)."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.dim = dim
        self.fc1, self.fc2 = nn.Linear(dim, dim), nn.Linear(dim, dim)

    def forward(self, t: Float[Tensor, " b"]) -> Float[Tensor, "b {self.dim}"]:
        """Take times t (b,) in [0, 1]; return (b, dim)."""
        out: Tensor = self.fc2(F.silu(self.fc1(timestep_embedding(t, self.dim).to(self.fc1.weight.dtype))))
        return out
