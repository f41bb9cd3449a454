"""The SDE sampler against Euler, closed forms and torch's own densities; the conventions of diffusers against its own.

Data are N(M, C^2) in one dimension, whose velocity is known: v = -M + (t - (1 - t) C^2) / ((1 - t)^2 C^2 + t^2)
(x - (1 - t) M).
"""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor

from scope.nn import paths, samplers

M, C = 0.8, 0.5


def exact(x: Tensor, t: Tensor) -> Tensor:
    """The velocity of the Gaussian data."""
    t = t.view(-1, *[1] * (x.ndim - 1)).to(x.dtype)
    variance = (1 - t) ** 2 * C**2 + t**2
    return -M + (t - (1 - t) * C**2) / variance * (x - (1 - t) * M)


def moments(a: float, times: Tensor) -> tuple[float, float]:
    """Mean and variance at t = 0 of infinitely many chains that start as the noised data are at the first time.

    Each step is linear in x, so two points tell all of it.
    """
    t = float(times[0])
    mean, variance = (1 - t) * M, (1 - t) ** 2 * C**2 + t**2
    for t, s in pairwise(times.double().tolist()):
        x = torch.tensor([[0.0], [1.0]], dtype=torch.float64)
        step = samplers.sde_step(x, exact(x, torch.full((2,), t, dtype=torch.float64)), t, s, a)
        at_0, at_1 = step.mean.flatten().tolist()
        mean, variance = at_0 + (at_1 - at_0) * mean, (at_1 - at_0) ** 2 * variance + float(step.log_sigma.exp()) ** 2
    return mean, variance


def test_without_noise_the_sde_is_euler_bit_for_bit() -> None:
    x, noise = torch.randn(4, 3, 2, 2), torch.Generator().manual_seed(0)
    times = samplers.times(7, shift=3.0)
    field = lambda x, t: torch.sin(3 * x + t.view(-1, 1, 1, 1))  # noqa: E731
    assert torch.equal(samplers.sde(field, x, times, noise, a=0.0)[-1], samplers.euler(field, x, times))


@pytest.mark.parametrize("a", [0.0, 0.3, 0.7, 1.0])
def test_sde_chains_keep_the_ode_marginals_to_first_order(a: float) -> None:
    """From t = 0.9 on, where nothing is singular. At a = 0 the chains are the ODE's."""
    found = [moments(a, torch.linspace(0.9, 0, n + 1, dtype=torch.float64)) for n in (128, 256)]
    assert all(mean == pytest.approx(M) for mean, _ in found)
    errors = [abs(variance - C**2) for _, variance in found]
    assert math.log2(errors[0] / errors[1]) == pytest.approx(1, abs=0.2)


@pytest.mark.parametrize("a", [0.3, 0.7, 1.0])
def test_error_of_finite_noise_at_time_1_is_forgotten(a: float) -> None:
    mean, variance = moments(a, samplers.times(512))
    assert mean == pytest.approx(M)
    assert variance == pytest.approx(C**2, abs=2e-3)


def test_chains_have_the_moments_of_their_steps() -> None:
    n, steps, a = 40_000, 24, 0.7
    noise = torch.Generator().manual_seed(1)
    x = torch.randn((n, 1), generator=noise)
    states = samplers.sde(exact, x, samplers.times(steps), noise, a)
    assert states.shape == (steps + 1, n, 1)
    assert torch.equal(states[0], x)
    mean, variance = moments(a, samplers.times(steps))
    assert float(states[-1].mean()) == pytest.approx(mean, abs=5 * C / n**0.5)
    assert float(states[-1].var()) == pytest.approx(variance, rel=5 * (2 / n) ** 0.5)


@pytest.mark.parametrize(("t", "s"), [(1.0, 0.9), (0.6, 0.45), (0.1, 0.0)])
def test_step_density_and_gradient_equal_torch(t: float, s: float) -> None:
    torch.manual_seed(2)
    x, taken = torch.randn(3, 4, 2, dtype=torch.float64), torch.randn(3, 4, 2, dtype=torch.float64)
    v = torch.randn(3, 4, 2, dtype=torch.float64, requires_grad=True)
    a, g = 0.7, 0.7 * (t / (1 - min(t, 0.9))) ** 0.5  # at t = 1, the next time is 0.9
    mean = x + (v + g**2 / (2 * t) * (x + (1 - t) * v)) * (s - t)
    theirs = torch.distributions.Normal(mean, g * (t - s) ** 0.5).log_prob(taken).sum((1, 2))
    ours = -samplers.sde_step(x, v, t, s, a).nll(taken)
    assert torch.allclose(ours, theirs)
    gradients = [torch.autograd.grad(log_prob.sum(), v, retain_graph=True)[0] for log_prob in (ours, theirs)]
    assert torch.allclose(*gradients)
    assert float(gradients[0].abs().max()) > 0


def test_replayed_states_give_the_density_of_their_noise() -> None:
    """The ratio of a policy gradient is 1 before the first update."""
    noise, again = torch.Generator().manual_seed(3), torch.Generator().manual_seed(3)
    x, times = torch.ones(5, 2, dtype=torch.float64), samplers.times(6, shift=3.0)
    states = samplers.sde(exact, x, times, noise)
    for i, (t, s) in enumerate(pairwise(times.tolist())):
        step = samplers.sde_step(states[i], exact(states[i], torch.full((5,), t)), t, s, 0.7)
        z = torch.randn((5, 2), generator=again, dtype=torch.float64)
        expected = torch.distributions.Normal(0, 1).log_prob(z).sum(1) - 2 * step.log_sigma
        assert torch.allclose(-step.nll(states[i + 1]), expected)


def test_no_sampler_asks_for_a_velocity_at_time_0() -> None:
    """Where a network predicts x_0, v = (x - x_0) / t has no meaning there."""
    asked: list[float] = []

    def field(x: Tensor, t: Tensor) -> Tensor:
        asked.append(float(t.min()))
        return x

    times, x = samplers.times(4), torch.ones(1, 1)
    samplers.euler(field, x, times)
    samplers.heun(field, x, times)
    samplers.sde(field, x, times, torch.Generator())
    assert min(asked) > 0
    assert len(asked) == 4 + 7 + 4


def test_every_step_is_told() -> None:
    told: list[tuple[int, int]] = []
    noise = torch.Generator().manual_seed(0)
    samplers.sde(exact, torch.zeros(1, 1), samplers.times(3), noise, on_step=lambda done, of: told.append((done, of)))
    assert told == [(1, 3), (2, 3), (3, 3)]


@pytest.mark.heavy
def test_a_scheduler_of_diffusers_steps_as_we_do() -> None:
    """Its sigmas are our times, its network's output our velocity, and its timesteps `paths.timestep`."""
    from diffusers import FlowMatchEulerDiscreteScheduler

    scheduler = FlowMatchEulerDiscreteScheduler(shift=3.0)
    scheduler.set_timesteps(sigmas=torch.linspace(1, 0, 9)[:-1].tolist())
    assert torch.allclose(scheduler.sigmas, samplers.times(8, shift=3.0))
    assert torch.allclose(scheduler.timesteps, paths.timestep(samplers.times(8, shift=3.0)[:-1]))
    x = theirs = torch.randn(4, 2)
    for timestep, t in zip(scheduler.timesteps, scheduler.sigmas, strict=False):
        theirs = scheduler.step(exact(theirs, t.expand(4)), timestep, theirs, return_dict=False)[0]
    assert torch.allclose(samplers.euler(exact, x, samplers.times(8, shift=3.0)), theirs, atol=1e-5)
