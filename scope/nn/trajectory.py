"""The trajectory of NTM (Normalizing Trajectory Models, arXiv 2605.08078): its times, its chain, its denoising.

    times      s_k = k / T,  t_k = e^m / (e^m + 1 / s_k - 1),  m = 0.5 + 0.65 (n - 256) / 3840        (C.4)
    marginal   q(x_t | x_0) = N((1 - t) x_0, t^2)
    chain      x_t = a x_s + sigma eps,  a = (1 - t) / (1 - s),  sigma^2 = t^2 - a^2 s^2                 (2.3)
    posterior  q(x_s | x_t, x_0) = N(A x_t + B x_0, C^2)                                             (A.9-12)
    denoising  x_0 = (x_i - sum_j S_ij grad_j L) / (1 - t_i),  L = -log p(x_0..x_T)          (3.5, Algorithm 3)
               S_ij = min^2 (1 - max) / (1 - min) of t_i, t_j: the covariance of the noise of two states

t = 0 is clean, t = 1 is noise. Table 3 of the paper disagrees with its own A.9-12; the formulas are right.
Shapes: b batch, n tokens, c channels; K + 1 states of a trajectory come first, the cleanest at index 0.
"""

import math
from typing import NamedTuple

import torch
from jaxtyping import Float
from torch import Tensor

from scope.nn.gaussian import Gaussian
from scope.nn.paths import add_noise, match_dims


class Posterior(NamedTuple):
    """The factors of q(x_s | x_t, x_0) = N(A x_t + B x_0, C^2), each like t and s."""

    A: Float[Tensor, "*shape"]
    B: Float[Tensor, "*shape"]
    C: Float[Tensor, "*shape"]


def times(T: int, tokens: int, t_min: Float[Tensor, " b"], shift: float | None = None) -> Float[Tensor, "{T}+1 b"]:
    """Return the T + 1 times of each sample, (T + 1, b), rising from `t_min` (b,) to 1; `shift` in place of e^m."""
    even = torch.arange(1, T + 1, device=t_min.device, dtype=torch.float64) / T
    shift = math.exp(0.5 + 0.65 * (tokens - 256) / 3840) if shift is None else shift
    shifted = shift / (shift + 1 / even - 1)
    return torch.cat([t_min[None], shifted.to(t_min.dtype)[:, None].expand(T, len(t_min))])


def forward_step(
    t: Float[Tensor, "*shape"], s: Float[Tensor, "*shape"]
) -> tuple[Float[Tensor, "*shape"], Float[Tensor, "*shape"]]:
    """Return (a, sigma) of q(x_t | x_s) = N(a x_s, sigma^2) for s < t."""
    a = (1 - t) / (1 - s)
    return a, (t.square() - (a * s).square()).sqrt()


def posterior(t: Float[Tensor, "*shape"], s: Float[Tensor, "*shape"]) -> Posterior:
    """Return the posterior of x_s for s < t."""
    between = (t - s) * (t + s - 2 * t * s) / (t.square() * (1 - s))
    return Posterior(s.square() * (1 - t) / (t.square() * (1 - s)), between, s * (between / (1 - s)).sqrt())


def chain(
    x_0: Float[Tensor, "b n c"], t: Float[Tensor, "states b"], eps: Float[Tensor, "states b n c"]
) -> Float[Tensor, "states b n c"]:
    """Return the states (K + 1, b, n, c) at times t (K + 1, b), each made from the one before it."""
    states = [add_noise(x_0, eps[0], t[0])]
    for k in range(1, len(t)):
        a, sigma = forward_step(t[k], t[k - 1])
        states.append(match_dims(a, x_0) * states[-1] + match_dims(sigma, x_0) * eps[k])
    return torch.stack(states)


def forward_nll(x: Float[Tensor, "states b n c"], t: Float[Tensor, "states b"]) -> Float[Tensor, "states-1 b"]:
    """Return -log q(x_{k+1} | x_k) in nats, (K, b), of states (K + 1, b, n, c)."""
    a, sigma = forward_step(t[1:], t[:-1])
    steps = Gaussian(match_dims(a, x) * x[:-1], match_dims(sigma, x).log().expand_as(x[1:]))
    return Gaussian(*(part.flatten(0, 1) for part in steps)).nll(x[1:].flatten(0, 1)).view(a.shape)


def noise_covariance(t: Float[Tensor, "K b"]) -> Float[Tensor, "K K b"]:
    """Return S (K, K, b) of times t (K, b) below 1."""
    low, high = torch.minimum(t[:, None], t[None]), torch.maximum(t[:, None], t[None])
    return low.square() * (1 - high) / (1 - low)


def denoised(
    x: Float[Tensor, "K b n c"], gradient: Float[Tensor, "K b n c"], t: Float[Tensor, "K b"]
) -> Float[Tensor, "K b n c"]:
    """Return what each state says of x_0, (K, b, n, c); `gradient` is that of -log p of the whole trajectory.

    All rows of an exact model are equal, so how far they spread tells how far a model is from exact. The state at
    t = 1 is left out: it says nothing of x_0, and nothing that the others need.
    """
    moved = torch.einsum("ijb,jbnc->ibnc", noise_covariance(t), gradient)
    return (x - moved) / (1 - match_dims(t, x))
