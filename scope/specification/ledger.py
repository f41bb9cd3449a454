"""The append-only ledger. A specification is what its events fold to, and nothing else."""

import hashlib
from collections.abc import Iterable, Iterator

from scope.errors import ScopeError, StateCorrupt
from scope.specification.commitments import Commitment, Kind, Model, Type, canonical_json
from scope.specification.evidence import Cause, Evidence
from scope.specification.statuses import EDGES, JUDGED, Status


class Event(Model):
    """One step in the life of one commitment.

    `declares` carries the commitment itself, on its first event only. `draft` is set where the event
    is a verdict on that draft. `time` (Unix seconds) and `seconds` (cost) are left out of the canonical
    form, so that two runs that did the same have the same bytes.
    """

    sequence: int
    commitment: str
    before: Status | None
    after: Status
    cause: Cause
    evidence: Evidence | None = None
    draft: str | None = None
    declares: Commitment | None = None
    time: float = 0.0
    seconds: float = 0.0


class IllegalEvent(ScopeError):
    """An event that the table of statuses does not allow."""


class Specification(Model):
    """The prompt and its ledger. Values derived from the ledger are methods.

    Every change returns a new specification; the old one stays as it was.
    """

    prompt: str
    events: tuple[Event, ...] = ()

    # -- reading ---------------------------------------------------------------------------------

    @property
    def commitments(self) -> tuple[Commitment, ...]:
        """Return all commitments in the order of their declaration."""
        return tuple(e.declares for e in self.events if e.declares is not None)

    def __getitem__(self, commitment_id: str) -> Commitment:
        for commitment in self.commitments:
            if commitment.id == commitment_id:
                return commitment
        raise KeyError(commitment_id)

    def statuses(self) -> dict[str, Status]:
        """Return the latest status of each id."""
        return {e.commitment: e.after for e in self.events}

    def statuses_on(self, draft: str) -> dict[str, Status]:
        """Return the status of each id as judged on one draft; ids that it was not judged for keep their latest."""
        judged = {e.commitment: e.after for e in self.events if e.draft == draft and e.after in JUDGED}
        return self.statuses() | judged

    def where(self, *statuses: Status, kind: Kind | None = None, type: Type | None = None) -> tuple[Commitment, ...]:
        """Return the commitments whose latest status is one of `statuses`, optionally of one kind or type."""
        now = self.statuses()
        return tuple(
            c
            for c in self.commitments
            if now[c.id] in statuses and (kind is None or c.kind is kind) and (type is None or c.type is type)
        )

    def of(self, *types: Type) -> tuple[Commitment, ...]:
        """Return the commitments of these types."""
        return tuple(c for c in self.commitments if c.type in types)

    def about(self, target: str) -> tuple[Commitment, ...]:
        """Return the commitments that speak of one entity."""
        return tuple(c for c in self.commitments if target in c.targets)

    def history(self, commitment_id: str) -> tuple[Event, ...]:
        """Return the events of one commitment."""
        return tuple(e for e in self.events if e.commitment == commitment_id)

    def attempts(self, commitment_id: str) -> int:
        """Return how many drafts it was judged on."""
        return len({e.draft for e in self.history(commitment_id) if e.after in JUDGED})

    # -- writing ---------------------------------------------------------------------------------

    def declare(self, commitment: Commitment, cause: Cause, *, time: float = 0.0) -> "Specification":
        """Return this specification with one more commitment.

        Raises: IllegalEvent if the id is taken, or `targets`/`depends_on` name an id not yet declared.
        """
        return self._append(
            Event(
                sequence=len(self.events),
                commitment=commitment.id,
                before=None,
                after=Status.DECLARED,
                cause=cause,
                declares=commitment,
                time=time,
            )
        )

    def move(
        self,
        commitment_id: str,
        after: Status,
        cause: Cause,
        *,
        evidence: Evidence | None = None,
        draft: str | None = None,
        time: float = 0.0,
        seconds: float = 0.0,
    ) -> "Specification":
        """Return this specification with one commitment moved along an allowed edge.

        Raises: IllegalEvent if the id is unknown or the edge is not in `statuses.EDGES`.
        """
        return self._append(
            Event(
                sequence=len(self.events),
                commitment=commitment_id,
                before=self.statuses().get(commitment_id),
                after=after,
                cause=cause,
                evidence=evidence,
                draft=draft,
                time=time,
                seconds=seconds,
            )
        )

    def _append(self, event: Event) -> "Specification":
        _check(event, self.statuses(), len(self.events))
        return Specification(prompt=self.prompt, events=(*self.events, event))

    # -- identity --------------------------------------------------------------------------------

    def canonical(self) -> str:
        """Return the canonical JSON: everything but the clock."""
        plain = self.model_dump(mode="json")
        for event in plain["events"]:
            del event["time"], event["seconds"]
        return canonical_json(plain)

    def sha256(self) -> str:
        """Return the hex sha256 of `canonical()`."""
        return hashlib.sha256(self.canonical().encode()).hexdigest()


def _check(event: Event, now: dict[str, Status], length: int) -> None:
    """Raise IllegalEvent unless `event` may follow a ledger of `length` events with the statuses `now`."""

    def refuse(why: str) -> None:
        raise IllegalEvent(f"event {event.sequence} on {event.commitment!r}: {why}")

    if event.sequence != length:
        refuse(f"expected sequence {length}")
    if event.declares is not None:
        commitment = event.declares
        if commitment.id != event.commitment or event.before is not None or event.after is not Status.DECLARED:
            refuse("a declaration must name its own id and start at 'declared'")
        if commitment.id in now:
            refuse("this id is already declared")
        missing = [i for i in (*commitment.targets, *commitment.depends_on) if i not in now]
        if missing:
            refuse(f"it speaks of {', '.join(missing)}, which no earlier event declares")
        return
    if event.commitment not in now:
        refuse("no earlier event declares this id")
    if event.before != now[event.commitment]:
        refuse(f"it starts from {event.before}, but the commitment is {now[event.commitment]}")
    if event.after not in EDGES[now[event.commitment]]:
        refuse(f"{now[event.commitment]} -> {event.after} is not allowed")
    if event.after in JUDGED and event.draft is None:
        refuse("a verdict must name the draft that it judges")


def fold(prompt: str, events: Iterable[Event]) -> Specification:
    """Return the specification of a stored ledger, checking every step on the way.

    Raises: StateCorrupt if any event could not have followed the ones before it.
    """
    kept: list[Event] = []
    now: dict[str, Status] = {}
    try:
        for event in events:
            _check(event, now, len(kept))
            kept.append(event)
            now[event.commitment] = event.after
    except IllegalEvent as error:
        raise StateCorrupt(f"the ledger of this run is damaged: {error}") from error
    return Specification(prompt=prompt, events=tuple(kept))


def next_ids(prefix: str) -> Iterator[str]:
    """Yield `prefix`1, `prefix`2, ...: e1 entities, c1 constraints, u1 unknowns."""
    number = 0
    while True:
        number += 1
        yield f"{prefix}{number}"
