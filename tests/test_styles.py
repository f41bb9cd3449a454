"""The style of what is drawn, told by the nearest drawing: on true scenes, on a stand-in, and where nothing is."""

import numpy as np
import pytest

from scope.models.detector import Detection
from scope.parsing.grammar import Grammar
from scope.verifiers.objects import DetectedScene
from scope.verifiers.styles import distances, nearest
from scope.worlds.pocket import Group, Plan, compose, sample_whole
from scope.worlds.pocket.catalogue import NOUNS, STYLES, VENDORS, drawn_by

PLAIN = Grammar().decompose("a flat illustration of a dog")
STYLE = next(c for c in PLAIN.commitments if c.value == "flat")


def seen(plan: Plan, seed: int, off: float = 1.0) -> tuple[np.ndarray, list[Detection]]:
    """A scene in [0, 1], and its things as a detector may find them: some pixels off."""
    scene, rng = compose(plan, seed), np.random.default_rng(seed)
    boxes = [tuple((np.array(o.xyxy_px) + rng.normal(0, off, 4)).tolist()) for o in scene.objects]
    things = [Detection(o.noun, o.color or "red", 0.9, 0.9, box) for o, box in zip(scene.objects, boxes, strict=True)]
    return scene.image.astype(np.float32) / 255, things


def test_the_nearest_drawing_tells_the_style_of_true_scenes() -> None:
    rng = np.random.default_rng(3)
    plans = [sample_whole(rng) for _ in range(60)]
    right = []
    for i, plan in enumerate(plans):
        far = distances(*seen(plan, i))
        right.append(min(far, key=lambda vendor: far[vendor]) == plan.style)
    assert np.mean(right) > 0.93


@pytest.mark.parametrize("drawn", VENDORS)
def test_a_style_is_met_where_it_is_drawn_and_violated_elsewhere(drawn: str) -> None:
    pixels, things = seen(Plan((Group("dog", 1, "red"),), style=drawn), 1)
    outcome, reason, _ = DetectedScene(things, "plain", PLAIN, pixels).check(STYLE)
    assert outcome == ("met" if drawn == "flat" else "violated"), reason


def test_what_a_style_does_not_draw_is_told_from_no_other() -> None:
    noun = next(noun for noun in NOUNS if noun not in drawn_by("flat"))
    far = distances(*seen(Plan((Group(noun, 1, "red"),)), 2))
    assert far["flat"] == far["noto"]
    assert nearest(far, STYLES["flat"].name) == "flat"
    assert nearest(far, "") == ""


def test_where_nothing_is_found_or_no_picture_is_given_nobody_can_say() -> None:
    pixels, things = seen(Plan((Group("dog"),)), 1)
    assert DetectedScene([], "plain", PLAIN, pixels).check(STYLE)[0] is None
    assert DetectedScene(things, "plain", PLAIN).check(STYLE)[0] is None
    cubist = STYLE.model_copy(update={"value": "cubist"})
    assert DetectedScene(things, "plain", PLAIN, pixels).check(cubist)[0] is None
