"""Repairs as the ledger has them: which strategy, in which round, for which commitments, and what it did."""

from dataclasses import dataclass

from scope.specification.commitments import Model
from scope.specification.evidence import Repairing, Strategy
from scope.specification.ledger import Specification


@dataclass(frozen=True)
class RepairRound:
    """One repair: `number` counts from 1, `commitments` are those that it acts on."""

    number: int
    strategy: Strategy
    commitments: tuple[str, ...]


class RepairResult(Model):
    """What one repair did: ids that were not met and now are, ids that were met and now are not, seconds it took.

    Measured between the best draft before it and the best of its own.
    """

    strategy: Strategy
    family: str
    fixed: tuple[str, ...]
    broke: tuple[str, ...]
    seconds: float


def last_repair(spec: Specification, strategy: Strategy | None = None) -> RepairRound | None:
    """Return the latest repair in the ledger (None: of any strategy), or None."""
    repairs = [(e.commitment, e.evidence) for e in spec.events if isinstance(e.evidence, Repairing)]
    repairs = [(commitment, repair) for commitment, repair in repairs if strategy in (None, repair.strategy)]
    if not repairs:
        return None
    latest = repairs[-1][1]
    commitments = tuple(commitment for commitment, repair in repairs if repair == latest)
    return RepairRound(latest.round, latest.strategy, commitments)
