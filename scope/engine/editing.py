"""A specification as a person writes it: a list of commitments, in YAML or JSON, and the events that bring it about.

An edit follows the ledger's law: nothing changes or vanishes without an event. What is left out is waived; what is
changed is waived and declared anew, by the user; and so is what speaks of it.
"""

from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic.json_schema import SkipJsonSchema

from scope.errors import UsageError
from scope.specification import (
    Cause,
    Commitment,
    IllegalEvent,
    Kind,
    Span,
    Specification,
    Status,
    Type,
    next_ids,
)
from scope.text import printable

CAUSE = Cause(kind="person", name="review")

DRAWABLE = frozenset({Type.PRESENCE, Type.SETTING, Type.TEXT})

#: The largest number that a commitment may ask for.
MOST = 999_999

#: What follows from the rest of a commitment, and is written by nobody.
_DERIVED = frozenset({"depends_on", "span", "origin"})
_UNKNOWNS = frozenset({Type.EXTERNAL_REFERENCE, Type.SEMANTIC_REASONING})
_LETTERS = {Kind.ENTITY: "e", Kind.CONSTRAINT: "c", Kind.UNKNOWN: "u"}

#: How many things commitments of a type speak of, at the least.
_FEWEST = {Type.RELATION: 2, Type.COMPARISON: 2, Type.ATTRIBUTE: 1, Type.COUNT: 1, Type.PLACE: 1}


class Entry(Commitment):
    """One checkable claim, as a person writes it.

    id: any name that is its own, for others to speak of. kind: entity, constraint or unknown. type: presence (of an
    entity), attribute, count, relation, comparison, place, setting, style, text or absence; of an unknown
    external_reference or semantic_reasoning. claim: the claim in a sentence. value: the noun, number, colour, relation,
    place, setting, style or words. targets: the ids that it speaks of. aspect: of an attribute, color or other.
    denied: whether the opposite is asked for. priority: 1 critical, 2 major, 3 minor.
    """

    id: str = Field(min_length=1, max_length=40)
    claim: str = Field(min_length=1, max_length=1000)
    priority: int = Field(default=1, ge=1, le=3)
    depends_on: SkipJsonSchema[tuple[str, ...]] = Field(default=(), exclude=True)
    span: SkipJsonSchema[Span | None] = Field(default=None, exclude=True)
    origin: SkipJsonSchema[str] = Field(default="user", exclude=True)

    @model_validator(mode="before")
    @classmethod
    def _derived(cls, given: Any) -> Any:
        """Refuse what is derived, and derive it: what it speaks of is what it depends on."""
        if not isinstance(given, Mapping):
            return given
        if written := _DERIVED.intersection(given):
            raise ValueError(f"{', '.join(sorted(written))} follows from the rest; leave it out")
        speaks_of = [given.get("targets") or (), (given["part_of"],) if given.get("part_of") else ()]
        if not all(isinstance(ids, list | tuple) for ids in speaks_of):
            return given
        return {**given, "depends_on": tuple(dict.fromkeys(str(i) for ids in speaks_of for i in ids))}

    @field_validator("value", mode="before")
    @classmethod
    def _no_truth(cls, value: Any) -> Any:
        if isinstance(value, bool):
            raise ValueError("a value is words or a number; put words such as true into quotes")
        if isinstance(value, str) and not (printable(value) and len(value) <= 1000):
            raise ValueError("a value has 1 to 1000 characters that can be seen")
        return value

    @model_validator(mode="after")
    def _of_its_kind(self) -> "Entry":
        kind = (
            Kind.ENTITY if self.type is Type.PRESENCE else Kind.UNKNOWN if self.type in _UNKNOWNS else Kind.CONSTRAINT
        )
        if self.kind is not kind:
            raise ValueError(f"what is of type {self.type.value} is of kind {kind.value}")
        if len(self.targets) < (fewest := _FEWEST.get(self.type, 0)):
            things = "two things" if fewest == 2 else "one thing"
            raise ValueError(f"a {self.type.value} speaks of {things} at least; name their ids under `targets`")
        if isinstance(self.value, int) and not 0 <= self.value <= MOST:
            raise ValueError(f"a number is 0 to {MOST}")
        return self


