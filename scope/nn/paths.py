"""The straight path between data and noise, in scope's one convention: t = 0 is data, t = 1 is noise.

    x_t = (1 - t) x_0 + t eps        v = dx_t / dt = eps - x_0

At a known x_t and t each of x_0, eps and v says the other two:

    x_0 = x_t - t v                  eps = x_t + (1 - t) v
    v = (x_t - x_0) / t              v = (eps - x_t) / (1 - t)

Other libraries count time otherwise; what converts is here only. flow_matching and PAE have data at t = 1
(`reverse_time`). Schedulers of diffusers call our t sigma, and tell a network `timestep(t)`.
"""

import torch
from jaxtyping import Float, Shaped
from torch import Tensor

State = Float[Tensor, "b *shape"]  # x_0, eps, x_t or v
Time = Float[Tensor, " b"]  # one a sample


def match_dims(t: Shaped[Tensor, "..."], x: Shaped[Tensor, "..."]) -> Shaped[Tensor, "..."]:
    """Return t (a, ...) with dimensions of one added at its end, so that it multiplies x (a, ..., b, c)."""
    return t.view(*t.shape, *[1] * (x.ndim - t.ndim))


def add_noise(x_0: State, eps: State, t: Time) -> State:
    """Return x_t."""
    t = match_dims(t, x_0)
    return (1 - t) * x_0 + t * eps


def velocity(x_0: State, eps: State) -> State:
    """Return v, the target of flow matching."""
    return eps - x_0


def velocity_to_x0(x_t: State, v: State, t: Time) -> State:
    """Return the x_0 that a velocity points from."""
    return x_t - match_dims(t, x_t) * v


def velocity_to_eps(x_t: State, v: State, t: Time) -> State:
    """Return the noise that a velocity points to."""
    return x_t + (1 - match_dims(t, x_t)) * v


def x0_to_velocity(x_t: State, x_0: State, t: Time) -> State:
    """Return the velocity of a predicted x_0, for t > 0."""
    return (x_t - x_0) / match_dims(t, x_t)


def eps_to_velocity(x_t: State, eps: State, t: Time) -> State:
    """Return the velocity of predicted noise, for t < 1."""
    return (eps - x_t) / (1 - match_dims(t, x_t))


def logit_normal(
    count: int, generator: torch.Generator, mean: float = 0.0, std: float = 1.0
) -> Float[Tensor, " {count}"]:
    """Draw times in (0, 1), most of them in the middle (SD3, arXiv 2403.03206, Eq 19)."""
    return torch.sigmoid(mean + std * torch.randn(count, generator=generator))


def timestep(t: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Return what diffusers tells a flow-matching network of the time t: it counts 1000 steps of training."""
    return 1000 * t


def reverse_time(t: Time, v: State) -> tuple[Time, State]:
    """Convert (t, v) between the two conventions; its own inverse."""
    return 1 - t, -v
