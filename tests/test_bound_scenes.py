"""Scenes with what each of their cells is to show: pure, without what is held out, and true of the picture."""

from collections.abc import Iterator

import numpy as np
import phrases
import pytest
import torch

from scope.models.regions import REFERENCE
from scope.nn.images import to_tensor
from scope.nn.transformer import to_tokens
from scope.tokenizers.pae import PAE, preset
from scope.training.data import bound_scenes
from scope.training.data.bound_scenes import TRAINED_NOUNS, build, described, load_or_build, sample_scene
from scope.training.data.cluttered_scenes import ClutteredScene, PlacedObject, PlacedSign
from scope.training.on_regions import cell_weight
from scope.training.recipes.flow import x0_loss
from scope.worlds.pocket import Group, Plan, held_out
from scope.worlds.pocket.catalogue import COLOR_NAMES, HELD_OUT_NOUNS, NOUNS, SETTING_NAMES
from scope.worlds.pocket.sign import letter_boxes
from scope.worlds.pocket.sprites import sprite

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pae() -> PAE:
    torch.manual_seed(0)
    return preset("tiny").eval()


@pytest.fixture(autouse=True)
def table() -> Iterator[None]:
    with phrases.unread():
        yield


def scenes(count: int, crowd_p: float) -> list[ClutteredScene]:
    return [sample_scene(np.random.default_rng(i), crowd_p, (1, i)) for i in range(count)]


@pytest.mark.parametrize("crowd_p", [0.0, 1.0])
def test_a_scene_is_a_pure_function_of_its_random_numbers_and_shows_nothing_that_is_held_out(crowd_p: float) -> None:
    for one, again in zip(scenes(20, crowd_p), scenes(20, crowd_p), strict=True):
        assert np.array_equal(one.image, again.image)
        assert (one.objects, one.setting, one.sign) == (again.objects, again.setting, again.sign)
        assert not {thing.noun for thing in one.objects} & HELD_OUT_NOUNS
        assert not any(held_out(Plan((Group(o.noun, 1, o.color),))) for o in one.objects)


def test_crowds_are_of_many_things_and_styles_and_composed_scenes_of_one_style() -> None:
    crowds, composed = scenes(30, 1.0), scenes(30, 0.0)
    assert max(len(scene.objects) for scene in crowds) > 8
    assert any(len({thing.style for thing in scene.objects}) > 1 for scene in crowds)
    assert all(len({thing.style for thing in scene.objects}) <= 1 for scene in composed)
    assert any(scene.sign for scene in crowds)


def test_phrases_are_all_that_scenes_say_and_each_has_its_own_number() -> None:
    known = bound_scenes.phrases()
    assert known[0] == ""
    assert not HELD_OUT_NOUNS & set(known)
    assert set(known) == {"", "sign", "flat", "3-D", *SETTING_NAMES, *TRAINED_NOUNS, *COLOR_NAMES}
    assert set(TRAINED_NOUNS) == set(NOUNS) - HELD_OUT_NOUNS
    table, words = bound_scenes.phrase_table(), bound_scenes.words()
    assert {kind: len(states) for kind, states in words.items()} == {
        "nouns": len(TRAINED_NOUNS) + 1, "looks": len(COLOR_NAMES), "styles": 2, "settings": len(SETTING_NAMES)
    }  # fmt: skip
    assert torch.equal(words["looks"][0], table[known.index(COLOR_NAMES[0])])
    assert table.shape == (len(known), 384)
    assert not table[0].any()
    assert table[1:].abs().amax(1).min() > 0


def test_what_is_said_of_a_scene_is_what_it_shows_and_where() -> None:
    known = bound_scenes.phrases()
    for scene in scenes(15, 1.0) + scenes(15, 0.0):
        fields = described(scene)
        said = [known[n] for n in fields["phrases"].tolist() if n]
        things, before = [o.noun for o in scene.objects], ["sign"] if scene.sign else []
        assert said == before + things
        looks = [known[n] for n in fields["looks"][: len(said)].tolist()]
        assert looks == [""] * len(before) + [o.color or "" for o in scene.objects]
        boxes = [scene.sign.xyxy_px] if scene.sign else []
        boxes += [thing.xyxy_px for thing in scene.objects]
        assert torch.allclose(128 * fields["boxes"][: len(said)], torch.tensor(boxes), atol=1e-3)
        assert not fields["boxes"][len(said) :].any()
        styles = [known[n] for n in fields["styles"][: len(said)].tolist()][len(said) - len(things) :]
        names = {"flat": "flat", "3d": "3-D"}
        assert styles == [names.get(thing.style or "", "") for thing in scene.objects]
        assert known[int(fields["setting"])] == scene.setting
        letters = letter_boxes(scene.sign.text, scene.sign.xyxy_px) if scene.sign else []
        assert bytes(n for n in fields["letters"].tolist() if n).decode() == "".join(c for c, _ in letters)
        for (_, box), found in zip(letters, 128 * fields["letter_boxes"], strict=False):
            assert np.allclose(box, found, atol=1e-3)


