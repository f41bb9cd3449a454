"""What the benchmark of the reward asks: true and false of the same kind, and figures that are those of its answers."""

from collections.abc import Sequence
from typing import Any

import pytest
from torch import Tensor

from scope.benchmarks.experiments.reward import Case, cases, scores, tally
from scope.errors import ScopeError
from scope.nn.images import to_pixels
from scope.specification import Commitment, Specification, Type, from_pixels
from scope.specification.geometry import holds
from scope.training.rewards import Score

pytestmark = pytest.mark.heavy
COUNT = 4


@pytest.fixture(scope="module")
def asked() -> list[Case]:
    return [case for of_scene in cases(COUNT) for case in of_scene]


def said(image: bytes, c: Commitment) -> tuple[bytes, Any]:
    return image, (c.type, c.value, c.targets)


class Knowing:
    """A reward that knows of every case's true picture that its commitment is kept; of nothing else, it says it is."""

    def __init__(self, asked: Sequence[Case]) -> None:
        self.kept = {said(case.true.image.tobytes(), case.commitment) for case in asked}

    def score(self, images: Tensor, specs: Sequence[Specification]) -> list[dict[str, Score]]:
        pixels = [image.tobytes() for image in to_pixels(images)]
        return [
            {c.id: Score(0.75, True) if said(image, c) in self.kept else Score(0.25, False) for c in spec.commitments}
            for image, spec in zip(pixels, specs, strict=True)
        ]


class Optimist:
    """A reward to whom all is kept."""

    def score(self, images: Tensor, specs: Sequence[Specification]) -> list[dict[str, Score]]:
        return [{c.id: Score(1.0, True) for c in spec.commitments} for spec in specs]


def test_one_that_knows_the_truth_makes_no_mistake_and_one_to_whom_all_is_kept_passes_every_lie(
    asked: list[Case],
) -> None:
    for reward, passes, kept, broken in ((Knowing(asked), 0, 0.75, 0.25), (Optimist(), 1, 1, 1)):
        results = tally(reward, COUNT)  # type: ignore[arg-type]
        assert [row.name for row in results.rows][:3] == ["entity", "count", "attribute"]
        for row in results.rows:
            assert (row.metrics["accuracy"].value, row.metrics["false_pass"].value) == (1, passes), row.name
            assert (row.metrics["share"].value, row.metrics["share_violated"].value) == (kept, broken)
        counts = {row.name: row.metrics["accuracy"].n for row in results.rows}
        assert counts["style"] == counts["text"] == counts["place"] == counts["absence"] == COUNT
        assert results.n_expected == 4 * COUNT


def test_false_pictures_differ_from_the_true_ones_but_where_another_place_is_claimed(asked: list[Case]) -> None:
    for case in asked:
        same = case.true.image.tobytes() == case.false.image.tobytes()
        assert same == (case.commitment.type is Type.PLACE)
        assert case.commitment in case.spec.commitments
        if case.commitment.type is Type.STYLE:
            assert case.true.plan.style != case.false.plan.style
            assert case.true.plan.groups == case.false.plan.groups


def test_a_place_is_true_of_where_the_thing_stands_and_the_other_is_not(asked: list[Case]) -> None:
    places = [case for case in asked if case.commitment.type is Type.PLACE]
    assert len(places) == COUNT
    for case in places:
        (thing,) = case.true.objects
        box = from_pixels(thing.xyxy_px, 128, 128)
        claimed = [spec["c98"].value for spec in (case.spec, case.false_spec)]
        assert [holds(str(name), [box]) for name in claimed] == [True, False]


def test_what_the_reward_knows_nothing_of_is_told(asked: list[Case]) -> None:
    class Silent(Optimist):
        def score(self, images: Tensor, specs: Sequence[Specification]) -> list[dict[str, Score]]:
            return [{} for _ in specs]

    with pytest.raises(ScopeError, match="the reward says nothing of e1"):
        scores(Silent(), asked[:1])  # type: ignore[arg-type]
