"""The smallest world in which a reverse step is no Gaussian: 16 numbers that agree on one of two modes.

    x_0 = y m + sd eps,  y = -1 or 1 for all tokens alike

Each step x_s | x_t of a noising chain (t = 0 clean, t = 1 noise) is then a mixture of two Gaussians with one width and
known weights, so its density, its entropy and how far the best diagonal Gaussian is from it are known:

    p(x_s | x_t) = sum over y of p(y | x_t) N(x_s; (1 - s) y m + r (x_t - (1 - t) y m), v),   r = a v_s / v_t,
    v_t = (1 - t)^2 sd^2 + t^2,   v = v_s - r^2 v_t,   a = (1 - t) / (1 - s)
    d = (1 - s - r (1 - t)) m,  half of the distance of the two means in one token

The best diagonal Gaussian has the mixture's mean and, in each token, its variance v + 4 p (1 - p) d^2. The KL
divergence from it is an integral over the one direction in which the modes lie apart: the sum of the tokens. The
log-odds of the right mode, after x_t and n tokens of x_s, are N(V / 2, V) with
V = 4 n_t (1 - t)^2 m^2 / v_t + 4 n d^2 / v.
"""

import math
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

_LOG_TAU = math.log(2 * math.pi)


@dataclass(frozen=True)
class Step:
    """The constants of x_s | x_t: see the module."""

    r: float
    v: float
    d: float  # half of the distance of the modes' means in one token
    v_t: float


@dataclass(frozen=True)
class TwoModes:
    """The world; states are (b, tokens, 1)."""

    tokens: int = 16
    m: float = 0.5
    sd: float = 0.1

    def draw(self, count: int, generator: torch.Generator) -> Tensor:
        """Return clean samples."""
        y = torch.randint(2, (count, 1, 1), generator=generator) * 2 - 1
        return self.m * y + self.sd * torch.randn(count, self.tokens, 1, generator=generator)

    def step(self, t: float, s: float) -> Step:
        """Return the constants of x_s | x_t for s < t."""
        v_s, v_t = ((1 - at) ** 2 * self.sd**2 + at**2 for at in (s, t))
        r = (1 - t) / (1 - s) * v_s / v_t
        return Step(r, v_s - r**2 * v_t, (1 - s - r * (1 - t)) * self.m, v_t)

    def nll(self, x_s: Tensor, x_t: Tensor, t: float, s: float) -> Tensor:
        """Return the exact -log p(x_s | x_t) in nats, (b,)."""
        step, center = self.step(t, s), (1 - s) * self.m
        y = torch.tensor([1.0, -1.0], dtype=x_s.dtype)
        mode = torch.nn.functional.logsigmoid(y * self._log_odds(x_t, t)[:, None])
        mean = y * center + step.r * (x_t[:, :, 0, None] - y * (1 - t) * self.m)
        inside = -0.5 * ((x_s[:, :, 0, None] - mean).square() / step.v + math.log(step.v) + _LOG_TAU).sum(1)
        return -(mode + inside).logsumexp(1)

    def _log_odds(self, x_t: Tensor, t: float) -> Tensor:
        return 2 * (1 - t) * self.m * x_t.sum((1, 2)) / self.step(t, 0.0).v_t

    def gaussian_kl(self, times: list[float]) -> float:
        """Return the KL in nats from the best diagonal Gaussian, over a trajectory whose rising times end at 1."""
        return sum(self._gaussian_kl(t, s, 0, self.tokens) for s, t in pairwise(times))

    def autoregressive_gaussian_kl(self, times: list[float]) -> float:
        """Return the KL in nats from the best Gaussian that is given x_t and, token by token, those of x_s before."""
        return sum(self._gaussian_kl(t, s, n, 1) for s, t in pairwise(times) for n in range(self.tokens))

    def _gaussian_kl(self, t: float, s: float, known: int, tokens: int) -> float:
        """Return the KL from one diagonal Gaussian of `tokens` tokens where `known` tokens of x_s are given."""
        step = self.step(t, s)
        variance = 4 * (self.tokens * ((1 - t) * self.m) ** 2 / step.v_t + known * step.d**2 / step.v)
        z = np.linspace(-8, 8, 241)
        p = 1 / (1 + np.exp(-variance / 2 - math.sqrt(variance) * z))
        separation = step.d / math.sqrt(step.v)
        entropy = 0.5 * tokens * np.log1p(4 * p * (1 - p) * separation**2)
        kl = entropy - _mixture_entropy(p, math.sqrt(tokens) * separation)
        return float(np.trapezoid(_normal_pdf(z) * kl, z))


def _normal_pdf(x: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return the density of N(0, 1)."""
    return np.exp(-0.5 * (np.square(x) + _LOG_TAU))


def _mixture_entropy(p: NDArray[np.float64], separation: float) -> NDArray[np.float64]:
    """Return the entropy in nats of p N(separation, 1) + (1 - p) N(-separation, 1), less that of N(0, 1)."""
    x = np.linspace(-separation - 8, separation + 8, 801)
    density = p[:, None] * _normal_pdf(x - separation) + (1 - p[:, None]) * _normal_pdf(x + separation)
    entropy = -np.trapezoid(density * np.log(np.maximum(density, 1e-300)), x, axis=1)
    return np.asarray(entropy - 0.5 * (_LOG_TAU + 1))
