"""The relations between detected boxes, against the world's own exact ones."""

import numpy as np
import pytest

from scope.verifiers.relations import relation_holds
from scope.worlds.pocket import Group, Plan, arrange
from scope.worlds.pocket.catalogue import RELATIONS


def boxes(plan: Plan, seed: int) -> list[list[tuple[int, int, int, int]]]:
    layout = arrange(plan, seed)
    return [[o.xyxy_px for o in layout.objects if o.group == g] for g in range(len(plan.groups))]


def plans(relation: str) -> list[Plan]:
    if relation == "between":
        return [
            Plan((Group("dog"), Group("cat", 2)), relation),
            Plan((Group("dog"), Group("cat"), Group("car")), relation),
        ]
    return [Plan((Group("dog"), Group("cat")), relation)]


@pytest.mark.parametrize("relation", RELATIONS)
def test_a_relation_holds_in_every_scene_of_it(relation):
    for plan in plans(relation):
        assert all(relation_holds(relation, boxes(plan, seed)) for seed in range(40))


@pytest.mark.parametrize(("relation", "other"), [("left of", "right of"), ("above", "below"), ("on top of", "below")])
def test_a_relation_holds_in_no_scene_of_the_opposite(relation, other):
    assert not any(relation_holds(relation, boxes(plans(other)[0], seed)) for seed in range(40))


def test_a_thing_beside_two_others_is_not_between_them():
    random = np.random.default_rng(0)
    for seed in range(40):
        [first, *rest] = boxes(Plan((Group("dog"), Group("cat", int(random.integers(1, 3)))), "left of"), seed)
        assert not relation_holds("between", [first, *rest])


def test_a_box_that_floats_above_is_not_on_top():
    assert not relation_holds("on top of", [[(0, 0, 32, 32)], [(0, 64, 32, 96)]])
    assert relation_holds("on top of", [[(0, 0, 32, 32)], [(0, 36, 32, 68)]])


def test_an_unknown_relation_is_not_judged():
    assert relation_holds("inside", [[(0, 0, 1, 1)], [(2, 0, 3, 1)]]) is None
