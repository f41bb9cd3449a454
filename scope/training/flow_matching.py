"""What flow-matching recipes (arXiv 2210.02747) do with clean data: noise it, drop texts, take the error of v."""

from dataclasses import dataclass

import torch
from torch import Tensor

from scope.nn import paths


@dataclass(frozen=True)
class PathSample:
    """Points x_t of straight paths at times t (b,), and the velocities there."""

    x_t: Tensor
    t: Tensor
    velocity: Tensor


def sample_path(x_0: Tensor, noise: torch.Generator, mean: float = 0.0, std: float = 1.0) -> PathSample:
    """Return a point on the way from each of x_0 to noise, logit t being normal with this mean and deviation."""
    eps = torch.randn(x_0.shape, generator=noise).to(x_0.device)
    t = paths.logit_normal(len(x_0), noise, mean, std).to(x_0.device)
    return PathSample(paths.add_noise(x_0, eps, t), t, paths.velocity(x_0, eps))


def sample_cond_mask(n: int, drop: float, noise: torch.Generator) -> Tensor:
    """Return which of n samples (n,) read their text; the others teach the model to draw without (arXiv 2207.12598)."""
    return torch.rand(n, generator=noise) >= drop


def flow_loss(v: Tensor, velocity: Tensor, weight: Tensor | None = None) -> Tensor:
    """Return the squared error of a predicted velocity: its mean, weighted by `weight` (b, n, 1) where given."""
    error = (v - velocity).square()
    return error.mean() if weight is None else (error * weight).sum() / weight.expand_as(error).sum()
