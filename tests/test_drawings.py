"""Drawings that a binding learns alone: what is in them, what is never, and what is said of them."""

import pytest
import torch

from scope.models.regions import REFERENCE
from scope.training.data.bound_scenes import phrase_table, phrases, style_of
from scope.training.data.drawings import Drawings, all_drawings
from scope.worlds.pocket import Group, Plan, held_out
from scope.worlds.pocket.catalogue import HELD_OUT_NOUNS, NOUNS, VENDORS
from scope.worlds.pocket.sprites import sprite


@pytest.fixture(scope="module")
def drawings() -> Drawings:
    return all_drawings()


def test_every_noun_is_drawn_in_every_style_but_those_held_out(drawings: Drawings) -> None:
    said = phrases()
    pairs = {(said[phrase], said[style]) for phrase, _, style in drawings.said.tolist()}
    styles = {style_of(vendor) for vendor in VENDORS}
    assert pairs == {(noun, style) for noun in NOUNS if noun not in HELD_OUT_NOUNS for style in styles}
    looks = [(said[phrase], said[look]) for phrase, look, _ in drawings.said.tolist() if look]
    assert not any(held_out(Plan((Group(noun, 1, look),))) for noun, look in looks)
    assert len(set(map(tuple, drawings.said.tolist()))) == len(drawings.pixels)


def test_a_drawing_is_what_the_world_draws(drawings: Drawings) -> None:
    said = phrases()
    for i in (0, 5, len(drawings.pixels) - 1):
        phrase, look, style = (said[number] for number in drawings.said[i])
        vendor = next(vendor for vendor in VENDORS if style_of(vendor) == style)
        rgb, alpha = sprite(phrase, look or None, REFERENCE[1:], vendor)
        shown = drawings.pixels[i].permute(1, 2, 0).float() / 255
        assert abs(shown[..., 3:].numpy() - alpha).max() < 0.01
        assert abs((shown[..., :3].numpy() - rgb) * alpha).max() < 0.01


def test_a_sample_is_of_drawings_and_says_what_they_show(drawings: Drawings) -> None:
    truth, said = drawings.sample(200, torch.Generator().manual_seed(0))
    assert truth.shape == said.references.shape == (200, *REFERENCE)
    assert (truth[:, :3].abs() <= truth[:, 3:] + 1e-6).all()  # colours are multiplied by the opacity
    shown = said.references.flatten(1).any(1)
    assert 5 < shown.sum() < 50
    assert torch.equal(said.references[shown], truth[shown])
    unnamed = ~said.phrases.any(1)
    assert 0 < unnamed.sum() < shown.sum()  # what has no words has a picture
    assert shown[unnamed].all()
    assert not said.looks[unnamed].any()
    named = said.phrases[~unnamed]
    assert torch.isin(named, phrase_table()).all()
