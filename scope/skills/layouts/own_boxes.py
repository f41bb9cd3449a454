"""The boxes that a person gave: "a red apple=100,50,400,350", put into the ledger in the person's name."""

from collections.abc import Sequence
from dataclasses import replace

from scope.errors import UsageError
from scope.skills.layouts.rules import Thing, how_many, things_of
from scope.skills.named_things import thing_named
from scope.specification import Box, Cause, Commitment, Placing, Specification, Status, grounded, named_box

CAUSE = Cause(kind="person", name="region")


def with_own_boxes(spec: Specification, given: Sequence[str]) -> Specification:
    """Return the specification with things placed where a person wants them.

    Args:
        spec: read, and not yet drawn.
        given: "PHRASE=y_min,x_min,y_max,x_max", once for each instance of a thing.

    Raises: UsageError if a phrase is of no thing or of several, two things have one box, or a thing more boxes than
    there are of it.
    """
    boxes: dict[str, list[Box]] = {}
    for text in given:
        phrase, box = named_box(text)
        owner = thing_named(spec, phrase, "--region")
        if other := next((o for o, taken in boxes.items() if o != owner.id and box in taken), None):
            raise UsageError(f"--region {text!r}: {spec[other].value} has this box already; give each thing its own")
        if box in boxes.setdefault(owner.id, []):
            raise UsageError(f"--region {text!r}: this box is given twice; each {owner.value} has one of its own")
        boxes[owner.id].append(box)
    for owner_id, own in boxes.items():
        spec = _placed(spec, spec[owner_id], own)
    return spec


def _placed(spec: Specification, owner: Commitment, boxes: list[Box]) -> Specification:
    _, most = how_many(grounded(spec), owner)
    if most is not None and len(boxes) > most:
        raise UsageError(f"--region: {len(boxes)} boxes for {owner.value}, of which there {_are(most)}")
    first = next(thing for thing in things_of(spec) if thing.owner == owner.id)
    regions = tuple(_instance(first, i + 1).region(box) for i, box in enumerate(boxes))
    return spec.move(owner.id, Status.PLACED, CAUSE, evidence=Placing(regions=regions))


def _instance(thing: Thing, number: int) -> Thing:
    return replace(thing, id=f"{thing.owner}#{number}")


def _are(number: int) -> str:
    return "is 1" if number == 1 else f"are {number}"
