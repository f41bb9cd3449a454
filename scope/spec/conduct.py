"""What a skill may do to a ledger, and nothing more. Whoever runs a skill that is not our own checks it with this."""

from scope.errors import StateCorrupt
from scope.spec.answer import Answer, ground
from scope.spec.ledger import Event, IllegalEvent, Specification, fold
from scope.spec.status import JUDGED, Status


def appended(before: Specification, after: Specification, skill: str) -> tuple[Event, ...]:
    """Return the events that `skill` ("name@version") appended.

    The first skill may declare what it reads from the prompt. All others find commitments: they may move them along
    the allowed edges, in their own name, and ground unknowns with typed answers. They may neither declare nor judge.

    Raises: IllegalEvent that says what it did instead.
    """
    try:
        fold(after.prompt, after.events)
    except StateCorrupt as error:
        raise IllegalEvent(f"{skill} {error}") from error
    if not before.events:
        return after.events
    if after.prompt != before.prompt:
        raise IllegalEvent(f"{skill} changed the prompt")
    known = len(before.events)
    if after.events[:known] != before.events:
        raise IllegalEvent(f"{skill} changed what was in the ledger before it")
    for event in after.events[known:]:
        _allow(event, Specification(prompt=after.prompt, events=after.events[: event.sequence]), skill)
    return after.events[known:]


def _allow(event: Event, before: Specification, skill: str) -> None:
    if event.declares is not None:
        raise IllegalEvent(f"{skill} declared {event.commitment}: only the prompt adds commitments")
    if event.after in JUDGED:
        raise IllegalEvent(f"{skill} judged {event.commitment}: only verifiers do")
    if event.cause != f"skill:{skill}":
        raise IllegalEvent(f"{skill} moved {event.commitment} in the name of {event.cause!r}; write 'skill:{skill}'")
    if event.after is Status.GROUNDED:
        try:
            ground(before, event.commitment, Answer.model_validate(event.evidence["answer"]), event.cause)
        except (KeyError, ValueError) as error:  # pydantic's ValidationError is a ValueError
            raise IllegalEvent(f"{skill} grounded {event.commitment} without a typed answer: {error}") from error
