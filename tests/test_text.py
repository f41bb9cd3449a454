"""Text from outside is safe to print, and numbers, colours and plurals have one seat."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from scope.parsing import lexicon
from scope.specification import Type
from scope.text import COLORS, NUMBERS, excerpt, is_hidden, number_of, number_words, printable, visible
from scope.worlds.pocket import catalogue
from scope.worlds.pocket.drawn import drawn


@given(st.text())
def test_visible_text_hides_nothing_and_keeps_its_width(text: str) -> None:
    shown = visible(text)
    assert not any(is_hidden(c) for c in shown)
    assert len(shown.splitlines()) <= 1
    assert len(shown) == len(text) - sum(is_hidden(c) and not visible(c) for c in text)
    assert visible(shown) == shown


@given(st.text())
def test_printable_text_is_one_line_without_runs_of_spaces(text: str) -> None:
    line = printable(text)
    assert line == " ".join(line.split()) == printable(line)
    assert not any(is_hidden(c) for c in line)


@pytest.mark.parametrize("control", ["\x00", "\x07", "\x1b", "\x9b"])
def test_a_control_character_still_separates_words(control: str) -> None:
    assert printable(f"red{control}apple") == "red apple"


@pytest.mark.parametrize("character", ["\u200b", "\u202e", "\u2066", "\ufeff", "\ue000", "\ud800"])
def test_what_cannot_be_seen_is_gone(character: str) -> None:
    assert visible(f"ap{character}ple") == "apple"


def test_joiners_stay_unless_words_are_to_be_found() -> None:
    family = "\N{MAN}\u200d\N{WOMAN}"
    assert printable(family) == family
    assert printable("tur\u200dtle", joiners=False) == "turtle"


@given(st.text(), st.integers(1, 300))
def test_an_excerpt_is_short(text: str, length: int) -> None:
    assert len(excerpt(text, length)) <= length + 3
    assert excerpt(ValueError(text), 1_000_000) == printable(text)


def test_number_words_are_inverse_to_their_numbers() -> None:
    assert [number_of(word) for word in NUMBERS] == list(range(21))
    assert [number_of(number_words(n)) for n in range(-1, 200)] == [None, *range(200)]


def test_parser_and_world_know_the_same_colours() -> None:
    assert {drawn(Type.ATTRIBUTE, color) for color in lexicon.COLOR_OF.values()} == set(COLORS)
    assert tuple(catalogue.COLORS) == COLORS
