"""What a layout places and what it has to keep, read off a specification.

Every instance of a thing is placed once: "two apples" are `e1#1` and `e1#2`, words that stand on nothing are `c4#1`.
A part of several ("two of them are green") is the first of them that no part before it is.
What is absent is not placed, and what is denied is kept by its opposite.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from scope.skills.mentions import count_of, is_many
from scope.specification import Box, Commitment, Kind, Region, Specification, Type, grounded
from scope.specification.geometry import PLACES, canonical
from scope.specification.placements import own_regions

#: Of a thing that is several, where nothing says how many.
SEVERAL = 2

#: What keeps the opposite of a relation, place or comparison. `apart` is known to layouts alone.
APART = "apart"
OPPOSITES = {
    "left of": "right of",
    "right of": "left of",
    "above": "below",
    "below": "above",
    "on": APART,
    "inside": APART,
    "in front of": "behind",
    "behind": "in front of",
    "next to": APART,
    "with": APART,
    "between": "left of",
    "left": "right",
    "right": "left",
    "top": "bottom",
    "bottom": "top",
    "center": "top",
    "top left": "bottom right",
    "top right": "bottom left",
    "bottom left": "top right",
    "bottom right": "top left",
    "bigger than": "smaller than",
    "smaller than": "bigger than",
    "taller than": "shorter than",
    "shorter than": "taller than",
    "longer than": "same size as",
    "same size as": "bigger than",
}

#: What one drawn instance carries, beside its entity.
_CARRIED = (Type.ATTRIBUTE, Type.TEXT, Type.STYLE, Type.EXTERNAL_REFERENCE, Type.SEMANTIC_REASONING)


@dataclass(frozen=True)
class Thing:
    """One instance that is to be drawn. `text` is what is written on it; `box` is where a person put it."""

    id: str
    commitments: tuple[str, ...]  # the thing itself first
    phrase: str
    text: str = ""
    box: Box | None = None

    @property
    def owner(self) -> str:
        """Return the commitment that it is an instance of."""
        return self.commitments[0]

    @property
    def letters(self) -> int:
        """Return how many letters it shows."""
        return len(self.text)

    def region(self, box: Box) -> Region:
        """Return the region that it has in a box."""
        return Region(id=self.id, commitments=self.commitments, phrase=self.phrase, text=self.text, box=box)


@dataclass(frozen=True)
class Rule:
    """What a commitment asks of boxes: a name of `geometry`, and the places in the list of things of each group."""

    commitment: str
    name: str
    groups: tuple[tuple[int, ...], ...]
    priority: int = 2


def things_of(spec: Specification) -> tuple[Thing, ...]:
    """Return every instance that is to be placed, in the order of the prompt."""
    known = grounded(spec)
    return tuple(thing for owner in _owners(known) for thing in _instances(known, owner, own_regions(spec, owner.id)))


def how_many(spec: Specification, owner: Commitment) -> tuple[int, int | None]:
    """Return how many are placed of a thing in a grounded specification, and how many there may be (None: any)."""
    if owner.type is Type.TEXT:
        return 1, 1
    count = count_of(spec, owner)
    if count is None or not isinstance(count.value, int):
        return (SEVERAL, None) if is_many(spec, owner) else (1, 1)
    fewest, most = count.bounds
    return fewest or min(SEVERAL, count.value), most


def rules_of(spec: Specification, things: tuple[Thing, ...]) -> tuple[Rule, ...]:
    """Return what the boxes of these things have to keep; what boxes do not say is left to the generator."""
    carried = {name for thing in things for name in thing.commitments}
    at = {name: tuple(i for i, t in enumerate(things) if name in t.commitments) for name in carried}
    plain = {c.id for c in spec.commitments if c.kind is Kind.CONSTRAINT}
    rules = []
    for commitment in (c for c in grounded(spec).commitments if c.id in plain):
        name = _asked(commitment)
        groups = tuple(at.get(target, ()) for target in commitment.targets)
        if name is not None and _is_of(name, groups):
            rules.append(Rule(commitment.id, name, groups, commitment.priority))
    return tuple(rules)


def _owners(spec: Specification) -> Iterator[Commitment]:
    for commitment in spec.of(Type.PRESENCE, Type.TEXT):
        is_whole = commitment.type is Type.PRESENCE and commitment.part_of is None
        if is_whole or (commitment.type is Type.TEXT and not (commitment.targets or commitment.denied)):
            yield commitment


def _instances(spec: Specification, owner: Commitment, own: tuple[Region, ...]) -> Iterator[Thing]:
    """Yield the instances of a thing; the first of them are its parts, in the order of the prompt."""
    parts = [
        part for part in spec.of(Type.PRESENCE) if part.part_of == owner.id for _ in range(how_many(spec, part)[0])
    ]
    number, _ = how_many(spec, owner)
    for i in range(max(number, len(own), len(parts))):
        members = (owner, *parts[i : i + 1])
        about = [c for member in members for c in _carried(spec, member)]
        texts = [str(c.value) for c in (owner, *about) if c.type is Type.TEXT]
        ids = (*(member.id for member in members), *(c.id.partition("/")[0] for c in about))
        yield Thing(
            id=f"{owner.id}#{i + 1}",
            commitments=tuple(dict.fromkeys(ids)),
            phrase=phrase_of(owner, about),
            text=" ".join(texts),
            box=own[i].box if i < len(own) else None,
        )


def _carried(spec: Specification, owner: Commitment) -> list[Commitment]:
    """Return what is said of a thing alone, and is to be drawn with it."""
    return [c for c in spec.about(owner.id) if c.targets == (owner.id,) and c.type in _CARRIED and not c.denied]


def phrase_of(owner: Commitment, about: list[Commitment]) -> str:
    """Return what one instance is, its colour last before its noun: "small red apple"; bare words stand on a sign."""
    qualities = sorted((c for c in about if c.type is Type.ATTRIBUTE), key=lambda c: c.aspect == "color")
    noun = "sign" if owner.type is Type.TEXT else str(owner.value)
    return " ".join((*(str(c.value) for c in qualities), noun))


def _asked(commitment: Commitment) -> str | None:
    """Return what a commitment asks of boxes; a setting of one thing may be a place in the picture."""
    if commitment.type not in (Type.RELATION, Type.COMPARISON, Type.PLACE, Type.SETTING):
        return None
    name = canonical(str(commitment.value))
    if name is None or (commitment.type is Type.SETTING and name not in PLACES):
        return None
    return OPPOSITES[name] if commitment.denied else name


def _is_of(name: str, groups: tuple[tuple[int, ...], ...]) -> bool:
    """Return whether boxes of these groups can be asked for it at all."""
    if not groups or not all(groups) or (len(groups) == 1) is not (name in PLACES):
        return False
    others = [i for group in groups[1:] for i in group]
    return not set(groups[0]).intersection(others) and (name != "between" or (len(groups) <= 3 and len(others) > 1))
