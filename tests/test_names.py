"""What things are called, and what the world can draw in all, of whatever version."""

from collections import Counter
from pathlib import Path

import numpy as np
import pytest

from scope import text
from scope.data.tables import table_of
from scope.engine.verification import drawn_apart, drawn_as, unknown_to
from scope.parsing.grammar import Grammar
from scope.protocols import Vocabulary
from scope.worlds.pocket import naming, settings, wordnet
from scope.worlds.pocket.background import background
from scope.worlds.pocket.catalogue import (
    COCO,
    CONCEPTS,
    DRAWN,
    NOUN_OF,
    SETTINGS,
    SETTINGS_DRAWN,
    VENDORS,
    VERSION,
    WIDER_OF,
    drawings,
    noun_of,
)
from scope.worlds.pocket.vocabulary import VOCABULARY, with_names

NAMES = table_of("names.csv")


def forms(names) -> set[str]:
    return {form for name in names for form in (name, text.plural(name))}


def own(noun: str) -> set[str]:
    concept = DRAWN[noun]
    return {concept.plural} | forms((noun, *concept.aliases))


def test_the_art_draws_many_things_by_many_names_in_many_settings() -> None:
    synonyms = forms(row["name"] for row in NAMES if row["kind"] == "synonym")
    assert len(DRAWN) >= 550
    assert len(synonyms.union(*map(own, DRAWN))) >= 2500
    assert len(SETTINGS_DRAWN) >= 30


def test_todays_world_is_what_came_up_to_its_version_and_later_rows_come_after() -> None:
    versions = [concept.version for concept in DRAWN.values()]
    assert versions == sorted(versions)
    assert list(CONCEPTS) == list(DRAWN)[: sum(version <= VERSION for version in versions)]
    assert list(SETTINGS) == list(SETTINGS_DRAWN)[: len(SETTINGS)]
    assert set(NOUN_OF.values()) | set(WIDER_OF.values()) <= set(CONCEPTS)


def test_no_name_is_of_two_nouns() -> None:
    nouns_of = {noun: own(noun) for noun in DRAWN}
    for row in NAMES:
        nouns_of[row["noun"]] |= forms((row["name"],))
    times = Counter(name for names in nouns_of.values() for name in names)
    assert [name for name, count in times.items() if count > 1] == []


@pytest.mark.parametrize(
    ("name", "noun", "kind"),
    [
        ("auto", "car", "synonym"),
        ("golden retriever", "dog", "narrower"),
        ("cottage", "house", "narrower"),
        ("lawyer", "person", "narrower"),
        ("kitten", "cat", "narrower"),
        ("ram", "sheep", "narrower"),
    ],
)
def test_everyday_words_are_known(name, noun, kind) -> None:
    (row,) = [row for row in NAMES if row["name"] == name]
    assert (row["noun"], row["kind"]) == (noun, kind)


def test_narrower_words_by_way_of_others_end_at_a_word_of_a_meaning_of_the_noun() -> None:
    vias = {row["via"].rpartition(" < ")[2] for row in NAMES if row["via"] and row["noun"] == "dog"}
    assert vias == {"dog"}


def test_a_word_for_several_things_is_told_with_nouns_that_are_drawn() -> None:
    for row in table_of("ambiguous.csv"):
        nouns = row["nouns"].split("; ")
        assert len(set(nouns)) == len(nouns) > 1
        assert set(nouns) <= set(DRAWN)


def test_what_looks_like_another_noun_is_left_out() -> None:
    icons = {concept.icon for concept in DRAWN.values()}
    for row in table_of("lookalikes.csv"):
        assert row["icon"] not in icons
        assert row["drawing"] not in DRAWN
        assert row["noun"] in ("", *DRAWN)
        assert row["why"]


def test_nouns_for_references_are_a_tenth_and_none_of_cocos() -> None:
    kept = {noun for noun, concept in DRAWN.items() if concept.held_out}
    assert 0.08 < len(kept) / len(DRAWN) < 0.12
    assert not kept & set(COCO)


def test_one_vendor_draws_everything_and_most_is_drawn_by_all() -> None:
    assert {name for name in drawings()["noto"] if "/" not in name} == set(DRAWN)
    for vendor in VENDORS:
        assert len(set(drawings()[vendor]) & set(DRAWN)) > 0.9 * len(DRAWN)


