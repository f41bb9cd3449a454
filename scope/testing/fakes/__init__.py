"""Parts without weights and without torch: the same result every time."""

from scope.testing.fakes.generator import FakeGenerator
from scope.testing.fakes.knowledge import FakeKnowledge
from scope.testing.fakes.language import Call, FakeLanguageModel
from scope.testing.fakes.reader import FakeReader
from scope.testing.fakes.toolbox import fake_toolbox
from scope.testing.fakes.verifier import FakeVerifier, Script

__all__ = [
    "Call",
    "FakeGenerator",
    "FakeKnowledge",
    "FakeLanguageModel",
    "FakeReader",
    "FakeVerifier",
    "Script",
    "fake_toolbox",
]
