"""Whatever is read from outside, of whatever shape: a valid value comes of it or a `ScopeError`, and nothing else.

Each test changes something that was right, anywhere and in many ways, and hands it over where such things come in.
"""

import json
import random
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import httpx
import pytest
import yaml
from langgraph.checkpoint.sqlite import SqliteSaver
from PIL import Image
from PIL.PngImagePlugin import PngInfo
from prompts import PROMPT, READING

from scope.config import Options
from scope.engine import review
from scope.engine.state import State, stored
from scope.errors import LanguageError, ScopeError
from scope.llm.openai import OpenAIModel
from scope.llm.settings import LanguageSettings
from scope.protocols import Message, Toolbox
from scope.runs import store
from scope.runs.png import Record, read_record
from scope.skills.bind import Bind, request_of
from scope.skills.decompose import Decompose
from scope.skills.reason import Reason
from scope.skills.retrieve import Retrieve
from scope.specification import (
    Answer,
    Cause,
    Commitment,
    Draft,
    Fact,
    Kind,
    Request,
    Source,
    Span,
    Specification,
    Status,
    Type,
    Wording,
    answers,
    fold,
    ground,
    grounded,
    reopen,
    sha256_of,
)
from scope.specification.permissions import appended
from scope.testing import Call, FakeKnowledge, FakeLanguageModel, FakeReader, fake_toolbox
from scope.testing.malformed import deformed, scrambled

pytestmark = pytest.mark.heavy

SPEC = FakeReader().decompose(PROMPT)
CAUSE = Cause.skill("test", "1")


def text_of(value: Any) -> str:
    return json.dumps(value)  # escapes what UTF-8 cannot hold


# -- specifications ------------------------------------------------------------------------------


def a_life() -> Specification:
    """Return a ledger with an answered unknown, one that was opened again, verdicts, a repair, and something waived."""
    spec = FakeReader().decompose(f"{PROMPT} ?odd ?strange")
    found = Answer(
        words="five", facts=(Fact(type=Type.STYLE, value="flat"),), sources=(Source(title="guide", locator="a.md"),)
    )
    spec = ground(spec, "u1", found, CAUSE)
    spec = reopen(ground(spec, "u2", found, CAUSE), "u2", CAUSE, "it was wrong")
    for commitment in spec.commitments:
        spec = spec.move(commitment.id, Status.BOUND, CAUSE, evidence=Wording(words=commitment.claim))
    spec = spec.move("c1", Status.VIOLATED, CAUSE, draft="d1").move("c1", Status.REPAIRED, CAUSE)
    return spec.move("c2", Status.MET, CAUSE, draft="d1").move("c3", Status.WAIVED, Cause(kind="person", name="user"))


def is_valid(spec: Specification) -> bool:
    """Return whether a specification is what its events fold to, and can be read and put into words."""
    assert fold(spec.prompt, spec.events) == spec
    assert grounded(spec).prompt == spec.prompt
    assert request_of(spec, seed=0).seed == 0
    return True


def count_of_valid(trials: int, attempt: Callable[[random.Random], bool]) -> int:
    """Return of how many trials a valid value came; of all others, a ScopeError."""
    valid = refused = 0
    for number in range(trials):
        try:
            valid += attempt(random.Random(number))
        except ScopeError as error:
            refused += bool(str(error))
        except Exception as error:
            error.add_note(f"in trial {number}")
            raise
    assert valid + refused == trials
    return valid


def test_a_stored_state_of_any_shape(home: Path) -> None:
    """Also one whose seal is right: then the seal is not what refuses it."""
    run = store.create(PROMPT)
    spec = a_life()
    whole = State.begin(PROMPT, Options()).after(spec).sealed()

    def attempt(chance: random.Random) -> bool:
        values = {key: value for key, value in whole.items() if key != "sha256"}
        values["events"] = deformed(values["events"], chance)
        try:
            seal = sha256_of(values)
        except ValueError:
            seal = ""
        tuple_ = SimpleNamespace(checkpoint={"channel_values": values | {"sha256": seal}})
        state = stored(run, cast(SqliteSaver, SimpleNamespace(get_tuple=lambda config: tuple_)))
        assert state is not None
        return is_valid(state.spec)

    assert 0 < count_of_valid(2500, attempt) < 2000


