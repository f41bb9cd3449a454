"""Which draft is the best, and the gate before it: what a repair mends, against what it breaks.

A repair starts from a draft that keeps something. Its own draft passes the gate if it breaks nothing of that, or mends
more of higher priority than it breaks; else the draft before it stands, whatever else it mends.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from scope.engine.outcome import tally
from scope.specification import Draft, Specification, Verdict

Verdicts = Mapping[str, Sequence[Verdict]]  # by the id of the draft
Priorities = Mapping[str, int]  # by the id of the commitment: 1 critical, 2 major, 3 minor

_LEVELS = (1, 2, 3)


@dataclass(frozen=True)
class Weighed:
    """A draft against the one that it repairs: the ids that it mends and those that it breaks, and whether it passes.

    What is met on one of the two and not on the other counts, violated there or not judged.
    """

    mends: tuple[str, ...]
    breaks: tuple[str, ...]
    passes: bool


def priorities_of(spec: Specification) -> dict[str, int]:
    """Return the priority of each commitment."""
    return {commitment.id: commitment.priority for commitment in spec.commitments}


def weigh(draft: Draft, verdicts: Verdicts, priorities: Priorities) -> Weighed:
    """Return a judged draft against the one that it repairs; one that repairs none passes."""
    if draft.parent not in verdicts:
        return Weighed((), (), True)
    before, after = (
        {v.commitment: v.outcome == "met" for v in verdicts[name]} for name in (str(draft.parent), draft.id)
    )
    both = [i for i in before if i in after]  # what was given up in between is on neither side
    mends = tuple(i for i in both if after[i] and not before[i])
    breaks = tuple(i for i in both if before[i] and not after[i])
    return Weighed(mends, breaks, not breaks or _by_level(mends, priorities) > _by_level(breaks, priorities))


def _by_level(ids: Sequence[str], priorities: Priorities) -> tuple[int, ...]:
    """Return how many ids are of each priority, the critical ones first."""
    return tuple(sum(priorities.get(i, 1) == level for i in ids) for level in _LEVELS)


def best_of(drafts: Sequence[Draft], verdicts: Verdicts, priorities: Priorities, *, gated: bool = True) -> Draft | None:
    """Return the draft with the fewest violated, then the fewest unjudged, then those that matter least.

    Of equals the likeliest or earliest. Where it is `gated`, one that does not pass the gate is never the best. A
    likelihood says something only beside others that the same generator gave for the same words: those of drafts that
    differ from the earliest in either are not looked at.
    """
    judged = [draft for draft in drafts if draft.id in verdicts]
    if gated:
        judged = [draft for draft in judged if weigh(draft, verdicts, priorities).passes]
    missed = {draft.id: _missed(verdicts[draft.id], priorities) for draft in judged}
    fewest = min(missed.values(), default=None)
    equal = [draft for draft in judged if missed[draft.id] == fewest]
    alike = [draft for draft in equal if _said(draft) == _said(equal[0])]
    return max(alike, key=_likelihood, default=None)


def _missed(verdicts: Sequence[Verdict], priorities: Priorities) -> tuple[int, int, tuple[int, ...]]:
    count = tally(verdicts)
    ids = [v.commitment for v in verdicts if v.outcome != "met"]
    return count.violated, count.unjudged, _by_level(ids, priorities)


def _said(draft: Draft) -> tuple[str, str]:
    """Return who drew a draft, from which words."""
    return draft.generator, draft.request.text


def _likelihood(draft: Draft) -> float:
    return draft.log_likelihood if draft.log_likelihood is not None else float("-inf")
