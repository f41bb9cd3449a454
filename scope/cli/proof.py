"""What a reader is told of a prompt and of a run: the commitments, the plan, and the proof."""

from collections.abc import Collection, Iterable
from typing import TYPE_CHECKING

from scope.cli.console import emit, emit_json, emit_path, emit_table, log
from scope.specification import Commitment, Specification
from scope.text import visible

if TYPE_CHECKING:
    from scope.app import Plan
    from scope.engine.outcome import Outcome
    from scope.engine.result import Result

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


def show_words(specification: Specification) -> None:
    """Print a prompt, and in its order which of its words made which commitment, and which none."""
    from scope.parsing.explaining import explained

    emit(visible(specification.prompt))
    emit_table(("words", "commitment"), explained(specification))


def log_words(
    notes: Iterable[str], unknown: Iterable[str], otherwise: Iterable[str], unjudged: Iterable[object] = ()
) -> None:
    """Say what to know of a prompt, what the weights do not know or draw otherwise, and what nobody can judge."""
    for sentence in notes:
        log(f"note: {sentence}")
    for what in unknown:
        log(f"note: the shipped weights do not know {what}; `scope world words` lists what they know")
    for sentence in (*otherwise, *map(str, unjudged)):
        log(f"note: {sentence}")


def show_plan(plan: "Plan", as_json: bool) -> None:
    """Print what `scope generate` would do."""
    options = plan.options
    if as_json:
        document = {
            "specification": plan.specification.model_dump(mode="json"),
            "options": options.model_dump(mode="json"),
            "most_drafts": plan.most_drafts,
            "unjudged": [one.model_dump(mode="json") for one in plan.unjudged],
            "image": str(plan.output),
        }
        return emit_json(document)
    show_commitments(plan.specification)
    emit(f"{options.generator} would draw {options.drafts} drafts a round, {plan.most_drafts} at most")
    return emit(f"the best would become {plan.output}")


def show_result(result: "Result", as_json: bool, told: Collection[str] = ()) -> None:
    """Print what a run gave: its notes on stderr; the proof and the path of the picture, or all of it as JSON.

    What was `told` before (`log_words`), or is unknown to the weights by these words, is not said again.
    """
    log_notes(result.outcome, told)
    if as_json:
        from scope.engine.outcome import json_report

        return emit_json(json_report(result.outcome, image=str(result.path) if result.path else None))
    show_proof(result)
    return emit_path(result.path) if result.path is not None else None


def show_proof(result: "Result") -> None:
    """Print the proof: one line per commitment, where answers come from, the layout, and how many are met."""
    from scope.engine.proof import HEADER

    proof, outcome = result.proof, result.outcome
    emit_table(HEADER, (map(str, row.model_dump().values()) for row in proof.rows), styles=_STYLES)
    for sentence in (*proof.sources, *proof.regions):
        emit(sentence)
    count, seconds = len(outcome.drafts), outcome.seconds.get("total")
    drafts = "1 draft" if count == 1 else f"{count} drafts"
    drafts = "judged" if result.judged is not None else drafts
    emit(f"{proof.summary}; {drafts}" + (f" in {seconds:.1f} s" if seconds is not None else ""))


def log_notes(outcome: "Outcome", told: Collection[str] = ()) -> None:
    """Say on stderr what the reader should know beside the proof, but not what was `told` before."""
    for note in outcome.notes:
        if note not in told and not any(note.endswith(f" do not know {what}") for what in told):
            log(f"note: {note}")
    if outcome.best is None:
        log("note: no draft was finished within the budget")
