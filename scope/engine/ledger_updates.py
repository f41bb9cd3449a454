"""What a round of drafts did: its verdicts in the ledger, what a repair fixed and broke, which answers are in doubt."""

from collections.abc import Sequence

from scope.engine.ranking import Verdicts, best_of, priorities_of, weigh
from scope.engine.whereabouts import strays
from scope.specification import (
    JUDGED,
    Cause,
    Draft,
    Gating,
    Judgement,
    Placing,
    Region,
    Repairing,
    RepairResult,
    Specification,
    Status,
    Verdict,
    answers,
)
from scope.specification.placements import regions

BEST = Cause(kind="engine", name="best")
GATE = Cause(kind="engine", name="gate")
MOVE = Cause(kind="engine", name="move")
_DOUBT = 4  # drafts on which an answer must have failed, before another candidate is tried


def entered(spec: Specification, draft: Draft, verdicts: Sequence[Verdict]) -> Specification:
    """Return the specification with the verdicts on a draft in its ledger."""
    for verdict in verdicts:
        evidence = _judgement(verdict, draft)
        cause = Cause.verifier(verdict.verifier)
        spec = spec.move(verdict.commitment, status_of(verdict), cause, evidence=evidence, draft=draft.id)
    return spec


def _judgement(verdict: Verdict, draft: Draft) -> Judgement:
    """Return what the ledger keeps of a verdict; of one that is violated also where, if the draft has regions."""
    placed = verdict.outcome == "violated" and draft.request.regions
    return Judgement(
        reason=verdict.reason,
        score=verdict.score,
        regions=verdict.regions if placed else (),
        strays=strays(verdict) if placed else (),
    )


def settled(spec: Specification, best: Draft, verdicts: Sequence[Verdict]) -> Specification:
    """Return the specification with its statuses as on the best draft, where a later draft changed them."""
    for verdict in verdicts:
        now = spec.statuses()[verdict.commitment]
        if now not in (status_of(verdict), Status.WAIVED):
            spec = spec.move(verdict.commitment, status_of(verdict), BEST, draft=best.id)
    return spec


def gated(spec: Specification, new: Sequence[Draft], verdicts: Verdicts, best: Draft) -> Specification:
    """Return the specification with what each repair that broke something mends and breaks, and whether it is kept.

    Every commitment that it concerns has an event that tells both; its status stays as on the best draft.
    """
    priorities = priorities_of(spec)
    for draft in new:
        weighed = weigh(draft, verdicts, priorities)
        evidence = Gating(draft=draft.id, kept=weighed.passes, mends=weighed.mends, breaks=weighed.breaks)
        for identity in (*weighed.mends, *weighed.breaks) if weighed.breaks else ():
            now = spec.statuses()[identity]
            if now in JUDGED:
                spec = spec.move(identity, now, GATE, evidence=evidence, draft=best.id)
    return spec


def replaced(spec: Specification, layout: Sequence[Region]) -> Specification:
    """Return the specification with things where this layout has them; what it does not have stays."""
    boxes, now = {region.id: region.box for region in layout}, regions(spec)
    for owner in dict.fromkeys(region.commitments[0] for region in now):
        before = tuple(region for region in now if region.commitments[0] == owner)
        after = tuple(region.model_copy(update={"box": boxes.get(region.id, region.box)}) for region in before)
        if after != before:
            spec = spec.move(owner, Status.PLACED, MOVE, evidence=Placing(regions=after))
    return spec


def status_of(verdict: Verdict) -> Status:
    """Return the status that a verdict means."""
    if verdict.blocked_by is not None:
        return Status.BLOCKED
    return {"met": Status.MET, "violated": Status.VIOLATED, None: Status.UNJUDGED}[verdict.outcome]


def repair_result(spec: Specification, new: Sequence[Draft], verdicts: Verdicts) -> tuple[RepairResult, ...]:
    """Return what the latest repair did: the best of its drafts, `new`, against the draft that it repairs.

    Of those that pass the gate, if there are any.
    """
    priorities = priorities_of(spec)
    best = best_of(new, verdicts, priorities) or best_of(new, verdicts, priorities, gated=False)
    if best is None or best.parent is None:
        return ()
    latest = [e.evidence for e in spec.events if isinstance(e.evidence, Repairing)][-1]
    weighed = weigh(best, verdicts, priorities)
    return (
        RepairResult(
            strategy=latest.strategy,
            family=latest.family,
            fixed=tuple(sorted(weighed.mends)),
            broke=tuple(sorted(weighed.breaks)),
            seconds=sum(draft.seconds for draft in new),
            kept=weighed.passes,
        ),
    )


def doubtful(spec: Specification) -> tuple[str, ...]:
    """Return the answered unknowns that no draft has kept, and for which there are other candidates."""
    known = answers(spec)
    return tuple(
        c.id for c in spec.where(Status.VIOLATED) if c.id in known and known[c.id].alternatives and _failed(spec, c.id)
    )


def _failed(spec: Specification, unknown: str) -> bool:
    """Return whether every verdict since it was grounded is that it is violated, on enough drafts."""
    history = spec.history(unknown)
    since = max(i for i, e in enumerate(history) if e.after is Status.GROUNDED)
    judged = [e for e in history[since:] if e.draft is not None and e.cause.kind == "verifier"]
    return len(judged) >= _DOUBT and all(e.after is Status.VIOLATED for e in judged)
