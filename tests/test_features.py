"""The feature network: what it looks at, what it is trained to say, and what its distances mean."""

import math
from collections.abc import Sequence

import numpy as np
import pytest
import torch
from torch.nn import functional as F

from scope.benchmarks.features import features_of, load
from scope.benchmarks.metrics.pictures import frechet_distance, moments
from scope.models.features import FeatureNet, perceptual_distance
from scope.nn.weights import fill, read
from scope.training.recipes import features as trainer
from scope.worlds.pocket import Group, Plan, Scene, compose, sample_whole
from scope.worlds.pocket.catalogue import COLORS, CONCEPTS, MAX_COUNT, SETTINGS


@pytest.fixture(scope="module")
def network() -> FeatureNet:
    torch.manual_seed(0)
    return FeatureNet(16).eval()


@pytest.fixture(scope="module")
def images() -> torch.Tensor:
    return torch.rand(5, 3, 64, 64, generator=torch.Generator().manual_seed(0)) * 2 - 1


def tensor(scenes: Sequence[Scene]) -> torch.Tensor:
    return trainer.to_tensor([scene.image for scene in scenes], torch.device("cpu"))


def test_a_picture_drawn_larger_has_the_same_features(network, images):
    larger = images.repeat_interleave(2, -1).repeat_interleave(2, -2)
    assert torch.allclose(network(images), network(larger), atol=1e-6)
    assert network(images).shape == (5, 16)


def test_features_do_not_depend_on_what_is_looked_at_together(network, images):
    together = features_of(network, images)
    assert np.allclose(features_of(network, images, batch=2), together, atol=1e-6)
    assert together.dtype == np.float64


def test_perceptual_distance_is_zero_to_itself_symmetric_and_grows_with_noise(network, images):
    noise = torch.randn(images.shape, generator=torch.Generator().manual_seed(1))
    assert perceptual_distance(network, images, images).abs().max() == 0
    far = [perceptual_distance(network, images, images + amount * noise) for amount in (0.02, 0.1, 0.5)]
    assert (far[0] < far[1]).all()
    assert (far[1] < far[2]).all()
    assert far[2].max() < 6
    assert torch.allclose(far[2], perceptual_distance(network, images + 0.5 * noise, images))


def test_targets_are_what_the_plan_says():
    plans = [
        Plan((Group("dog", 2), Group("car", 1, "red")), "left of", "beach"),
        Plan((Group("cat", 1, "blue"),)),
    ]
    truth = trainer.targets([compose(plan, 0) for plan in plans])
    nouns, colors, settings = list(CONCEPTS), list(COLORS), list(SETTINGS)
    assert [[nouns[i] for i in row.nonzero()[:, 0]] for row in truth["nouns"]] == [
        sorted(["dog", "car"], key=nouns.index),
        ["cat"],
    ]
    assert [[colors[i] for i in row.nonzero()[:, 0]] for row in truth["colors"]] == [["red"], ["blue"]]
    assert [settings[i] for i in truth["setting"]] == ["beach", "plain"]
    assert truth["count"].tolist() == [3, 1]


def test_who_knows_nothing_loses_the_logarithms_and_who_knows_all_nothing():
    truth = trainer.targets([compose(Plan((Group("cat", 1, "blue"),)), seed) for seed in range(3)])
    answers = {"nouns": len(CONCEPTS), "colors": len(COLORS), "setting": len(SETTINGS), "count": 1 + 2 * MAX_COUNT}
    nothing = {name: torch.zeros(3, n) for name, n in answers.items()}
    loss, parts = trainer.features_loss(nothing, truth)
    assert parts["nouns"].item() == pytest.approx(math.log(len(CONCEPTS)))
    assert parts["colors"].item() == pytest.approx(len(COLORS) * math.log(2), rel=1e-5)
    assert parts["setting"].item() == pytest.approx(math.log(len(SETTINGS)))
    assert loss.item() == pytest.approx(sum(part.item() for part in parts.values()), rel=1e-5)
    one_of = {name: F.one_hot(truth[name], answers[name]) for name in ("setting", "count")}
    all_ = {name: 40 * (2 * y.float() - 1) for name, y in (truth | one_of).items()}
    assert trainer.features_loss(all_, truth)[0].item() == pytest.approx(0, abs=1e-5)
    assert {name: share.item() for name, share in trainer.accuracies(all_, truth).items()} == {
        "noun_accuracy": 1,
        "setting_accuracy": 1,
        "count_accuracy": 1,
    }


@pytest.mark.heavy
def test_what_is_kept_is_the_network_without_its_classifier(tmp_path):
    trainer.train(trainer.PRESETS["tiny"], tmp_path)
    kept = FeatureNet(trainer.PRESETS["tiny"].dim)
    fill(kept, read(tmp_path / "features.safetensors"), "features")
    assert torch.isfinite(kept.eval()(torch.zeros(1, 3, 128, 128))).all()


def test_a_few_scenes_are_learned_by_heart(tmp_path):
    torch.manual_seed(0)
    model = trainer.SceneClassifier(32)
    plans = [Plan((Group(noun, 1, color),), None, setting) for noun, color, setting in (
        ("dog", "red", "beach"), ("car", "blue", "night"), ("apple", None, "snow"), ("tree", "white", "desert"),
    )]  # fmt: skip
    scenes = [compose(plan, seed) for seed, plan in enumerate(plans)]
    images, truth = tensor(scenes), trainer.targets(scenes)
    optimizer = torch.optim.AdamW(model.parameters(), lr=3e-3)
    for _ in range(60):
        loss, _ = trainer.features_loss(model(images), truth)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert all(share == 1 for share in trainer.accuracies(model(images), truth).values())


@pytest.mark.weights
def test_shipped_features_tell_true_scenes_from_worse_ones_and_the_more_so_the_worse_they_are():
    shipped, _ = load()
    random = np.random.default_rng(5)
    scenes = [compose(sample_whole(random, "held_out"), (5, i)) for i in range(400)]
    true, others = (features_of(shipped, tensor(part)) for part in (scenes[:200], scenes[200:]))
    bare = [compose(Plan((Group("dog"),), None, scene.plan.setting), i) for i, scene in enumerate(scenes[200:])]

    def distance(images: torch.Tensor) -> float:
        return frechet_distance(moments(true), moments(features_of(shipped, images)))

    floor = frechet_distance(moments(true), moments(others))
    blurred = [distance(F.avg_pool2d(tensor(scenes[200:]), k, 1, k // 2)) for k in (3, 7, 15)]
    noise = torch.randn(200, 3, 128, 128, generator=torch.Generator().manual_seed(0))
    noisy = [distance(tensor(scenes[200:]) + amount * noise) for amount in (0.1, 0.2, 0.5)]
    assert floor < blurred[0] < blurred[1] < blurred[2]
    assert floor < noisy[0] < noisy[1] < noisy[2]
    assert distance(tensor(bare)) > 2 * floor
