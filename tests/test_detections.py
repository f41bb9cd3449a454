"""How detectors are measured: one that knows the truth finds all, and each mistake costs what it should."""

from dataclasses import replace

import numpy as np
import pytest

from scope.benchmarks.metrics.detections import Found, cluttered_scenes, match, rows, world_scenes
from scope.training.data.cluttered_scenes import ClutteredScene, PlacedObject

DOGS = (
    PlacedObject("dog", "red", "noto", (40.0, 60.0, 50.0, 30.0), (40.0, 60.0, 46.0, 30.0)),
    PlacedObject("dog", None, "noto", (82.0, 66.0, 44.0, 36.0), (82.0, 66.0, 40.0, 36.0)),
)


def seen(scene: ClutteredScene) -> list[Found]:
    return [Found(o.noun, o.color or "red", o.xyxy_px) for o in scene.objects]


@pytest.mark.heavy
def test_one_that_knows_the_truth_finds_all():
    scenes = {scene.image.tobytes(): scene for scene in (*world_scenes(6), *cluttered_scenes(6))}
    for row in rows(lambda image: seen(scenes[image.tobytes()]), 6):
        assert {metric.value for metric in row.metrics.values()} == {1}, row.name
        assert set(row.metrics) >= {"recall", "color", "iou"}


@pytest.mark.heavy
def test_one_that_sees_nothing_finds_none():
    assert [row.metrics["recall"].value for row in rows(lambda image: [], 3)] == [0, 0, 0]


def test_each_thing_is_found_once_and_by_what_fits_best():
    exact = [Found("dog", "red", dog.xyxy_px) for dog in DOGS]
    near = replace(exact[0], xyxy_px=tuple(v + 4.0 for v in exact[0].xyxy_px))
    pairs = match(DOGS, [near, *exact])
    assert [one for _, one, _ in pairs] == exact
    assert [iou for *_, iou in pairs] == pytest.approx([1, 1])
    assert [one for _, one, _ in match(DOGS, [near, near])] == [near, None]


def test_another_noun_or_another_place_is_not_found():
    other, moved = Found("cat", "red", DOGS[0].xyxy_px), Found("dog", "red", (0.0, 0.0, 50.0, 30.0))
    assert [one for _, one, _ in match(DOGS, [other, moved])] == [None, None]
    assert match((), [other]) == []
    assert np.isfinite([iou for *_, iou in match(DOGS, [])]).all()