def test_a_record_of_any_shape_in_a_picture(tmp_path: Path) -> None:
    draft = Draft(id="d1", path="drafts/d1.png", sha256="0" * 64, request=Request(text=PROMPT, seed=1), generator="f@1")
    record = Record(specification=a_life(), draft=draft).model_dump(mode="json")
    path = tmp_path / "a.png"

    def attempt(chance: random.Random) -> bool:
        texts = PngInfo()
        texts.add_itxt("scope", text_of(deformed(record, chance)))
        Image.new("RGB", (1, 1)).save(path, pnginfo=texts)
        spec = read_record(path).specification
        return is_valid(spec)

    assert 0 < count_of_valid(1500, attempt) < 1200


# -- what a person writes ------------------------------------------------------------------------

SMALL = FakeReader().decompose("2 red apple left of 1 car")
#: What YAML makes of plain words.
PLAIN = (
    "2024-99-99", "1_000", "0x_", "0b_", "1:99:99", ".inf", ".nan", "~", "!!binary x", "!!int x", "!!float ''", "*b",
    "!!timestamp x", "&a [*a]", "<<: 1", "? [1]\n: 2", "9" * 5000, "[" * 300, "!!set {a}", "!!omap [1]", "&b x",
)  # fmt: skip


def test_a_specification_of_any_shape_that_a_person_wrote() -> None:
    question = review.spec_question(SMALL)
    listed = yaml.safe_load(question.text)

    def attempt(chance: random.Random) -> bool:
        text = text_of(deformed(listed, chance))  # JSON is YAML
        match chance.randrange(4):
            case 0:
                text = scrambled(question.text.encode(), chance).decode(
                    errors=chance.choice(["replace", "surrogateescape"])
                )
            case 1:
                lines = question.text.splitlines()
                at = chance.randrange(len(lines))
                lines[at] = lines[at].partition(":")[0] + ": " + chance.choice(PLAIN)
                text = "\n".join(lines)
        return is_valid(Bind().run(review.edited(SMALL, text), cast(Toolbox, None)))

    assert 50 < count_of_valid(1200, attempt) < 1100


def test_a_plan_of_any_shape_that_a_person_wrote() -> None:
    question = review.repair_question(SPEC, "rebind", ("rebind", "regenerate"))
    plan = yaml.safe_load(question.text) | {"waive": ["e2", "c1"]}

    def attempt(chance: random.Random) -> bool:
        text = text_of(deformed(plan, chance))
        if chance.random() < 0.3:
            text = scrambled(text.encode(), chance).decode(errors="replace")
        if chance.random() < 0.2:
            text = f"strategy: rebind\nwaive: [{chance.choice(PLAIN)}]\n"
        return is_valid(review.waived(SPEC, review.planned(SPEC, text, question.strategies).waive))

    assert 10 < count_of_valid(1000, attempt) < 900


# -- what a language model replies ---------------------------------------------------------------

SCHEMA = {
    "type": "object",
    "properties": {"answer": {"enum": ["yes", "no"]}, "why": {"type": "string"}},
    "required": ["answer"],
    "additionalProperties": False,
}
REPLY = {
    "choices": [
        {
            "index": 0,
            "message": {"role": "assistant", "content": '{"answer": "yes", "why": "so"}'},
            "finish_reason": "stop",
            "logprobs": {
                "content": [
                    {"token": token, "logprob": -0.1, "top_logprobs": [{"token": token, "logprob": -0.1}]}
                    for token in ('{"', "answer", '": "', "yes", '", "why": "so"}')
                ]
            },
        }
    ],
    "usage": {"prompt_tokens": 10, "completion_tokens": 5},
}


