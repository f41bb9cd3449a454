"""Repair: names what a draft got wrong and chooses how the next one is to get it right."""

from dataclasses import dataclass

from scope.protocols import Toolbox
from scope.spec import Specification, Status

REBIND = "rebind"  # word the request anew, what was missed first
REGENERATE = "regenerate"  # the same words from other noise

#: In this order, then over again: words that were not understood are missed from any noise.
STRATEGIES = (REBIND, REGENERATE)

_CAUSE = "skill:repair@"


class Repair:
    """Acts on violated commitments, and on those that a violated entity blocks.

    An unjudged commitment is left alone: another draft would be judged no better.
    """

    name = "repair"
    version = "1"

    def needed(self, spec: Specification) -> bool:
        """Return whether another draft could change a verdict."""
        return bool(spec.where(Status.VIOLATED, Status.BLOCKED))

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        """Return the specification with every such commitment moved to `repaired`."""
        last = last_repair(spec)
        number = last.number + 1 if last is not None else 1
        evidence = {"strategy": STRATEGIES[(number - 1) % len(STRATEGIES)], "round": number}
        for commitment in spec.where(Status.VIOLATED, Status.BLOCKED):
            spec = spec.move(commitment.id, Status.REPAIRED, _CAUSE + self.version, evidence=evidence)
        return spec


@dataclass(frozen=True)
class Repaired:
    """One repair as the ledger tells it."""

    number: int  # 1, 2, ...: the round that it opened
    strategy: str
    commitments: tuple[str, ...]


def last_repair(spec: Specification, strategy: str | None = None) -> Repaired | None:
    """Return the latest repair in the ledger (None: of any strategy), or None."""
    events = [e for e in spec.events if e.cause.startswith(_CAUSE) and strategy in (None, e.evidence["strategy"])]
    if not events:
        return None
    evidence = events[-1].evidence
    named = tuple(e.commitment for e in events if e.evidence["round"] == evidence["round"])
    return Repaired(evidence["round"], evidence["strategy"], named)
