"""For those who write parts, and for our own tests: fakes to work with, and a kit that says if a part conforms."""

from scope.testing.conformance import Finding, Report, validate
from scope.testing.fakes import FakeGenerator, FakeReader, FakeVerifier, Script

__all__ = ["FakeGenerator", "FakeReader", "FakeVerifier", "Finding", "Report", "Script", "validate"]
