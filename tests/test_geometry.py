"""What boxes say: relations, places and comparisons, against a second implementation and against themselves."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scope.specification import Box, to_pixels
from scope.specification.geometry import (
    ALIASES,
    COMPARISONS,
    CONVERSE,
    PLACES,
    RELATIONS,
    canonical,
    holds,
    overlap,
)
from scope.verifiers.relations import relation_holds

LEFT, RIGHT = Box.of(400, 100, 600, 300), Box.of(400, 700, 600, 900)
MIDDLE = Box.of(400, 400, 600, 600)
TABLE, CUP = Box.of(600, 200, 900, 800), Box.of(420, 400, 610, 550)


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    y, x = (draw(st.integers(0, 900)) for _ in range(2))
    return Box.of(y, x, draw(st.integers(y + 1, 1000)), draw(st.integers(x + 1, 1000)))


def mirrored(box: Box) -> Box:
    return Box.of(box.y_min, 1000 - box.x_max, box.y_max, 1000 - box.x_min)


@pytest.mark.parametrize(
    ("name", "groups", "expected"),
    [
        ("left of", ([LEFT], [RIGHT]), True),
        ("left of", ([RIGHT], [LEFT]), False),
        ("left of", ([LEFT, RIGHT], [MIDDLE]), False),
        ("between", ([MIDDLE], [LEFT], [RIGHT]), True),
        ("between", ([MIDDLE], [LEFT, RIGHT]), True),
        ("between", ([LEFT], [MIDDLE, RIGHT]), False),
        ("on", ([CUP], [TABLE]), True),
        ("on top of", ([CUP], [TABLE]), True),
        ("on", ([TABLE], [CUP]), False),
        ("in", ([MIDDLE], [Box.of(0, 0, 1000, 1000)]), True),
        ("in", ([MIDDLE], [LEFT]), False),
        ("next to", ([LEFT], [MIDDLE]), True),
        ("next to", ([LEFT], [RIGHT]), False),
        ("next to", ([RIGHT, MIDDLE], [LEFT]), True),  # in a row: what is beside the one that is beside it
        ("with", ([LEFT], [MIDDLE]), True),
        ("with", ([CUP], [TABLE]), True),  # they overlap
        ("with", ([LEFT], [Box.of(700, 100, 900, 300)]), True),  # one above the other, half a height apart
        ("with", ([LEFT], [Box.of(701, 100, 901, 300)]), False),
        ("with", ([LEFT], [RIGHT]), False),
        ("with", ([LEFT, RIGHT], [MIDDLE]), True),
        ("with", ([LEFT], [MIDDLE, Box.of(0, 900, 100, 1000)]), False),  # not all of the others
        ("in front of", ([Box.of(500, 400, 950, 600)], [TABLE]), True),
        ("behind", ([TABLE], [Box.of(500, 400, 950, 600)]), True),
        ("left", ([LEFT],), True),
        ("left", ([LEFT, MIDDLE],), False),
        ("center", ([MIDDLE],), True),
        ("top left", ([Box.of(0, 0, 200, 200)],), True),
        ("bigger than", ([TABLE], [CUP]), True),
        ("smaller than", ([CUP], [TABLE]), True),
        ("taller than", ([TABLE], [CUP]), True),
        ("longer than", ([TABLE], [CUP]), True),
        ("wider than", ([TABLE], [CUP]), True),
        ("same size as", ([LEFT], [RIGHT]), True),
        ("same size as", ([LEFT], [TABLE]), False),
        ("holding", ([LEFT], [RIGHT]), None),
        ("left of", ([LEFT],), None),
        ("left", ([LEFT], [RIGHT]), None),
    ],
)  # fmt: skip
def test_holds(name: str, groups: tuple[list[Box], ...], expected: bool | None) -> None:
    assert holds(name, *groups) is expected


def test_every_name_is_known_once() -> None:
    assert len(RELATIONS | set(PLACES) | COMPARISONS) == len(RELATIONS) + len(PLACES) + len(COMPARISONS)
    assert {canonical(name) for name in ALIASES} <= RELATIONS | COMPARISONS
    assert canonical("holding") is None


@given(boxes(), boxes())
def test_converses_and_opposite_sides(a: Box, b: Box) -> None:
    for name, converse in CONVERSE.items():
        assert holds(name, [a], [b]) is holds(converse, [b], [a])
    assert holds("left of", [a], [b]) is holds("right of", [mirrored(a)], [mirrored(b)])
    for name in ("left of", "above", "inside", "bigger than", "taller than", "in front of"):
        assert not (holds(name, [a], [b]) and holds(name, [b], [a]) and a != b)
    assert overlap(a, b) is overlap(b, a)
    assert holds("with", [a], [b]) is holds("with", [b], [a])
    assert holds("with", [a], [b]) or not (overlap(a, b) or holds("next to", [a], [b]))


@given(boxes(), boxes())
def test_what_holds_of_boxes_is_what_the_verifier_sees_in_pixels(a: Box, b: Box) -> None:
    groups = [[to_pixels(box, 1000, 1000)] for box in (a, b)]
    for name in ("left of", "right of", "above", "below"):
        assert not holds(name, [a], [b]) or relation_holds(name, groups)
    middle, one, other = Box.of(400, 450, 600, 550), a, mirrored(a)
    if holds("between", [middle], [one], [other]):
        assert relation_holds("between", [[to_pixels(box, 1000, 1000)] for box in (middle, one, other)])