def plain(commitment: Commitment) -> dict[str, Any]:
    """Return a commitment as a person may write it: without what follows from the rest."""
    return commitment.model_dump(mode="json", exclude=set(_DERIVED))


def live(spec: Specification) -> tuple[Commitment, ...]:
    """Return the commitments that are not waived."""
    statuses = spec.statuses()
    return tuple(c for c in spec.commitments if statuses[c.id] is not Status.WAIVED)


def undrawn(spec: Specification) -> Specification:
    """Return a specification as it was before anything was looked up, placed or drawn; what is waived stays so."""
    if set(spec.statuses().values()) <= {Status.DECLARED, Status.OPEN, Status.WAIVED}:
        return spec
    causes = {event.commitment: event.cause for event in spec.events if event.declares is not None}
    bare = Specification(prompt=spec.prompt)
    for commitment in live(spec):
        bare = bare.declare(commitment, causes[commitment.id])
        if commitment.kind is Kind.UNKNOWN:
            bare = bare.move(commitment.id, Status.OPEN, causes[commitment.id])
    return bare


def rewritten(spec: Specification, entries: Mapping[str, Entry], cause: Cause = CAUSE) -> Specification:
    """Return the specification with an event for every difference to `entries`, by their ids.

    What speaks of a thing that is left out goes with it.

    Raises: UsageError if one speaks of nothing that is declared, or nothing would be left to draw.
    """
    gone = {c.id for c in spec.commitments if c.kind is Kind.ENTITY and c.id not in entries}
    entries = {i: e for i, e in entries.items() if not gone.intersection(e.targets)}
    if not any(entry.type in DRAWABLE for entry in entries.values()):
        raise UsageError("nothing would be left to draw; keep a thing, a place or words")
    # What speaks of a thing names its new id, so things come first, and parts after their whole.
    ordered = sorted(entries.values(), key=lambda e: (e.kind is not Kind.ENTITY, bool(e.depends_on)))
    old = {c.id: c for c in live(spec)}
    new_ids = _renamed(ordered, old, _fresh_ids(spec))
    for identity in old:
        if identity not in entries or identity in new_ids:
            spec = spec.move(identity, Status.WAIVED, cause)
    for entry in ordered:
        if entry.id in new_ids:
            spec = _declared(spec, entry, old.get(entry.id), new_ids, cause)
    return spec


def _renamed(
    ordered: list[Entry], old: Mapping[str, Commitment], fresh: Mapping[Kind, Iterator[str]]
) -> dict[str, str]:
    """Return the new ids of the entries that are new or changed, and of those that speak of such."""
    new_ids: dict[str, str] = {}
    for entry in ordered:
        before = old.get(entry.id)
        if before is None or plain(before) != plain(entry) or any(i in new_ids for i in entry.depends_on):
            new_ids[entry.id] = next(fresh[entry.kind])
    return new_ids


def _declared(
    spec: Specification, entry: Entry, before: Commitment | None, new_ids: Mapping[str, str], cause: Cause
) -> Specification:
    entities = {c.id for c in live(spec) if c.kind is Kind.ENTITY}
    written = plain(entry) | {"id": new_ids[entry.id], "depends_on": entry.depends_on, "origin": "user"}
    for name in ("targets", "depends_on"):
        written[name] = tuple(new_ids.get(i, i) for i in written[name])
    if written.get("part_of"):
        written["part_of"] = new_ids.get(written["part_of"], written["part_of"])
    if missing := [i for i in entry.depends_on if new_ids.get(i, i) not in entities]:
        raise UsageError(f"{entry.id} speaks of {', '.join(missing)}, which is no thing that is there")
    commitment = Commitment(**written, span=before.span if before else None)
    try:
        spec = spec.declare(commitment, cause)
    except IllegalEvent as error:
        raise UsageError(f"{entry.id} cannot be declared: {error}") from error
    return spec.move(commitment.id, Status.OPEN, cause) if commitment.kind is Kind.UNKNOWN else spec


def _fresh_ids(spec: Specification) -> dict[Kind, Iterator[str]]:
    taken = spec.statuses()
    return {kind: (i for i in next_ids(letter) if i not in taken) for kind, letter in _LETTERS.items()}


def first_fault(error: ValidationError) -> str:
    """Return where a document first goes wrong, and how: "2.type: ..."."""
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg'].removeprefix('Value error, ')}".removeprefix(": ")
