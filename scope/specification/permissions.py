"""What a skill may do to a ledger, and nothing more. Whoever runs a skill that is not our own checks it with this."""

from typing import NoReturn

from scope.errors import StateCorrupt
from scope.specification.answers import ground
from scope.specification.commitments import Kind
from scope.specification.evidence import Cause, Grounding
from scope.specification.ledger import Event, IllegalEvent, Specification, fold
from scope.specification.statuses import Status

#: Where a skill may move commitments: all ground unknowns, but for these, which have a task of their own.
MOVES = {"bind": frozenset({Status.BOUND}), "repair": frozenset({Status.REPAIRED})}
_GROUNDING = frozenset({Status.OPEN, Status.GROUNDED})


def appended(before: Specification, after: Specification, name: str, version: str) -> tuple[Event, ...]:
    """Return the events that a skill appended.

    The first skill of a run may declare what it reads from the prompt. All others find commitments, and may ground
    unknowns with typed answers or open them again, in their own name. They neither declare nor judge nor waive, and
    what the prompt says plainly they leave alone.

    Raises: IllegalEvent that says what it did instead.
    """
    skill = f"{name}@{version}"
    try:
        fold(after.prompt, after.events)
    except StateCorrupt as error:
        raise IllegalEvent(f"{skill} left {error}") from error
    if not before.events:
        return after.events
    if after.prompt != before.prompt:
        raise IllegalEvent(f"{skill} changed the prompt")
    known = len(before.events)
    if after.events[:known] != before.events:
        raise IllegalEvent(f"{skill} changed what was in the ledger before it")
    for event in after.events[known:]:
        _allow(event, Specification(prompt=after.prompt, events=after.events[: event.sequence]), name, version)
    return after.events[known:]


def _allow(event: Event, before: Specification, name: str, version: str) -> None:
    def refuse(what: str) -> NoReturn:
        raise IllegalEvent(f"{name}@{version} {what}")

    if event.declares is not None:
        refuse(f"declared {event.commitment}: only the prompt adds commitments")
    if event.after not in MOVES.get(name, _GROUNDING):
        refuse(f"moved {event.commitment} to {event.after.value}, which is not for it to do")
    if name not in MOVES and before[event.commitment].kind is not Kind.UNKNOWN:
        refuse(f"moved {event.commitment}, which is no unknown: what the prompt says plainly stays as it is")
    if event.cause != Cause.skill(name, version):
        refuse(f"moved {event.commitment} in the name of '{event.cause}'; write Cause.skill({name!r}, {version!r})")
    if event.after is Status.GROUNDED:
        if not isinstance(event.evidence, Grounding):
            refuse(f"grounded {event.commitment} without a typed answer")
        try:
            ground(before, event.commitment, event.evidence.answer, event.cause)
        except ValueError as error:
            refuse(f"grounded {event.commitment} with an answer that says too much: {error}")
