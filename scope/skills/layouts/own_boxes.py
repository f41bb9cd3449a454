"""The boxes that a person gave: "a red apple=100,50,400,350", put into the ledger in the person's name."""

import re
from collections.abc import Sequence
from dataclasses import replace

from scope.errors import UsageError
from scope.skills.layouts.rules import Thing, how_many, things_of
from scope.specification import Box, Cause, Commitment, Placing, Specification, Status, Type, grounded, named_box
from scope.text import is_same_noun, number_of

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
        owner = _owner(spec, phrase)
        if other := next((o for o, taken in boxes.items() if o != owner.id and box in taken), None):
            raise UsageError(f"--region {text!r}: {spec[other].value} has this box already; give each thing its own")
        if box in boxes.setdefault(owner.id, []):
            raise UsageError(f"--region {text!r}: this box is given twice; each {owner.value} has one of its own")
        boxes[owner.id].append(box)
    for owner_id, own in boxes.items():
        spec = _placed(spec, spec[owner_id], own)
    return spec


def _placed(spec: Specification, owner: Commitment, boxes: list[Box]) -> Specification:
    number = how_many(grounded(spec), owner)
    if number is not None and len(boxes) > number:
        raise UsageError(f"--region: {len(boxes)} boxes for {owner.value}, of which there {_are(number)}")
    first = next(thing for thing in things_of(spec) if thing.owner == owner.id)
    regions = tuple(_instance(first, i + 1).region(box) for i, box in enumerate(boxes))
    return spec.move(owner.id, Status.PLACED, CAUSE, evidence=Placing(regions=regions))


def _instance(thing: Thing, number: int) -> Thing:
    return replace(thing, id=f"{thing.owner}#{number}")


def _are(number: int) -> str:
    return "is 1" if number == 1 else f"are {number}"


def _owner(spec: Specification, phrase: str) -> Commitment:
    """Return the one thing that a phrase means.

    Raises: UsageError if it is none, or several.
    """
    owners = [c for c in _things(spec) if _means(spec, phrase, c)]
    if len(owners) == 1:
        return owners[0]
    there = ", ".join(_name(spec, c) for c in (owners or _things(spec))) or "nothing"
    if owners:
        raise UsageError(f"--region {phrase!r} may be any of: {there}; say more of it")
    raise UsageError(f"--region {phrase!r}: the prompt has no such thing; there is: {there}")


def _things(spec: Specification) -> list[Commitment]:
    live = [c for c in spec.of(Type.PRESENCE, Type.TEXT) if spec.statuses()[c.id] is not Status.WAIVED]
    return [c for c in live if c.type is Type.PRESENCE or not c.targets]


def _name(spec: Specification, thing: Commitment) -> str:
    return " ".join((*_qualities(spec, thing), str(thing.value)))


def _qualities(spec: Specification, thing: Commitment) -> list[str]:
    about = [c for c in spec.about(thing.id) if c.targets == (thing.id,) and not c.denied]
    return [str(c.value) for c in about if c.type is Type.ATTRIBUTE]


def _means(spec: Specification, phrase: str, thing: Commitment) -> bool:
    """Return whether a phrase is a name of a thing, with nothing before it but what is said of the thing."""
    words = re.findall(r"\w[\w'-]*", phrase.lower())
    allowed = {word for quality in _qualities(spec, thing) for word in quality.lower().split()} | {"a", "an", "the"}
    span = thing.span
    named = {str(thing.value), thing.said or "", spec.prompt[span.start : span.end] if span else ""}
    names = {" ".join(re.findall(r"\w[\w'-]*", name.lower())) for name in named} - {""}
    for start in range(len(words)):
        before, name = words[:start], " ".join(words[start:])
        fits = all(word in allowed or number_of(word) is not None for word in before)
        if fits and any(is_same_noun(name, known) for known in names):
            return True
    return False
