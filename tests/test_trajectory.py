"""Times, chain and denoising of a trajectory against closed forms and Monte Carlo; guidance as a product."""

import math

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from scope.nn import samplers, trajectory
from scope.nn.gaussian import Gaussian, guided

PAIRS = [(1.0, 0.7), (1.0, 0.02), (0.83, 0.6), (0.35, 0.02)]


def double(*values: float) -> Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize(("tokens", "expected"), [(64, (0.347, 0.615, 0.827)), (256, (0.355, 0.623, 0.832))])
def test_the_times_are_those_of_the_shifted_schedule(tokens: int, expected: tuple[float, ...]) -> None:
    t = trajectory.times(4, tokens, double(0.02, 0.05))
    assert t[:, 0].tolist() == pytest.approx([0.02, *expected, 1.0], abs=1e-3)
    assert t[0].tolist() == [0.02, 0.05]
    assert torch.equal(t[1:, 0], t[1:, 1])


def test_own_shift_replaces_that_of_the_tokens() -> None:
    """They are the times of flow matching, counted upwards."""
    t = trajectory.times(4, 64, double(0.02), shift=5.0)
    assert t[1:, 0].tolist() == pytest.approx(samplers.times(4, 5.0).flip(0)[1:].tolist())


@pytest.mark.parametrize(("t", "s"), PAIRS)
def test_a_step_of_the_chain_keeps_the_marginals(t: float, s: float) -> None:
    a, sigma = trajectory.forward_step(double(t), double(s))
    assert float(a * (1 - s)) == pytest.approx(1 - t)
    assert float((a * s) ** 2 + sigma**2) == pytest.approx(t**2)


@pytest.mark.parametrize(("t", "s"), PAIRS)
def test_the_posterior_is_that_of_bayes(t: float, s: float) -> None:
    A, B, C = (float(value) for value in trajectory.posterior(double(t), double(s)))
    a, sigma = (float(value) for value in trajectory.forward_step(double(t), double(s)))
    precision = 1 / s**2 + a**2 / sigma**2
    assert pytest.approx(1 / precision) == C**2
    assert pytest.approx(a / sigma**2 / precision) == A
    assert pytest.approx((1 - s) / s**2 / precision) == B
    assert A * (1 - t) + B == pytest.approx(1 - s)  # the mean of the marginal, and its variance
    assert A**2 * t**2 + C**2 == pytest.approx(s**2)


def test_chain_states_have_the_stated_moments() -> None:
    torch.manual_seed(0)
    t = trajectory.times(4, 64, torch.full((40_000,), 0.05))
    x = trajectory.chain(torch.full((40_000, 1, 1), 2.0), t, torch.randn(5, 40_000, 1, 1))[..., 0, 0]
    assert torch.allclose(x.mean(1), 2 * (1 - t[:, 0]), atol=0.02)
    assert torch.allclose(torch.cov(x[:-1]), trajectory.noise_covariance(t[:-1, :1])[..., 0], atol=0.01)
    assert x[-1].std().item() == pytest.approx(1, abs=0.02)


def test_chain_density_is_that_of_its_steps() -> None:
    torch.manual_seed(0)
    t = trajectory.times(3, 64, double(0.02, 0.05))
    x = trajectory.chain(torch.randn(2, 3, 2).double(), t, torch.randn(4, 2, 3, 2).double())
    for k in range(3):
        a = (1 - t[k + 1]) / (1 - t[k])
        sigma = (t[k + 1] ** 2 - a**2 * t[k] ** 2).sqrt()
        expected = Normal(a[:, None, None] * x[k], sigma[:, None, None]).log_prob(x[k + 1]).sum((1, 2))
        assert torch.allclose(trajectory.forward_nll(x, t)[k], -expected)


@pytest.mark.heavy
def test_exact_score_makes_all_states_agree() -> None:
    """Data of two modes, one number a sample: p(x_0..x_K) is a mixture whose score autograd gives."""
    torch.manual_seed(0)
    t = trajectory.times(4, 64, double(0.1))[:-1]
    centers, width = double(-1.0, 1.5), 0.3
    x = trajectory.chain(double(0.8).view(1, 1, 1), t, torch.randn(4, 1, 1, 1).double()).requires_grad_()
    slope, noise = 1 - t, trajectory.noise_covariance(t)[..., 0]
    joint = torch.distributions.MultivariateNormal(
        slope[:, 0] * centers[:, None], noise + width**2 * slope @ slope.T
    )  # given the mode
    modes = joint.log_prob(x[:, 0, 0, 0])
    (gradient,) = torch.autograd.grad(-modes.logsumexp(0), x)
    found = trajectory.denoised(x.detach(), gradient, t)[:, 0, 0, 0]

    one = x[0].detach().flatten()  # E[x_0 | x at t_min], by Bayes
    precision = 1 / width**2 + slope[0] ** 2 / t[0] ** 2
    means = (centers / width**2 + slope[0] * one / t[0] ** 2) / precision
    alone = Normal(slope[0] * centers, (slope[0] ** 2 * width**2 + t[0] ** 2).sqrt()).log_prob(one)
    expected = float((alone.softmax(0) * means).sum())
    assert found.tolist() == pytest.approx([expected] * 4, abs=1e-9)


def test_a_gaussian_is_that_of_torch() -> None:
    mean, log_sigma, x = torch.randn(3, 4, 5).double().unbind()
    expected = Normal(mean, log_sigma.exp()).log_prob(x).sum(1)
    step = Gaussian(mean, log_sigma)
    assert torch.allclose(step.nll(x), -expected)
    assert torch.allclose(step.at((x - mean) / log_sigma.exp()), x)


@pytest.mark.parametrize("scale", [1.5, 3.0, 7.5])
def test_guidance_is_the_product_of_densities(scale: float) -> None:
    conditional, unconditional = Gaussian(double(0.3), double(0.5).log()), Gaussian(double(-0.2), double(0.9).log())
    x = torch.linspace(-4, 4, 801, dtype=torch.float64)[:, None]
    product = -scale * conditional.nll(x) + (scale - 1) * unconditional.nll(x)
    found = -guided(conditional, unconditional, scale).nll(x)
    assert float((product - found).std()) < 1e-9  # equal up to the constant that normalises


def test_guidance_at_one_is_the_conditional_and_a_wider_conditional_keeps_its_width() -> None:
    narrow, wide = Gaussian(double(0.3), double(0.5).log()), Gaussian(double(-0.2), double(0.9).log())
    for mine, other in ((narrow, wide), (wide, narrow)):
        assert [float(v) for v in guided(mine, other, 1.0)] == pytest.approx([float(v) for v in mine])
    found = guided(wide, narrow, 3.0)
    assert math.exp(float(found.log_sigma)) == pytest.approx(0.9)
    assert float(found.mean) == pytest.approx(3 * -0.2 - 2 * 0.3)
