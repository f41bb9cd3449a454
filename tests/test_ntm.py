"""NTM: likelihoods that are densities, no leak between levels, the flow-matching start, three ways to a clean state."""

import math
from itertools import pairwise

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal

from scope.errors import ScopeError, UsageError
from scope.models import ntm
from scope.models.backbone import BackboneOutput
from scope.models.dit import DiT
from scope.models.ntm import NTM, Denoiser
from scope.models.text_encoder import Conditioning
from scope.models.transporter import Transporter
from scope.nn import trajectory
from scope.nn.gaussian import Gaussian

LEVELS = (2, 4, 8)


def words(b: int) -> Conditioning:
    torch.manual_seed(7)
    mask = torch.ones(b, 3, dtype=torch.bool)
    return Conditioning(torch.randn(b, 3, 384), torch.zeros(b, 3, dtype=torch.long), mask, None)


def randomised(model: nn.Module, std: float = 0.1, seed: int = 0) -> None:
    """Zero-initialised heads would make every test of the output pass."""
    torch.manual_seed(seed)
    for parameter in model.parameters():
        nn.init.normal_(parameter, std=std)


def untrained(blocks: int = 2, spread: float = 0.0) -> NTM:
    """Tokens (b, 16, 2); the networks for x_0 speak, the rest is as constructed."""
    torch.manual_seed(0)
    dit, denoiser = DiT(2, 16, 16, 1, 2, 1), Denoiser(DiT(2, 16, 16, 1, 2, 1), LEVELS)
    randomised(dit)
    return NTM(dit, Transporter(2, 16, 16, blocks, 1, 2, LEVELS), denoiser, 2, LEVELS, spread).eval()


@pytest.fixture(scope="module")
def model() -> NTM:
    made = untrained(spread=0.5)
    randomised(made)
    return made.requires_grad_(False)


def states(T: int, b: int = 2, t_min: float = 0.03) -> tuple[Tensor, Tensor, Tensor]:
    """Return a trajectory, its times, and its number of steps."""
    torch.manual_seed(3)
    t = trajectory.times(T, 16, torch.full((b,), t_min))
    return trajectory.chain(torch.randn(b, 16, 2), t, torch.randn(T + 1, b, 16, 2)), t, torch.full((b,), T)


def nll(model: NTM, x: Tensor, t: Tensor, T: Tensor, text: Conditioning, cond_mask: Tensor | None = None) -> Tensor:
    return ntm.reverse_steps(model, x, t, T, text, cond_mask).nll()


class OfUnitGaussians(nn.Module):
    """The exact backbone for independent unit Gaussian data: E[x_0 | x_t], whatever the text."""

    dim = 4

    def forward(
        self,
        x_t: Tensor,
        t: Tensor,
        text: Conditioning,
        cond_mask: Tensor | None = None,
        extra_cond: Tensor | None = None,
    ) -> BackboneOutput:
        mean = ((1 - t) / (t**2 + (1 - t) ** 2))[:, None, None] * x_t
        return BackboneOutput(mean, torch.zeros(*x_t.shape[:2], self.dim))


def exact() -> NTM:
    transporter = Transporter(2, 16, 16, 0, 1, 2, LEVELS)
    return NTM(OfUnitGaussians(), transporter, Denoiser(OfUnitGaussians(), LEVELS), 2, LEVELS, spread=1.0).eval()


class Mixing(nn.Module):
    """A backbone for any number of tokens, as small as can be."""

    dim = 4

    def __init__(self, numbers: int) -> None:
        super().__init__()
        self.net = nn.Sequential(nn.Linear(numbers + 1, 8), nn.Tanh(), nn.Linear(8, numbers * 5))

    def forward(
        self,
        x_t: Tensor,
        t: Tensor,
        text: Conditioning,
        cond_mask: Tensor | None = None,
        extra_cond: Tensor | None = None,
    ) -> BackboneOutput:
        out = self.net(torch.cat([x_t.flatten(1), t[:, None]], 1)).view(*x_t.shape[:2], 5)
        return BackboneOutput(out[..., :1], out[..., 1:])


# -- the density ---------------------------------------------------------------------------------


