"""The one public box, its way to pixels and back on canvases of any shape, and what a request says with it."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from scope.specification import READS, Box, Edit, ImageFile, Reference, Region, Request, from_pixels, to_pixels, unread

SIDES = st.integers(1, 999)


@st.composite
def boxes_in_pixels(draw: st.DrawFn) -> tuple[tuple[int, int, int, int], int, int]:
    width, height = draw(SIDES), draw(SIDES)
    x0, y0 = draw(st.integers(0, width - 1)), draw(st.integers(0, height - 1))
    return (x0, y0, draw(st.integers(x0 + 1, width)), draw(st.integers(y0 + 1, height))), width, height


@st.composite
def boxes(draw: st.DrawFn) -> Box:
    y0, x0 = draw(st.integers(0, 999)), draw(st.integers(0, 999))
    return Box.of(y0, x0, draw(st.integers(y0 + 1, 1000)), draw(st.integers(x0 + 1, 1000)))


@given(boxes_in_pixels())
def test_pixels_come_back_as_they_were(case: tuple[tuple[int, int, int, int], int, int]) -> None:
    xyxy_px, width, height = case
    assert to_pixels(from_pixels(xyxy_px, width, height), width, height) == xyxy_px


@given(boxes(), SIDES, SIDES)
def test_pixels_lie_in_the_canvas_and_have_an_area(box: Box, width: int, height: int) -> None:
    x0, y0, x1, y1 = to_pixels(box, width, height)
    assert 0 <= x0 < x1 <= width
    assert 0 <= y0 < y1 <= height
    assert abs(x0 - box.x_min * width / 1000) <= 1.5
    assert abs(y1 - box.y_max * height / 1000) <= 1.5


@given(st.lists(st.floats(-3000, 3000), min_size=4, max_size=4), SIDES, SIDES)
def test_whatever_a_detector_gives_becomes_a_box(corners: list[float], width: int, height: int) -> None:
    x0, x1 = sorted(corners[:2])
    y0, y1 = sorted(corners[2:])
    box = from_pixels((x0, y0, x1, y1), width, height)
    assert Box.model_validate_json(box.model_dump_json()) == box


def test_y_comes_first() -> None:
    box = from_pixels((10, 40, 30, 50), width=100, height=50)
    assert json.loads(box.model_dump_json()) == [800, 100, 1000, 300]
    assert (box.y_min, box.x_min, box.y_max, box.x_max) == (800, 100, 1000, 300)
    assert str(box) == "[800, 100, 1000, 300]"


@pytest.mark.parametrize(
    ("sides", "why"),
    [
        ([100, 50, 100, 350], "y_min 100 must be less than y_max 100"),
        ([100, 350, 400, 50], "x_min 350 must be less than x_max 50"),
        ([-1, 0, 10, 10], "greater than or equal to 0"),
        ([0, 0, 1001, 10], "less than or equal to 1000"),
        ([0.5, 0, 10, 10], "valid integer"),
        ([0, 0, 10], "Field required"),
        ("0,0,1,1", "valid tuple"),
    ],
)
def test_what_is_no_box_is_refused_with_the_reason(sides: object, why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        Box.model_validate(sides)


# -- requests ------------------------------------------------------------------------------------

BOX = Box.of(0, 0, 500, 500)
FILE = ImageFile(path="a.png", sha256="ab")
WHOLE = Request(
    text="a red apple", width=64, height=32, negative="pears", steps=4, cfg_scale=2.0,
    regions=(Region(id="e1#1", commitments=("e1", "c1"), phrase="red apple", box=BOX),),
    references=(Reference(commitment="e1", path="apple.png", sha256="cd"),),
    edit=Edit(image=FILE, mask=FILE, exemplar=(FILE, FILE), strength=0.5),
)  # fmt: skip


def test_a_request_goes_through_json_unchanged() -> None:
    assert Request.model_validate_json(WHOLE.model_dump_json()) == WHOLE


def test_unread_names_each_field_that_is_asked_for_and_not_read() -> None:
    assert unread(WHOLE, ()) == tuple(READS)
    assert unread(WHOLE, READS) == ()
    assert unread(Request(text="a red apple", seed=3), ()) == ()
    for name in READS:
        assert unread(WHOLE, READS.keys() - {name}) == (name,)


@pytest.mark.parametrize("identity", ["e1", "e1#0", "#1", "e#1", "1#1", "e1#1#1", "e1 #1"])
def test_a_region_is_named_by_its_entity_and_its_instance(identity: str) -> None:
    with pytest.raises(ValidationError, match="pattern"):
        Region(id=identity, commitments=("e1",), phrase="apple", box=BOX)


def test_a_region_carries_a_commitment() -> None:
    with pytest.raises(ValidationError, match="at least 1 item"):
        Region(id="e1#1", commitments=(), phrase="apple", box=BOX)


@pytest.mark.parametrize("strength", [0, -0.1, 1.01])
def test_strength_is_a_time_above_zero(strength: float) -> None:
    with pytest.raises(ValidationError):
        Edit(image=FILE, strength=strength)
