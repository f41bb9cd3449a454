"""The cache of encoded scenes: latents that are the tokenizer's, texts that are the encoder's."""

import numpy as np
import pytest
import torch

from scope.nn.images import to_tensor
from scope.tokenizers.pae import PAE, preset
from scope.training.data import cached_latents
from scope.training.data.cached_latents import SceneMix, build, load_or_build, sample_plan
from scope.worlds.pocket import held_out
from scope.worlds.pocket.scene import arrange, draw

CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def pae() -> PAE:
    torch.manual_seed(0)
    return preset("tiny").eval()


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
