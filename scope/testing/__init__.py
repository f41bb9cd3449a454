"""For those who write parts, and for our own tests: fakes to work with, and a kit that says if a part conforms."""

from scope.testing.conformance import Finding, Report, validate
from scope.testing.fakes import (
    Call,
    FakeGenerator,
    FakeKnowledge,
    FakeLanguageModel,
    FakeReader,
    FakeVerifier,
    Script,
    fake_toolbox,
)
from scope.testing.home import temporary_home

__all__ = [
    "Call",
    "FakeGenerator",
    "FakeKnowledge",
    "FakeLanguageModel",
    "FakeReader",
    "FakeVerifier",
    "Finding",
    "Report",
    "Script",
    "fake_toolbox",
    "temporary_home",
    "validate",
]
