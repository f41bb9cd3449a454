"""The specification: commitments, the append-only ledger, and the statuses folded from it."""

from scope.spec.draft import Binding, Draft, Request, Verdict
from scope.spec.ledger import Event, IllegalEvent, Specification, fold, next_ids
from scope.spec.model import Commitment, Kind, Model, Span, Type, canonical_json, sha256_of
from scope.spec.status import EDGES, JUDGED, UNMET, Status

__all__ = [
    "EDGES",
    "JUDGED",
    "UNMET",
    "Binding",
    "Commitment",
    "Draft",
    "Event",
    "IllegalEvent",
    "Kind",
    "Model",
    "Request",
    "Span",
    "Specification",
    "Status",
    "Type",
    "Verdict",
    "canonical_json",
    "fold",
    "next_ids",
    "sha256_of",
]