def test_a_thing_that_its_vendor_does_not_draw_has_no_style() -> None:
    scene = ClutteredScene(
        np.zeros((128, 128, 3), np.uint8),
        (PlacedObject("dog", "red", None, (64.0, 32.0, 40.0, 20.0), (64.0, 32.0, 36.0, 20.0)),), "beach",
        PlacedSign("A1", (8, 90, 120, 122)),
    )  # fmt: skip
    fields, known = described(scene), bound_scenes.phrases()
    assert [known[n] for n in fields["phrases"][:3].tolist()] == ["sign", "dog", ""]
    assert known[int(fields["looks"][1])] == "red"
    assert not fields["styles"].any()
    assert torch.allclose(fields["boxes"][1], torch.tensor([44.0, 22, 84, 42]) / 128)
    assert bytes(fields["letters"][:2].tolist()) == b"A1"


def test_a_cache_holds_what_the_tokenizer_says_and_the_regions_of_each_scene(pae: PAE) -> None:
    data = build(pae, 4, seed=5, crowd_p=0.5, where=CPU)
    shown = [sample_scene(np.random.default_rng((5, i, 7)), 0.5, (5, i)) for i in range(4)]
    with torch.no_grad():
        latents = to_tokens(pae.encode(to_tensor([scene.image for scene in shown], CPU)))
    assert torch.allclose(data.tokens(torch.arange(4)), latents, atol=0.01, rtol=1e-2)
    chosen = torch.tensor([2, 0])
    regions, table = data.regions(chosen), bound_scenes.phrase_table()
    counts = [len(shown[i].objects) + (shown[i].sign is not None) for i in (2, 0)]
    assert regions.mask.sum(1).tolist() == counts
    assert regions.mask.shape[1] == max(counts)
    numbers = data.phrases[chosen, : max(counts)].long()
    assert torch.equal(regions.phrases, table[numbers])
    assert torch.equal(regions.setting, table[data.setting[chosen].long()])
    assert torch.equal(regions.letter_mask, regions.letters > 0)


def test_some_things_come_with_their_own_drawing_and_most_of_these_without_words(pae: PAE) -> None:
    data = build(pae, 24, seed=5, crowd_p=1.0, where=CPU)
    regions = data.regions(torch.arange(24))
    given = data.condition(torch.arange(24), torch.Generator().manual_seed(0))
    assert given.references is not None
    shown = given.references.flatten(2).any(2)
    assert 0.05 < float(shown[regions.mask].float().mean()) < 0.2
    unnamed = shown & ~given.phrases.any(2)
    assert 0.5 < float(unnamed.sum() / shown.sum()) < 0.9
    assert torch.equal(given.phrases[~unnamed], regions.phrases[~unnamed])
    assert not given.looks[unnamed].any()
    i, j = shown.nonzero()[0].tolist()
    known = bound_scenes.phrases()
    noun, look, style = (known[int(kind[i, j])] for kind in (data.phrases, data.looks, data.styles))
    rgb, alpha = sprite(noun, look or None, REFERENCE[1:], {"flat": "flat", "3-D": "3d"}.get(style, "noto"))
    wanted = torch.from_numpy(np.concatenate([(2 * rgb - 1) * alpha, alpha], -1)).permute(2, 0, 1).float()
    assert torch.allclose(given.references[i, j], wanted, atol=0.02)


def test_a_cache_is_built_once(pae: PAE, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_or_build(tmp_path / "scenes.pt", pae, 2, 1, 0.5, CPU)
    monkeypatch.setattr(bound_scenes, "build", lambda *_: pytest.fail("it was built again"))
    again = load_or_build(tmp_path / "scenes.pt", pae, 2, 1, 0.5, CPU)
    assert all(torch.equal(a, b) for a, b in zip(vars(first).values(), vars(again).values(), strict=True))


def test_the_error_counts_more_where_a_thing_stands_and_as_that_of_the_velocity(pae: PAE) -> None:
    regions = build(pae, 2, seed=5, crowd_p=1.0, where=CPU).regions(torch.arange(2))
    weight = cell_weight(regions, 8, 3.0)
    assert weight.shape == (2, 64, 1)
    for i in range(2):
        inside = torch.zeros(8, 8, dtype=torch.bool)
        for x0, y0, x1, y1 in (8 * regions.boxes[i][regions.mask[i]]).tolist():
            inside[int(y0) : int(np.ceil(y1)), int(x0) : int(np.ceil(x1))] = True
        assert set(weight[i, ~inside.flatten()].flatten().tolist()) <= {1.0}
    assert set(weight.flatten().tolist()) == {1.0, 3.0}
    x_0, t = torch.zeros(2, 64, 8), torch.tensor([0.8, 0.01])
    losses = [float(x0_loss(x_0[i : i + 1] + 1, x_0[i : i + 1], t[i : i + 1], torch.ones(1, 64, 1))) for i in range(2)]
    assert losses == pytest.approx([1 / 0.8**2, 1 / 0.5**2])  # below t = 0.5 it grows no more
