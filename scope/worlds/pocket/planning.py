"""From commitments to a plan: what a specification asks for, as something that the world can draw."""

from scope.errors import UsageError
from scope.specification import Commitment, Kind, Specification, Type
from scope.worlds.pocket.catalogue import STYLES, VENDORS
from scope.worlds.pocket.drawn import drawn_for
from scope.worlds.pocket.plan import Group, Plan, check
from scope.worlds.pocket.settings import together

#: What a plan has at most one of.
_AT_MOST_ONE = {Type.RELATION: "relation", Type.TEXT: "sign", Type.STYLE: "style"}


def plan_of(spec: Specification) -> Plan:
    """Return the plan that meets every commitment of a specification. The subject of its relation comes first.

    Raises: UsageError that names what the world cannot draw.
    """
    single = {type_: _only(spec, type_, name) for type_, name in _AT_MOST_ONE.items()}
    relation, text = single[Type.RELATION], single[Type.TEXT]
    for commitment in spec.commitments:
        if commitment.kind is Kind.UNKNOWN or (commitment.type is Type.ATTRIBUTE and commitment.aspect != "color"):
            raise UsageError(f"the pocket world cannot draw that {commitment.claim}")
    entities = [c for c in spec.of(Type.PRESENCE) if text is None or c.value != "sign"]  # drawn for its text
    order = relation.targets if relation else ()
    entities.sort(key=lambda c: order.index(c.id) if c.id in order else len(order))
    return check(
        Plan(
            tuple(_group(spec, entity) for entity in entities),
            _value(relation),
            _setting(spec),
            _value(text),
            _vendor(_value(single[Type.STYLE])),
            tuple(_noun(c) for c in spec.of(Type.ABSENCE)),
        )
    )


def _only(spec: Specification, type_: Type, name: str) -> Commitment | None:
    matches = spec.of(type_)
    if len(matches) > 1:
        raise UsageError(f"the pocket world draws one {name} at a time, and not also that {matches[1].claim}")
    return matches[0] if matches else None


def _value(commitment: Commitment | None) -> str | None:
    return None if commitment is None else str(commitment.value)


def _group(spec: Specification, entity: Commitment) -> Group:
    constraints = spec.about(entity.id)
    counts = [int(c.value) for c in constraints if c.type is Type.COUNT]
    colors = [drawn_for(c) or str(c.value) for c in constraints if c.type is Type.ATTRIBUTE]
    if len(colors) > 1:
        raise UsageError(f"the pocket world paints a thing in one colour, and {entity.value!r} has {len(colors)}")
    return Group(_noun(entity), counts[0] if counts else 1, colors[0] if colors else None)


def _noun(commitment: Commitment) -> str:
    return drawn_for(commitment) or str(commitment.value)


def _setting(spec: Specification) -> str:
    wanted = [drawn_for(c) or str(c.value) for c in spec.of(Type.SETTING)]
    if not wanted:
        return "plain"
    setting = together(wanted) if len(wanted) > 1 else wanted[0]
    if setting is None:
        raise UsageError(f"the pocket world draws one setting at a time, and not {' with '.join(wanted)}")
    return setting


def _vendor(style: str | None) -> str:
    return next((vendor for vendor, named in STYLES.items() if named.name == style), style or VENDORS[0])
