"""Answers: what grounds an unknown, and the specification as it reads once its answers are put in.

An unknown keeps its id and its claim for life. An answer lies in the evidence of the event that grounds it, and says
in typed facts what the unknown stands for; a later `open` event drops it. Nothing else of a specification can come
from a source: whatever a text that was found says, it can fill `Answer` and nothing more.
"""

from scope.errors import StateCorrupt
from scope.specification.commitments import Commitment, Kind, Type
from scope.specification.evidence import FACTS, Answer, Cause, Grounding, Note
from scope.specification.ledger import Event, Specification
from scope.specification.statuses import Status


def answers(spec: Specification) -> dict[str, Answer]:
    """Return the answer of each unknown that has one; reopening drops it.

    Raises: StateCorrupt if an event that grounds something holds no answer.
    """
    found: dict[str, Answer] = {}
    for event in spec.events:
        if event.after is Status.OPEN:
            found.pop(event.commitment, None)
        elif event.after is Status.GROUNDED:
            found[event.commitment] = _answer_in(event)
    return found


def tried(spec: Specification, unknown: str) -> frozenset[str]:
    """Return the locators of every source that ever grounded an unknown."""
    events = (e for e in spec.history(unknown) if e.after is Status.GROUNDED)
    return frozenset(s.locator for e in events for s in _answer_in(e).sources)


def _answer_in(event: Event) -> Answer:
    if not isinstance(event.evidence, Grounding):
        why = f"event {event.sequence} grounds {event.commitment!r} without an answer"
        raise StateCorrupt(f"the ledger is damaged: {why}")
    return event.evidence.answer


def ground(spec: Specification, unknown: str, answer: Answer, cause: Cause, seconds: float = 0.0) -> Specification:
    """Return the specification with an open unknown grounded.

    Raises: ValueError if a fact is of no checkable type or speaks of an entity that the unknown does not.
    """
    allowed = {None, *spec[unknown].targets}
    for fact in answer.facts:
        if fact.type not in FACTS or fact.target not in allowed:
            raise ValueError(f"an answer to {unknown} cannot say {fact.type} of {fact.target}")
    return spec.move(unknown, Status.GROUNDED, cause, evidence=Grounding(answer=answer), seconds=seconds)


def reopen(spec: Specification, unknown: str, cause: Cause, why: str) -> Specification:
    """Return the specification with an unknown open again: what was found for it is dropped."""
    return spec.move(unknown, Status.OPEN, cause, evidence=Note(note=why))


def part_ids(unknown: str, answer: Answer) -> tuple[str, ...]:
    """Return the ids under which the facts of an answer are checked: u1, u1/2, ...; presence is the entity's own."""
    count = sum(fact.type is not Type.PRESENCE for fact in answer.facts)
    return tuple(unknown if i == 0 else f"{unknown}/{i + 1}" for i in range(count))


def grounded(spec: Specification) -> Specification:
    """Return the specification as it reads with its answers in: what generators draw and verifiers check.

    What is waived is left out.
    An entity is what a PRESENCE fact says it is, and so is what is a part of it. An unknown becomes a constraint of its
    first other fact, and has one more (u1/2) for each further one. An unknown without facts stays as it is.
    """
    known, waived = answers(spec), {c.id for c in spec.where(Status.WAIVED)}
    if not known and not waived:
        return spec
    drawn = {f.target: f.value for a in known.values() for f in a.facts if f.type is Type.PRESENCE and f.target}
    events: list[Event] = []
    for event in spec.events:
        if event.declares is None or event.commitment in waived:
            continue
        for commitment in _read(event.declares, known.get(event.commitment), drawn):
            change = {"sequence": len(events), "commitment": commitment.id, "declares": commitment}
            events.append(event.model_copy(update=change))
    return Specification(prompt=spec.prompt, events=tuple(events))


def _read(commitment: Commitment, answer: Answer | None, drawn: dict[str, str | int]) -> list[Commitment]:
    """Return the commitments that one commitment reads as."""
    if (drawn_as := drawn.get(commitment.id, drawn.get(commitment.part_of or ""))) is not None:
        return [commitment.model_copy(update={"value": drawn_as, "claim": f"{commitment.claim} ({drawn_as})"})]
    if answer is None or not answer.facts:
        return [commitment]
    facts = [fact for fact in answer.facts if fact.type is not Type.PRESENCE]
    return [
        commitment.model_copy(
            update={
                "id": part,
                "kind": Kind.CONSTRAINT,
                "claim": f"{commitment.claim} ({answer.words})",
                "type": fact.type,
                "value": fact.value,
                "aspect": fact.aspect,
                "targets": (fact.target,) if fact.target else (),
                "depends_on": (fact.target,) if fact.target else (),
            }
        )
        for part, fact in zip(part_ids(commitment.id, answer), facts, strict=True)
    ]
