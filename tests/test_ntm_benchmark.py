"""The comparison of NTM with Gaussian steps and with flow matching, at a size that says nothing but that it runs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from scope.benchmarks.experiments import ntm as bench
from scope.benchmarks.metrics.pictures import moments
from scope.models.dit import DiT
from scope.models.text_encoder import Conditioning
from scope.nn.transformer import parameter_count
from scope.training.data.cached_latents import LatentCache

SCALE = bench.Scale(
    "tiny",
    bench.QUICK.shape.model_copy(
        update={"c": 4, "tokens": 16, "width": 16, "depth": 1, "layers": 1, "transporter_width": 16}
        | {"denoiser_width": 16, "denoiser_depth": 1}
    ),
    steps=2, batch=4, scenes=8, held_out=3, judged=2, seeds=(0,),
)  # fmt: skip


@pytest.fixture(scope="module")
def cache() -> LatentCache:
    torch.manual_seed(2)
    latents, states = torch.randn(8, 4, 4, 4).half(), torch.randn(8, 5, 384).half()
    words, letters = torch.ones(8, 5, dtype=torch.uint8), torch.zeros(8, 8, dtype=torch.uint8)
    return LatentCache(latents, states, words, words > 0, letters)


@pytest.fixture(scope="module")
def held(cache: LatentCache) -> bench.HeldOut:
    text = Conditioning(cache.hidden_states[:3].float(), cache.groups[:3].long(), cache.mask[:3], None)
    return bench.HeldOut(cache.latents[:3].float(), text, (), moments(np.random.default_rng(0).normal(size=(9, 2))))


def test_the_wide_gaussian_has_the_parameters_of_ntm_and_the_others_share_their_backbone() -> None:
    target = bench._parameters(bench.QUICK.shape)
    wide = bench._parameters(bench.shape_of(bench.QUICK, "g1_wide"))
    assert target <= wide < 1.25 * target
    backbones = {
        parameter_count(bench.build(bench.shape_of(SCALE, ablation)).backbone)
        for ablation in bench.ABLATIONS
        if "wide" not in ablation
    }
    assert len(backbones) == 1


@pytest.mark.heavy
def test_every_ablation_trains_is_scored_and_draws(cache: LatentCache, held: bench.HeldOut, tmp_path: Path) -> None:
    flow = bench.train_flow(SCALE, tmp_path, cache, 0)
    noise = torch.randn(5, 3, 16, 4)
    drawn = [bench.flow_sampler(flow, 4)(noise, held.text)]
    models = {ablation: bench.train(SCALE, tmp_path, cache, 0, ablation) for ablation in bench.ABLATIONS}
    for model in models.values():
        assert np.isfinite(bench.elbo_bpd(model, 4, held))
        drawn.append(bench.trajectory_sampler(model, "inverse")(noise, held.text))
    for decoder in ("denoised", "distilled"):
        drawn.append(bench.trajectory_sampler(models["ntm"], decoder)(noise, held.text))
    assert all(clean.shape == (3, 16, 4) and bool(torch.isfinite(clean).all()) for clean in drawn)
    assert bench.elbo_bpd(models["g1"], 4, held) == bench.elbo_bpd(models["g1"], 4, held)
    assert set(bench.stage_seconds(models["ntm"], held, count=2)) == {"predictor", "inverse", "denoising", "distilled"}
    assert not models["g0"].learned_sigma
    assert isinstance(models["ntm"].backbone, DiT)


def test_gains_are_taken_seed_by_seed_from_the_gaussian_of_as_many_steps() -> None:
    seeds = [
        {
            "g1_t4": {"elbo_bpd": 2.0 + s},
            "g1_t8": {"elbo_bpd": 1.0 + s},
            "ntm_t4": {"elbo_bpd": 1.5 + s},
            "fm_4": {"fd": 1.0},
        }
        for s in (0.0, 5.0, 9.0)
    ]
    rows = {row.name: row.metrics for row in bench.to_rows(seeds)}
    assert rows["ntm_t4"]["gain_bpd"].value == pytest.approx(0.5)
    assert rows["ntm_t4"]["gain_bpd"].ci == pytest.approx((0.5, 0.5))
    assert rows["g1_t8"]["gain_bpd"].value == 0
    assert "gain_bpd" not in rows["fm_4"]
