"""The benchmark of the grammar: what is counted, and that the packaged prompts are read."""

import pytest

from scope.benchmarks.experiments import parser
from scope.parsing.grammar import Grammar


@pytest.fixture(scope="module")
def grammar() -> Grammar:
    return Grammar()


@pytest.mark.heavy
def test_geneval_is_read_exactly(grammar: Grammar) -> None:
    row = parser.geneval(grammar)
    assert row.metrics["exact"].n == 553
    assert row.metrics["exact"].value >= 0.98
    assert row.metrics["coverage"].value >= 0.98


@pytest.mark.heavy
def test_our_own_captions_are_read_exactly(grammar: Grammar, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(parser, "POCKET_CAPTIONS", 200)
    assert parser.pocket(grammar).metrics["exact"].value == 1.0
    assert parser.world(grammar).metrics["exact"].value >= 0.99


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("a cat and a dog", "a dog and a cat", True),
        ("a cat", "one cat", True),
        ("a red cat and a dog", "a cat and a red dog", False),
        ("two cats", "three cats", False),
        ("a cat left of a dog", "a dog left of a cat", False),
        ("a cat", "a cat on a beach", False),
        ("a cat", "a very odd cat", False),
    ],
)
def test_meanings_are_equal_when_the_same_picture_is_asked_for(
    grammar: Grammar, one: str, other: str, same: bool
) -> None:
    assert (parser.meaning(grammar.decompose(one)) == parser.meaning(grammar.decompose(other))) is same


def test_coverage_counts_what_is_understood(grammar: Grammar) -> None:
    half = grammar.decompose("a cat 🍕")
    assert parser.coverage([half]).value == 0.5
    assert parser.coverage([half, grammar.decompose("a red cat and a dog")]).value == 0.8
