"""The metrics against answers that are known without them: closed forms, chance, invariances, other implementations."""

import math
from statistics import NormalDist

import numpy as np
import pytest
import torch
from scipy.linalg import sqrtm

from scope.benchmarks.metrics.curves import mean, spearman, steps_ratio, steps_to
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.metrics.latents import cell_labels, effective_rank, gsq, lpc, lpc_curve, ssc
from scope.benchmarks.metrics.pictures import Moments, frechet_distance, moments, psnr, tile_edge
from scope.errors import ScopeError
from scope.worlds.pocket import Group, Plan, compose


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(0)


def covariance(random: np.random.Generator, d: int) -> np.ndarray:
    root = random.normal(size=(d, d))
    return root @ root.T


def rotation(random: np.random.Generator, d: int) -> np.ndarray:
    return np.linalg.qr(random.normal(size=(d, d)))[0]


# -- pictures ------------------------------------------------------------------------------------


def test_psnr_of_a_constant_error():
    images = torch.zeros(3, 3, 8, 8)
    error = torch.tensor([0.2, 0.02, 0.0]).view(3, 1, 1, 1)
    assert psnr(images, images + error).tolist() == pytest.approx([20, 40, math.inf], abs=1e-5)


def test_psnr_needs_pairs():
    with pytest.raises(ScopeError, match="pairs"):
        psnr(torch.zeros(2, 3, 8, 8), torch.zeros(3, 3, 8, 8))


def test_tiles_show_at_their_borders_and_noise_has_none():
    noise = torch.rand(4, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    assert tile_edge(noise) == pytest.approx(1, abs=0.02)
    assert tile_edge(noise.roll(5, 3)) == pytest.approx(1, abs=0.02)
    tiled = noise + 0.5 * torch.rand(4, 3, 8, 8).repeat_interleave(16, 2).repeat_interleave(16, 3)
    assert tile_edge(tiled) > 1.05
    ramp = torch.arange(128.0).expand(1, 3, 128, 128)
    assert tile_edge(ramp + ramp.mT) == pytest.approx(1)


def test_frechet_distance_of_axis_aligned_gaussians(random):
    means, deviations = random.normal(size=(2, 6)), random.uniform(0.1, 3, (2, 6))
    a, b = (Moments(m, np.diag(s**2)) for m, s in zip(means, deviations, strict=True))
    expected = np.square(means[0] - means[1]).sum() + np.square(deviations[0] - deviations[1]).sum()
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-10)


def test_frechet_distance_equals_the_matrix_root_of_scipy(random):
    a, b = (Moments(random.normal(size=8), covariance(random, 8)) for _ in range(2))
    root = sqrtm(a.covariance @ b.covariance)
    expected = np.square(a.mean - b.mean).sum() + np.trace(a.covariance + b.covariance - 2 * root.real)
    assert frechet_distance(a, b) == pytest.approx(expected, rel=1e-8)
    assert frechet_distance(b, a) == pytest.approx(expected, rel=1e-8)


def test_frechet_distance_is_invariant_to_rotation_and_shift(random):
    a, b = random.normal(size=(200, 8)), random.normal(1, 2, size=(200, 8))
    turn, move = rotation(random, 8), random.normal(size=8)
    still = frechet_distance(moments(a), moments(b))
    assert frechet_distance(moments(a @ turn + move), moments(b @ turn + move)) == pytest.approx(still, rel=1e-9)


@pytest.mark.parametrize("n", [5, 200])  # fewer and more than dimensions
def test_frechet_distance_identity_and_shift(random, n):
    a = random.normal(size=(n, 16))
    assert frechet_distance(moments(a), moments(a)) == pytest.approx(0, abs=1e-5)
    assert frechet_distance(moments(a), moments(a + 0.5)) == pytest.approx(16 * 0.25, rel=1e-5)


def test_frechet_distance_of_small_sets_is_too_high(random):
    pairs = [random.normal(size=(2, 20, 8)) for _ in range(300)]
    distances = [frechet_distance(moments(a), moments(b)) for a, b in pairs]
    assert np.mean(distances) > 3 * np.std(distances) / math.sqrt(len(distances))


