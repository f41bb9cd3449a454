"""What the prompt of a plan promises, and plans in which one promise is broken."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from scope.specification import Commitment, Kind, Span, Specification, Type, next_ids
from scope.worlds.pocket.captions import caption
from scope.worlds.pocket.catalogue import COLORS, FIRST_SETTINGS, SETTINGS, STYLES, VENDORS, drawn_by
from scope.worlds.pocket.chance import Random, pick
from scope.worlds.pocket.plan import Group, Plan, is_sound
from scope.worlds.pocket.relations import OPPOSITE
from scope.worlds.pocket.sampling import WORDS

CAUSE = "world:pocket"


def specification(plan: Plan) -> Specification:
    """Return the commitments of a plan, worded plainly: the truth that parsers and verifiers are scored on."""
    words = caption(plan, np.random.default_rng(0))
    spec, ids = Specification(prompt=words.text), next_ids("c")
    for index, group in enumerate(plan.groups):
        start, end, _ = words.spans[index]
        for commitment in _of_group(f"e{index + 1}", group, Span(start=start, end=end), ids):
            spec = spec.declare(commitment, CAUSE)
    for commitment in _of_scene(plan, ids):
        spec = spec.declare(commitment, CAUSE)
    return spec


def _of_group(eid: str, group: Group, span: Span, ids: Iterator[str]) -> Iterator[Commitment]:
    noun = group.noun
    yield Commitment(
        id=eid, kind=Kind.ENTITY, type=Type.PRESENCE, claim=f"there is a {noun}", value=noun, span=span
    )  # fmt: skip
    if group.count > 1:
        yield _said(ids, Type.COUNT, f"the number of {noun} is {group.count}", group.count, (eid,), span)
    if group.color:
        yield _said(ids, Type.ATTRIBUTE, f"the {noun} is {group.color}", group.color, (eid,), span, "color")


def _of_scene(plan: Plan, ids: Iterator[str]) -> Iterator[Commitment]:
    nouns = [group.noun for group in plan.groups]
    if plan.relation:
        n = 3 if plan.relation == "between" else 2
        claim = f"the {nouns[0]} is {plan.relation} the {' and the '.join(nouns[1:n])}"
        targets = tuple(f"e{i + 1}" for i in range(len(nouns[:n])))
        yield _said(ids, Type.RELATION, claim, plan.relation, targets)
    if plan.setting != "plain":
        yield _said(ids, Type.SETTING, f"the setting is {plan.setting}", plan.setting)
    if plan.style in STYLES:
        yield _said(ids, Type.STYLE, f"the style is {STYLES[plan.style].name}", STYLES[plan.style].name)
    for noun in plan.absent:
        yield _said(ids, Type.ABSENCE, f"there is no {noun}", noun)
    if plan.text:
        yield _said(ids, Type.TEXT, f'the words "{plan.text}" can be read', plan.text)


def _said(
    ids: Iterator[str],
    type_: Type,
    claim: str,
    value: str | int,
    targets: tuple[str, ...] = (),
    span: Span | None = None,
    aspect: str | None = None,
) -> Commitment:
    return Commitment(
        id=next(ids), kind=Kind.CONSTRAINT, type=type_, claim=claim, value=value, aspect=aspect, targets=targets,
        depends_on=targets, span=span,
    )  # fmt: skip


def broken(plan: Plan, commitment: Commitment, random: Random, nouns: tuple[str, ...]) -> Plan:
    """Return a plan in which this commitment is false and as little else as possible has changed.

    `nouns` is what may take a thing's place.

    Raises: ValueError if it is no commitment of this world, or cannot be broken alone.
    """
    match commitment.type:
        case Type.PRESENCE:
            taken = {*(group.noun for group in plan.groups), *plan.absent}
            others = [noun for noun in nouns if noun not in taken and noun in _drawn_by(plan.style)]
            return _changed(plan, commitment.id, noun=pick(random, others), tone=None)
        case Type.COUNT:
            eid, count = commitment.targets[0], int(commitment.value)
            near = [_changed(plan, eid, count=n) for n in (count - 1, count + 1)]
            return pick(random, [p for p in near if is_sound(p)])
        case Type.ATTRIBUTE:
            return _changed(plan, commitment.targets[0], color=_other(random, COLORS, str(commitment.value)))
        case Type.RELATION:
            # What was between stands left of both, what was on top below.
            return replace(plan, relation=_TURNED[str(plan.relation)])
        case Type.SETTING:
            # A verifier that knows this one may not know all.
            known = FIRST_SETTINGS if plan.setting in FIRST_SETTINGS else SETTINGS
            return replace(plan, setting=_other(random, known, plan.setting))
        case Type.STYLE:
            drawn = [s for s in VENDORS if all(group.noun in _drawn_by(s) for group in plan.groups)]
            return replace(plan, style=_other(random, drawn, plan.style))
        case Type.ABSENCE:
            absent = tuple(noun for noun in plan.absent if noun != commitment.value)
            return replace(plan, groups=(*plan.groups, Group(str(commitment.value))), absent=absent)
        case Type.TEXT:
            return replace(plan, text=_other(random, WORDS, str(plan.text)))
    raise ValueError(f"{commitment.type} is not a commitment of this world")


_TURNED = OPPOSITE | {"between": "left of", "on top of": "below"}


def _changed(plan: Plan, eid: str, **change: Any) -> Plan:
    """Return the plan with one group changed, that of entity `eid`."""
    groups = list(plan.groups)
    groups[int(eid[1:]) - 1] = replace(groups[int(eid[1:]) - 1], **change)
    return replace(plan, groups=tuple(groups))


def _other(random: Random, options: Iterable[str], value: str) -> str:
    return pick(random, [option for option in options if option != value])


@cache
def _drawn_by(vendor: str) -> frozenset[str]:
    return frozenset(drawn_by(vendor))
