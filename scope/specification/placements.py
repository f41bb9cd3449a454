"""Where things stand: the layout, as the ledger tells it."""

from scope.specification.evidence import Placing
from scope.specification.ledger import Event, Specification
from scope.specification.requests import Region
from scope.specification.statuses import Status

#: Regions of a picture, at most.
MOST_REGIONS = 16


def regions(spec: Specification) -> tuple[Region, ...]:
    """Return the regions of all things that have their boxes, in the order of the prompt; waived things have none."""
    placed = {e.commitment: e.evidence for e in spec.events if isinstance(e.evidence, Placing)}
    statuses = spec.statuses()
    live = (c.id for c in spec.commitments if statuses[c.id] is not Status.WAIVED)
    return tuple(region for name in live if name in placed for region in placed[name].regions)


def own_regions(spec: Specification, commitment: str) -> tuple[Region, ...]:
    """Return where a person put a thing."""
    mine = [e.evidence for e in spec.history(commitment) if e.cause.kind == "person"]
    return next((e.regions for e in reversed(mine) if isinstance(e, Placing)), ())


def last_layout(spec: Specification) -> tuple[Event, ...]:
    """Return the events of the latest layout that a skill made, in their order."""
    latest: list[Event] = []
    for event in reversed(spec.events):
        if isinstance(event.evidence, Placing) and event.cause.kind == "skill":
            latest.append(event)
        elif latest:
            break
    return tuple(reversed(latest))


def clashes(spec: Specification) -> tuple[str, ...]:
    """Return what the latest layout does not keep, and why: a sentence each."""
    told = (e.evidence.note for e in last_layout(spec) if isinstance(e.evidence, Placing) and e.evidence.clash)
    return tuple(dict.fromkeys(told))
