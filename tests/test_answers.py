"""Answers: what grounds an unknown keeps its id, can say nothing else, and is judged as what it says."""

import pytest

from scope.engine.verification import judge
from scope.skills.bind import Bind, request_of
from scope.specification import (
    Answer,
    Cause,
    Fact,
    Source,
    Specification,
    Status,
    Type,
    answers,
    ground,
    grounded,
    part_ids,
    reopen,
    tried,
)
from scope.testing import FakeGenerator, FakeReader, FakeVerifier, fake_toolbox

EIGHT = Answer(
    words="eight",
    facts=(Fact(type=Type.COUNT, value=8, target="e1"),),
    sources=(Source(title="a rule", locator="rule"),),
)
TURTLE = Answer(
    words="a green turtle with a red hat",
    facts=(
        Fact(type=Type.PRESENCE, value="turtle", target="e1"),
        Fact(type=Type.ATTRIBUTE, value="green", target="e1", aspect="color"),
        Fact(type=Type.TEXT, value="GO", target=None),
    ),
    sources=(Source(title="guide", locator="guide.md"),),
    alternatives=1,
)


def asked() -> Specification:
    """Return "mascot" with one open unknown that targets it."""
    spec = FakeReader().decompose("1 mascot on beach ?zorvex")
    unknown = spec["u1"].model_copy(update={"targets": ("e1",), "depends_on": ("e1",)})
    events = [
        e.model_copy(update={"declares": unknown}) if e.declares and e.commitment == "u1" else e for e in spec.events
    ]
    return Specification(prompt=spec.prompt, events=tuple(events))


def outcomes(spec: Specification, verifier: FakeVerifier) -> dict[str, str | None]:
    verdicts = judge(
        spec, [verifier], lambda v, cs: v.check(FakeGenerator().generate([request_of(spec, seed=0)])[0].image, cs, spec)
    )
    return {v.commitment: v.outcome for v in verdicts}


def test_an_answer_is_in_the_ledger_and_changes_no_commitment() -> None:
    before = asked()
    after = ground(before, "u1", EIGHT, Cause.skill("reason", "1"))
    assert after.commitments == before.commitments
    assert after.statuses()["u1"] is Status.GROUNDED
    assert answers(after) == {"u1": EIGHT}


@pytest.mark.parametrize(
    "fact", [Fact(type=Type.RELATION, value="left of", target="e1"), Fact(type=Type.COUNT, value=2, target="e2")]
)
def test_an_answer_cannot_say_what_the_unknown_does_not_ask(fact: Fact) -> None:
    with pytest.raises(ValueError, match="cannot say"):
        ground(asked(), "u1", Answer(words="x", facts=(fact,)), Cause.skill("retrieve", "1"))


def test_the_answered_unknown_reads_as_what_it_says_under_its_own_id() -> None:
    view = grounded(ground(asked(), "u1", TURTLE, Cause.skill("retrieve", "1")))
    assert view["e1"].value == "turtle"
    assert part_ids("u1", TURTLE) == ("u1", "u1/2")
    assert (view["u1"].type, view["u1"].value, view["u1"].targets) == (Type.ATTRIBUTE, "green", ("e1",))
    assert (view["u1/2"].type, view["u1/2"].value, view["u1/2"].targets) == (Type.TEXT, "GO", ())


def test_without_answers_the_specification_reads_as_it_is() -> None:
    spec = asked()
    assert grounded(spec) is spec


def test_reopening_drops_the_answer_and_remembers_its_source() -> None:
    spec = reopen(
        ground(asked(), "u1", TURTLE, Cause.skill("retrieve", "1")), "u1", Cause(kind="engine", name="reopen"), "wrong"
    )
    assert answers(spec) == {}
    assert tried(spec, "u1") == {"guide.md"}
    assert spec.statuses()["u1"] is Status.OPEN


@pytest.mark.parametrize(
    ("script", "expected"),
    [
        ({}, "met"),
        ({"u1": "violated"}, "violated"),
        ({"u1/2": "violated"}, "violated"),
        ({"u1/2": None}, None),
        ({"e1": "violated"}, "violated"),
    ],
)
def test_an_answered_unknown_is_met_when_all_that_it_says_is(
    script: dict[str, str | None], expected: str | None
) -> None:
    spec = ground(asked(), "u1", TURTLE, Cause.skill("retrieve", "1"))
    told = outcomes(spec, FakeVerifier(script))
    assert list(told) == [c.id for c in spec.commitments]
    assert told["u1"] == expected


def test_an_answer_without_facts_cannot_be_judged() -> None:
    spec = ground(asked(), "u1", Answer(words="a certain air"), Cause.skill("retrieve", "1"))
    assert outcomes(spec, FakeVerifier())["u1"] is None


def test_the_request_says_the_answer_and_not_the_clue() -> None:
    spec = ground(asked(), "u1", TURTLE, Cause.skill("retrieve", "1"))
    spec = Bind().run(spec, fake_toolbox())
    request = request_of(spec, seed=0)
    assert "green" in request.text
    assert "turtle" in request.text
    assert "zorvex" not in request.text
    assert "mascot" not in request.text
    said = {b.commitment: request.text[b.span.start : b.span.end] for b in request.bindings}
    assert set(said) == {c.id for c in spec.commitments}
    assert request.quoted == ("GO",)
    assert spec.history("u1")[-1].evidence.words == TURTLE.words


def test_what_is_waived_is_neither_asked_nor_drawn() -> None:
    spec = asked()
    spec = spec.move("u1", Status.WAIVED, Cause(kind="person", name="review"))
    assert "u1" not in outcomes(spec, FakeVerifier())
    assert "zorvex" not in request_of(spec, seed=0).text
