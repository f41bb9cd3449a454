"""What a person is asked before a run goes on, and what becomes of the answer. Both are YAML."""

from typing import Literal

from pydantic import ValidationError

from scope.engine.editing import CAUSE, Entry, first_fault, live, plain, rewritten
from scope.engine.written import from_yaml, to_yaml
from scope.errors import UsageError
from scope.specification import Model, Specification, Status
from scope.text import printable

_ERROR = "# this could not be used: "

_SPEC_HELP = """\
# What the picture must keep. Change a value or a claim, delete an entry to give it up, or add one with a new id.
# kinds: entity, constraint. types: presence (entities), attribute, count, relation, comparison, place, setting, style,
# text, absence. `denied: true` asks for the opposite.
"""
_REPAIR_HELP = """\
# What the best draft got wrong, and how it would be repaired. `repair: false` ends the run here.
# strategies: {strategies}. Ids under `waive` are given up.
"""


class Question(Model):
    """What a person is asked: to edit `text`, which is YAML."""

    about: Literal["spec", "repair"]
    text: str
    strategies: tuple[str, ...] = ()

    def check(self, spec: Specification, text: str) -> None:
        """Raise UsageError if `text` is no answer to this question."""
        if self.about == "spec":
            edited(spec, text)
        else:
            planned(spec, text, self.strategies)

    def again(self, text: str, error: UsageError) -> "Question":
        """Return the question with what was wrong with an answer written over it."""
        kept = text if not text.startswith(_ERROR) else text.partition("\n")[2]
        return self.model_copy(update={"text": f"{_ERROR}{printable(str(error))}\n{kept}"})


class Plan(Model):
    """A repair as a person may change it."""

    repair: bool = True
    strategy: str
    waive: tuple[str, ...] = ()


def spec_question(spec: Specification) -> Question:
    """Return the question whether this is what was meant."""
    entries = [plain(commitment) for commitment in live(spec)]
    return Question(about="spec", text=f"{_SPEC_HELP}# prompt: {printable(spec.prompt)}\n{to_yaml(entries)}")


def repair_question(spec: Specification, strategy: str, strategies: tuple[str, ...]) -> Question:
    """Return the question whether what is violated is to be repaired so."""
    violated = {c.id: c.claim for c in spec.where(Status.VIOLATED, Status.BLOCKED)}
    lines = "".join(f"# {name}: {printable(claim)}\n" for name, claim in violated.items())
    plan = Plan(strategy=strategy).model_dump(mode="json")
    text = _REPAIR_HELP.format(strategies=", ".join(strategies)) + lines + to_yaml(plan)
    return Question(about="repair", text=text, strategies=strategies)


def edited(spec: Specification, text: str) -> Specification:
    """Return the specification as a person edited it.

    Raises: UsageError if the text is no YAML list of commitments, or one of them speaks of nothing that is declared.
    """
    return rewritten(spec, {entry.id: entry for entry in _entries(text)})


def planned(spec: Specification, text: str, strategies: tuple[str, ...]) -> Plan:
    """Return the repair as a person changed it.

    Raises: UsageError if it is no such plan.
    """
    try:
        plan = Plan.model_validate(from_yaml(text))
    except ValidationError as error:
        raise UsageError(f"this is not a plan of a repair: {first_fault(error)}") from error
    unknown = [i for i in plan.waive if i not in spec.statuses()]
    if plan.strategy not in strategies or unknown:
        wrong = f"ids {', '.join(unknown)}" if unknown else f"the strategy {plan.strategy!r}"
        raise UsageError(f"{wrong}: no such thing here; strategies are {', '.join(strategies)}")
    return plan


def waived(spec: Specification, ids: tuple[str, ...]) -> Specification:
    """Return the specification with these commitments given up, and what depends on them."""
    gone = set(ids)
    for commitment in spec.commitments:
        gone |= {commitment.id} if gone.intersection(commitment.depends_on) else set()
    for commitment in spec.commitments:
        if commitment.id in gone and spec.statuses()[commitment.id] is not Status.WAIVED:
            spec = spec.move(commitment.id, Status.WAIVED, CAUSE)
    return spec


def _entries(text: str) -> list[Entry]:
    loaded = from_yaml(text)
    if not isinstance(loaded, list):
        raise UsageError("the specification is to be a list of commitments")
    try:
        entries = [Entry.model_validate(item) for item in loaded]
    except ValidationError as error:
        raise UsageError(f"a commitment cannot be read: {first_fault(error)}") from error
    twice = {e.id for e in entries if sum(o.id == e.id for o in entries) > 1}
    if twice:
        raise UsageError(f"{', '.join(sorted(twice))} is there twice")
    return entries
