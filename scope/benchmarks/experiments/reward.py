"""The reward's own accuracy, on pictures whose truth is exact: what checkpoints are chosen and policies trained by.

`accuracy`: commitments of true held-out scenes that it calls met. `false_pass`: of scenes that violate exactly one
commitment, how often it calls that one met. `share` and `share_violated` are the mean shares that it gives to the same:
a policy climbs from the one to the other. Pictures are scenes as the verifiers of the loop are measured on; styles and
signs are rare among them, so that they have scenes of their own. `place` is judged of single things: names of places
where they do stand, and where they do not. `free_boxes`, `crowded` and `small` say how well its detector finds things
(metrics/detections.py).
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path
from statistics import fmean

import numpy as np
import torch
from numpy.typing import NDArray

from scope.benchmarks.experiments.verifiers import SCENES, sign_scenes, violate
from scope.benchmarks.experiments.verifiers import scenes as mixed_scenes
from scope.benchmarks.metrics import detections
from scope.benchmarks.metrics.detections import Found
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.progress import Progress
from scope.benchmarks.results import Metric, Results, Row
from scope.errors import ScopeError
from scope.nn.boxes import xyxy
from scope.nn.images import to_tensor
from scope.specification import Cause, Commitment, Kind, Specification, Type, from_pixels
from scope.specification.geometry import PLACES, holds
from scope.training.rewards import FOUND, Reward, Score, load
from scope.worlds.pocket import Plan, Scene, compose, sample_whole, specification
from scope.worlds.pocket.catalogue import COLOR_NAMES, STYLES
from scope.worlds.pocket.rng import Rng, pick
from scope.worlds.pocket.sprites import SIZE

SEED = 530_000
QUICK = 8  # scenes of each kind
_ROWS = {
    Type.PRESENCE: "entity", Type.COUNT: "count", Type.ATTRIBUTE: "attribute", Type.RELATION: "relation",
    Type.SETTING: "setting", Type.PLACE: "place", Type.STYLE: "style", Type.TEXT: "text", Type.ABSENCE: "absence",
}  # fmt: skip


@dataclass(frozen=True)
class Case:
    """One commitment, a picture of which it is true, and one of which it is false."""

    commitment: Commitment
    spec: Specification
    true: Scene
    false: Scene
    false_spec: Specification  # of places, another is claimed of the same picture


def cases(count: int) -> Iterator[list[Case]]:
    """Yield the cases of each scene: `count` of each kind of scene."""
    rng = np.random.default_rng(SEED)
    kinds = ((mixed_scenes(), frozenset(_ROWS) - {Type.TEXT, Type.STYLE}), (style_scenes(rng), frozenset({Type.STYLE})))
    for pairs, types in (*kinds, (sign_scenes(), frozenset({Type.TEXT}))):
        for seed, (plan, spec) in enumerate(islice(pairs, count)):
            asked = [c for c in spec.commitments if c.type in types]
            true = compose(plan, (SEED, seed))
            yield [Case(c, spec, true, compose(violate(plan, c, rng), (SEED, seed)), spec) for c in asked]
    for seed in range(count):
        yield [place_case(rng, seed)]


def style_scenes(rng: Rng) -> Iterator[tuple[Plan, Specification]]:
    """Yield held-out plans whose style has a name."""
    while True:
        plan = replace(sample_whole(rng, "held_out", styles=tuple(STYLES)), text=None)
        yield plan, specification(plan)


def place_case(rng: Rng, seed: int) -> Case:
    """Return a place in which a single thing stands, and one in which it does not, of the same picture."""
    while True:
        plan = replace(sample_whole(rng, "held_out"), text=None, absent=(), relation=None)
        scene = compose(plan := replace(plan, groups=(replace(plan.groups[0], count=1),)), (SEED, seed))
        box = from_pixels(scene.objects[0].xyxy_px, SIZE, SIZE)
        kept = {name: holds(name, [box]) for name in PLACES}
        if len(set(kept.values())) == 2:
            here, elsewhere = (pick(rng, [name for name in kept if kept[name] is wanted]) for wanted in (True, False))
            (true, commitment), (false, _) = (_declare_place(specification(plan), name) for name in (here, elsewhere))
            return Case(commitment, true, scene, scene, false)


def _declare_place(spec: Specification, name: str) -> tuple[Specification, Commitment]:
    noun = spec["e1"].value
    place = Commitment(
        id="c98", kind=Kind.CONSTRAINT, type=Type.PLACE, claim=f"the {noun} is in the {name}", value=name,
        targets=("e1",), depends_on=("e1",),
    )  # fmt: skip
    return spec.declare(place, Cause(kind="world", name="pocket")), place


def scores(reward: Reward, of_scene: list[Case]) -> list[tuple[Score, Score]]:
    """Return (score on the true picture, score on the false one) of each case of one scene.

    Raises: ScopeError if the reward knows nothing of a commitment.
    """
    pictures = [of_scene[0].true.image, *(case.false.image for case in of_scene)]
    specs = [of_scene[0].spec, *(case.false_spec for case in of_scene)]
    with torch.inference_mode():
        first, *others = reward.score(to_tensor(pictures, torch.device("cpu")), specs)
    names = [case.commitment.id for case in of_scene]
    if silent := [n for n, other in zip(names, others, strict=True) if n not in first or n not in other]:
        raise ScopeError(f"the reward says nothing of {', '.join(silent)} of {of_scene[0].spec.prompt!r}")
    return [(first[name], other[name]) for name, other in zip(names, others, strict=True)]


def find(reward: Reward, image: NDArray[np.uint8]) -> list[Found]:
    """Return the things that the reward's detector finds."""
    (seen,) = reward.see(to_tensor([image], torch.device("cpu")))
    things = [t for t in seen.things if t.score >= FOUND]
    return [Found(t.noun, COLOR_NAMES[int(np.argmax(t.color))], xyxy(t.box)) for t in things]


def measure(quick: bool = False, weights: Path | None = None) -> Results:
    """Return how well the shipped reward tells true from false; `quick` on a few scenes, `weights`: of your own.

    Raises: WeightsError if its weights are missing or damaged; ScopeError as `scores` does.
    """
    reward, count = load(weights), QUICK if quick else SCENES
    results = tally(reward, count)
    found = detections.rows(lambda image: find(reward, image), count)
    command = f"{results.command} --quick" if quick else results.command
    return results.model_copy(update={"command": command, "rows": (*results.rows, *found)})


def tally(reward: Reward, count: int) -> Results:
    """Return how well a reward tells true from false, on `count` scenes of each of four kinds."""
    pairs: dict[str, list[tuple[Score, Score]]] = {name: [] for name in _ROWS.values()}
    progress = Progress("reward, scored", 4 * count)
    for of_scene in cases(count):
        for case, pair in zip(of_scene, scores(reward, of_scene), strict=True):
            pairs[_ROWS[case.commitment.type]].append(pair)
        progress.add()
    rows = tuple(_row(name, of_name) for name, of_name in pairs.items())
    return Results(name="reward", command="scope bench reward", seeds=(SEED,), n_expected=4 * count, rows=rows)


def _row(name: str, pairs: list[tuple[Score, Score]]) -> Row:
    true, false = zip(*pairs, strict=True)
    return Row(
        name=name,
        metrics={
            "accuracy": share(sum(score.met for score in true), len(pairs)),
            "false_pass": share(sum(score.met for score in false), len(pairs)),
            "share": Metric(value=round(fmean(score.share for score in true), 4), n=len(pairs)),
            "share_violated": Metric(value=round(fmean(score.share for score in false), 4), n=len(pairs)),
        },
    )