def test_the_noise_of_a_sample_is_found_again_in_its_states(model: NTM) -> None:
    """Down with the predictor, back to pictures with the transporter, and up again."""
    _, t, T = states(4)
    noise = torch.randn(5, 2, 16, 2)
    u = ntm.sample(model, noise[-1:], t, T, words(2), noise)
    x = torch.stack([model.transporter.inverse(u[k], t[k], T) for k in range(4)] + [u[4]])
    again, _ = ntm.transport_states(model, x, t, T)
    for k in range(4):
        step = model.predict(again[k + 1], t[k + 1], t[k], T, words(2))
        z = (again[k] - step.mean) * torch.exp(-step.log_sigma)
        assert torch.allclose(z, noise[k], atol=2e-3)
    assert torch.equal(again[-1], noise[-1])


@pytest.mark.heavy
def test_one_step_is_a_density_that_sums_to_one() -> None:
    torch.manual_seed(0)
    model = NTM(Mixing(2), Transporter(1, 2, 8, 2, 1, 2, LEVELS), Denoiser(Mixing(2), LEVELS), 1, LEVELS)
    randomised(model, 0.5, seed=5)
    edge = torch.linspace(-12, 12, 301)
    x_s = torch.stack(torch.meshgrid(edge, edge, indexing="ij"), -1).view(-1, 2, 1)
    b = len(x_s)
    x = torch.stack([x_s, torch.tensor([0.4, -1.1]).view(1, 2, 1).expand(b, 2, 1)])
    t = torch.tensor([0.6, 0.8])[:, None].expand(2, b)
    with torch.no_grad():
        density = torch.exp(-nll(model, x, t, torch.full((b,), 4), words(1).repeat(b)))
        moved, _ = model.transport(x_s, t[0], torch.full((b,), 4))
    assert float((moved - x_s).abs().max()) > 0.1
    assert float(density.sum() * (edge[1] - edge[0]) ** 2) == pytest.approx(1, abs=2e-3)


def test_a_whole_trajectory_at_once_is_the_sum_of_its_pairs(model: NTM) -> None:
    x, t, T = states(4)
    whole = nll(model, x, t, T, words(2))
    pairs = [nll(model, x[k : k + 2], t[k : k + 2], T, words(2)) for k in range(4)]
    assert torch.allclose(whole, torch.cat(pairs), rtol=1e-4)


def test_pairs_of_several_trajectories_share_a_batch(model: NTM) -> None:
    """One sample's upper state is noise, the other's is not; their numbers of steps differ."""
    (x, t, T), (x2, t2, T2) = states(4), states(2)
    mixed = nll(
        model,
        torch.stack([torch.stack([x[k + 1, 0], x2[k + 1, 1]]) for k in range(2)]),
        torch.stack([torch.stack([t[k + 1, 0], t2[k + 1, 1]]) for k in range(2)]),
        torch.tensor([4, 2]),
        words(2),
    )
    assert float(mixed[0, 0]) == pytest.approx(float(nll(model, x, t, T, words(2))[1, 0]), rel=1e-4)
    assert float(mixed[0, 1]) == pytest.approx(float(nll(model, x2, t2, T2, words(2))[1, 1]), rel=1e-4)


def test_no_level_sees_its_target_or_any_cleaner_state(model: NTM, monkeypatch: pytest.MonkeyPatch) -> None:
    x, t, T = states(4, b=1)
    made: list[Gaussian] = []
    predict = model.predict
    monkeypatch.setattr(model, "predict", lambda *given: made.append(predict(*given)) or made[-1])
    x = x.requires_grad_()
    nll(model, x, t, T, words(1))
    for k in range(4):
        for part in made[0]:
            (gradient,) = torch.autograd.grad(part[k].sum(), x, retain_graph=True)
            assert [j for j in range(5) if bool((gradient[j] != 0).any())] == [k + 1]


def test_gradients_reach_the_transporter_through_target_and_condition(model: NTM) -> None:
    x, t, T = states(4, b=1)
    for seen in (slice(0, 2), slice(1, 3)):
        head = model.transporter.flows[0].head.weight.requires_grad_()
        (gradient,) = torch.autograd.grad(nll(model, x[seen], t[seen], T, words(1)).sum(), head)
        assert bool((gradient != 0).any())
        head.requires_grad_(False)


