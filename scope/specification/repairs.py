"""Repairs as the ledger has them: which strategy, in which round, for which commitments, and what it did."""

from dataclasses import dataclass

from pydantic import Field

from scope.specification.boxes import Box
from scope.specification.commitments import Model
from scope.specification.evidence import Judgement, Repairing, Strategy
from scope.specification.ledger import Specification
from scope.specification.requests import ImageFile
from scope.specification.statuses import JUDGED, Status

#: What draws a part of the draft anew, region by region.
REGIONAL = frozenset({Strategy.REDRAW, Strategy.MOVE})


@dataclass(frozen=True)
class RepairRound:
    """One repair: `number` counts from 1, `commitments` are those that it acts on, `mask` is what may change."""

    number: int
    strategy: Strategy
    commitments: tuple[str, ...]
    mask: ImageFile | None = None


@dataclass(frozen=True)
class Fault:
    """Where a violated commitment fails: in which regions, and what stands where nothing was put."""

    commitment: str
    regions: tuple[str, ...]
    strays: tuple[Box, ...]


class RepairResult(Model):
    """What one repair did: ids that were not met and now are, ids that were met and now are not, seconds it took.

    Measured between the best draft before it and the best of its own. `kept`: whether that passed the gate.
    """

    strategy: Strategy
    family: str
    fixed: tuple[str, ...]
    broke: tuple[str, ...]
    seconds: float
    kept: bool = Field(default=True, exclude_if=lambda kept: kept)


def last_repair(spec: Specification, strategy: Strategy | None = None) -> RepairRound | None:
    """Return the latest repair in the ledger (None: of any strategy), or None."""
    repairs = [(e.commitment, e.evidence) for e in spec.events if isinstance(e.evidence, Repairing)]
    repairs = [(commitment, repair) for commitment, repair in repairs if strategy in (None, repair.strategy)]
    if not repairs:
        return None
    latest = repairs[-1][1]
    commitments = tuple(commitment for commitment, repair in repairs if repair == latest)
    return RepairRound(latest.round, latest.strategy, commitments, latest.mask)


def faults(spec: Specification) -> tuple[Fault, ...]:
    """Return where each commitment that is violated now fails on the draft that it is violated on, if that is known."""
    found = []
    for commitment in spec.where(Status.VIOLATED):
        judged = [event for event in spec.history(commitment.id) if event.after in JUDGED]
        on_best = [e.evidence for e in judged if e.draft == judged[-1].draft and isinstance(e.evidence, Judgement)]
        if on_best and (on_best[-1].regions or on_best[-1].strays):
            found.append(Fault(commitment.id, on_best[-1].regions, on_best[-1].strays))
    return tuple(found)


def was_tried(spec: Specification, strategy: Strategy, commitment: str) -> bool:
    """Return whether a commitment was repaired so before."""
    tried = (e.evidence for e in spec.history(commitment) if isinstance(e.evidence, Repairing))
    return any(repair.strategy is strategy for repair in tried)
