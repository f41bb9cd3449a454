"""The fakes that scope.testing ships fill the Protocols and do what their script says."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
from PIL import Image

from scope.errors import LanguageError, ScopeError
from scope.protocols import Generator, Knowledge, LanguageModel, Message, Passage, Reader, Reply, Verifier
from scope.specification import Source
from scope.testing import (
    Call,
    FakeGenerator,
    FakeKnowledge,
    FakeLanguageModel,
    FakeReader,
    FakeVerifier,
    fake_toolbox,
    temporary_home,
)

QUESTION = [Message(role="user", content="Is it so?")]
FACTS = ("A dog has 4 legs.", "A spider has 8 legs.", "The sky is blue.")


def test_fakes_fill_the_protocols() -> None:
    assert isinstance(FakeGenerator(), Generator)
    assert isinstance(FakeVerifier(), Verifier)
    assert isinstance(FakeReader(), Reader)
    assert isinstance(FakeLanguageModel([{}]), LanguageModel)
    assert isinstance(FakeKnowledge(), Knowledge)


def test_language_model_replies_in_turn_and_repeats_the_last() -> None:
    whole = Reply(data={"n": 2}, tokens_in=7, cost=3.0)
    model = FakeLanguageModel([{"n": 1}, whole, lambda call: {"n": len(call.messages)}], cost=0.5)
    replies = [model.complete(QUESTION, {}) for _ in range(4)]
    assert replies == [Reply(data={"n": 1}, cost=0.5), whole, *[Reply(data={"n": 1}, cost=0.5)] * 2]


@pytest.mark.parametrize("error", [LanguageError("away"), KeyboardInterrupt()], ids=repr)
def test_language_model_raises_and_goes_on(error: BaseException) -> None:
    model = FakeLanguageModel([error, lambda call: error, {"n": 1}])
    for _ in range(2):
        with pytest.raises(type(error)):
            model.complete(QUESTION, {})
    assert model.complete(QUESTION, {}).data == {"n": 1}


def test_language_model_keeps_what_it_was_asked() -> None:
    model, image = FakeLanguageModel([{}]), Image.new("RGB", (2, 2))
    model.complete(QUESTION, {"type": "object"}, [image])
    assert model.calls == [Call(tuple(QUESTION), {"type": "object"}, (image,))]


def test_knowledge_finds_its_passages_in_order() -> None:
    passage = Passage(text="mine", score=0.1, source=Source(title="a book", locator="book.md"))
    knowledge = FakeKnowledge([*FACTS, passage], name="shelf")
    assert [p.source.locator for p in knowledge.search("x", 9)] == ["shelf:1", "shelf:2", "shelf:3", "book.md"]
    assert [p.text for p in knowledge.search("y", 2)] == list(FACTS[:2])
    assert knowledge.queries == ["x", "y"]


def test_ranked_knowledge_begins_with_the_most_shared_words() -> None:
    assert FakeKnowledge(FACTS, ranked=True).search("how many legs has a spider")[0].text == FACTS[1]


def test_knowledge_that_fails_raises() -> None:
    knowledge = FakeKnowledge(FACTS, raises=ScopeError("no route"))
    with pytest.raises(ScopeError, match="no route"):
        knowledge.search("x")
    assert knowledge.queries == ["x"]


def test_toolbox_takes_what_it_is_given() -> None:
    model, verifier = FakeLanguageModel([{}]), FakeVerifier(otherwise=None)
    tools = fake_toolbox(verifier, language=model)
    assert (tools.language, tools.verifiers, tools.knowledge) == (model, (verifier,), ())
    with pytest.raises(TypeError):
        fake_toolbox(langauge=model)


def test_temporary_home_is_gone_afterwards(home: Path) -> None:
    with temporary_home() as inner:
        assert os.environ["SCOPE_HOME"] == str(inner) != str(home)
    assert os.environ["SCOPE_HOME"] == str(home)
    assert not inner.exists()


@pytest.mark.heavy
def test_fakes_and_fixtures_load_no_torch() -> None:
    program = "import sys, scope.testing, scope.testing.fixtures; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
