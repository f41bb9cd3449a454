"""A language model's reading is held to what the prompt denies, and reads the languages that the grammar does not."""

from typing import Any

import pytest

from scope.errors import NotEnglish
from scope.parsing.grammar import Grammar
from scope.skills.decompose import Decompose
from scope.skills.llm_reading import Proposal, Refused, specification
from scope.specification import Cause, Specification, Type
from scope.testing import FakeLanguageModel, fake_toolbox

CAUSE = Cause.skill("decompose", "1")
FOREIGN = "zwei rote Katzen auf einem Tisch"


def reading(*entities: tuple[str, str], **constraints: dict[str, Any]) -> Proposal:
    things = [{"words": words, "noun": noun} for words, noun in entities]
    said = [{"type": type_, **rest} for type_, rest in constraints.items()]
    return Proposal.model_validate({"entities": things, "constraints": said, "unknowns": [], "left_out": []})


def test_a_thing_that_is_not_to_be_there_is_not_promised() -> None:
    known = Grammar().decompose("a table with no chairs")
    promised = reading(("table", "table"), ("chairs", "chair"))
    with pytest.raises(Refused, match="denies"):
        specification(promised, known, CAUSE)
    absence = {"words": "no chairs", "value": "chair", "of": []}
    spec = specification(reading(("table", "table"), absence=absence), known, CAUSE)
    assert [c.claim for c in spec.of(Type.ABSENCE)] == ["there is no chair"]


def test_words_that_are_not_to_be_read_stay_denied() -> None:
    known = Grammar().decompose('a sign that does not say "STOP"')
    text = {"words": '"STOP"', "value": "STOP", "of": [1]}
    spec = specification(
        reading(("sign", "sign"), text=text).model_copy(update={"left_out": ("does not say",)}), known, CAUSE
    )
    assert [c.denied for c in spec.of(Type.TEXT)] == [True]


def test_a_bound_stays_one() -> None:
    known = Grammar().decompose("at least three dogs")
    count = {"words": "at least three", "value": 3, "of": [1]}
    (read,) = specification(reading(("dogs", "dog"), count=count), known, CAUSE).of(Type.COUNT)
    assert (read.comparator, read.value) == (">=", 3)


def foreign(*replies: Any) -> Specification:
    tools = fake_toolbox(language=FakeLanguageModel(replies), reader=Grammar())
    return Decompose().run(Specification(prompt=FOREIGN), tools)


def test_a_model_reads_what_the_grammar_does_not() -> None:
    read = reading(
        ("Katzen", "cat"),
        ("Tisch", "table"),
        count={"words": "zwei", "value": 2, "of": [1]},
        attribute={"words": "rote", "value": "red", "of": [1]},
        relation={"words": "auf einem", "value": "on", "of": [1, 2]},
    ).model_dump()
    spec = foreign(read)
    assert [c.value for c in spec.commitments] == ["cat", "table", 2, "red", "on"]


def test_of_a_foreign_prompt_no_long_word_may_be_left_out() -> None:
    with pytest.raises(NotEnglish, match="Tisch"):
        foreign(*[reading(("Katzen", "cat")).model_dump()] * 3)
    tools = fake_toolbox(reader=Grammar())
    with pytest.raises(NotEnglish, match="this looks German"):
        Decompose().run(Specification(prompt=FOREIGN), tools)
