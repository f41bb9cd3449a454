"""What a person is asked before a run goes on, and what becomes of the answer. Both are YAML.

An edit of the specification follows the ledger's law: nothing changes or vanishes without an event. What is left out is
waived; what is changed is waived and declared anew, by the user; and so is what speaks of it.
"""

from collections.abc import Iterator
from typing import Any, Literal

import yaml
from pydantic import Field, ValidationError

from scope.errors import UsageError
from scope.specification import Cause, Commitment, Kind, Model, Specification, Status, Type, next_ids
from scope.text import printable

CAUSE = Cause(kind="person", name="review")
_ERROR = "# this could not be used: "

_SPEC_HELP = """\
# What the picture must keep. Change a value or a claim, delete an entry to give it up, or add one with a new id.
# kinds: entity, constraint. types: presence (entities), attribute, count, relation, comparison, place, setting, style,
# text, absence. `denied: true` asks for the opposite.
"""
_REPAIR_HELP = """\
# What the best draft got wrong, and how it would be repaired. `repair: false` ends the run here.
# strategies: {strategies}. Ids under `waive` are given up.
"""


class Question(Model):
    """What a person is asked: to edit `text`, which is YAML."""

    about: Literal["spec", "repair"]
    text: str
    strategies: tuple[str, ...] = ()

    def check(self, spec: Specification, text: str) -> None:
        """Raise UsageError if `text` is no answer to this question."""
        if self.about == "spec":
            edited(spec, text)
        else:
            planned(spec, text, self.strategies)

    def again(self, text: str, error: UsageError) -> "Question":
        """Return the question with what was wrong with an answer written over it."""
        kept = text if not text.startswith(_ERROR) else text.partition("\n")[2]
        return self.model_copy(update={"text": f"{_ERROR}{printable(str(error))}\n{kept}"})


class Plan(Model):
    """A repair as a person may change it."""

    repair: bool = True
    strategy: str
    waive: tuple[str, ...] = ()


class _Entry(Model):
    id: str
    kind: Kind
    type: Type
    claim: str
    value: str | int
    targets: tuple[str, ...] = ()
    aspect: str | None = None
    denied: bool = Field(default=False, exclude_if=lambda denied: not denied)
    said: str | None = Field(default=None, exclude_if=lambda said: said is None)


def spec_question(spec: Specification) -> Question:
    """Return the question whether this is what was meant."""
    entries = [_plain(c) for c in spec.commitments if spec.statuses()[c.id] is not Status.WAIVED]
    return Question(about="spec", text=f"{_SPEC_HELP}# prompt: {printable(spec.prompt)}\n{_yaml(entries)}")


def repair_question(spec: Specification, strategy: str, strategies: tuple[str, ...]) -> Question:
    """Return the question whether what is violated is to be repaired so."""
    violated = {c.id: c.claim for c in spec.where(Status.VIOLATED, Status.BLOCKED)}
    lines = "".join(f"# {name}: {printable(claim)}\n" for name, claim in violated.items())
    plan = Plan(strategy=strategy).model_dump(mode="json")
    text = _REPAIR_HELP.format(strategies=", ".join(strategies)) + lines + _yaml(plan)
    return Question(about="repair", text=text, strategies=strategies)


def edited(spec: Specification, text: str) -> Specification:
    """Return the specification as a person edited it.

    Raises: UsageError if the text is no YAML list of commitments, or one of them speaks of nothing that is declared.
    """
    entries = {entry.id: entry for entry in _entries(text)}
    gone = {c.id for c in spec.commitments if c.kind is Kind.ENTITY and c.id not in entries}
    entries = {i: e for i, e in entries.items() if not gone.intersection(e.targets)}  # what speaks of it goes with it
    if not any(entry.type in (Type.PRESENCE, Type.SETTING, Type.TEXT) for entry in entries.values()):
        raise UsageError("nothing would be left to draw; keep a thing, a place or words")
    return _rewritten(spec, entries)


def planned(spec: Specification, text: str, strategies: tuple[str, ...]) -> Plan:
    """Return the repair as a person changed it.

    Raises: UsageError if it is no such plan.
    """
    try:
        plan = Plan.model_validate(_loaded(text))
    except ValidationError as error:
        raise UsageError(f"this is not a plan of a repair: {_first(error)}") from error
    unknown = [i for i in plan.waive if i not in spec.statuses()]
    if plan.strategy not in strategies or unknown:
        wrong = f"ids {', '.join(unknown)}" if unknown else f"the strategy {plan.strategy!r}"
        raise UsageError(f"{wrong}: no such thing here; strategies are {', '.join(strategies)}")
    return plan


