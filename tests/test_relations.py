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
    assert relation_holds("holding", [[(0, 0, 1, 1)], [(2, 0, 3, 1)]]) is None


BIG, SMALL = (20.0, 20.0, 80.0, 80.0), (92.0, 40.0, 122.0, 70.0)


@pytest.mark.parametrize(
    ("name", "groups", "expected"),
    [
        ("bigger than", [[BIG], [SMALL]], True),
        ("smaller than", [[BIG], [SMALL]], False),
        ("taller than", [[SMALL], [BIG]], False),
        ("next to", [[SMALL], [BIG]], True),
        ("next to", [[(78.0, 40.0, 108.0, 70.0)], [BIG]], True),  # two pixels of overlap are the detector's
        ("inside", [[(18.0, 40.0, 48.0, 70.0)], [BIG]], True),  # and so are two pixels outside
        ("inside", [[SMALL], [BIG]], False),
        ("behind", [[(30.0, 10.0, 60.0, 50.0)], [BIG]], True),
        ("left", [[BIG]], False),
        ("right", [[SMALL]], True),
        ("top left", [[(0.0, 0.0, 40.0, 40.0), BIG]], False),  # all of them, or it does not hold
        ("left", [[BIG], [SMALL]], None),
    ],
)
def test_what_geometry_says_is_judged_with_edges_that_are_known_to_some_pixels(name, groups, expected):
    assert relation_holds(name, groups) is expected


def test_places_and_comparisons_do_not_depend_on_the_size_of_the_picture():
    double = [[tuple(2 * side for side in SMALL)]]
    assert relation_holds("right", double, side=256) is relation_holds("right", [[SMALL]]) is True
