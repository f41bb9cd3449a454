"""Which nouns are taken for which: what is shown, what it is taken for, and which pairs are worst."""

import pytest

from scope.benchmarks.experiments.confusions import shown, taken_for, worst
from scope.worlds.pocket.catalogue import VENDORS, drawn_by

BOX = (20.0, 20.0, 60.0, 60.0)


def test_each_noun_is_shown_alone_in_each_style_that_draws_it() -> None:
    nouns = ("dog", "apple")
    scenes = list(shown(2, nouns))
    assert len(scenes) == 2 * sum(noun in drawn_by(style) for style in VENDORS for noun in nouns)
    assert all(len(scene.objects) == 1 for scene in scenes)
    styles = {scene.plan.style for scene in scenes if scene.objects[0].noun == "dog"}
    assert styles == {style for style in VENDORS if "dog" in drawn_by(style)}


@pytest.mark.parametrize(
    ("found", "noun"),
    [
        ([], ""),
        ([("dog", BOX)], "dog"),
        ([("cat", (70, 70, 90, 90))], ""),  # beside it
        ([("cat", (50, 50, 62, 62)), ("dog", (18, 18, 64, 64))], "dog"),  # the nearer
    ],
)
def test_a_thing_is_taken_for_what_is_found_nearest_to_its_middle(found, noun) -> None:
    assert taken_for(found, BOX) == noun


def test_pairs_are_counted_both_ways_and_what_is_missed_is_no_pair() -> None:
    taken = [("a", "b"), ("b", "a"), ("a", "a"), ("c", ""), ("d", "c"), ("e", "f"), ("f", "e"), ("e", "f")]
    assert worst(taken, 2) == [("e", "f", 3), ("a", "b", 2)]