def blocks(setting):
    """The mean colours of a setting's 8-px blocks."""
    return background(setting).reshape(16, 8, 16, 8, 3).mean((1, 3))


def test_settings_of_every_version_are_told_apart_by_their_blocks() -> None:
    seen = {s: blocks(s) for s in SETTINGS_DRAWN}
    near = [(a, b) for a in seen for b in seen if a < b and np.abs(seen[a] - seen[b]).mean() < 0.025]
    assert near == []


def of_light(ending):
    return [setting for setting in SETTINGS_DRAWN if setting.endswith(ending)]


@pytest.mark.parametrize("setting", of_light(" by night"))
def test_a_setting_by_night_is_darker_and_has_stars_in_its_sky_alone(setting) -> None:
    day, night = background(setting.removesuffix(" by night")), background(setting)
    assert night.mean() < 0.5 * day.mean()
    stars = (night == np.float32(0.85)).all(-1)
    assert stars.sum() >= 10
    assert not stars[88:].any()


@pytest.mark.parametrize("ending", [" at sunset", " at sunrise"])
def test_a_low_sun_leaves_more_red_and_less_blue(ending) -> None:
    assert len(of_light(ending)) >= 5
    for setting in of_light(ending):
        day, lit = background(setting.removesuffix(ending)).mean((0, 1)), background(setting).mean((0, 1))
        assert lit[0] / lit[2] > 1.1 * day[0] / day[2]


def test_rain_makes_a_place_darker_and_falls_all_over_it() -> None:
    for setting in of_light(" in the rain"):
        day, wet = background(setting.removesuffix(" in the rain")), background(setting)
        assert wet.mean() < 0.9 * day.mean()
        drops = (np.abs(wet - np.float32([172, 186, 200]) / 255) < 0.01).all(-1)
        assert all(half.sum() > 200 for half in (drops[:64], drops[64:]))


# -- what is drawn for a word ---------------------------------------------------------------------

KNOWN = with_names(Vocabulary(frozenset({"dog", "rabbit", "mouse", "computer mouse"}), frozenset(), frozenset(), 5))


@pytest.mark.parametrize(
    ("word", "noun"),
    [("dog", "dog"), ("bunny", "rabbit"), ("bunnies", "rabbit"), ("auto", "car"), ("golden retriever", "dog"),
     ("golden retrievers", "dog"), ("mouse", "mouse"), ("ball", "sports ball"), ("quasar", None), ("", None)],
)  # fmt: skip
def test_a_word_means_a_noun(word: str, noun: str | None) -> None:
    assert noun_of(word) == noun


def test_other_names_of_what_is_known_are_known_and_no_others() -> None:
    assert KNOWN.nouns >= {"dog", "domestic dog", "rabbit", "bunny"}
    assert not KNOWN.nouns & {"car", "auto", "golden retriever"}
    assert KNOWN.drawn_as["golden retriever"] == ("dog",)
    assert KNOWN.drawn_as["mouse"] == ("mouse", "computer mouse")
    assert "ball" not in KNOWN.drawn_as  # none of the things that it may mean is known
    assert "sports car" not in KNOWN.drawn_as


@pytest.mark.parametrize(
    ("prompt", "unknown", "otherwise"),
    [
        ("a dog", (), ()),
        ("two bunnies", (), ()),
        ("a golden retriever", (), ("'golden retriever' is drawn as the wider word 'dog'",)),
        ("a mouse", (), ("'mouse' may mean mouse or computer mouse; the first is drawn",)),
        ("a rabbot", ("the word 'rabbot' (the nearest that they know: rabbit",), ()),
    ],
)
def test_what_is_not_drawn_as_it_was_said_is_said(
    prompt: str, unknown: tuple[str, ...], otherwise: tuple[str, ...]
) -> None:
    commitments = Grammar().decompose(prompt).commitments
    said, instead = ([what for c in commitments if (what := of(KNOWN, c))] for of in (unknown_to, drawn_as))
    assert [what.startswith(wanted) for what, wanted in zip(said, unknown, strict=True)] == [True] * len(unknown)
    assert tuple(instead) == otherwise