def test_a_reply_of_any_shape_from_a_server(monkeypatch: pytest.MonkeyPatch) -> None:
    bodies: list[bytes] = []
    answering = httpx.MockTransport(lambda request: httpx.Response(200, content=bodies[-1]))
    real = httpx.AsyncClient
    monkeypatch.setattr("httpx.AsyncClient", lambda **given: real(transport=answering))
    model = OpenAIModel(LanguageSettings.model_validate({"url": ("http://server/v1",), "model": "tiny"}))

    def attempt(chance: random.Random) -> bool:
        whole = json.loads(json.dumps(REPLY))
        if chance.random() < 0.4:
            message = whole["choices"][0]["message"]
            message["content"] = scrambled(message["content"].encode(), chance).decode(errors="replace")
            bodies.append(text_of(whole).encode())
        elif chance.random() < 0.5:
            bodies.append(scrambled(text_of(whole).encode(), chance))
        else:
            bodies.append(text_of(deformed(whole, chance)).encode())
        reply = model.complete([Message(role="user", content="Is it so?")], SCHEMA)
        assert set(reply.data) <= {"answer", "why"}
        assert reply.data["answer"] in ("yes", "no")
        assert all(0 <= p <= 1 for p in reply.probabilities.values())
        return True

    assert 100 < count_of_valid(2500, attempt) < 2400


PASSAGE = "The mascot of Zorvex has always been three green turtles"  # which no grammar reads


def toolbox_whose_model_errs(right: dict[str, Any], chance: random.Random) -> Toolbox:
    """Return tools with a language model whose replies obey no schema."""

    def reply(call: Call) -> dict[str, Any] | LanguageError:
        data = deformed(right, chance)
        return data if isinstance(data, dict) else LanguageError("it is no object")

    return fake_toolbox(language=FakeLanguageModel([reply]), knowledge=(FakeKnowledge([PASSAGE]),))


def test_a_reading_of_any_shape_loses_no_word_of_the_prompt() -> None:
    stood = 0
    for number in range(1000):
        spec = Decompose().run(Specification(prompt=PROMPT), toolbox_whose_model_errs(READING, random.Random(number)))
        assert is_valid(spec)
        covered = " ".join(PROMPT[c.span.start : c.span.end] for c in spec.commitments if c.span)
        assert set(PROMPT.split()) - {"of", "on"} <= set(covered.split()), number
        stood += spec.commitments != SPEC.commitments
    assert 0 < stood < 1000


def clue(prompt: str, noun: str, type_: Type) -> Specification:
    """Return a thing of which an open unknown says what it is."""
    at = prompt.index(noun)
    span, whole = Span(start=at, end=at + len(noun)), Span(start=0, end=len(prompt))
    thing = Commitment(id="e1", kind=Kind.ENTITY, type=Type.PRESENCE, claim=noun, value=noun, span=span)
    asked = Commitment(id="u1", kind=Kind.UNKNOWN, type=type_, claim=prompt, value=prompt, targets=("e1",), span=whole)
    spec = Specification(prompt=prompt).declare(thing, CAUSE).declare(asked, CAUSE)
    return spec.move("u1", Status.OPEN, CAUSE)


@pytest.mark.parametrize(
    ("skill", "before", "right"),
    [
        (
            Retrieve(),
            clue("the mascot of Zorvex", "mascot", Type.EXTERNAL_REFERENCE),
            {"quote": PASSAGE, "noun": "turtle", "color": "green", "count": 3},
        ),
        (
            Reason(),
            clue("the animal that barks", "animal", Type.SEMANTIC_REASONING),
            {"reason": "dogs bark", "answer": "dog"},
        ),
    ],
    ids=["retrieve", "reason"],
)
def test_an_answer_of_any_shape_fills_an_answer_or_nothing(
    skill: Retrieve | Reason, before: Specification, right: dict[str, Any]
) -> None:
    found = 0
    for number in range(500):
        after = skill.run(before, toolbox_whose_model_errs(right, random.Random(number)))
        assert appended(before, after, skill.name, skill.version), number
        assert is_valid(Bind().run(after, cast(Toolbox, None))), number
        found += bool(answers(after))
    assert 0 < found < 500
