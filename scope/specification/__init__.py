"""The specification: commitments, the append-only ledger, and the statuses folded from it."""

from scope.specification.answers import FACTS, Answer, Fact, Source, answers, ground, grounded, part_ids, reopen, tried
from scope.specification.commitments import Commitment, Kind, Model, Span, Type, canonical_json, sha256_of
from scope.specification.ledger import Event, IllegalEvent, Specification, fold, next_ids
from scope.specification.requests import Binding, Draft, RepairResult, Request, Start, Verdict
from scope.specification.statuses import EDGES, JUDGED, UNMET, Status

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
