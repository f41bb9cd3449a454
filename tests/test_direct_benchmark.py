"""The benchmark of checkpoints of the learned layout: which one is chosen, and by whom."""

from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from scope.benchmarks.experiments import direct
from scope.benchmarks.results import Metric, Row
from scope.benchmarks.tasks import Words, prompts
from scope.errors import UsageError
from scope.models.reward_detector import Seen, Thing
from scope.parsing.grammar import Grammar
from scope.training import rewards
from scope.worlds.pocket.catalogue import COLOR_NAMES, SETTING_NAMES


def row(name: str, whole: float, six: float, text: float) -> Row:
    metrics = {"whole": whole, "first_six": six, "text": text}
    return Row(name=name, metrics={m: Metric(value=v) for m, v in metrics.items()})


def test_the_best_is_chosen_and_alignment_starts_at_the_nearest() -> None:
    rows = [row("a", 0.3, 0.5, 0.2), row("b", 0.6, 0.64, 0.6), row("c", 0.8, 0.72, 0.9), row("d", 0.8, 0.6, 0.9)]
    assert direct.best(rows) == "c"
    assert direct.nearest(rows) == "b"


def test_checkpoints_are_in_the_order_of_their_steps_and_the_end_is_last(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="scope train layout"):
        direct.checkpoints(tmp_path)
    for name in ("layout-001000", "layout", "layout-000500"):
        (tmp_path / f"{name}.safetensors").touch()
    assert list(direct.checkpoints(tmp_path)) == ["step_500", "step_1000", "end"]


def test_dev_prompts_are_not_those_of_the_benchmark() -> None:
    words = Words.of([None])
    dev, test = ([p.spec.prompt for p in prompts("two_object", words, 20, s)] for s in (direct.DEV_SEED, direct.SEED))
    assert not set(dev) & set(test)


class Sees(rewards.Reward):
    """A reward whose detector sees one red apple and a sign."""

    def __init__(self) -> None:
        pass

    def see(self, images: object) -> list[Seen]:
        color = tuple(float(name == "red") for name in COLOR_NAMES)
        setting = tuple(float(name == "beach") for name in SETTING_NAMES)
        return [Seen((Thing("apple", 0.9, color, (1.0, 0.0, 0.0), (64.0, 64.0, 30.0, 30.0)),), ("OPEN",), setting)]


@pytest.mark.parametrize(
    ("prompt", "met"),
    [
        ("a red apple", [True, True, True]),
        ("two red apples", [True, True, False]),
        ("an apple on a beach", [True, True, True]),
        ("a zebra", [False, False]),
        ("a happy apple", [True, True, False]),  # of what it knows nothing it says nothing good
    ],
)
def test_the_reward_answers_as_a_judge_does(prompt: str, met: list[bool]) -> None:
    asked, spec = direct.AskedOfReward(Sees()), Grammar().decompose(prompt)
    image = Image.fromarray(np.zeros((128, 128, 3), np.uint8))
    verdicts = {v.commitment: v.outcome == "met" for v in asked.check(image, spec.commitments, spec)}
    assert sorted(verdicts.values()) == sorted(met)
    assert asked.perceive(image).words == ("OPEN",)
