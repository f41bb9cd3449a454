"""How well a detector finds the things of scenes whose truth is exact.

Rows: `free_boxes`, things of held-out scenes of the world; `crowded`, things of cluttered scenes; `small`, those of
both of which a side has 24 pixels or fewer. Metrics: `recall`, of the things, those for which one of the same noun is
found whose box is theirs (intersection over union of at least a half); `precision`, of what is found, what is such a
thing; `color`, of the found things that have a colour, those found in it; `iou`, the mean over found things.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

import numpy as np
import torch
from numpy.typing import NDArray

from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.results import Metric, Row
from scope.nn.boxes import pairwise_iou, xywh
from scope.training.data.cluttered_scenes import (
    EQUAL_VENDORS,
    Clutter,
    ClutteredScene,
    PlacedObject,
    cluttered_scene,
    of_world,
)
from scope.worlds.pocket import compose, sample_whole

SCENES, SEED = 300, 640_000
_SMALL = 24  # pixels
_IOU = 0.5


@dataclass(frozen=True)
class Found:
    """One thing that a detector found; corners in pixels."""

    noun: str
    color: str
    xyxy_px: tuple[float, float, float, float]


Find = Callable[[NDArray[np.uint8]], Sequence[Found]]


@dataclass
class Tally:
    """Things, what was found, and what fits."""

    things: int = 0
    found: int = 0
    ious: list[float] = field(default_factory=list)
    colors: list[bool] = field(default_factory=list)

    def add(self, pairs: list[tuple[PlacedObject, Found | None, float]], found: int) -> None:
        """Count things, each with what was found of it."""
        self.things, self.found = self.things + len(pairs), self.found + found
        self.ious += [iou for _, one, iou in pairs if one]
        self.colors += [thing.color == one.color for thing, one, _ in pairs if one and thing.color]

    def row(self, name: str, note: str) -> Row:
        """Return the metrics."""
        metrics = {"recall": share(len(self.ious), self.things)}
        if self.found:
            metrics["precision"] = share(len(self.ious), self.found)
        if self.colors:
            metrics["color"] = share(sum(self.colors), len(self.colors))
        if self.ious:
            metrics["iou"] = Metric(value=round(float(np.mean(self.ious)), 4), n=len(self.ious))
        return Row(name=name, metrics=metrics, note=note)


def rows(find: Find, n: int = SCENES) -> Iterator[Row]:
    """Yield the rows of a detector on n scenes of each kind."""
    small = Tally()
    for name, note, scenes in (
        ("free_boxes", "things of held-out scenes", world_scenes(n)),
        ("crowded", "things of cluttered scenes", cluttered_scenes(n)),
    ):
        tally = Tally()
        for scene in scenes:
            found = find(scene.image)
            pairs = match(scene.objects, found)
            tally.add(pairs, len(found))
            small.add([pair for pair in pairs if min(pair[0].box[2:]) <= _SMALL], 0)
        yield tally.row(name, note)
    yield small.row("small", f"those of a side of {_SMALL} px or fewer")


def world_scenes(n: int) -> Iterator[ClutteredScene]:
    """Yield held-out scenes of the world."""
    rng = np.random.default_rng(SEED)
    return (of_world(compose(sample_whole(rng, "held_out"), (SEED, i))) for i in range(n))


def cluttered_scenes(n: int) -> Iterator[ClutteredScene]:
    """Yield cluttered scenes, of other seeds than any training."""
    rng = np.random.default_rng(SEED + 1)
    return (cluttered_scene(rng, Clutter(EQUAL_VENDORS)) for _ in range(n))


def match(things: Sequence[PlacedObject], found: Sequence[Found]) -> list[tuple[PlacedObject, Found | None, float]]:
    """Return each thing with what was found of it, each found thing once, the best fits first; None: nothing."""
    if not things or not found:
        return [(thing, None, 0.0) for thing in things]
    boxes = torch.tensor([xywh(one.xyxy_px) for one in found])
    iou = pairwise_iou(torch.tensor([thing.box for thing in things]), boxes).numpy()
    same = np.array([[thing.noun == one.noun for one in found] for thing in things])
    iou = np.where(same, iou, 0.0)
    of_thing: dict[int, int] = {}
    for flat in iou.ravel().argsort()[::-1].tolist():
        i, j = divmod(flat, len(found))
        if iou[i, j] >= _IOU and i not in of_thing and j not in of_thing.values():
            of_thing[i] = j
    hits = [(of_thing.get(i), thing) for i, thing in enumerate(things)]
    return [
        (thing, None, 0.0) if j is None else (thing, found[j], float(iou[i, j])) for i, (j, thing) in enumerate(hits)
    ]
