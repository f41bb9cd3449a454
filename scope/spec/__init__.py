"""The specification: commitments, the append-only ledger, and the statuses folded from it."""

from scope.spec.answer import FACTS, Answer, Fact, Source, answers, ground, grounded, part_ids, reopen, tried
from scope.spec.draft import Binding, Draft, RepairResult, Request, Start, Verdict
from scope.spec.ledger import Event, IllegalEvent, Specification, fold, next_ids
from scope.spec.model import Commitment, Kind, Model, Span, Type, canonical_json, sha256_of
from scope.spec.status import EDGES, JUDGED, UNMET, Status

__all__ = [
    "EDGES",
    "FACTS",
    "JUDGED",
    "UNMET",
    "Answer",
    "Binding",
    "Commitment",
    "Draft",
    "Event",
    "Fact",
    "IllegalEvent",
    "Kind",
    "Model",
    "RepairResult",
    "Request",
    "Source",
    "Span",
    "Specification",
    "Start",
    "Status",
    "Type",
    "Verdict",
    "answers",
    "canonical_json",
    "fold",
    "ground",
    "grounded",
    "next_ids",
    "part_ids",
    "reopen",
    "sha256_of",
    "tried",
]