def waived(spec: Specification, ids: tuple[str, ...]) -> Specification:
    """Return the specification with these commitments given up, and what depends on them."""
    gone = set(ids)
    for commitment in spec.commitments:
        gone |= {commitment.id} if gone.intersection(commitment.depends_on) else set()
    for commitment in spec.commitments:
        if commitment.id in gone and spec.statuses()[commitment.id] is not Status.WAIVED:
            spec = spec.move(commitment.id, Status.WAIVED, CAUSE)
    return spec


def _rewritten(spec: Specification, entries: dict[str, _Entry]) -> Specification:
    """Return the specification with an event for every difference to `entries`."""
    old = {c.id: c for c in spec.commitments if spec.statuses()[c.id] is not Status.WAIVED}
    new_ids: dict[str, str] = {}
    fresh = _fresh_ids(spec)
    # Entities first: what speaks of one names its new id.
    for entry in sorted(entries.values(), key=lambda e: e.kind is not Kind.ENTITY):
        before = old.get(entry.id)
        if before is None or _plain(before) != _plain(entry) or any(t in new_ids for t in entry.targets):
            new_ids[entry.id] = next(fresh[entry.kind])
    for identity in old:
        if identity not in entries or identity in new_ids:
            spec = spec.move(identity, Status.WAIVED, CAUSE)
    for entry in sorted(entries.values(), key=lambda e: e.kind is not Kind.ENTITY):
        if entry.id in new_ids:
            spec = _declared(spec, entry, old.get(entry.id), new_ids)
    return spec


def _declared(spec: Specification, entry: _Entry, before: Commitment | None, new_ids: dict[str, str]) -> Specification:
    _check(entry)
    targets = tuple(new_ids.get(t, t) for t in entry.targets)
    missing = [t for t in targets if t not in spec.statuses()]
    if missing:
        raise UsageError(f"{entry.id} speaks of {', '.join(missing)}, which is not there")
    commitment = Commitment(
        **entry.model_dump(exclude={"id", "targets"}),
        id=new_ids[entry.id],
        targets=targets,
        depends_on=tuple(dict.fromkeys(targets)),
        span=before.span if before else None,
        priority=before.priority if before else 1,
        origin="user",
    )
    spec = spec.declare(commitment, CAUSE)
    return spec.move(commitment.id, Status.OPEN, CAUSE) if commitment.kind is Kind.UNKNOWN else spec


def _check(entry: _Entry) -> None:
    """Raise UsageError if an entry cannot be put into words."""
    unknown = entry.type in (Type.EXTERNAL_REFERENCE, Type.SEMANTIC_REASONING)
    kind = Kind.ENTITY if entry.type is Type.PRESENCE else Kind.UNKNOWN if unknown else Kind.CONSTRAINT
    if entry.kind is not kind:
        raise UsageError(f"{entry.id}: what is of type {entry.type.value} is of kind {kind.value}")
    if entry.type in (Type.RELATION, Type.COMPARISON) and len(entry.targets) < 2:
        what = entry.type.value
        raise UsageError(f"{entry.id}: a {what} speaks of two things at least; name their ids under `targets`")


def _fresh_ids(spec: Specification) -> dict[Kind, Iterator[str]]:
    taken = spec.statuses()
    letters = {Kind.ENTITY: "e", Kind.CONSTRAINT: "c", Kind.UNKNOWN: "u"}
    return {kind: (i for i in next_ids(letter) if i not in taken) for kind, letter in letters.items()}


def _entries(text: str) -> list[_Entry]:
    loaded = _loaded(text)
    if not isinstance(loaded, list):
        raise UsageError("the specification is to be a list of commitments")
    try:
        entries = [_Entry.model_validate(item) for item in loaded]
    except ValidationError as error:
        raise UsageError(f"a commitment cannot be read: {_first(error)}") from error
    twice = {e.id for e in entries if sum(o.id == e.id for o in entries) > 1}
    if twice:
        raise UsageError(f"{', '.join(sorted(twice))} is there twice")
    return entries


def _loaded(text: str) -> Any:
    try:
        return yaml.safe_load(text)
    except Exception as error:  # text like "2024-99-99" makes PyYAML raise almost anything
        raise UsageError(f"this is not YAML: {printable(str(error))}") from error


def _plain(value: Commitment | _Entry) -> dict[str, Any]:
    return value.model_dump(mode="json", include=set(_Entry.model_fields))


def _yaml(value: Any) -> str:
    text: str = yaml.safe_dump(value, sort_keys=False, allow_unicode=True, width=110)
    return text


def _first(error: ValidationError) -> str:
    first = error.errors()[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"
