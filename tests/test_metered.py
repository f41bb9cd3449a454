"""Language models within a budget: paid for once, and never beyond the call that was under way."""

from pathlib import Path
from typing import Any

import pytest

from scope.errors import BudgetSpent, LanguageError
from scope.protocols import Message, Reply
from scope.runs import store
from scope.runs.budget import BudgetedModel
from scope.runs.context import RunContext
from scope.testing import FakeLanguageModel

QUESTION = [Message(role="user", content="how many?")]
SCHEMA: dict[str, Any] = {"type": "object"}


@pytest.fixture
def run(home: Path) -> store.Run:
    return store.create("a prompt")


def priced() -> FakeLanguageModel:
    """Return a model that numbers its answers, and takes less for them than it might."""
    return FakeLanguageModel([{"n": number} for number in range(10)], cost=0.4, ceiling=1.0)


def ask(metered: BudgetedModel, number: int) -> Reply:
    return metered.complete([Message(role="user", content=f"question {number}")], SCHEMA)


def test_a_question_is_paid_for_once(run: store.Run) -> None:
    model = priced()
    first = BudgetedModel(model, RunContext(run)).complete(QUESTION, SCHEMA)
    again = BudgetedModel(model, RunContext(run)).complete(QUESTION, SCHEMA)
    assert first == again
    assert (len(model.calls), run.spent()) == (1, 0.4)


def test_question_schema_and_picture_tell_calls_apart(run: store.Run) -> None:
    from PIL import Image

    model = priced()
    metered = BudgetedModel(model, RunContext(run))
    metered.complete(QUESTION, SCHEMA)
    metered.complete([Message(role="user", content="who?")], SCHEMA)
    metered.complete(QUESTION, {"type": "object", "required": ["n"]})
    metered.complete(QUESTION, SCHEMA, [Image.new("RGB", (2, 2))])
    metered.complete(QUESTION, SCHEMA, [Image.new("RGB", (2, 2), "red")])
    assert len(model.calls) == 5


def test_no_call_is_begun_once_the_budget_is_spent(run: store.Run) -> None:
    model = priced()
    metered = BudgetedModel(model, RunContext(run, 1.0))
    for number in range(3):
        ask(metered, number)
    with pytest.raises(LanguageError, match="--max-cost"):
        ask(metered, 3)
    assert len(model.calls) == 3
    assert run.spent() <= 1.0 + model.ceiling


def test_a_budget_of_nothing_allows_no_call(run: store.Run) -> None:
    model = priced()
    with pytest.raises(LanguageError):
        ask(BudgetedModel(model, RunContext(run, 0.0)), 0)
    assert len(model.calls) == 0


def test_calls_that_were_cut_count_at_their_most(run: store.Run) -> None:
    """Killed twenty times in the middle of a call: what may have been spent stays within one call of the limit."""
    model, begun = FakeLanguageModel([KeyboardInterrupt()], ceiling=1.0), 0
    for number in range(40):
        try:
            ask(BudgetedModel(model, RunContext(store.open_run(run.id), 3.0)), number)
        except KeyboardInterrupt:
            begun += 1
        except LanguageError:
            break
    assert begun == 3
    assert run.spent() <= 3.0 + model.ceiling


def test_calls_that_are_not_made_together_cost_nothing(run: store.Run) -> None:
    def never(missing: list[int]) -> list[Reply]:
        raise AssertionError("nothing is left to pay for it")

    with pytest.raises(BudgetSpent, match="--max-cost"):
        RunContext(run, 1.0).call_all("generator", ["a", "b", "c"], never, Reply, ceiling=0.6)
    assert run.spent() == 0
