"""The verifiers' own accuracy, on pictures whose truth is exact: their ceiling, and how often they pass a lie.

`accuracy`: commitments of true held-out scenes that are called met. `false_pass`: commitments called met on
counterfactual scenes, which violate that one commitment. Both over the whole pocket world, not only what the shipped
generators know. `free_boxes`, `crowded` and `small`: how well the detector finds things (metrics/detections.py).
"""

from collections.abc import Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scope.benchmarks.metrics import detections
from scope.benchmarks.metrics.detections import Found
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.results import Results, Row
from scope.errors import ScopeError
from scope.protocols import Verifier
from scope.specification import Cause, Commitment, Kind, Specification, Type
from scope.verifiers import objects, text
from scope.worlds.pocket import WORDS, Group, Plan, compose, counterfactual, held_out, sample_whole, specification
from scope.worlds.pocket.catalogue import NOUNS
from scope.worlds.pocket.rng import Rng

SCENES = 500
SEED = 510_000
_ROWS = {
    Type.PRESENCE: "entity", Type.COUNT: "count", Type.ATTRIBUTE: "attribute", Type.RELATION: "relation",
    Type.SETTING: "setting", Type.STYLE: "style", Type.TEXT: "text", Type.ABSENCE: "absence",
}  # fmt: skip


def scenes() -> Iterator[tuple[Plan, Specification]]:
    """Yield the 500 held-out plans with their commitments; by one of these another noun is absent."""
    rng = np.random.default_rng(SEED)
    for _ in range(SCENES):
        plan = replace(sample_whole(rng, "held_out"), absent=())
        absent = str(rng.choice([n for n in NOUNS if n not in {g.noun for g in plan.groups}]))
        yield plan, declare_absence(specification(plan), absent)


def sign_scenes() -> Iterator[tuple[Plan, Specification]]:
    """Yield held-out plans with a sign, for signs are rare among the others."""
    rng = np.random.default_rng(SEED + 1)
    while True:
        group = Group(str(rng.choice(NOUNS)), int(rng.integers(1, 3)))
        plan = Plan((group,), None, sample_whole(rng).setting, str(rng.choice(WORDS)))
        if held_out(plan):
            yield plan, specification(plan)


def declare_absence(spec: Specification, noun: str) -> Specification:
    """Return the specification with one more commitment: none of this noun."""
    absence = Commitment(id="c99", kind=Kind.CONSTRAINT, type=Type.ABSENCE, claim=f"there is no {noun}", value=noun)
    return spec.declare(absence, Cause(kind="world", name="pocket"))


def violate(plan: Plan, commitment: Commitment, rng: Rng) -> Plan:
    """Return a plan that violates exactly this commitment."""
    if commitment.type is Type.ABSENCE:
        other = replace(plan.groups[-1], noun=str(commitment.value), tone=None)
        return replace(plan, groups=(*plan.groups[:-1], other))
    return counterfactual(plan, commitment, rng, NOUNS)


def passes(verifier: Verifier, plan: Plan, seed: int, commitment: Commitment, spec: Specification) -> bool:
    """Return whether the verifier calls a commitment met on a picture of `plan`."""
    image = Image.fromarray(compose(plan, (SEED, seed)).image)
    return verifier.check(image, [commitment], spec)[0].outcome == "met"


def find(verifier: objects.ObjectsVerifier, image: NDArray[np.uint8]) -> list[Found]:
    """Return the things that the loop's detector finds."""
    scene = verifier.perceive(Image.fromarray(image), Specification(prompt=""))
    return [Found(d.noun, d.color, d.xyxy_px) for d in scene.detections]


def measure() -> Results:
    """Return the ceilings of the shipped verifiers.

    Raises: ScopeError if fewer scenes were scored than expected.
    """
    rng = np.random.default_rng(SEED + 2)
    tallies: dict[str, list[tuple[bool, bool]]] = {}
    seer = objects.load()
    for verifier, pairs in ((seer, scenes()), (text.load(), islice(sign_scenes(), SCENES))):
        for seed, (plan, spec) in enumerate(pairs):
            for commitment in (c for c in spec.commitments if verifier.handles(c)):
                right = passes(verifier, plan, seed, commitment, spec)
                wrong = passes(verifier, violate(plan, commitment, rng), seed, commitment, spec)
                tallies.setdefault(_ROWS[commitment.type], []).append((right, wrong))
    if len(tallies["absence"]) != SCENES or len(tallies["text"]) != SCENES:
        raise ScopeError("fewer scenes were scored than expected; the results are not written")
    return Results(
        name="verifiers", command="scope bench verifiers", seeds=(SEED,), n_expected=SCENES,
        rows=(*(_row(name, tallies[name]) for name in _ROWS.values()),
              *detections.rows(lambda image: find(seer, image))),
    )  # fmt: skip


def _row(name: str, pairs: list[tuple[bool, bool]]) -> Row:
    right, wrong = (sum(column) for column in zip(*pairs, strict=True))
    verifier = "text" if name == "text" else "objects"
    return Row(
        name=name, metrics={"accuracy": share(right, len(pairs)), "false_pass": share(wrong, len(pairs))},
        note=f"verifier {verifier}",
    )  # fmt: skip