# -- exact models --------------------------------------------------------------------------------


def test_the_bound_of_an_exact_model_is_the_entropy_whatever_the_chain() -> None:
    model, x_0 = exact(), torch.randn(3, 16, 2, generator=torch.Generator().manual_seed(0))
    t_min, eps = 0.02, torch.randn(5, 3, 16, 2, generator=torch.Generator().manual_seed(1))
    for T in (2, 4):
        found = ntm.bound(model, x_0, t_min, T, words(3), eps[: T + 1]).sum(0)
        x_min = (1 - t_min) * x_0 + t_min * eps[0]
        width = math.sqrt((1 - t_min) ** 2 + t_min**2)
        assert torch.allclose(found, -Normal(0, width).log_prob(x_min).sum((1, 2)), rtol=1e-4)


def test_samples_of_an_exact_model_are_those_of_the_data() -> None:
    model, b = exact(), 500
    t, T = trajectory.times(4, 16, torch.full((b,), 0.02)), torch.full((b,), 4)
    noise = torch.randn(5, b, 16, 2, generator=torch.Generator().manual_seed(0))
    u = ntm.sample(model, noise[-1:], t, T, words(b), noise)
    for k in range(5):
        width = float(((1 - t[k, 0]) ** 2 + t[k, 0] ** 2).sqrt())
        assert u[k].std().item() == pytest.approx(width, rel=0.02)


def test_denoising_nears_the_clean_state_and_the_rows_of_an_exact_model_agree() -> None:
    torch.manual_seed(0)
    model, x_0, T = exact(), torch.randn(50, 16, 2), torch.full((50,), 4)
    t = trajectory.times(4, 16, torch.full((50,), 0.3))
    x = trajectory.chain(x_0, t, torch.randn(5, 50, 16, 2))
    rows = ntm.denoised_states(model, x, t, T, words(50))
    expected = OfUnitGaussians()(x[0], t[0], words(50)).x_0
    assert float((rows - expected).abs().max()) < 1e-4
    raw = ntm.decode_inverse(model, x, t, T, words(50))
    assert float((rows[0] - x_0).square().mean()) < 0.9 * float((raw - x_0).square().mean())


def test_rows_of_a_model_that_is_not_exact_spread(model: NTM) -> None:
    x, t, T = states(4)
    u, _ = ntm.transport_states(model, x, t, T)
    rows = ntm.denoised_states(model, ntm.invert_states(model, u, t, T), t, T, words(2))
    assert rows.shape == (4, 2, 16, 2)
    assert float(rows.std(0).mean()) > 1e-3
    assert torch.equal(rows[0], ntm.decode_denoised(model, u, t, T, words(2)))


# -- the start from flow matching ----------------------------------------------------------------


def bayes(dit: DiT, x_t: Tensor, t: float, s: float) -> Normal:
    """A step of the ancestral sampler, from the velocity and the precisions of prior and chain."""
    x_0 = x_t - t * dit(x_t, torch.full((len(x_t),), t), words(len(x_t))).velocity
    a = (1 - t) / (1 - s)
    variance = t**2 - a**2 * s**2
    precision = 1 / s**2 + a**2 / variance
    return Normal(((1 - s) * x_0 / s**2 + a * x_t / variance) / precision, precision**-0.5)


def test_a_model_that_starts_from_flow_matching_is_its_gaussian_ancestral_sampler() -> None:
    model = untrained().requires_grad_(False)
    assert isinstance(model.backbone, DiT)
    x, t, T = states(4)
    found = nll(model, x, t, T, words(2))
    noise = torch.randn(5, 2, 16, 2)
    u = ntm.sample(model, noise[-1:], t, T, words(2), noise)
    expected = noise[-1]
    for s, now in reversed(list(enumerate(pairwise(t[:, 0].tolist())))):
        cleaner, noisier = now
        gaussian = -bayes(model.backbone, x[s + 1], noisier, cleaner).log_prob(x[s]).sum((1, 2))
        assert torch.allclose(found[s], gaussian, rtol=1e-4)
        step = bayes(model.backbone, expected, noisier, cleaner)
        expected = step.mean + step.stddev * noise[s]
        assert torch.allclose(u[s], expected, atol=1e-4)
    assert torch.equal(model.transporter.inverse(u[0], t[0], T), u[0])


