"""The world of two modes: what a Gaussian step loses on it is known, and a model that trains on it is scored right."""

import math

import pytest
import torch

from scope.benchmarks.experiments import ntm_toy
from scope.benchmarks.experiments.two_modes import TwoModes
from scope.nn import trajectory

WORLD = TwoModes()


def times(T: int) -> list[float]:
    at: list[float] = trajectory.times(T, 16, torch.tensor([0.02], dtype=torch.float64))[:, 0].tolist()
    return at


@pytest.mark.parametrize(("T", "nats"), [(1, 25.0), (2, 12.6), (4, 1.49), (8, 0.50)])
def test_the_best_diagonal_gaussian_loses_what_it_must(T: int, nats: float) -> None:
    assert WORLD.gaussian_kl(times(T)) == pytest.approx(nats, rel=0.02)


def test_one_step_has_a_closed_form() -> None:
    """From noise, the modes are even: 16 times the Gaussian's excess, less the bit that tells the modes apart."""
    inside = 0.98**2 * 0.1**2 + 0.02**2
    expected = 8 * math.log(1 + (0.98 * 0.5) ** 2 / inside) - math.log(2)
    assert WORLD.gaussian_kl(times(1)) == pytest.approx(expected, abs=1e-4)


def test_more_steps_lose_less_and_token_after_token_least() -> None:
    lost = [WORLD.gaussian_kl(times(T)) for T in (1, 2, 4)]
    in_turn = [WORLD.autoregressive_gaussian_kl(times(T)) for T in (1, 2, 4)]
    assert lost == sorted(lost, reverse=True)
    assert all(mine < all_at_once for mine, all_at_once in zip(in_turn, lost, strict=True))


@pytest.mark.parametrize("T", [1, 2, 4])
def test_the_exact_density_and_the_closed_form_agree_on_samples(T: int) -> None:
    """The best Gaussian is built here from samples' exact posteriors; its excess is the closed form."""
    x, t = (part.double() for part in ntm_toy.chains(WORLD, T, 20_000, seed=0))
    at, excess = t[:, 0].tolist(), torch.zeros(20_000, dtype=torch.float64)
    for k in range(T):
        step = WORLD.step(at[k + 1], at[k])
        sure = torch.sigmoid(2 * (1 - at[k + 1]) * WORLD.m * x[k + 1].sum((1, 2)) / step.v_t)[:, None, None]
        mean = step.r * x[k + 1] + (2 * sure - 1) * step.d
        width = (step.v + 4 * sure * (1 - sure) * step.d**2).sqrt()
        gaussian = -torch.distributions.Normal(mean, width).log_prob(x[k]).sum((1, 2))
        excess += gaussian - WORLD.nll(x[k], x[k + 1], at[k + 1], at[k])
    error = float(excess.std()) / 20_000**0.5
    assert float(excess.mean()) == pytest.approx(WORLD.gaussian_kl(times(T)), abs=4 * error)


@pytest.mark.heavy
def test_a_model_learns_and_its_score_is_what_it_loses() -> None:
    """A few steps: far from done, but better than at the start, and never better than exact."""
    before = ntm_toy.excess_nll(WORLD, ntm_toy.build(WORLD, 1), 2, 256)
    after = ntm_toy.excess_nll(WORLD, ntm_toy.fit(WORLD, 1, 28, batch=16), 2, 256)
    assert 0 < after.value < 0.9 * before.value
    assert after.n == 256
