"""What normalizing trajectories win over Gaussian ones, and over flow matching, in a few steps (arXiv 2605.08078).

All models share one backbone, cache of latents, order of data, optimiser and number of pictures seen, and learn from
single pairs of neighbouring states.

| row             | model                                                                                 |
|-----------------|---------------------------------------------------------------------------------------|
| `fm`            | flow matching, in 4, 8 and 50 steps                                                   |
| `g0`            | a Gaussian step of fixed width                                                        |
| `g1`            | a Gaussian step of learned width                                                      |
| `g1_wide`       | `g1` with as many parameters as NTM                                                   |
| `ntm_scratch`   | NTM                                                                                   |
| `ntm`           | NTM that starts from flow matching, whose pictures come on top                        |
| `ntm_no_anchor` | `ntm` without its anchor                                                              |

| metric     | meaning                                                                                    |
|------------|--------------------------------------------------------------------------------------------|
| `elbo_bpd` | bound of the bits a dimension of held-out latents at t = 0.02, on the same chains for all  |
| `gain_bpd` | how far `elbo_bpd` is below that of `g1` in as many steps, seed by seed                    |
| `fd`       | Frechet distance of the pictures for the held-out captions to the true scenes              |
| `accuracy` | share of them that meet all commitments; the judge is slow, so of four steps and `fm` only |

All is cached in runs/bench-ntm: a run that was stopped goes on where it was.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from scope.benchmarks import features
from scope.benchmarks.metrics.curves import mean
from scope.benchmarks.metrics.pictures import Moments, frechet_distance, moments
from scope.benchmarks.results import Metric, Results, Row
from scope.files import write_atomic
from scope.generators.ntm import LN2, T_MIN, Shape, build
from scope.judges.pocket import Judge
from scope.judges.pocket import load as load_judge
from scope.models import ntm
from scope.models.dit import DiT, velocity_fn
from scope.models.features import FeatureNet
from scope.models.ntm import NTM
from scope.models.text_encoder import Conditioning, TextInput, encode
from scope.nn import samplers
from scope.nn.images import device, to_tensor
from scope.nn.transformer import parameter_count, to_grid, to_tokens
from scope.nn.weights import fill, read, write
from scope.specification import Specification
from scope.tokenizers.base import Autoencoder
from scope.tokenizers.pae import load as load_pae
from scope.training.data.cached_latents import LatentCache, SceneMix, load_or_build
from scope.training.loop import Run
from scope.training.recipes import latent_flow as flow_trainer
from scope.training.recipes import ntm as trainer
from scope.worlds.pocket import caption, compose, sample, specification

CFG_SCALE = 2.0
SHIFT = 5.0  # of the times: nouns and places are decided near the noise, so most steps are spent there
LEVELS = (4, 8, 16)
#: Row -> what it changes of the shape, and of the recipe. "fm" stands for the weights of flow matching.
ABLATIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "g0": ({"flows": 0, "learned_sigma": False, "spread": 0.0}, {}),
    "g1": ({"flows": 0}, {}),
    "g1_wide": ({"flows": 0}, {}),
    "ntm_scratch": ({}, {}),
    "ntm": ({}, {"start_from": "fm"}),
    "ntm_no_anchor": ({}, {"start_from": "fm", "anchor": 0.0}),
}
#: Those whose trajectories are also denoised, and whose denoiser is distilled.
DECODED = ("ntm_scratch", "ntm")


@dataclass(frozen=True)
class Scale:
    """How much is trained and drawn."""

    name: str
    shape: Shape
    steps: int
    batch: int
    scenes: int  # to train on
    held_out: int  # scenes to draw and to compare with
    judged: int  # of these, in four steps and by flow matching
    seeds: tuple[int, ...]

    @property
    def warmup(self) -> int:
        """Return the steps of warm-up."""
        return min(200, self.steps // 5)


_SHAPE = Shape(
    width=128, depth=3, heads=2, text_depth=1, layers=2, transporter_width=96, transporter_heads=2, denoiser_width=96,
    denoiser_heads=2, shift=SHIFT,
)  # fmt: skip
FULL = Scale("bench-ntm", _SHAPE, steps=400, batch=48, scenes=12_000, held_out=200, judged=60, seeds=(0, 1, 2))
QUICK = Scale("bench-ntm-quick", _SHAPE, steps=30, batch=16, scenes=512, held_out=32, judged=16, seeds=(0,))


@dataclass(frozen=True)
class HeldOut:
    """Scenes of which something was never trained on, and the moments of their features."""

    latents: Tensor  # (n, c, h, w)
    text: Conditioning
    specs: tuple[Specification, ...]
    moments: Moments

    def batches(self, size: int = 50) -> list[tuple[Tensor, Conditioning]]:
        """Return clean tokens and texts, a few at a time."""
        x_0 = to_tokens(self.latents)
        rows = torch.split(torch.arange(len(x_0)), size)
        return [(x_0[r], flow_trainer.select(self.text, r)) for r in rows]


def draw_held_out(tokenizer: Autoencoder, network: FeatureNet, count: int) -> HeldOut:
    """Draw, encode and caption the held-out scenes."""
    rng = np.random.default_rng(800_000)
    plans = [replace(sample(rng, "held_out"), text=None) for _ in range(count)]
    captions = [caption(plan, rng) for plan in plans]
    images = to_tensor([compose(plan, (800_000, i)).image for i, plan in enumerate(plans)], torch.device("cpu"))
    with torch.no_grad():
        latents = torch.cat([tokenizer.encode(part) for part in torch.split(images, 64)])
    text = encode([TextInput(c.text, c.spans) for c in captions])
    true = moments(features.features_of(network, images))
    return HeldOut(latents, text, tuple(specification(plan) for plan in plans), true)


# -- training ------------------------------------------------------------------------------------


def shape_of(scale: Scale, ablation: str) -> Shape:
    """Return the shape of a model; g1_wide has as many more layers as give it the parameters of NTM."""
    shape = scale.shape.model_copy(update=ABLATIONS[ablation][0])
    if ablation != "g1_wide":
        return shape
    # The denoiser is no part of it: it is trained later, for speed.
    target, depth = _parameters(scale.shape), shape.depth
    while _parameters(shape.model_copy(update={"depth": depth})) < target:
        depth += 1
    return shape.model_copy(update={"depth": depth})


@cache
def _parameters(shape: Shape) -> int:
    model = build(shape)
    return parameter_count(model) - parameter_count(model.denoiser)


def train_flow(scale: Scale, folder: Path, cache: LatentCache, seed: int) -> DiT:
    """Return the flow-matching model of a seed; its weights are in folder/fm.safetensors."""
    shape = scale.shape
    recipe = flow_trainer.LatentFlowConfig(
        steps=scale.steps, batch=scale.batch, lr=1e-3, warmup=scale.warmup, seed=seed, dim=shape.width,
        depth=shape.depth, heads=shape.heads, eval_steps=(), dtype="bf16",
    )  # fmt: skip
    text = Conditioning(cache.hidden_states, cache.groups.long(), cache.mask, None)
    model = flow_trainer.train(recipe, folder / "fm", cache.latents.float(), text, lambda step, model: None)
    write(model, folder / "fm.safetensors")
    return model.eval()


def train(scale: Scale, folder: Path, cache: LatentCache, seed: int, ablation: str) -> NTM:
    """Return the trained model of an ablation and a seed, with its denoiser where that is compared."""
    torch.manual_seed(seed)
    base = trainer.NTMConfig(
        steps=scale.steps, batch=scale.batch, lr=1e-3, warmup=scale.warmup, seed=seed, start_from="",
        pairs=True, denoiser_steps=max(1, scale.steps // 8), denoiser_batch=min(12, scale.batch), dtype="bf16",
        drop_text=0.1, drop_groups=0.1,
    )  # fmt: skip
    recipe = base.model_copy(update=ABLATIONS[ablation][1])
    if recipe.start_from:
        recipe = recipe.model_copy(update={"start_from": str(folder / "fm.safetensors")})
    model = build(shape_of(scale, ablation))
    if recipe.start_from:
        assert isinstance(model.backbone, DiT)  # as `_SHAPE` says
        fill(model.backbone, read(Path(recipe.start_from)), "fm")
    model = trainer.fit(Run(folder / ablation, recipe), cache, model)
    if ablation not in DECODED:
        return model.eval()
    return trainer.distil(Run(folder / ablation / "denoiser", trainer.denoiser_config(recipe)), cache, model)


# -- scores --------------------------------------------------------------------------------------


def elbo_bpd(model: NTM, T: int, held: HeldOut) -> float:
    """Return the bound of the held-out latents in bits a dimension, on chains that are the same for every model."""
    where, bits, noise = next(model.parameters()).device, [], torch.Generator().manual_seed(T)
    with torch.no_grad():
        for x_0, text in held.batches():
            eps = torch.randn((T + 1, *x_0.shape), generator=noise)
            terms = ntm.bound(model, x_0.to(where), T_MIN, T, text.to(where), eps.to(where))
            bits.append(terms.double().sum(0).cpu() / (x_0[0].numel() * LN2))
    return float(torch.cat(bits).mean())


#: Noise (steps + 1, b, n, c) and texts -> clean tokens (b, n, c).
Sampler = Callable[[Tensor, Conditioning], Tensor]


def trajectory_sampler(model: NTM, decoder: str) -> Sampler:
    """Return the sampler of a trajectory model, in as many steps as the noise has levels."""
    return lambda noise, text: ntm.draw(model, text, noise, T_MIN, CFG_SCALE, decoder)


def flow_sampler(model: DiT, steps: int) -> Sampler:
    """Return the Euler sampler of flow matching."""

    @torch.no_grad()
    def draw(noise: Tensor, text: Conditioning) -> Tensor:
        return samplers.euler(velocity_fn(model, text, CFG_SCALE), noise[-1], samplers.times(steps, SHIFT))

    return draw


class Scorer:
    """Draws the held-out captions and scores the pictures."""

    def __init__(self, tokenizer: Autoencoder, network: FeatureNet, held: HeldOut, judged: int) -> None:
        self.tokenizer, self.network, self.held, self.judged = tokenizer, network, held, judged
        self.judge = load_judge()

    def score(self, draw: Sampler, steps: int, seed: int, judged: bool = True) -> dict[str, float]:
        """Return fd, images_per_s and, if `judged`, accuracy: the share of pictures that meet all their commitments."""
        images, began = [], time.monotonic()
        noise, where = torch.Generator().manual_seed(seed), next(self.tokenizer.parameters()).device
        for x_0, text in self.held.batches():
            start = torch.randn((steps + 1, *x_0.shape), generator=noise).to(where)
            with torch.no_grad():
                images.append(self.tokenizer.decode(to_grid(draw(start, text.to(where)))).cpu())
        pictures = torch.cat(images)
        seconds = time.monotonic() - began
        fd = frechet_distance(moments(features.features_of(self.network, pictures)), self.held.moments)
        scores = {"fd": fd, "images_per_s": len(pictures) / seconds}
        return scores | {"accuracy": self._accuracy(pictures[: self.judged])} if judged else scores

    def _accuracy(self, images: Tensor) -> float:
        specs = self.held.specs[: len(images)]
        met = [self._meets_all(_pixels(image), spec) for image, spec in zip(images, specs, strict=True)]
        return sum(met) / len(met)

    def _meets_all(self, pixels: NDArray[np.uint8], spec: Specification) -> bool:
        commitments = [c for c in spec.commitments if self.judge.handles(c)]
        verdicts = self.judge.check(Image.fromarray(pixels), commitments, spec)
        return all(verdict.outcome == "met" for verdict in verdicts)


def _pixels(image: Tensor) -> NDArray[np.uint8]:
    pixels: NDArray[np.uint8] = ((image + 1) * 127.5).round().clamp(0, 255).byte().permute(1, 2, 0).numpy()
    return pixels


def stage_seconds(model: NTM, held: HeldOut, T: int = 4, count: int = 8) -> dict[str, float]:
    """Return the seconds a picture of each stage of sampling, in a batch of `count`."""
    where = next(model.parameters()).device
    x_0, text = to_tokens(held.latents)[:count].to(where), flow_trainer.select(held.text, torch.arange(count)).to(where)
    (t, many), noise = model.schedule(T, x_0, T_MIN), torch.randn((T + 1, *x_0.shape), device=where)
    seconds, began = {}, time.monotonic()
    u = ntm.sample(model, noise[-1:], t, many, text, noise, CFG_SCALE)
    seconds["predictor"] = time.monotonic() - began
    for name, decoder in (("inverse", "inverse"), ("denoising", "denoised"), ("distilled", "distilled")):
        began = time.monotonic()
        ntm.DECODERS[decoder](model, u, t, many, text)
        seconds[name] = time.monotonic() - began
    return {name: value / len(x_0) for name, value in seconds.items()}


# -- the comparison ------------------------------------------------------------------------------

#: Row -> metric -> value.
Scores = dict[str, dict[str, float]]


def run_seed(scale: Scale, folder: Path, seed: int) -> Scores:
    """Train and score every ablation with one seed; the scores are cached."""
    cache = folder / f"scores-{seed}.json"
    if cache.exists():
        cached: Scores = json.loads(cache.read_text())
        return cached
    where, (tokenizer, _), (network, _) = device(), load_pae(), features.load()
    held = draw_held_out(tokenizer, network, scale.held_out)
    latents = load_or_build(folder / "latents.pt", tokenizer, scale.scenes, 71, SceneMix(), torch.device("cpu"))
    scorer, folder_of_seed = Scorer(tokenizer.to(where), network, held, scale.judged), folder / str(seed)
    flow = train_flow(scale, folder_of_seed, latents, seed).to(where)
    scores: Scores = {f"fm_{steps}": scorer.score(flow_sampler(flow, steps), steps, seed) for steps in (4, 8, 50)}
    for ablation in ABLATIONS:
        model = train(scale, folder_of_seed, latents, seed, ablation).to(where)
        for T in LEVELS:
            scores[f"{ablation}_t{T}"] = {"elbo_bpd": elbo_bpd(model, T, held)}
            for decoder in ntm.DECODERS if ablation in DECODED else ("inverse",):
                row = f"{ablation}_t{T}" + ("" if decoder == "inverse" else f"_{decoder}")
                sampler = trajectory_sampler(model, decoder)
                scores.setdefault(row, {}).update(scorer.score(sampler, T, seed, judged=T == 4))
        if ablation == "ntm":
            scores["ntm_seconds_a_picture"] = stage_seconds(model, held)
    write_atomic(cache, json.dumps(scores, indent=1).encode())
    return scores


def to_rows(seeds: list[Scores]) -> tuple[Row, ...]:
    """Return the rows: means over the seeds, and the gain of each model over g1 in as many steps."""
    rows = []
    for name in seeds[0]:
        metrics = {metric: mean([seed[name][metric] for seed in seeds]) for metric in seeds[0][name]}
        if "elbo_bpd" in metrics:
            metrics |= {"gain_bpd": gain(seeds, name)}
        rows.append(Row(name=name, metrics=metrics))
    return tuple(rows)


def gain(seeds: list[Scores], name: str) -> Metric:
    """Return how many bits a dimension a row lies below g1 of as many steps, seed by seed."""
    base = f"g1_t{name.rpartition('_t')[2]}"
    return mean([seed[base]["elbo_bpd"] - seed[name]["elbo_bpd"] for seed in seeds])


def measure(quick: bool = False) -> Results:
    """Train and compare all ablations.

    Raises: WeightsError if the shipped tokenizer, judge or features are missing.
    """
    scale, began = QUICK if quick else FULL, time.monotonic()
    folder = Path("runs") / scale.name
    rows = to_rows([run_seed(scale, folder, seed) for seed in scale.seeds])
    return Results(
        name="ntm", command="scope bench ntm" + (" --quick" if quick else ""), seeds=scale.seeds,
        hours=(time.monotonic() - began) / 3600, judge=f"{Judge.name}@{Judge.version}", n_expected=scale.held_out,
        rows=rows,
    )  # fmt: skip
