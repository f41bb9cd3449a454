"""The straight path between data and noise, in scope's one convention: t = 0 is data, t = 1 is noise.

    x_t = (1 - t) x_0 + t eps        v = dx_t / dt = eps - x_0

Other libraries count time otherwise; what converts is here only. flow_matching and PAE have data at t = 1
(`reverse_time`). Schedulers of diffusers call our t sigma, and tell a network `timestep(t)`.
"""

import torch
from torch import Tensor


def add_noise(x_0: Tensor, eps: Tensor, t: Tensor) -> Tensor:
    """Return x_t; t (b,) in [0, 1]."""
    t = t.view(-1, *[1] * (x_0.ndim - 1))
    return (1 - t) * x_0 + t * eps


def velocity(x_0: Tensor, eps: Tensor) -> Tensor:
    """Return v, the target of flow matching."""
    return eps - x_0


def velocity_to_x0(x_t: Tensor, v: Tensor, t: Tensor) -> Tensor:
    """Return the x_0 that a velocity points at."""
    return x_t - t.view(-1, *[1] * (x_t.ndim - 1)) * v


def logit_normal(count: int, generator: torch.Generator, mean: float = 0.0, std: float = 1.0) -> Tensor:
    """Draw times in (0, 1), most of them in the middle (SD3, arXiv 2403.03206, Eq 19)."""
    return torch.sigmoid(mean + std * torch.randn(count, generator=generator))


def timestep(t: Tensor) -> Tensor:
    """Return what diffusers tells a flow-matching network of the time t: it counts 1000 steps of training."""
    return 1000 * t


def reverse_time(t: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
    """Convert (t, v) between the two conventions; its own inverse."""
    return 1 - t, -v
