"""From promises to a plan: what a specification asks for, as something that the world can draw."""

from scope.errors import UsageError
from scope.specification import Commitment, Kind, Specification, Type
from scope.worlds.pocket.catalogue import NOUNS, STYLES, VENDORS
from scope.worlds.pocket.plan import Group, Plan, check

#: What a plan has at most one of.
_ALONE = {Type.RELATION: "relation", Type.TEXT: "sign", Type.SETTING: "setting", Type.STYLE: "style"}


def plan_of(spec: Specification) -> Plan:
    """Return the plan that keeps every promise of a specification. The subject of its relation comes first.

    Raises: UsageError that names what the world cannot promise.
    """
    alone = {type_: _only(spec, type_, name) for type_, name in _ALONE.items()}
    relation, text = alone[Type.RELATION], alone[Type.TEXT]
    for commitment in spec.commitments:
        if commitment.kind is Kind.UNKNOWN or (commitment.type is Type.ATTRIBUTE and commitment.aspect != "color"):
            raise UsageError(f"the pocket world cannot promise that {commitment.claim}")
    things = [c for c in spec.of(Type.PRESENCE) if text is None or c.value != "sign"]  # the board is drawn for its text
    order = relation.targets if relation else ()
    things.sort(key=lambda c: order.index(c.id) if c.id in order else len(order))
    return check(
        Plan(
            tuple(_group(spec, thing) for thing in things),
            _value(relation),
            _value(alone[Type.SETTING]) or "plain",
            _value(text),
            _vendor(_value(alone[Type.STYLE])),
            tuple(_noun(c) for c in spec.of(Type.ABSENCE)),
        )
    )


def _only(spec: Specification, type_: Type, name: str) -> Commitment | None:
    found = spec.of(type_)
    if len(found) > 1:
        raise UsageError(f"the pocket world draws one {name} at a time, and not also that {found[1].claim}")
    return found[0] if found else None


def _value(commitment: Commitment | None) -> str | None:
    return None if commitment is None else str(commitment.value)


def _group(spec: Specification, thing: Commitment) -> Group:
    said = spec.about(thing.id)
    counts = [int(c.value) for c in said if c.type is Type.COUNT]
    colors = [str(c.value) for c in said if c.type is Type.ATTRIBUTE]
    if len(colors) > 1:
        raise UsageError(f"the pocket world paints a thing in one colour, and {thing.value!r} has {len(colors)}")
    return Group(_noun(thing), counts[0] if counts else 1, colors[0] if colors else None)


def _noun(commitment: Commitment) -> str:
    return NOUNS.get(str(commitment.value), str(commitment.value))


def _vendor(style: str | None) -> str:
    return next((vendor for vendor, known in STYLES.items() if known.name == style), style or VENDORS[0])