# -- settings of two parts -------------------------------------------------------------------------


def test_a_place_in_a_light_is_two_parts_and_one_setting() -> None:
    for setting in SETTINGS:
        assert settings.together(settings.parts(setting)) == setting
        assert all(settings.shows(setting, part) for part in settings.parts(setting))
    assert settings.parts("city by night") == ("city", "night")
    assert settings.together(("night", "city")) == "city by night"
    assert settings.together(("seaside", "sunset")) == "seaside at sunset"
    assert settings.together(("rain", "street")) == "street in the rain"
    assert settings.together(("city", "snow")) is None
    assert settings.together(("sea", "sunset")) == "seaside at sunset"
    assert settings.together(("sea",)) == "sea"
    assert settings.shows("seaside at sunset", "sea")
    assert not settings.shows("beach at sunset", "sea")
    assert not settings.shows("city", "night")
    assert not settings.shows("night", "city")


@pytest.mark.parametrize(
    ("prompt", "said"),
    [
        ("a boat by the sea in the rain", "'seaside' and 'rain' are not drawn together; 'seaside' is drawn"),
        ("a dog at sunset in the snow at night", "'sunset', 'snow' and 'night' are not drawn together"),
        ("a boat on the ocean at sunset", None),
        ("a dog in the city at night", None),
        ("a dog in the city", None),
        ("a dog in a stadium in the rain", None),  # that the stadium is not known is said anyway
    ],
)
def test_settings_that_no_picture_shows_at_once_are_said(prompt: str, said: str | None) -> None:
    told = drawn_apart(with_names(VOCABULARY), Grammar().decompose(prompt).commitments)
    assert told == said if said is None else told is not None and told.startswith(said)


# -- building ------------------------------------------------------------------------------------

_DATA = """\
  1 the licence
00000001 05 n 02 dog 0 domestic_dog 0 001 ~ 00000002 n 0000 | an animal
00000002 05 n 01 hunting_dog 0 002 ~ 00000003 n 0000 ~i 00000005 n 0000 | a dog
00000003 05 n 02 spaniel 0 clumber 0 001 ~ 00000004 n 0000 | a hunting dog
00000004 05 n 01 King_Charles 0 000 | a spaniel
00000005 05 n 01 lassie 0 000 | a certain dog
00000006 06 n 01 clumber 0 000 | a thing
"""
_SENSES = """\
dog%1:05:00:: 00000001 1 42
domestic_dog%1:05:00:: 00000001 1 0
hunting_dog%1:05:00:: 00000002 1 0
spaniel%1:05:00:: 00000003 1 3
clumber%1:06:00:: 00000006 1 0
clumber%1:05:00:: 00000003 2 0
king_charles%1:05:00:: 00000004 1 0
lassie%1:05:00:: 00000005 1 0
run%2:38:00:: 00000009 1 9
"""


@pytest.fixture
def net(tmp_path: Path) -> wordnet.WordNet:
    (tmp_path / "data.noun").write_text(_DATA)
    (tmp_path / "index.sense").write_text(_SENSES)
    return wordnet.read(tmp_path)


def test_wordnet_is_read_as_its_format_says(net: wordnet.WordNet) -> None:
    assert net.synsets["00000001"] == wordnet.Synset(("dog", "domestic dog"), 5, ("00000002",))
    assert net.synsets["00000002"].kinds == ("00000003",)
    assert net.senses["clumber"] == ("00000006", "00000003")
    assert net.offset("clumber.2") == "00000003"
    assert ("dog", "00000001") in net.used
    assert ("lassie", "00000005") not in net.used
    assert "run" not in net.senses


def test_words_are_taken_for_what_they_mostly_mean_and_proper_names_not_at_all(net, monkeypatch) -> None:
    monkeypatch.setattr(naming, "DRAWN", {"dog": CONCEPTS["dog"].__class__("dog", "dogs", "dog", senses=("dog.1",))})
    found = {row.name: (row.kind, row.via) for row in naming._meant(net)}
    assert found == {
        "dog": ("synonym", ""),
        "domestic dog": ("synonym", ""),
        "hunting dog": ("narrower", "dog"),
        "spaniel": ("narrower", "hunting dog < dog"),
    }
