"""What a run gave, what it tells on the way, and the report that scripts read."""

from collections.abc import Sequence
from typing import Any, Literal

from scope.runs.store import SCHEMA
from scope.specification import Draft, Model, Region, RepairResult, Specification, Verdict, answers

#: What the report gives seconds for.
TIMED = ("decompose", "generate", "verify", "repair")

Stage = Literal[
    "decompose",
    "confirm",
    "ground",
    "bind",
    "generate",
    "verify",
    "repair",
    "finish",
]


#: What is done in each stage, for those who watch.
STAGES: dict[Stage, str] = {
    "decompose": "reading the prompt",
    "confirm": "asking you",
    "ground": "looking things up and working them out",
    "bind": "writing the request",
    "generate": "drawing",
    "verify": "judging",
    "repair": "planning a repair",
    "finish": "finishing",
}


class Progress(Model):
    """One line of news. `draft` of `drafts` counts within the round, from 1; `round` counts repairs, from 0."""

    stage: Stage
    state: Literal["start", "step", "end"]
    round: int = 0
    draft: int | None = None
    drafts: int | None = None
    step: int | None = None
    steps: int | None = None
    text: str = ""


class Tally(Model):
    """How the commitments fare on one draft. Violated counts those that a violated entity blocks."""

    met: int
    violated: int
    unjudged: int

    def __str__(self) -> str:
        return f"{self.met} met, {self.violated} violated, {self.unjudged} unjudged"


class Outcome(Model):
    """A run as it stands. `seconds` has each stage that ran and "total", over all resumptions."""

    run: str
    exit: Literal[0, 3, 4]  # all met; something is not; a budget was spent before all was met
    best: Draft | None
    spec: Specification
    drafts: tuple[Draft, ...]
    verdicts: dict[str, tuple[Verdict, ...]]
    seconds: dict[str, float]
    notes: tuple[str, ...] = ()
    repairs: tuple[RepairResult, ...] = ()
    cost: float = 0.0  # of all parts that cost, in the currency of the configured prices


def tally(verdicts: Sequence[Verdict]) -> Tally:
    """Count verdicts. What could not be judged is never counted as met."""
    met = sum(v.outcome == "met" for v in verdicts)
    violated = sum(v.outcome == "violated" or v.blocked_by is not None for v in verdicts)
    return Tally(met=met, violated=violated, unjudged=len(verdicts) - met - violated)


def json_report(outcome: Outcome, image: str | None = None) -> dict[str, Any]:
    """Return the report of `--json`. Verdicts are those on the best draft.

    Args:
        outcome: what the run gave.
        image: path of the written picture; None: that of the best draft, relative to the run's folder.
    """
    best = outcome.best
    return {
        "schema": SCHEMA,
        "run": outcome.run,
        "image": image if image is not None or best is None else best.path,
        "exit": outcome.exit,
        "commitments": _commitments(outcome),
        "drafts": [_draft(d, outcome.verdicts.get(d.id, ())) for d in outcome.drafts],
        "events": len(outcome.spec.events),
        "seconds": {stage: round(outcome.seconds.get(stage, 0.0), 3) for stage in (*TIMED, "total")},
        "repairs": [r.model_dump(mode="json") | {"seconds": round(r.seconds, 3)} for r in outcome.repairs],
        "cost": round(outcome.cost, 6),
        "notes": list(outcome.notes),
        "answers": {unknown: answer.model_dump(mode="json") for unknown, answer in answers(outcome.spec).items()},
    }


def _commitments(outcome: Outcome) -> list[dict[str, Any]]:
    spec, best = outcome.spec, outcome.best
    statuses = spec.statuses_on(best.id) if best else spec.statuses()
    verdicts = {v.commitment: v for v in outcome.verdicts.get(best.id, ())} if best else {}
    rows = []
    for commitment in spec.commitments:
        verdict = verdicts.get(commitment.id)
        row = commitment.model_dump(mode="json", include={"id", "kind", "type", "claim", "depends_on", "span"})
        row["status"] = statuses[commitment.id].value
        row["outcome"] = verdict.outcome if verdict else None
        row["reason"] = verdict.reason if verdict else "waived" if row["status"] == "waived" else "not judged yet"
        row["verifier"] = verdict.verifier if verdict else None
        row["attempts"] = spec.attempts(commitment.id)
        rows.append(row)
    return rows


def _region(region: Region, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    """Return a region with what was seen in it (null: nothing), and what is violated there."""
    found = [seen.box for v in verdicts for seen in v.evidence if seen.region == region.id and seen.box]
    return region.model_dump(mode="json") | {
        "found": found[0].model_dump(mode="json") if found else None,
        "violated": [v.commitment for v in verdicts if region.id in v.regions],
    }


def _draft(draft: Draft, verdicts: Sequence[Verdict]) -> dict[str, Any]:
    count = tally(verdicts)
    return {
        "id": draft.id,
        "path": draft.path,
        "sha256": draft.sha256,
        "seed": draft.request.seed,
        "regions": [_region(region, verdicts) for region in draft.request.regions],
        "references": [reference.model_dump(mode="json") for reference in draft.request.references],
        "generator": draft.generator,
        "parent": draft.parent,
        "violated": count.violated,
        "unjudged": count.unjudged,
        "log_likelihood": draft.log_likelihood,
        "seconds": round(draft.seconds, 3),
    }
