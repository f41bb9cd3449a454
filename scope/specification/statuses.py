"""The life of a commitment: its statuses and the edges between them, in one table."""

from enum import StrEnum


class Status(StrEnum):
    """Where a commitment stands."""

    DECLARED = "declared"  # read from the prompt
    OPEN = "open"  # something about it is not known yet
    GROUNDED = "grounded"  # ... and now it is, with evidence
    PLACED = "placed"  # it has its boxes in the picture
    BOUND = "bound"  # named in the request to the generator
    MET = "met"
    VIOLATED = "violated"
    BLOCKED = "blocked"  # what it depends on is not in the picture
    UNJUDGED = "unjudged"  # no verifier could say; never counted as met
    REPAIRED = "repaired"  # a repair that names it was made; to be judged again
    WAIVED = "waived"  # given up on purpose


JUDGED = frozenset({Status.MET, Status.VIOLATED, Status.BLOCKED, Status.UNJUDGED})
UNMET = JUDGED - {Status.MET}

EDGES: dict[Status, frozenset[Status]] = {
    Status.DECLARED: frozenset({Status.OPEN, Status.PLACED, Status.BOUND, Status.WAIVED}),
    # From open to open: it was looked for in vain, and the note says where.
    Status.OPEN: frozenset({Status.OPEN, Status.GROUNDED, Status.PLACED, Status.BOUND, Status.WAIVED}),
    Status.GROUNDED: frozenset({Status.OPEN, Status.BOUND, Status.WAIVED}),
    # From placed to placed, and back from a verdict: an answer has changed, and what is to be drawn with it.
    Status.PLACED: frozenset({Status.OPEN, Status.PLACED, Status.BOUND, Status.WAIVED}),
    Status.BOUND: JUDGED | {Status.OPEN, Status.PLACED, Status.WAIVED},
    # Every draft is judged afresh, so a judged commitment may be judged again, either way.
    Status.MET: JUDGED | {Status.OPEN, Status.PLACED, Status.WAIVED},
    Status.VIOLATED: JUDGED | {Status.OPEN, Status.PLACED, Status.REPAIRED, Status.WAIVED},
    Status.BLOCKED: JUDGED | {Status.OPEN, Status.PLACED, Status.REPAIRED, Status.WAIVED},
    Status.UNJUDGED: JUDGED | {Status.OPEN, Status.PLACED, Status.REPAIRED, Status.WAIVED},
    Status.REPAIRED: JUDGED | {Status.OPEN, Status.PLACED, Status.WAIVED},
    Status.WAIVED: frozenset(),
}
