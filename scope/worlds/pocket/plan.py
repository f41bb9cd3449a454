"""What a picture of the pocket world shall hold, before anything is drawn."""

from collections.abc import Iterator
from dataclasses import dataclass

from scope.errors import UsageError
from scope.worlds.pocket.catalogue import (
    ALL_VENDORS,
    COLORS,
    CONCEPTS,
    MAX_COUNT,
    MAX_LETTERS,
    RELATIONS,
    SETTINGS,
    TONED,
    TONES,
    VENDORS,
)
from scope.worlds.pocket.sign import FONTS


@dataclass(frozen=True)
class Group:
    """`count` of the same thing in the same colour. `color` None: as it is drawn; `tone` None: no tone of skin."""

    noun: str
    count: int = 1
    color: str | None = None
    tone: str | None = None


@dataclass(frozen=True)
class Plan:
    """What a picture holds.

    `relation` is of group 0 to all others; "between" puts it between groups 1 and 2, or between those of group 1.
    `text` stands on a sign, in a font of `FONTS`. `style` is the vendor whose drawings are used. Of the nouns in
    `absent` there is nothing.
    """

    groups: tuple[Group, ...]
    relation: str | None = None
    setting: str = "plain"
    text: str | None = None
    style: str = VENDORS[0]
    absent: tuple[str, ...] = ()
    font: str = FONTS[0]

    @property
    def total(self) -> int:
        """How many things there are."""
        return sum(group.count for group in self.groups)


def check(plan: Plan) -> Plan:
    """Return a plan that the world can draw exactly.

    Raises: UsageError that names what it cannot.
    """
    if flaw := next(_flaws(plan), None):
        raise UsageError(f"the pocket world cannot draw this: {flaw}")
    return plan


def is_sound(plan: Plan) -> bool:
    """Return whether the world can draw a plan exactly."""
    return not any(_flaws(plan))


def _flaws(plan: Plan) -> Iterator[str]:
    nouns = [group.noun for group in plan.groups]
    if not nouns and plan.text is None:
        yield "there is nothing in it"
    yield from (f"it has no drawing of {noun!r}" for noun in (*nouns, *plan.absent) if noun not in CONCEPTS)
    yield from (f"{noun!r} shall be there and be absent" for noun in plan.absent if noun in nouns)
    for group in plan.groups:
        if not 1 <= group.count <= MAX_COUNT:
            yield f"{group.count} of {group.noun!r}; it draws 1 to {MAX_COUNT} of a thing"
        if group.color is not None and group.color not in COLORS:
            yield f"it has no colour {group.color!r}"
        if group.tone is not None and (group.noun not in TONED or group.tone not in TONES):
            yield f"{group.noun!r} is not drawn in {group.tone!r} skin"
    if plan.setting not in SETTINGS:
        yield f"it has no setting {plan.setting!r}"
    if plan.style not in ALL_VENDORS:
        yield f"it has no style {plan.style!r}"
    if plan.text is not None and not 1 <= len(plan.text) <= MAX_LETTERS:
        yield f"its signs hold 1 to {MAX_LETTERS} characters, and {plan.text!r} has {len(plan.text)}"
    if plan.relation is not None:
        yield from _flaws_of_relation(plan.relation, [group.count for group in plan.groups])


def _flaws_of_relation(relation: str, counts: list[int]) -> Iterator[str]:
    if relation not in RELATIONS:
        yield f"it has no relation {relation!r}"
    elif relation == "between":
        if counts[0] != 1 or sum(counts) < 3 or (len(counts) > 2 and counts != [1, 1, 1]):
            yield "one thing is drawn between two things, or between some of one kind"
    elif relation == "on top of":
        if counts != [1, 1]:
            yield "one thing is drawn on top of one other, and no more"
    elif len(counts) < 2:
        yield f"{relation!r} is of two things"