@pytest.mark.parametrize(
    ("features", "says"),
    [(np.zeros((1, 4)), "at least 2"), (np.zeros(4), "at least 2"), (np.full((3, 4), np.nan), "NaN or infinity")],
)
def test_features_that_are_no_set_of_finite_vectors_are_refused(features, says):
    with pytest.raises(ScopeError, match=says):
        moments(features)


def test_features_of_two_networks_are_not_compared(random):
    a, b = random.normal(size=(9, 4)), random.normal(size=(9, 5))
    with pytest.raises(ScopeError, match="one network"):
        frechet_distance(moments(a), moments(b))


# -- structure -----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def truth() -> np.ndarray:
    plans = (
        Plan((Group("dog", 2), Group("car", 1, "red"))),
        Plan((Group("apple", 1),)),
        Plan((Group("cat", 3), Group("tree", 2))),
    )
    return cell_labels([compose(plan, seed) for seed, plan in enumerate(plans * 4)])


def one_hot(labels: np.ndarray, d: int = 8) -> np.ndarray:
    return np.eye(d)[labels]


def test_cell_label_is_the_group_that_covers_most():
    scene = compose(Plan((Group("dog", 2), Group("car", 1, "red"))), 0)
    (labels,) = cell_labels([scene])
    for cell, label in enumerate(labels):
        y, x = 16 * (cell // 8), 16 * (cell % 8)
        pixels = scene.mask[y : y + 16, x : x + 16].ravel()
        shown = np.bincount([0 if i == 0 else 1 + scene.objects[i - 1].group for i in pixels], minlength=3)
        assert shown[label] == shown.max()
    assert set(labels) == {0, 1, 2}


def test_the_masks_themselves_have_whole_structure(truth, random):
    z = one_hot(truth) * random.uniform(0.5, 2, (*truth.shape, 1))  # a cosine is blind to lengths
    assert ssc(z @ rotation(random, 8), truth) == pytest.approx(1)


def test_structure_of_random_tokens_is_at_chance(truth, random):
    found = ssc(random.normal(size=(*truth.shape, 16)), truth)
    guessed = ssc(one_hot(random.integers(0, 1 + truth.max(1, keepdims=True), truth.shape)), truth)
    assert found.mean() == pytest.approx(guessed.mean(), abs=0.05)
    assert found.mean() < 0.15


def test_structure_falls_as_noise_hides_the_masks(truth, random):
    noise = random.normal(size=(*truth.shape, 8))
    scores = [ssc(one_hot(truth) + amount * noise, truth).mean() for amount in (0.1, 0.4, 2.0)]
    assert scores[0] > 0.9
    assert scores == sorted(scores, reverse=True)


def test_structure_does_not_care_for_the_names_of_labels(truth, random):
    z = one_hot(truth) + 0.5 * random.normal(size=(*truth.shape, 8))
    assert ssc(z, truth) == pytest.approx(ssc(z, 7 - truth))


@pytest.mark.parametrize("labels", [np.zeros((2, 16), int), np.zeros((2, 9), int)], ids=["one label", "other shape"])
def test_structure_that_cannot_be_asked_for_is_refused(labels):
    with pytest.raises(ScopeError, match="label"):
        ssc(np.ones((2, 16, 4)), labels)


# -- continuity ----------------------------------------------------------------------------------


def length(a: torch.Tensor, b: torch.Tensor) -> torch.Tensor:
    return (a - b).flatten(1).norm(dim=1)


def test_continuity_of_an_isometry(random):
    """|D(z + eps u) - D(z)| = 3 eps, and the weights 1/rho make rho's mean 4 / (10 + 2 + 1 + 1/2)."""
    turn = torch.from_numpy(rotation(random, 24))
    z = torch.from_numpy(random.normal(size=(5, 2, 12)))
    found = lpc(lambda z: 3 * z.flatten(1) @ turn, z, length)
    assert torch.allclose(found, 3 * z.flatten(1).norm(dim=1) * 4 / 13.5)


def test_continuity_sees_both_sides_of_a_push():
    """D(z) = z^2 at 1 pushed by -+ rho: |2 rho + rho^2| and |-2 rho + rho^2| have the mean 2 rho for rho up to 2."""
    curve = lpc_curve(lambda z: z.square(), torch.ones(1, 1, dtype=torch.float64), length)
    assert curve[:, 0].tolist() == pytest.approx([0.2, 1.0, 2.0, 4.0])


def test_continuity_grows_with_push_and_falls_with_smoothness(random):
    weight = torch.from_numpy(random.normal(size=(12, 30)))
    z = torch.from_numpy(random.normal(size=(4, 12)))
    curve = lpc_curve(lambda z: z @ weight, z, lambda a, b: (a - b).abs().mean(1))
    assert (curve.diff(dim=0) > 0).all()
    assert torch.allclose(curve / curve[:1], torch.tensor([[1.0], [5.0], [10.0], [20.0]]).double().expand(4, 4))
    assert (lpc(lambda z: torch.tanh(z @ weight), z, length) < lpc(lambda z: z @ weight, z, length)).all()


# -- semantics and spread ------------------------------------------------------------------------


def test_semantics_of_random_and_separated_latents(random):
    labels = np.repeat(np.arange(20), 10)
    noise = random.normal(size=(200, 4, 32))
    by_chance = gsq(noise, labels, draws=1)
    assert by_chance[0] == pytest.approx(1 / 20, abs=4 * math.sqrt(0.05 * 0.95 / 200))
    assert gsq(noise + 20 * one_hot(labels, 32)[:, None], labels).tolist() == [1.0] * 5


def test_semantics_is_centred_and_blind_to_length(random):
    labels = np.repeat(np.arange(4), 12)
    z = random.normal(size=(48, 4, 8)) + one_hot(labels)[:, None]
    score = gsq(z, labels, per_class=12)
    assert gsq(z + 100, labels, per_class=12) == pytest.approx(score)
    assert gsq(z @ rotation(random, 8) * 7, labels, per_class=12) == pytest.approx(score)


def test_a_draw_takes_the_classes_that_it_is_told_to(random):
    """With two classes chance is 1/2, however many there are."""
    labels = np.repeat(np.arange(30), 10)
    scores = gsq(random.normal(size=(300, 1, 16)), labels, classes=2, draws=60)
    assert scores.mean() == pytest.approx(9 / 19, abs=0.06)
    assert scores.std() > 0


@pytest.mark.parametrize(("labels", "per_class"), [([0] * 8, 4), ([0, 0, 0, 1, 1, 1, 2, 3], 4), ([0, 1] * 4, 1)])
def test_semantics_needs_two_labels_with_enough_images(labels, per_class):
    with pytest.raises(ScopeError, match="two labels"):
        gsq(np.ones((8, 2, 3)), np.array(labels), per_class=per_class)


def test_effective_rank_of_a_ball_and_a_line(random):
    assert effective_rank(random.normal(size=(4000, 4, 8))) == pytest.approx(1, abs=0.01)
    assert effective_rank(5 + random.normal(size=(50, 4, 1)) * random.normal(size=8)) == pytest.approx(1 / 8, rel=1e-4)


def test_effective_rank_of_known_singular_values(random):
    corners = np.array([(x, y) for x in (-1, 1) for y in (-1, 1)], float)  # singular values in proportion 3 : 1
    p = np.array([0.75, 0.25])
    expected = math.exp(-(p * np.log(p)).sum()) / 2
    assert effective_rank(corners * (3, 1) @ rotation(random, 2)) == pytest.approx(expected)


def test_effective_rank_of_equal_tokens_is_refused():
    with pytest.raises(ScopeError, match="all tokens are equal"):
        effective_rank(np.ones((3, 4, 5)))


# -- curves --------------------------------------------------------------------------------------

POWER = [(s, 100 / s) for s in (10, 20, 40, 80)]


def test_a_power_law_is_interpolated_exactly():
    for steps in (13.0, 20.0, 55.0):
        reached = steps_to(POWER, 100 / steps)
        assert reached.low == reached.high == pytest.approx(steps)


def test_speedup_of_a_curve_shifted_in_log_steps():
    sooner = [(s / 4, f) for s, f in POWER]
    ratio = steps_ratio(POWER, sooner)
    assert ratio.low == ratio.high == pytest.approx(4)
    assert str(ratio) == "4"
    assert steps_ratio(sooner, POWER, target=3).low == pytest.approx(1 / 4)


def test_speedup_takes_the_first_crossing():
    assert steps_to([(1, 8), (2, 4), (4, 8), (8, 2)], 4) == steps_to([(1, 8), (2, 4)], 4)


SLOW, QUICK = [(10.0, 9.0), (20.0, 8.0)], [(10.0, 9.0), (20.0, 2.0)]
CROSSED = 10 * 2 ** (math.log(9 / 2.5) / math.log(9 / 2))  # where QUICK is at 2.5


@pytest.mark.parametrize(
    ("baseline", "ours", "low", "high", "says"),
    [
        (SLOW, QUICK, 20 / CROSSED, math.inf, "at least 1.11"),  # the baseline never gets there
        (QUICK, SLOW, 0, CROSSED / 20, "at most 0.902"),  # ours never does
        (QUICK, [(5.0, 1.0)], CROSSED / 5, math.inf, "at least 3.61"),  # ours was there before it was looked at
        ([(5.0, 1.0)], QUICK, 0, 5 / CROSSED, "at most 0.277"),
        (SLOW, SLOW, 0, math.inf, "not known"),
        ([(5.0, 1.0)], [(5.0, 1.0)], 0, math.inf, "not known"),
    ],
)
def test_speedup_of_an_uncrossed_target_is_a_bound(baseline, ours, low, high, says):
    ratio = steps_ratio(baseline, ours, target=2.5)
    assert (ratio.low, ratio.high) == pytest.approx((low, high))
    assert str(ratio) == says


@pytest.mark.parametrize("curve", [[], [(1, 0.0)], [(2, 1), (1, 2)], [(0, 1)]])
def test_a_curve_that_is_none_is_refused(curve):
    with pytest.raises(ScopeError, match="growing steps"):
        steps_to(curve, 1)


def test_rank_correlation_sees_order_and_nothing_else():
    a = [1.0, 5.0, 2.0, 9.0]
    assert spearman(a, [math.exp(x) for x in a]) == pytest.approx(1)
    assert spearman(a, [-x for x in a]) == pytest.approx(-1)
    assert spearman([1, 2, 3, 4], [2, 1, 4, 3]) == pytest.approx(1 - 6 * 4 / (4 * 15))  # 1 - 6 sum d^2 / (n (n^2 - 1))
    with pytest.raises(ScopeError, match="three pairs"):
        spearman([1, 2, 3], [4, 4, 4])


def test_mean_interval_covers_the_truth_95_percent(random):
    inside = 0
    for _ in range(1000):
        low, high = mean(random.normal(3, 2, size=3)).ci
        inside += low < 3 < high
    assert inside == pytest.approx(950, abs=28)  # four standard errors


@pytest.mark.parametrize(("hits", "n"), [(0, 10), (5, 10), (10, 10), (1, 3), (553, 553), (931, 1000)])
def test_the_interval_of_a_share_is_wilson_s(hits, n):
    """Both ends solve (p - hits / n)^2 = z^2 p (1 - p) / n."""
    z, share_of = NormalDist().inv_cdf(0.975), hits / n
    centre, spread = share_of + z**2 / (2 * n), z * math.sqrt(share_of * (1 - share_of) / n + z**2 / (4 * n**2))
    metric = share(hits, n)
    assert metric.value == pytest.approx(share_of, abs=5e-5)
    assert metric.ci == pytest.approx([(centre + side * spread) / (1 + z**2 / n) for side in (-1, 1)], abs=5.1e-5)
    assert metric.n == n


def test_one_seed_has_no_interval_and_none_no_mean():
    assert mean([2.0]).ci is None
    for values in ([], [1.0, math.nan]):
        with pytest.raises(ScopeError, match="finite"):
            mean(values)
