"""Retrieve: an open reference is answered by the sentence that defines it, in facts about its own targets."""

from typing import Any

import pytest

from scope.errors import LanguageError, ScopeError
from scope.parsing.grammar import Grammar
from scope.protocols import Passage, Skill, Toolbox
from scope.skills.grounding.definitions import Query, find_definitions
from scope.skills.retrieve import Retrieve
from scope.specification import Answer, Cause, Source, Specification, Status, Type, answers, grounded, reopen, tried
from scope.testing import FakeKnowledge, FakeLanguageModel, fake_toolbox, validate

READER = Grammar()
PROMPT = "the mascot of Team Zorvex waving beside three stars"
MASCOT = "The mascot of Team Zorvex is a green turtle with a yellow hat."


def shelf(*texts: str | Passage, name: str = "shelf") -> FakeKnowledge:
    return FakeKnowledge(texts, name=name)


def passage(text: str, title: str = "guide", score: float = 0.9, image: str | None = None) -> Passage:
    return Passage(text=text, score=score, source=Source(title=title, locator=f"{title}.md", image=image))


def tools(*knowledge: FakeKnowledge, language: FakeLanguageModel | None = None) -> Toolbox:
    return fake_toolbox(reader=READER, language=language, knowledge=knowledge)


def looked_up(*texts: str | Passage, prompt: str = PROMPT, language: FakeLanguageModel | None = None) -> Specification:
    return Retrieve().run(READER.decompose(prompt), tools(shelf(*texts), language=language))


def answer_of(spec: Specification) -> Answer | None:
    return next(iter(answers(spec).values()), None)


def said(answer: Answer | None) -> list[tuple[str, str | int]]:
    return [(f.type.value, f.value) for f in answer.facts] if answer else []


# -- the skill -----------------------------------------------------------------------------------


@pytest.mark.heavy
def test_it_is_a_skill_that_conforms() -> None:
    assert isinstance(Retrieve(), Skill)
    validate(
        Retrieve, specifications=[READER.decompose(PROMPT)], toolbox=tools(shelf(MASCOT), shelf("No."))
    ).assert_ok()


def test_it_is_needed_while_a_reference_is_open_that_was_not_looked_for() -> None:
    before = READER.decompose(PROMPT)
    assert Retrieve().needed(before)
    assert not Retrieve().needed(READER.decompose("three red stars"))
    assert not Retrieve().needed(looked_up(MASCOT))
    vain = looked_up("Team Blarn has no mascot.")
    assert not Retrieve().needed(vain)
    assert Retrieve().needed(reopen(looked_up(MASCOT), "u1", Cause(kind="engine", name="verify"), "it is not a turtle"))


def test_a_reference_is_grounded_with_typed_facts_and_its_source() -> None:
    spec = looked_up("Team Zorvex was founded in 1999.", MASCOT)
    answer = answer_of(spec)
    assert answer is not None
    assert answer.words == "a green turtle with a yellow hat"
    assert said(answer) == [("presence", "turtle"), ("attribute", "green")]
    assert {f.target for f in answer.facts} == {"e1"}
    assert (answer.sources[0].locator, answer.sources[0].quote, answer.alternatives) == ("shelf:2", MASCOT, 0)
    assert [c.value for c in grounded(spec).of(Type.PRESENCE)] == ["turtle", "star"]


def test_the_words_of_the_clue_are_what_is_searched_for_everywhere() -> None:
    one, two = shelf(), shelf(MASCOT, name="two")
    Retrieve().run(READER.decompose(PROMPT), tools(one, two))
    assert one.queries == two.queries == ["the mascot of Team Zorvex"]


def test_what_was_looked_for_in_vain_stays_open_and_says_where() -> None:
    spec = looked_up("The mascot of Team Blarn is a red dog.")
    event = spec.events[-1]
    assert spec.statuses()["u1"] is Status.OPEN
    assert (event.before, event.cause) == (Status.OPEN, Cause.skill("retrieve", "1"))
    assert "the mascot of Team Zorvex" in event.evidence.note
    assert "shelf" in event.evidence.note
    nowhere = Retrieve().run(READER.decompose(PROMPT), tools())
    assert "no knowledge is configured" in nowhere.events[-1].evidence.note


