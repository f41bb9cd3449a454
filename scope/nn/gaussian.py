"""Diagonal Gaussians, and the guidance that is exact for them."""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

HALF_LOG_TAU = 0.5 * math.log(2 * math.pi)


class Gaussian(NamedTuple):
    """N(mean, exp(log_sigma)^2), each entry on its own."""

    mean: Float[Tensor, "*shape"]
    log_sigma: Float[Tensor, "*#shape"]

    def at(self, z: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
        """Return the sample that standard noise `z` stands for."""
        return self.mean + self.log_sigma.exp() * z

    def nll(self, x: Float[Tensor, "b ..."]) -> Float[Tensor, " b"]:
        """Return -log density of x (b, ...) in nats, summed over all but the first dimension."""
        z = (x - self.mean) * torch.exp(-self.log_sigma)
        return (0.5 * z.square() + self.log_sigma + HALF_LOG_TAU).flatten(1).sum(1)


def guided(conditional: Gaussian, unconditional: Gaussian, cfg_scale: float) -> Gaussian:
    """Return p_c^{1 + w} / p_u^w, normalised, for w = cfg_scale - 1 (NTM, arXiv 2605.08078, C.5).

    Where the conditional is the wider of the two, their widths count as equal, so that the quotient has a width.
    """
    w = cfg_scale - 1
    ratio = (2 * (conditional.log_sigma - unconditional.log_sigma)).exp().clamp_max(1)
    precision = 1 + w - w * ratio
    mean = ((1 + w) * conditional.mean - w * ratio * unconditional.mean) / precision
    return Gaussian(mean, conditional.log_sigma - 0.5 * precision.log())
