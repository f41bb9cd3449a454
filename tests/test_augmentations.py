"""Augmentations change what was chosen, as they say, and nothing else."""

import numpy as np
import pytest
import torch

from scope.nn.images import gaussian_blur
from scope.tokenizers.pae import preset
from scope.training.data import augmentations as augment
from scope.training.losses import IGNORE, masked_cross_entropy

CHOSEN = torch.tensor([True, False, True, False])


@pytest.fixture
def images() -> torch.Tensor:
    return torch.rand(4, 3, 128, 128, generator=torch.Generator().manual_seed(0)) * 2 - 1


def changes():
    yield "blur", augment.box_blur
    yield "jitter", lambda images, chosen: augment.color_jitter(images, chosen, np.random.default_rng(0))
    yield "reconstruction", lambda images, chosen: augment.reconstruct(images, chosen, preset("tiny").eval())


@pytest.mark.parametrize("change", [c for _, c in changes()], ids=[name for name, _ in changes()])
def test_only_the_chosen_change(change, images):
    before, after = images.clone(), change(images, CHOSEN)
    assert torch.equal(images, before)
    assert torch.equal(after[~CHOSEN], images[~CHOSEN])
    assert not (after[CHOSEN] == images[CHOSEN]).flatten(1).all(1).any()


def test_jitter_makes_each_channel_a_mean_of_channels_some_negated():
    pixels = torch.eye(3).view(1, 3, 1, 3).expand(4, -1, -1, -1)  # a red, a green and a blue one: weights are read off
    weights = augment.color_jitter(pixels, CHOSEN, np.random.default_rng(1))[:, :, 0]
    assert torch.allclose(weights.abs().sum(2), torch.ones(4, 3))
    assert ((weights >= 0).all(1) | (weights <= 0).all(1)).all()


def test_a_shift_moves_each_picture_by_its_own_way():
    rng = np.random.default_rng(2)
    pictures = [rng.integers(0, 256, (8, 8, 3), np.uint8) for _ in range(40)]
    shifts = augment.sample_shifts(rng, 40, 3)
    assert np.abs(shifts).max() <= 3
    assert 8 < (shifts == 0).all(1).sum() < 32
    for picture, moved, (dx, dy) in zip(pictures, augment.shift(pictures, shifts), shifts, strict=True):
        assert np.array_equal(moved[(2 + dy) % 8, (5 + dx) % 8], picture[2, 5])


def test_noise_has_a_deviation_of_its_own_for_each_picture():
    noise = augment.sample_noise(np.random.default_rng(3), torch.Generator().manual_seed(3), (50, 3, 32, 32), 0.1)
    deviations = noise.flatten(1).std(1)
    assert deviations.max() < 0.105
    assert deviations.min() < 0.02
    assert deviations.mean() == pytest.approx(0.05, abs=0.012)


def test_a_gaussian_blur_keeps_flat_maps_and_its_steps_add_in_squares(images):
    flat = torch.full((1, 5, 9, 9), 0.3)
    assert torch.allclose(gaussian_blur(flat, 2.0), flat, atol=1e-6)
    twice = gaussian_blur(gaussian_blur(images, 3.0), 4.0)
    inside = (..., slice(32, -32), slice(32, -32))
    assert torch.allclose(twice[inside], gaussian_blur(images, 5.0)[inside], atol=2e-3)


def test_what_is_not_asked_does_not_count():
    logits = torch.randn(6, 4, generator=torch.Generator().manual_seed(0))
    classes = torch.tensor([0, IGNORE, 2, 3, IGNORE, 1])
    expected = -logits.log_softmax(1)[[0, 2, 3, 5], [0, 2, 3, 1]].mean()
    assert masked_cross_entropy(logits, classes) == pytest.approx(expected.item())
    assert masked_cross_entropy(logits, torch.full((6,), IGNORE)) == 0