def test_knowledge_that_fails_is_told_and_the_others_answer() -> None:
    web = FakeKnowledge(name="web", raises=ScopeError("no route to host"))
    before = READER.decompose(PROMPT)
    assert said(answer_of(Retrieve().run(before, tools(web, shelf(MASCOT)))))
    note = Retrieve().run(before, tools(web)).events[-1].evidence.note
    assert "web could not be searched (no route to host)" in note


def test_once_reopened_a_source_that_was_wrong_is_not_used_again() -> None:
    toolbox = tools(shelf(MASCOT, "Team Zorvex's mascot is a brown bear."))
    spec = Retrieve().run(READER.decompose(PROMPT), toolbox)
    first = answer_of(spec)
    assert first is not None
    assert first.alternatives == 1
    spec = Retrieve().run(reopen(spec, "u1", Cause(kind="engine", name="verify"), "no"), toolbox)
    assert said(answer_of(spec)) == [("presence", "bear"), ("attribute", "brown")]
    assert tried(spec, "u1") == {"shelf:1", "shelf:2"}
    spec = Retrieve().run(reopen(spec, "u1", Cause(kind="engine", name="verify"), "no"), toolbox)
    assert answer_of(spec) is None
    assert not Retrieve().needed(spec)


def test_what_is_far_from_the_clue_is_not_read() -> None:
    spec = Retrieve().run(READER.decompose(PROMPT), tools(shelf(passage(MASCOT, score=0.1))))
    assert answer_of(spec) is None


def test_a_sentence_that_names_the_clue_goes_before_one_that_only_stands_under_its_title() -> None:
    spec = looked_up(passage("It is a red dog.", title="Team Zorvex, mascot"), MASCOT)
    assert said(answer_of(spec))[0] == ("presence", "turtle")


def test_the_picture_of_what_was_found_is_kept_as_a_reference() -> None:
    pictures = shelf(passage("Zorvex mascot", image="zorvex.png"), name="pictures")
    answer = answer_of(Retrieve().run(READER.decompose(PROMPT), tools(shelf(MASCOT), pictures)))
    assert answer is not None
    assert [s.image for s in answer.sources] == [None, "zorvex.png"]


# -- sentences -----------------------------------------------------------------------------------

ZORVEX = Query("the mascot of Team Zorvex", "e1", "mascot")
QUILL = Query("Captain Quill", "e1", "captain quill")


@pytest.mark.parametrize(
    ("query", "title", "text", "facts"),
    [
        (ZORVEX, "guide", "Team Zorvex's mascot is a green turtle.", ["turtle", "green"]),
        (ZORVEX, "Team Zorvex", "Mascot: a green turtle", ["turtle", "green"]),
        (ZORVEX, "Team Zorvex, Mascot", "It is a green turtle.", ["turtle", "green"]),
        (ZORVEX, "zorvex mascot", "A green turtle with a yellow hat", ["turtle", "green"]),
        (ZORVEX, "guide", "The mascot of Zorvex looks like a small brown dog.", ["dog", "small", "brown"]),
        (ZORVEX, "guide", "The mascots of Team Zorvex are three red stars.", ["star", 3, "red"]),
        (ZORVEX, "guide", "The mascot of Team Zorvex is purple.", ["purple"]),
        (QUILL, "people", "Captain Quill is an old owl who lives in a tree.", ["owl", "old"]),
        (QUILL, "people", "Captain Quill is my black and white cow.", ["cow", "black", "white"]),
        (QUILL, "Captain Quill", "She is a purple octopus.", ["octopus", "purple"]),
        (QUILL, "people", "Captain Quill is a white rabbit called Snow.", ["rabbit", "white"]),
        (QUILL, "people", 'Captain Quill is a sign that says "STOP".', ["sign", "STOP"]),
    ],
)
def test_a_definition_is_read(query: Query, title: str, text: str, facts: list[str | int]) -> None:
    passage = Passage(text=text, source=Source(title=title, locator="x"), score=1)
    [definition] = find_definitions(passage, query, READER)
    assert sorted(map(str, (f.value for f in definition.facts))) == sorted(map(str, facts))
    assert definition.facts[0].value == facts[0]


