"""All that a skill may use, as fakes."""

from dataclasses import replace
from typing import Any

from scope.protocols import Toolbox, Verifier
from scope.testing.fakes.generator import FakeGenerator
from scope.testing.fakes.reader import FakeReader
from scope.testing.fakes.verifier import FakeVerifier


def fake_toolbox(*verifiers: Verifier, **parts: Any) -> Toolbox:
    """Return a toolbox of fakes, without language model and knowledge. `parts` take the place of its fields.

    fake_toolbox(FakeVerifier({"e1": "violated"}), language=FakeLanguageModel([{"answer": "yes"}]))
    """
    fakes = Toolbox(FakeReader(), FakeGenerator(), verifiers or (FakeVerifier(),))
    return replace(fakes, **parts)
