"""The commitments of a plan, and counterfactuals: plans that violate exactly one of them."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import numpy as np

from scope.specification import Cause, Commitment, Kind, Span, Specification, Type, next_ids
from scope.worlds.pocket import settings
from scope.worlds.pocket.captions import caption
from scope.worlds.pocket.catalogue import COLORS, CORE_SETTINGS, SETTINGS, STYLES, VENDORS, drawn_by
from scope.worlds.pocket.plan import Group, Plan, is_sound
from scope.worlds.pocket.relations import OPPOSITE
from scope.worlds.pocket.rng import Rng, pick
from scope.worlds.pocket.sampling import WORDS

CAUSE = Cause(kind="world", name="pocket")


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
    yield _constraint(ids, Type.COUNT, f"the number of {noun} is {group.count}", group.count, (eid,), span)
    if group.color:
        yield _constraint(ids, Type.ATTRIBUTE, f"the {noun} is {group.color}", group.color, (eid,), span, "color")


def _of_scene(plan: Plan, ids: Iterator[str]) -> Iterator[Commitment]:
    nouns = [group.noun for group in plan.groups]
    if plan.relation:
        n = 3 if plan.relation == "between" else 2
        claim = f"the {nouns[0]} is {plan.relation} the {' and the '.join(nouns[1:n])}"
        targets = tuple(f"e{i + 1}" for i in range(len(nouns[:n])))
        yield _constraint(ids, Type.RELATION, claim, plan.relation, targets)
    if plan.setting != "plain":
        for part in settings.parts(plan.setting):
            yield _constraint(ids, Type.SETTING, f"the setting is {part}", part)
    if plan.style in STYLES:
        yield _constraint(ids, Type.STYLE, f"the style is {STYLES[plan.style].name}", STYLES[plan.style].name)
    for noun in plan.absent:
        yield _constraint(ids, Type.ABSENCE, f"there is no {noun}", noun)
    if plan.text:
        yield _constraint(ids, Type.TEXT, f'the words "{plan.text}" can be read', plan.text)


def _constraint(
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


def counterfactual(plan: Plan, commitment: Commitment, rng: Rng, nouns: tuple[str, ...]) -> Plan:
    """Return a plan that violates this commitment and differs in as little else as possible.

    `nouns` are those that may take an object's place.

    Raises: ValueError if it is no commitment of this world, or cannot be violated alone.
    """
    match commitment.type:
        case Type.PRESENCE:
            taken = {*(group.noun for group in plan.groups), *plan.absent}
            others = [noun for noun in nouns if noun not in taken and noun in _drawn_by(plan.style)]
            return _with_group(plan, commitment.id, noun=pick(rng, others), tone=None)
        case Type.COUNT:
            eid, count = commitment.targets[0], int(commitment.value)
            near = [_with_group(plan, eid, count=n) for n in (count - 1, count + 1)]
            sound = [p for p in near if is_sound(p)]
            return pick(rng, sound or [replace(near[1], relation=None)])  # "on top of" is of one thing and one other
        case Type.ATTRIBUTE:
            return _with_group(plan, commitment.targets[0], color=_other(rng, COLORS, str(commitment.value)))
        case Type.RELATION:
            return replace(plan, relation=_VIOLATED_RELATION[str(plan.relation)])
        case Type.SETTING:
            # A verifier that knows this one may not know all.
            known = CORE_SETTINGS if plan.setting in CORE_SETTINGS else SETTINGS
            lost = str(commitment.value)
            kept = [part for part in settings.parts(plan.setting) if part != lost]
            fits = (s for s in known if not settings.shows(s, lost) and all(settings.shows(s, part) for part in kept))
            return replace(plan, setting=pick(rng, tuple(fits)))
        case Type.STYLE:
            styles = [s for s in VENDORS if all(group.noun in _drawn_by(s) for group in plan.groups)]
            return replace(plan, style=_other(rng, styles, plan.style))
        case Type.ABSENCE:
            absent = tuple(noun for noun in plan.absent if noun != commitment.value)
            return replace(plan, groups=(*plan.groups, Group(str(commitment.value))), absent=absent)
        case Type.TEXT:
            return replace(plan, text=_other(rng, WORDS, str(plan.text)))
    raise ValueError(f"{commitment.type} is not a commitment of this world")


#: What was between stands left of both, what was on top below.
_VIOLATED_RELATION = OPPOSITE | {"between": "left of", "on top of": "below"}


def _with_group(plan: Plan, eid: str, **change: Any) -> Plan:
    """Return the plan with one group changed, that of entity `eid`."""
    groups = list(plan.groups)
    groups[int(eid[1:]) - 1] = replace(groups[int(eid[1:]) - 1], **change)
    return replace(plan, groups=tuple(groups))


def _other(rng: Rng, options: Iterable[str], value: str) -> str:
    return pick(rng, [option for option in options if option != value])


@cache
def _drawn_by(vendor: str) -> frozenset[str]:
    return frozenset(drawn_by(vendor))
