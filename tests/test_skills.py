"""The skills: pure questions, deterministic answers, and requests in which every commitment keeps its words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from prompts import PROMPT_WITH_UNKNOWN as PROMPT

from scope.parsing.grammar import Grammar
from scope.protocols import Skill
from scope.skills.bind import Bind, request_of
from scope.skills.decompose import Decompose
from scope.skills.realize import groups, sentence
from scope.skills.repair import Repair
from scope.specification import (
    Answer,
    Cause,
    Commitment,
    Draft,
    Fact,
    Kind,
    RepairResult,
    Request,
    Specification,
    Status,
    Type,
    Wording,
    answers,
    ground,
    grounded,
    last_repair,
    part_ids,
)
from scope.testing import FakeReader, fake_toolbox
from scope.text import NUMBERS, article, plural

TOOLS = fake_toolbox()


def declared(prompt: str = PROMPT) -> Specification:
    return Decompose().run(Specification(prompt=prompt), TOOLS)


def bound(prompt: str = PROMPT) -> Specification:
    return Bind().run(declared(prompt), TOOLS)


def judged(spec: Specification, *broken: str, draft: str = "d1") -> Specification:
    for c in spec.commitments:
        spec = spec.move(c.id, Status.VIOLATED if c.id in broken else Status.MET, Cause.verifier("fake@1"), draft=draft)
    return spec


def words_of(request: Request) -> dict[str, str]:
    return {b.commitment: request.text[b.span.start : b.span.end] for b in request.bindings}


@pytest.mark.parametrize("skill", [Decompose(), Bind(), Repair()])
def test_each_is_a_skill_and_is_not_needed_once_it_has_run(skill: Skill) -> None:
    assert isinstance(skill, Skill)
    before = {"decompose": Specification(prompt=PROMPT), "bind": declared(), "repair": judged(bound(), "c3")}[
        skill.name
    ]
    assert skill.needed(before)
    assert not skill.needed(skill.run(before, TOOLS))
    assert skill.run(before, TOOLS).canonical() == skill.run(before, TOOLS).canonical()


# -- bind ----------------------------------------------------------------------------------------


def test_bind_leaves_nothing_unbound_and_says_what_was_never_grounded() -> None:
    spec = bound()
    assert set(spec.statuses().values()) == {Status.BOUND}
    noted = [e.commitment for e in spec.events if isinstance(e.evidence, Wording) and e.evidence.note]
    assert noted == [c.id for c in spec.of(Type.SEMANTIC_REASONING)]


def test_the_first_request_is_the_prompt_with_the_words_of_each_commitment() -> None:
    spec = bound()
    request = request_of(spec, seed=5)
    assert (request.text, request.seed, request.quoted, request.cfg_scale) == (PROMPT, 5, ("FRESH",), None)
    assert words_of(request) == {c.id: PROMPT[c.span.start : c.span.end] for c in spec.commitments if c.span}


def test_groups_number_the_entities_and_the_words_on_no_entity() -> None:
    spec = bound()
    numbers = groups(spec)
    values = {c.value: numbers[c.id] for c in spec.commitments}
    assert values == {
        "apple": 1, 2: 1, "red": 1, "car": 2, 1: 2, "blue": 2, "left of": 0, "beach": 0, "FRESH": 3, "sleepy": 0
    }  # fmt: skip


# -- repair --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("status", "needed"),
    [(Status.MET, False), (Status.UNJUDGED, False), (Status.VIOLATED, True), (Status.BLOCKED, True)],
)
def test_only_what_another_draft_could_change_is_repaired(status: Status, needed: bool) -> None:
    spec = bound("1 apple")
    spec = spec.move("e1", status, Cause.verifier("fake@1"), draft="d1")
    assert Repair().needed(spec) is needed


def test_strategies_alternate_and_the_words_are_those_of_the_last_rewording() -> None:
    spec, texts, strategies, records = bound(), [], [], []
    for number in range(1, 5):
        spec = Repair(records=records).run(judged(spec, "c3" if number < 3 else "c4", draft=f"d{number}"), TOOLS)
        repair = last_repair(spec)
        assert repair is not None
        assert repair.number == number
        strategies.append(repair.strategy)
        records.append(RepairResult(strategy=repair.strategy, family="count", fixed=(), broke=(), seconds=1.0))
        texts.append(request_of(spec, seed=0).text)
    assert strategies == ["rebind", "regenerate", "rebind", "regenerate"]
    assert texts[0] == texts[1] != PROMPT
    assert texts[2] == texts[3]
    assert texts[2].startswith("one blue car")  # now its count was missed


def test_a_rewording_asks_harder() -> None:
    spec = Repair().run(judged(bound(), "c3"), TOOLS)
    parent = Draft(id="d1", path="drafts/d1.png", sha256="", request=Request(text=PROMPT), generator="fake@1")
    request = request_of(spec, seed=0, parent=parent)
    assert request.cfg_scale is not None
    assert request.edit is None


# -- wording -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "first", "expected"),
    [
        (PROMPT, (), 'two red apples to the left of one blue car on a beach, with a sign that says "FRESH", ?sleepy'),
        (
            PROMPT,
            ("e2",),
            'one blue car and two red apples to the left of the car on a beach, with a sign that says "FRESH", ?sleepy',
        ),
        ("apple 3 mouse on night", (), "an apple and three mice at night"),
        ("apple left of car right of dog", (), "an apple to the left of a car to the right of a dog"),
        ("blue umbrella on kitchen", (), "a blue umbrella on kitchen"),
    ],
)
def test_sentence(prompt: str, first: tuple[str, ...], expected: str) -> None:
    assert sentence(bound(prompt), first)[0] == expected


#: Prompt, its answers as facts by unknown, and how it is said then.
ANSWERED: list[tuple[str, dict[str, tuple[Fact, ...]], str]] = [
    (
        "the mascot of Team Zorvex waving beside as many stars as a spider has legs",
        {
            "u1": (
                Fact(type=Type.PRESENCE, value="turtle", target="e1"),
                Fact(type=Type.ATTRIBUTE, value="green", target="e1", aspect="color"),
            ),
            "u2": (Fact(type=Type.COUNT, value=8, target="e2"),),
        },
        "a green turtle waving next to eight stars",
    ),
    (
        "as many red stars as a spider has legs",
        {"u1": (Fact(type=Type.COUNT, value=1, target="e1"),)},
        "one red star",
    ),
    (
        "the mascots of Team Zorvex on a beach",
        {"u1": (Fact(type=Type.PRESENCE, value="octopus", target="e1"),)},
        "octopuses on a beach",
    ),
    (
        "Team Zorvex's mascot",
        {"u1": (Fact(type=Type.PRESENCE, value="owl", target="e1"), Fact(type=Type.TEXT, value="GO", target="e1"))},
        'an owl that says "GO"',
    ),
    (
        "the mascot of Team Zorvex and a dog",
        {
            "u1": (
                Fact(type=Type.PRESENCE, value="cat", target="e1"),
                Fact(type=Type.COUNT, value=2, target="e1"),
                Fact(type=Type.ATTRIBUTE, value="blue", target="e1", aspect="color"),
                Fact(type=Type.STYLE, value="pixel art"),
            )
        },
        "two blue cats and a dog, pixel art",
    ),
    (
        "half as many apples as four dogs",
        {"u1": (Fact(type=Type.COUNT, value=2, target="e1"),)},
        "two apples and four dogs",
    ),
    (
        "a car in the color of the sky next to a cup",
        {"u1": (Fact(type=Type.ATTRIBUTE, value="blue", target="e1", aspect="color"),)},
        "a blue car next to a cup",
    ),
]


@pytest.mark.parametrize(("prompt", "facts", "expected"), ANSWERED)
def test_answers_are_said_in_place_of_their_clues(
    prompt: str, facts: dict[str, tuple[Fact, ...]], expected: str
) -> None:
    spec = Grammar().decompose(prompt)
    for unknown, said in facts.items():
        spec = ground(spec, unknown, Answer(words="", facts=said), Cause.skill("test", "1"))
    view = grounded(spec)
    text, bindings = sentence(view)
    assert text == expected
    assert {b.commitment for b in bindings} == {c.id for c in view.commitments}
    parts = {part for u, a in answers(spec).items() for part in part_ids(u, a)}
    assert parts <= {b.commitment for b in bindings}
    for binding in bindings:
        commitment, words = view[binding.commitment], text[binding.span.start : binding.span.end]
        said = str(commitment.value)
        if commitment.type is Type.COUNT:
            assert words in (NUMBERS[int(commitment.value)], *(("a", "an") if commitment.value == 1 else ()))
        elif commitment.type is Type.PRESENCE:
            assert words in (said, plural(said))
        elif commitment.type in (Type.ATTRIBUTE, Type.STYLE, Type.TEXT):
            assert said in words


@pytest.mark.parametrize(
    ("prompt", "expected"),
    [
        ("the mascot of Team Zorvex waving beside as many stars as a spider has legs", None),
        ("a red ball and as many apples as dogs on a beach", None),
        ("three dogs and twice as many cats as dogs", None),
        ("several red dogs on the left", None),
        ("a herd of cows near a sleeping cat", None),
        ("a car the color of the sky", None),
        ("the car is the color of the sky", "a car the color of the sky"),
        ("a Van Gogh painting on a wall", None),
        ("an hourglass and scissors", "an hourglass and a pair of scissors"),
        ("apples that are red", "red apples"),
        ("a cat that is sitting on a chair", "a cat sitting on a chair"),
    ],
)
def test_what_is_open_is_said_in_the_prompts_own_words(prompt: str, expected: str | None) -> None:
    spec = Grammar().decompose(prompt)
    text, bindings = sentence(spec)
    assert text == (expected or prompt).replace("beside", "next to")
    assert {b.commitment for b in bindings} == {c.id for c in spec.commitments}
    for unknown in (b for b in bindings if spec[b.commitment].kind is Kind.UNKNOWN):
        assert text[unknown.span.start : unknown.span.end] == spec[unknown.commitment].value


_PHRASES = st.tuples(
    st.sampled_from(["", "1 ", "2 ", "30 "]),
    st.sampled_from(["", "red ", "blue "]),
    st.sampled_from(["dog", "apple", "box"]),
).map("".join)
_PROMPTS = st.builds(
    lambda phrases, joints, rest: " ".join(w for pair in zip(phrases, joints, strict=False) for w in pair) + rest,
    st.lists(_PHRASES, min_size=1, max_size=4),
    st.lists(st.sampled_from(["", "left of", "right of"]), min_size=4, max_size=4),
    st.sampled_from(["", " on beach", " saying HELLO", " ?odd on night saying A"]),
)


def test_a_sentence_says_places_comparisons_and_denials() -> None:
    spec = FakeReader().decompose("1 red apple left of 1 blue car")
    more: tuple[tuple[Type, str, tuple[str, ...], bool], ...] = (
        (Type.PLACE, "top left", ("e1",), False),
        (Type.ATTRIBUTE, "green", ("e1",), True),
        (Type.COMPARISON, "bigger than", ("e2", "e1"), False),
        (Type.PLACE, "center", ("e2",), True),
        (Type.TEXT, "SALE", (), True),
    )
    for i, (type_, value, targets, denied) in enumerate(more, start=10):
        commitment = Commitment(id=f"c{i}", kind=Kind.CONSTRAINT, type=type_, claim=value, value=value,
                                targets=targets, depends_on=targets, denied=denied)  # fmt: skip
        spec = spec.declare(commitment, Cause.skill("test", "1"))
    text, bindings = sentence(spec)
    assert text == (
        "one red apple that is not green in the top left corner to the left of one blue car not in the center "
        'bigger than the apple , without the words "SALE"'
    ).replace(" ,", ",")
    assert {b.commitment for b in bindings} == {c.id for c in spec.commitments}


def test_a_part_is_said_to_be_of_its_whole() -> None:
    spec = Grammar().decompose("five apples, two of them green, and a dog")
    text, bindings = sentence(spec)
    assert text == "five apples, two of the apples green and a dog"
    assert {b.commitment for b in bindings} == {c.id for c in spec.commitments}


@given(_PROMPTS, st.lists(st.sampled_from(["e1", "e2", "e3"]), max_size=2))
def test_a_sentence_says_every_commitment_at_its_exact_place(prompt: str, first: list[str]) -> None:
    spec = bound(prompt)
    text, bindings = sentence(spec, first)
    said = {b.commitment for b in bindings}
    numbers = groups(spec)
    relations_without_object = {c.id for c in spec.of(Type.RELATION) if len(c.targets) < 2}
    assert said == {c.id for c in spec.commitments} | relations_without_object
    for binding in bindings:
        words, commitment = text[binding.span.start : binding.span.end], spec[binding.commitment]
        assert binding.group == numbers[commitment.id]
        if commitment.kind is Kind.ENTITY:
            assert words in (commitment.value, plural(str(commitment.value)))
        elif commitment.type in (Type.ATTRIBUTE, Type.TEXT, Type.RELATION, Type.SETTING):
            assert str(commitment.value) in words
    assert "  " not in text
    assert text == text.strip()


@given(_PROMPTS)
def test_every_entity_is_introduced_once_and_stays_near_its_attributes(prompt: str) -> None:
    spec = bound(prompt)
    text, bindings = sentence(spec)
    for attribute in (c for c in spec.of(Type.ATTRIBUTE) if len(c.targets) == 1):
        [colour] = [b for b in bindings if b.commitment == attribute.id]
        noun = next(b for b in bindings if b.commitment == attribute.targets[0] and b.span.start > colour.span.start)
        assert text[colour.span.end : noun.span.start] == " "


@pytest.mark.parametrize(
    ("noun", "expected"),
    [
        ("apple", "apples"), ("cherry", "cherries"), ("boy", "boys"), ("box", "boxes"), ("bus", "buses"),
        ("sheep", "sheep"), ("person", "people"), ("computer mouse", "computer mice"), ("knife", "knives"),
        ("wine glass", "wine glasses"), ("hot dog", "hot dogs"), ("couch", "couches"), ("scissors", "scissors"),
    ],
)  # fmt: skip
def test_plural(noun: str, expected: str) -> None:
    assert plural(noun) == expected


def test_article() -> None:
    words = ("apple", "car", "umbrella", "unicorn", "hour")
    assert [article(word) for word in words] == ["an", "a", "an", "a", "an"]
