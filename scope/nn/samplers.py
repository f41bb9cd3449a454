"""Samplers: pure functions of (velocity field, noise, times). Times fall from 1 (noise) to 0 (data)."""

from collections.abc import Callable
from itertools import pairwise

import torch
from torch import Tensor

Velocity = Callable[[Tensor, Tensor], Tensor]  # (x_t (b, ...), t (b,)) -> v
OnStep = Callable[[int, int], None]


def times(steps: int, shift: float = 1.0) -> Tensor:
    """Return steps + 1 times from 1 to 0; shift > 1 spends more of them near the noise (SD3, Eq 23)."""
    t = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    return (shift * t / (1 + (shift - 1) * t)).float()


def euler(field: Velocity, x: Tensor, schedule: Tensor, on_step: OnStep | None = None) -> Tensor:
    """Integrate with Euler steps; global error is of first order."""
    for i, (t, s) in enumerate(pairwise(schedule)):
        x = x + (s - t) * field(x, t.expand(len(x)).to(x.device))
        if on_step:
            on_step(i + 1, len(schedule) - 1)
    return x


def heun(field: Velocity, x: Tensor, schedule: Tensor, on_step: OnStep | None = None) -> Tensor:
    """Integrate with Heun steps, two evaluations each; global error is of second order."""
    for i, (t, s) in enumerate(pairwise(schedule)):
        first = field(x, t.expand(len(x)).to(x.device))
        ahead = x + (s - t) * first
        x = x + (s - t) * (first + field(ahead, s.expand(len(x)).to(x.device))) / 2
        if on_step:
            on_step(i + 1, len(schedule) - 1)
    return x


def guided(conditional: Tensor, unconditional: Tensor, cfg_scale: float) -> Tensor:
    """Return classifier-free guidance; scale 1 is the conditional itself (arXiv 2207.12598)."""
    return unconditional + cfg_scale * (conditional - unconditional)
