"""The cache of encoded scenes: the truth of each cell, and latents that are the tokenizer's."""

import numpy as np
import pytest
import torch

from scope.nn.images import to_tensor
from scope.tokenizers.pae import PAE, preset
from scope.training.data import cached_latents
from scope.training.data.cached_latents import CELL_CLASSES, SceneMix, build, cell_labels, load_or_build, sample_plan
from scope.worlds.pocket import Group, Plan, held_out
from scope.worlds.pocket.catalogue import COLORS, CORE_NOUNS
from scope.worlds.pocket.scene import arrange, draw

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pae() -> PAE:
    torch.manual_seed(0)
    return preset("tiny").eval()


def test_every_cell_of_a_drawing_is_told_apart_and_the_rest_is_background() -> None:
    layout = arrange(Plan((Group("apple", 1, "red"), Group("dog")), "left of"), 3, grid=True)
    truth = cell_labels(layout)
    inside = torch.zeros(8, 8, dtype=torch.bool)
    for thing in layout.objects:
        x0, y0, x1, y1 = (v // 16 for v in thing.xyxy_px)
        here = truth[:, y0:y1, x0:x1].flatten(1)
        inside[y0:y1, x0:x1] = True
        assert set(here[0].tolist()) == {1 + list(CORE_NOUNS).index(thing.noun)}
        color = list(COLORS).index(thing.color) if thing.color else len(COLORS)
        assert set(here[1].tolist()) == {1 + color}
        assert here[2].diff().tolist() == [1] * (here.shape[1] - 1)
    assert (truth[:, ~inside] == 0).all()
    assert (truth[:, inside] > 0).all()


def test_parts_of_drawings_of_two_sizes_have_other_names() -> None:
    few, many = (cell_labels(arrange(Plan((Group("apple", count),)), 1, grid=True))[2] for count in (1, 4))
    assert not set(few[few > 0].tolist()) & set(many[many > 0].tolist())
    assert int(max(few.max(), many.max())) < CELL_CLASSES[2]


def test_the_rows_of_a_sign_are_its_own_and_no_part_of_a_thing() -> None:
    layout = arrange(Plan((Group("apple"),), text="OPEN"), 2, grid=True)
    assert layout.board is not None
    truth = cell_labels(layout)
    rows = slice(layout.board[1] // 16, layout.board[3] // 16)
    assert (truth[0, rows] == 1 + len(CORE_NOUNS)).all()
    assert not truth[1:, rows].any()
    assert int((truth[0] == 1 + len(CORE_NOUNS)).sum()) == 16


def test_no_plan_is_held_out_some_hold_one_coloured_thing_and_some_a_sign() -> None:
    random = np.random.default_rng(0)
    plans = [sample_plan(random, SceneMix(single_p=0.5, sign_p=0.5)) for _ in range(200)]
    assert not any(held_out(plan) for plan in plans)
    singles = sum(len(p.groups) == 1 and p.groups[0].count == 1 and p.groups[0].color is not None for p in plans)
    assert singles > 100
    assert 20 < sum(plan.text is not None for plan in plans) < 60
    assert not any(sample_plan(random, SceneMix()).text for _ in range(50))


def test_a_cache_holds_what_the_tokenizer_and_the_text_encoder_say(pae: PAE) -> None:
    mix = SceneMix(0.3, sign_p=1.0)
    cache = build(pae, 3, seed=5, mix=mix, where=CPU)
    random = np.random.default_rng((5, 999_983))
    plans = [sample_plan(random, mix) for _ in range(3)]
    scenes = [draw(arrange(plan, (5, i), grid=True)) for i, plan in enumerate(plans)]
    latents = pae.encode(to_tensor([s.image for s in scenes], CPU))
    assert torch.allclose(cache.latents.float(), latents, atol=0.1, rtol=0.05)  # half precision both ways
    assert torch.equal(
        cache.cell_labels, torch.stack([cell_labels(arrange(plan, (5, i), grid=True)) for i, plan in enumerate(plans)])
    )
    text = cache.text(torch.tensor([2, 0]))
    assert text.hidden_states.shape[:2] == text.mask.shape == text.groups.shape
    assert int(text.groups.max()) == max(len(p.groups) + (p.text is not None) for p in (plans[0], plans[2]))
    assert any(plan.text for plan in plans)
    assert [bytes(row[row > 0].tolist()).decode() for row in cache.letters] == [plan.text or "" for plan in plans]


def test_a_cache_is_built_once(pae: PAE, tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = load_or_build(tmp_path / "latents.pt", pae, 2, 1, SceneMix(), CPU)
    monkeypatch.setattr(cached_latents, "build", lambda *_: pytest.fail("it was built again"))
    again = load_or_build(tmp_path / "latents.pt", pae, 2, 1, SceneMix(), CPU)
    assert all(torch.equal(a, b) for a, b in zip(vars(first).values(), vars(again).values(), strict=True))
