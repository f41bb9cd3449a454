"""What a reader is told of a prompt and of a run: the commitments, the plan, and the proof."""

from typing import TYPE_CHECKING, Any

from scope.cli.console import emit, emit_json, emit_table, log
from scope.cli.target import Order
from scope.specification import Commitment, Specification, Status, answers
from scope.text import visible

if TYPE_CHECKING:
    from scope.config import Options
    from scope.engine.outcome import Outcome

_STYLES = {"met": "green", "violated": "bold red", "blocked": "yellow", "unjudged": "dim", "waived": "dim"}


def show_commitments(specification: Specification) -> None:
    """Print one line per commitment of a prompt."""

    def words(commitment: Commitment) -> str:
        span = commitment.span
        return specification.prompt[span.start : span.end] if span else ""

    emit_table(
        ("id", "kind", "type", "commitment", "words", "depends on"),
        ((c.id, c.kind, c.type, c.claim, words(c), ", ".join(c.depends_on)) for c in specification.commitments),
    )


def show_unknown(specification: Specification) -> None:
    """Say which words the shipped weights were not trained on; what an open unknown speaks of may yet be found."""
    from scope.engine.verification import unknown_to
    from scope.worlds.pocket.vocabulary import SHIPPED

    open_ = {target for unknown in specification.where(Status.OPEN) for target in unknown.targets}
    found = (unknown_to(SHIPPED, c) for c in specification.commitments if c.id not in open_)
    for what in dict.fromkeys(what for what in found if what is not None):
        log(f"note: the shipped weights do not know {what}; `scope world words` lists what they know")


def show_plan(specification: Specification, options: "Options", order: Order, as_json: bool) -> None:
    """Print what `scope generate` would do."""
    most = options.drafts * (1 + options.max_rounds)
    if as_json:
        plan = {
            "specification": specification.model_dump(mode="json"),
            "options": options.model_dump(mode="json"),
            "most_drafts": most,
            "image": str(order.output),
        }
        return emit_json(plan)
    show_commitments(specification)
    emit(visible(f"{options.generator} would draw {options.drafts} drafts a round, {most} at most"))
    return emit(f"the best would become {order.output}")


def show_outcome(outcome: "Outcome") -> None:
    """Print the proof: one line per commitment, where answers come from, and how many are met."""
    from scope.engine.outcome import json_report

    skills = {e.commitment: e.cause.removeprefix("skill:") for e in outcome.spec.events if e.cause.startswith("skill:")}
    commitments = json_report(outcome)["commitments"]
    rows = [
        (c["id"], c["claim"], _fate(c), c["reason"], c["verifier"] or "", skills.get(c["id"], ""), str(c["attempts"]))
        for c in commitments
    ]
    emit_table(("id", "commitment", "verdict", "evidence", "verifier", "skill", "attempts"), rows, styles=_STYLES)
    for unknown, answer in answers(outcome.spec).items():
        for source in answer.sources:
            said = f': "{source.quote}"' if source.quote else ""
            licence = f" ({source.licence})" if source.licence else ""
            emit(visible(f'{unknown} is "{answer.words}", from {source.locator}{licence}{said}'))
    met = sum(_fate(c) == "met" for c in commitments)
    emit(f"{met} of {len(rows)} commitments met; {len(outcome.drafts)} drafts in {outcome.seconds['total']:.1f} s")


def log_notes(outcome: "Outcome") -> None:
    """Say on stderr what the reader should know beside the proof."""
    for note in outcome.notes:
        log(f"note: {note}")
    if outcome.best is None:
        log("note: no draft was finished within the time budget")
    log(f"the whole story: scope show {outcome.run}")


def _fate(commitment: dict[str, Any]) -> str:
    """Return how a commitment fared on the best draft: met, violated, blocked, unjudged or waived."""
    return (
        str(commitment["status"])
        if commitment["status"] in ("blocked", "waived")
        else str(commitment["outcome"] or "unjudged")
    )