@pytest.mark.parametrize(
    ("query", "title", "text"),
    [
        (ZORVEX, "guide", "The mascot of Team Zorvex's rival is a red dragon."),
        (ZORVEX, "guide", "The mascot of Team Blarn is a red dragon."),
        (ZORVEX, "guide", "The mascot of Team Zorvex is not a red dragon."),
        (ZORVEX, "guide", "The mascot of Team Zorvex is unknown."),
        (ZORVEX, "guide", "The mascot of Team Zorvex is Boris."),
        (ZORVEX, "guide", "The stadium of Team Zorvex is a white house."),
        (ZORVEX, "Team Zorvex", "It is a club of long standing."),
        (ZORVEX, "Team Zorvex, Mascot", "It is loved by everyone."),
        (ZORVEX, "guide", "Team Zorvex was founded in 1999."),
        (ZORVEX, "guide", f"The mascot of Team Zorvex is a {'very ' * 100}green turtle."),
        (QUILL, "people", "The ship of Captain Quill is a red boat."),
        (QUILL, "people", "Captain Quill's cat is black."),
        (QUILL, "people", "Captain Quill and Doctor Plum are friends."),
        (QUILL, "people", "Captain Quill: see page 4"),
        (QUILL, "people", ""),
    ],
)
def test_what_defines_something_else_or_nothing_is_not_read(query: Query, title: str, text: str) -> None:
    passage = Passage(text=text, source=Source(title=title, locator="x"), score=1)
    assert list(find_definitions(passage, query, READER)) == []


def test_facts_speak_of_the_picture_as_a_whole_where_the_clue_names_no_thing() -> None:
    passage = Passage(text="Zorvex weather is a night.", source=Source(title="x", locator="x"), score=1)
    for definition in find_definitions(passage, Query("Zorvex weather", None, ""), READER):
        assert all(f.target is None and f.type in (Type.SETTING, Type.STYLE) for f in definition.facts)


# -- a language model ----------------------------------------------------------------------------

ODD = "The mascot of Team Zorvex, drawn in 1999, has always been three green turtles. Guns are loud."


def told(text: str = ODD, **data: Any) -> tuple[Answer | None, FakeLanguageModel]:
    reply = {"quote": text.split(". ")[0], "noun": "turtle", "color": "green", "count": 3} | data
    model = FakeLanguageModel([reply])
    return answer_of(looked_up(text, language=model)), model


def test_a_language_model_reads_what_the_grammar_cannot_and_is_shown_the_passage_as_data() -> None:
    assert answer_of(looked_up(ODD)) is None
    answer, model = told()
    assert answer is not None
    assert said(answer) == [("presence", "turtle"), ("attribute", "green"), ("count", 3)]
    assert answer.words == "3 green turtles"
    [(messages, _, _)] = model.calls
    assert [(m.role, m.untrusted) for m in messages] == [("system", False), ("user", False), ("user", True)]
    assert messages[-1].content == ODD
    assert not any(ODD in m.content for m in messages[:-1])


def test_it_is_not_asked_where_a_sentence_can_be_read_or_the_clue_is_not_named() -> None:
    model = FakeLanguageModel([LanguageError("it is away")])
    looked_up(MASCOT, language=model)
    looked_up("Team Blarn has a dog.", language=model)
    assert model.calls == []


@pytest.mark.parametrize(
    "data",
    [
        {"noun": "gun"}, {"color": "red"}, {"count": 5}, {"quote": "The mascot of Team Zorvex is a turtle"},
        {"quote": ""}, {"quote": "Guns are loud"}, {"noun": ""}, {"noun": "zorvex"}, {"noun": "Turtle; rm"},
        {"count": -1}, {"count": "many"}, {"color": "invisible"}, {"extra": 1}, {"noun": 3},
        {"quote": "Guns are loud.", "noun": "gun", "color": "", "count": 0},
    ],
)  # fmt: skip
def test_what_it_says_without_the_passage_saying_so_is_dropped(data: dict[str, Any]) -> None:
    answer, model = told(**data)
    assert answer is None
    assert len(model.calls) == 1


def test_a_language_model_that_is_away_leaves_the_reference_open() -> None:
    spec = looked_up(ODD, language=FakeLanguageModel([LanguageError("it is away")]))
    assert spec.statuses()["u1"] is Status.OPEN