def test_a_fixed_sigma_is_that_of_the_posterior() -> None:
    model = untrained()
    randomised(model)
    model.learned_sigma = False
    x, t, T = states(4)
    step = model.predict(x[2], t[2], t[1], T, words(2))
    assert torch.allclose(step.log_sigma.exp(), trajectory.posterior(t[2], t[1]).C[:, None, None].expand_as(x[2]))


# -- text and guidance ---------------------------------------------------------------------------


def test_guidance_moves_away_from_what_is_drawn_without_text(model: NTM) -> None:
    x, t, T = states(4)
    given = (x[2], t[2], t[1], T, words(2))
    with_text, plain = model.predict(*given), model.guided(*given, 1.0)
    without = model.predict(*given, torch.tensor([False, False]))
    assert torch.equal(with_text.mean, plain.mean)
    ratio = (2 * (with_text.log_sigma - without.log_sigma)).exp().clamp_max(1)
    expected = (3 * with_text.mean - 2 * ratio * without.mean) / (3 - 2 * ratio)
    assert torch.allclose(model.guided(*given, 3.0).mean, expected, atol=1e-4)
    assert float((expected - with_text.mean).abs().max()) > 1e-3


def test_text_that_is_left_out_does_not_change_the_likelihood(model: NTM) -> None:
    x, t, T = states(4)
    other = words(2).each(lambda part: part * 2 if part.is_floating_point() else part)
    drop = torch.tensor([False, False])
    left_out = [nll(model, x, t, T, text, drop) for text in (words(2), other)]
    assert torch.allclose(*left_out)
    assert not torch.allclose(*(nll(model, x, t, T, text) for text in (words(2), other)))


# -- what is drawn -------------------------------------------------------------------------------


def test_a_trajectory_goes_on_from_states_that_are_known_and_tells_its_steps(model: NTM) -> None:
    x, t, T = states(4)
    u, _ = ntm.transport_states(model, x, t, T)
    told: list[tuple[int, int]] = []
    noise = torch.randn(5, 2, 16, 2)
    drawn = ntm.sample(model, u[2:], t, T, words(2), noise, on_step=lambda done, of: told.append((done, of)))
    assert torch.equal(drawn[2:], u[2:])
    assert told == [(1, 2), (2, 2)]
    assert not torch.allclose(drawn[0], u[0])


@pytest.mark.parametrize("way", ntm.DECODERS)
def test_every_way_to_a_clean_state_gives_one_like_the_noise(way: str, model: NTM) -> None:
    x, t, T = states(4)
    u, _ = ntm.transport_states(model, x, t, T)
    clean = ntm.DECODERS[way](model, u, t, T, words(2))
    assert clean.shape == (2, 16, 2)
    assert bool(torch.isfinite(clean).all())


def test_the_untrained_denoiser_of_an_untrained_transporter_says_the_state_itself() -> None:
    model = untrained()
    x, t, T = states(4)
    assert torch.equal(model.denoiser(x[0], t[0], T, words(2)), x[0])


# -- what is refused -----------------------------------------------------------------------------


@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_latents_that_are_not_finite_have_no_likelihood(bad: float, model: NTM) -> None:
    x_0 = torch.zeros(1, 16, 2)
    x_0[0, 3, 1] = bad
    with pytest.raises(ScopeError, match="NaN or infinity"):
        ntm.bound(model, x_0, 0.02, 4, words(1), torch.zeros(5, 1, 16, 2))


def test_a_number_of_steps_that_was_not_trained_is_refused(model: NTM) -> None:
    with pytest.raises(UsageError, match="in 2, 4, 8 steps; 5 were asked for"):
        ntm.bound(model, torch.zeros(1, 16, 2), 0.02, 5, words(1), torch.zeros(6, 1, 16, 2))
