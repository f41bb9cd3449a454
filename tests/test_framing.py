"""The ink of a drawing and its frame: each follows from the other, and the ink is what can be seen."""

from itertools import product

import numpy as np
import pytest
import torch

from scope.nn.boxes import blunt_iou, pairwise_iou, xywh, xyxy
from scope.nn.conv import Coarser
from scope.training.data.cluttered_scenes import Clutter, cluttered_scene, of_world
from scope.worlds.pocket import Group, Plan, compose
from scope.worlds.pocket.catalogue import ALL_VENDORS, NOUNS, VENDORS, drawn_by
from scope.worlds.pocket.framing import frame_of
from scope.worlds.pocket.sprites import ink, sprite

FRAME = (10.0, 20.0, 58.0, 84.0)


def ink_in(frame: tuple[float, ...], noun: str, vendor: str) -> tuple[float, ...]:
    x0, y0, x1, y1 = frame
    return tuple(a + b for a, b in zip((x0, y0, x0, y0), ink(noun, (int(x1 - x0), int(y1 - y0)), vendor), strict=True))


@pytest.mark.parametrize(("noun", "vendor"), list(product(("candle", "kite", "dog", "tie"), ALL_VENDORS)))
def test_the_frame_of_the_ink_is_the_frame(noun, vendor):
    assert frame_of(ink_in(FRAME, noun, vendor), noun, (vendor,)) == pytest.approx(FRAME, abs=4)


def test_whoever_of_the_world_drew_it_the_mean_frame_is_near():
    """But for a few things that they draw in shapes of their own, as a thermometer."""
    drawn = [(noun, vendor) for noun, vendor in product(NOUNS[::9], VENDORS) if noun in drawn_by(vendor)]
    found = [xywh(frame_of(ink_in(FRAME, noun, vendor), noun)) for noun, vendor in drawn]
    shared = pairwise_iou(torch.tensor([xywh(FRAME)]), torch.tensor(found))[0]
    assert (shared > 0.6).float().mean() > 0.95


def test_the_ink_is_what_is_opaque():
    x0, y0, x1, y1 = ink("candle", (40, 60), "noto")
    opaque = sprite("candle", "red", (40, 60), "noto")[1][..., 0] > 0.5
    assert opaque[y0:y1, x0:x1].sum() == opaque.sum()
    assert opaque[y0].any()
    assert opaque[:, x1 - 1].any()


def test_things_of_a_scene_have_the_ink_of_their_drawing():
    scene = compose(Plan((Group("dog", 2, "red"),)), 3)
    assert [xyxy(thing.ink) for thing in of_world(scene).objects] == [o.ink_px for o in scene.objects]
    assert [o.ink_px for o in scene.objects] == [scene.ink(i) for i in range(2)]


@pytest.mark.parametrize("roomy", [0.0, 1.0])
def test_the_ink_of_a_thing_lies_in_its_frame(roomy):
    rng = np.random.default_rng(8)
    for thing in (o for _ in range(20) for o in cluttered_scene(rng, Clutter(roomy_p=roomy)).objects):
        (x0, y0, x1, y1), (left, top, right, bottom) = thing.xyxy_px, xyxy(thing.ink)
        assert x0 <= left < right <= x1
        assert y0 <= top < bottom <= y1


def test_roomy_scenes_have_few_things_that_are_larger():
    rng = np.random.default_rng(9)
    few, many = ([cluttered_scene(rng, Clutter(roomy_p=p)).objects for _ in range(60)] for p in (1.0, 0.0))
    assert max(map(len, few)) <= 2 * 5
    assert np.mean([o.box[2] for objects in few for o in objects]) > np.mean(
        [o.box[2] for objects in many for o in objects]
    )


def test_thin_boxes_that_are_a_pixel_apart_are_alike():
    boxes = torch.tensor([[40.0, 60, 4, 40], [42.0, 60, 4, 40]])
    assert pairwise_iou(boxes, boxes)[0, 1] < 0.4
    assert blunt_iou(boxes, 3.0)[0, 1] > 0.5
    assert torch.allclose(blunt_iou(boxes, 0.0), pairwise_iou(boxes, boxes))


def test_what_is_seen_at_half_the_size_adds_nothing_at_first():
    grid = torch.rand(2, 8, 6, 6)
    assert torch.equal(Coarser(8, 1).eval()(grid), grid)
