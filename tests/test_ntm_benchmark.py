"""The comparison of NTM with Gaussian steps and with flow matching, at a size that says nothing but that it runs."""

from pathlib import Path

import numpy as np
import pytest
import torch

from scope.benchmarks.experiments import ntm as bench
from scope.benchmarks.experiments import ntm_models as models
from scope.benchmarks.metrics.pictures import moments
from scope.benchmarks.tasks import Words, prompts
from scope.generators.canvas import Frozen, load_frozen
from scope.models.bound_dit import BoundDiT
from scope.nn.transformer import parameter_count
from scope.training.data.bound_scenes import BoundScenes, build
from scope.training.on_regions import HeardScenes
from scope.worlds.pocket.vocabulary import VOCABULARY

SCALE = models.Scale(
    "tiny",
    models.QUICK.shape.model_copy(
        update={"width": 16, "depth": 1, "layers": 1, "transporter_width": 16, "denoiser_width": 16}
    ),
    steps=2, batch=4, scenes=8, held_out=1, judged=2, seeds=(0,),
)  # fmt: skip
CPU = torch.device("cpu")


@pytest.fixture(scope="module")
def frozen() -> Frozen:
    return load_frozen()


@pytest.fixture(scope="module")
def scenes(frozen: Frozen) -> BoundScenes:
    return build(frozen.tokenizer, 8, 5, 0.6, CPU)


@pytest.fixture(scope="module")
def held(frozen: Frozen, scenes: BoundScenes) -> bench.HeldOut:
    rows = torch.arange(3)
    heard = HeardScenes(scenes, frozen.binding, CPU).condition(rows, torch.Generator().manual_seed(0))
    return bench.HeldOut(scenes.tokens(rows), heard, (), moments(np.random.default_rng(0).normal(size=(9, 2))))


def test_the_wide_gaussian_has_the_parameters_of_ntm_and_the_others_share_their_backbone() -> None:
    target = models.parameters(models.QUICK.shape)
    wide = models.parameters(models.shape_of(models.QUICK, "g1_wide"))
    assert target <= wide < 1.25 * target
    backbones = {
        parameter_count(models.build(models.shape_of(SCALE, ablation)).backbone)
        for ablation in models.ABLATIONS
        if "wide" not in ablation
    }
    assert len(backbones) == 1


@pytest.mark.heavy
def test_every_ablation_trains_and_draws(
    frozen: Frozen, scenes: BoundScenes, held: bench.HeldOut, tmp_path: Path
) -> None:
    flow = models.train_flow(SCALE, tmp_path, scenes, frozen, 0)
    noise = torch.randn(5, *held.x_0.shape)
    drawn = [bench.flow_sampler(flow, 4)(noise, held.heard)]
    heard = HeardScenes(scenes, frozen.binding, CPU)
    trained = {ablation: models.train(SCALE, tmp_path, heard, 0, ablation) for ablation in models.ABLATIONS}
    for model in trained.values():
        assert np.isfinite(bench.elbo_bpd(model, 4, held))
        drawn.append(bench.trajectory_sampler(model, "inverse")(noise, held.heard))
    for decoder in ("denoised", "distilled"):
        drawn.append(bench.trajectory_sampler(trained["ntm"], decoder)(noise, held.heard))
    assert all(clean.shape == held.x_0.shape and bool(torch.isfinite(clean).all()) for clean in drawn)
    assert bench.elbo_bpd(trained["g1"], 4, held) == bench.elbo_bpd(trained["g1"], 4, held)
    seconds = bench.stage_seconds(trained["ntm"], held.heard)
    assert set(seconds) == {"predictor", "inverse", "denoised", "distilled"}
    assert seconds["distilled"] < seconds["denoised"]
    assert not trained["g0"].learned_sigma
    assert isinstance(trained["ntm"].backbone, BoundDiT)


def test_the_held_out_prompts_are_those_of_the_tasks_in_turn_and_true_latents_score_best(frozen: Frozen) -> None:
    network = bench.features.load()[0]
    held = bench.draw_held_out(frozen, network, 2)
    words = Words.of([VOCABULARY])
    first = [prompts(task, words, 1, bench.SEED)[0].spec.prompt for task in bench.TASKS]
    assert [prompt.spec.prompt for prompt in held.prompts[:4]] == first
    assert len(held.prompts) == len(held.x_0) == len(held.heard.x_0) == 8
    scorer = bench.Scorer(frozen, network, held, judged=4)
    true, sketch = (scorer.score(lambda noise, heard, x_0=x_0: x_0, 4, 0) for x_0 in (held.x_0, held.heard.x_0))
    assert true["fd"] < sketch["fd"]
    assert 0 <= sketch["accuracy"] <= true["accuracy"] <= 1


def test_gains_are_taken_seed_by_seed_from_the_gaussian_of_as_many_steps() -> None:
    seeds = [
        {
            "g1_t4": {"elbo_bpd": 2.0 + s},
            "g1_t1": {"elbo_bpd": 1.0 + s},
            "ntm_t4": {"elbo_bpd": 1.5 + s},
            "fm_4": {"fd": 1.0},
        }
        for s in (0.0, 5.0, 9.0)
    ]
    rows = {row.name: row.metrics for row in bench.to_rows(seeds)}
    assert rows["ntm_t4"]["gain_bpd"].value == pytest.approx(0.5)
    assert rows["ntm_t4"]["gain_bpd"].ci == pytest.approx((0.5, 0.5))
    assert rows["g1_t1"]["gain_bpd"].value == 0
    assert "gain_bpd" not in rows["fm_4"]
