"""Samplers: pure functions of (velocity field, noise, times). Times fall from 1 (noise) to 0 (data).

    ODE   dx = v dt                                                                       (euler, heun)
    SDE   dx = [v + g^2 / (2 t) (x + (1 - t) v)] dt + g dw,   g = a sqrt(t / (1 - t))     (sde)

The SDE is Flow-GRPO's (arXiv 2505.05470, Eq 8 and 9): time runs down, and its pictures are distributed as those of the
ODE. Each of its steps is a Gaussian, whose density a policy gradient asks for.
"""

from collections.abc import Callable
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor

from scope.nn.gaussian import Gaussian
from scope.nn.paths import State, Time

Velocity = Callable[[State, Time], State]  # (x_t, t) -> v
OnStep = Callable[[int, int], None]
Times = Float[Tensor, " times"]  # falling from 1 to 0
Sampler = Callable[[Velocity, State, Times, OnStep | None], State]  # (velocity_fn, noise, times, on_step) -> x_0


def times(steps: int, shift: float = 1.0) -> Times:
    """Return steps + 1 times from 1 to 0; shift > 1 spends more of them near the noise (SD3, Eq 23)."""
    t = torch.linspace(1, 0, steps + 1, dtype=torch.float64)
    return (shift * t / (1 + (shift - 1) * t)).float()


def euler(
    velocity_fn: Velocity,
    x: State,
    schedule: Times,
    on_step: OnStep | None = None,
) -> State:
    """Integrate with Euler steps; global error is of first order."""
    for i, (t, s) in enumerate(pairwise(schedule)):
        x = x + (s - t) * velocity_fn(x, t.expand(len(x)).to(x.device))
        if on_step:
            on_step(i + 1, len(schedule) - 1)
    return x


def heun(
    velocity_fn: Velocity,
    x: State,
    schedule: Times,
    on_step: OnStep | None = None,
) -> State:
    """Integrate with Heun steps, two evaluations each; global error is of second order.

    The last step is Euler's (EDM, arXiv 2206.00364, Algorithm 1): a network that predicts x_0 has no velocity at t = 0.
    """
    for i, (t, s) in enumerate(pairwise(schedule)):
        first = velocity_fn(x, t.expand(len(x)).to(x.device))
        ahead = x + (s - t) * first
        x = x + (s - t) * (first + velocity_fn(ahead, s.expand(len(x)).to(x.device))) / 2 if s > 0 else ahead
        if on_step:
            on_step(i + 1, len(schedule) - 1)
    return x


def sde_step(x: State, v: State, t: float, s: float, a: float) -> Gaussian:
    """Return the distribution of x_s given x_t = x (b, ...) and its velocity v, for s < t.

    Its gradient is that of v: with v of the policy, `-sde_step(...).nll(x_s)` is the log-probability of a step that was
    taken. Where `a` is 0, the mean is Euler's step and there is no density. At t = 1, where g is infinite, 1 - s stands
    for 1 - t, as in Flow-GRPO's code.
    """
    g_squared = a**2 * t / (1 - (s if t == 1 else t))
    mean = x + (s - t) * (v + g_squared / (2 * t) * (x + (1 - t) * v))
    return Gaussian(mean, 0.5 * x.new_tensor(g_squared * (t - s)).log())


def sde(
    velocity_fn: Velocity,
    x: State,
    schedule: Times,
    noise: torch.Generator,
    a: float = 0.7,
    on_step: OnStep | None = None,
) -> Float[Tensor, "states b ..."]:
    """Walk down the SDE; return all states (steps + 1, b, ...), the noise first and the data last.

    `noise` is a generator of the CPU: every device walks alike.
    """
    states = [x]
    for i, (t, s) in enumerate(pairwise(schedule.tolist())):
        step = sde_step(x, velocity_fn(x, x.new_full((len(x),), t)), t, s, a)
        x = step.at(torch.randn(x.shape, generator=noise, dtype=x.dtype).to(x.device))
        states.append(x)
        if on_step:
            on_step(i + 1, len(schedule) - 1)
    return torch.stack(states)


def guided(
    conditional: Float[Tensor, "*shape"], unconditional: Float[Tensor, "*shape"], cfg_scale: float
) -> Float[Tensor, "*shape"]:
    """Return classifier-free guidance; scale 1 is the conditional itself (arXiv 2207.12598)."""
    return unconditional + cfg_scale * (conditional - unconditional)
