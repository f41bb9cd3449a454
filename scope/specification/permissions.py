"""What a skill may do to a ledger, and nothing more. Whoever runs a skill that is not our own checks it with this."""

from typing import NoReturn

from scope.errors import StateCorrupt
from scope.specification.answers import ground
from scope.specification.commitments import Kind
from scope.specification.evidence import Cause, Grounding, Placing
from scope.specification.ledger import Event, IllegalEvent, Specification, fold
from scope.specification.statuses import Status

#: Where a skill may move commitments: all ground unknowns and place things, but for these, which have a task of their
#: own.
MOVES = {"bind": frozenset({Status.BOUND}), "repair": frozenset({Status.REPAIRED})}
_GROUNDING = frozenset({Status.OPEN, Status.GROUNDED})
_PLACING = frozenset({Status.OPEN, Status.PLACED})


def appended(before: Specification, after: Specification, name: str, version: str) -> tuple[Event, ...]:
    """Return the events that a skill appended.

    The first skill of a run may declare what it reads from the prompt. All others find commitments, and may ground
    unknowns with typed answers or open them again, or give things their places or open what no layout keeps, in their
    own name. They neither declare nor judge nor waive, and what the prompt says plainly they leave as it is.

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
    placing = event.evidence if name not in MOVES and isinstance(event.evidence, Placing) else None
    if event.after not in (MOVES.get(name, _GROUNDING) if placing is None else _PLACING):
        refuse(f"moved {event.commitment} to {event.after.value}, which is not for it to do")
    is_unknown = before[event.commitment].kind is Kind.UNKNOWN
    if placing is None and name not in MOVES and not is_unknown:
        refuse(f"moved {event.commitment}, which is no unknown: what the prompt says plainly stays as it is")
    if placing is not None and (is_unknown or not _is_of(placing, event, before)):
        refuse(f"gave {event.commitment} regions that are not its own, or none")
    if event.cause != Cause.skill(name, version):
        refuse(f"moved {event.commitment} in the name of '{event.cause}'; write Cause.skill({name!r}, {version!r})")
    if event.after is Status.GROUNDED:
        if not isinstance(event.evidence, Grounding):
            refuse(f"grounded {event.commitment} without a typed answer")
        try:
            ground(before, event.commitment, event.evidence.answer, event.cause)
        except ValueError as error:
            refuse(f"grounded {event.commitment} with an answer that says too much: {error}")


def _is_of(placing: Placing, event: Event, before: Specification) -> bool:
    """Return whether regions are instances of the commitment that they place; what is opened has none."""
    known, name = before.statuses(), event.commitment
    own = all(r.id.startswith(f"{name}#") and name in r.commitments for r in placing.regions)
    named = (*placing.clash, *(i for region in placing.regions for i in region.commitments))
    return own and all(i in known for i in named) and bool(placing.regions) is (event.after is Status.PLACED)
