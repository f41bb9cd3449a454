"""What normalizing trajectories win over Gaussian ones, and over flow matching, in a few steps (arXiv 2605.08078).

The models and their rows are in ntm_models.py. All draw the same held-out prompts of four tasks (tasks.py), each in its
own regions, from the same noise: flow matching in 1, 2, 4 and 50 steps, the others in 1, 2 and 4. Rows `_mean` take the
last step at its mean, as the shipped generator does; `_denoised` and `_distilled` are the other ways to a clean state.

| metric     | meaning                                                                                    |
|------------|--------------------------------------------------------------------------------------------|
| `elbo_bpd` | bound of the bits a dimension of held-out latents at t = 0.02, on the same chains for all  |
| `gain_bpd` | how far `elbo_bpd` is below that of `g1` in as many steps, seed by seed                    |
| `fd`       | Frechet distance of the pictures to the true scenes of the prompts                         |
| `accuracy` | share of the first pictures, task by task in turn, that meet all commitments               |

All is cached in runs/bench-ntm: a run that was stopped goes on where it was.
"""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import torch
from PIL import Image
from torch import Tensor

from scope.benchmarks import features
from scope.benchmarks.experiments.ntm_models import ABLATIONS, DECODED, FULL, LEVELS, QUICK, Scale, train, train_flow
from scope.benchmarks.metrics.curves import mean
from scope.benchmarks.metrics.pictures import Moments, frechet_distance, moments
from scope.benchmarks.results import Metric, Results, Row
from scope.benchmarks.scores import Seen
from scope.benchmarks.tasks import Prompt, Words, prompts
from scope.files import write_atomic
from scope.generators.canvas import Frozen, load_frozen
from scope.generators.flow import SHIFT
from scope.generators.ntm import LN2, T_MIN
from scope.generators.region_words import region_request
from scope.judges.pocket import Judge
from scope.judges.pocket import load as load_judge
from scope.models import ntm
from scope.models.binding import Heard
from scope.models.bound_dit import BoundDiT, velocity_fn
from scope.models.features import FeatureNet
from scope.models.ntm import NTM
from scope.models.regions import batched
from scope.nn import samplers
from scope.nn.images import device, to_pixels, to_tensor
from scope.nn.transformer import to_grid, to_tokens
from scope.training.data.bound_scenes import load_or_build
from scope.training.on_regions import HeardScenes
from scope.worlds.pocket.vocabulary import VOCABULARY

TASKS = ("two_object", "counting", "color_attribution", "crowded")
SEED = 930_000
FLOW_STEPS = (1, 2, 4, 50)
_BATCH = 40


@dataclass(frozen=True)
class HeldOut:
    """Prompts that were never trained on: their true scenes, and what cells hear of them."""

    x_0: Tensor  # (n, cells, d)
    heard: Heard
    prompts: tuple[Prompt, ...]
    moments: Moments  # of the features of the true scenes

    def batches(self) -> list[tuple[Tensor, Heard]]:
        """Return clean tokens and what their cells hear, a few at a time."""
        rows = torch.split(torch.arange(len(self.x_0)), _BATCH)
        return [(self.x_0[r], self.heard_of(r)) for r in rows]

    def heard_of(self, rows: Tensor) -> Heard:
        """Return what the cells of some prompts hear."""
        return self.heard.each(lambda t: t[rows])


@torch.no_grad()
def draw_held_out(frozen: Frozen, network: FeatureNet, count: int) -> HeldOut:
    """Ask for `count` prompts of each task, and draw, encode and hear them; the tasks take turns."""
    words = Words.of([VOCABULARY])
    turns = zip(*(prompts(task, words, count, SEED) for task in TASKS), strict=True)
    asked = tuple(prompt for turn in turns for prompt in turn)
    images = to_tensor([np.asarray(prompt.true_scene()) for prompt in asked], torch.device("cpu"))
    x_0 = torch.cat([to_tokens(frozen.tokenizer.encode(part)) for part in torch.split(images, _BATCH)])
    heard = frozen.binding(batched([region_request(prompt.bound_request) for prompt in asked]))
    return HeldOut(x_0, heard, asked, moments(features.features_of(network, images)))


# -- scores --------------------------------------------------------------------------------------


def elbo_bpd(model: NTM, T: int, held: HeldOut) -> float:
    """Return the bound of the held-out latents in bits a dimension, on chains that are the same for every model."""
    where, bits, noise = next(model.parameters()).device, [], torch.Generator().manual_seed(T)
    with torch.no_grad():
        for x_0, heard in held.batches():
            eps = torch.randn((T + 1, *x_0.shape), generator=noise)
            terms = ntm.bound(model, x_0.to(where), T_MIN, T, heard.to(where), eps.to(where))
            bits.append(terms.double().sum(0).cpu() / (x_0[0].numel() * LN2))
    return float(torch.cat(bits).mean())


#: Noise (steps + 1, b, n, c) and what cells hear -> clean tokens (b, n, c).
Sampler = Callable[[Tensor, Heard], Tensor]


def trajectory_sampler(model: NTM, decoder: str, mean_last: bool = False) -> Sampler:
    """Return the sampler of a trajectory model, in as many steps as the noise has levels."""
    return lambda noise, heard: ntm.draw(model, heard, noise, T_MIN, decoder=decoder, mean_last=mean_last)


def flow_sampler(model: BoundDiT, steps: int) -> Sampler:
    """Return the Euler sampler of flow matching."""

    @torch.no_grad()
    def draw(noise: Tensor, heard: Heard) -> Tensor:
        return samplers.euler(velocity_fn(model, heard), noise[-1], samplers.times(steps, SHIFT))

    return draw


class Scorer:
    """Draws the held-out prompts and scores the pictures."""

    def __init__(self, frozen: Frozen, network: FeatureNet, held: HeldOut, judged: int) -> None:
        self.tokenizer, self.network, self.held, self.judged = frozen.tokenizer, network, held, judged
        self.judge = load_judge()

    @torch.no_grad()
    def score(self, draw: Sampler, steps: int, seed: int) -> dict[str, float]:
        """Return fd and accuracy."""
        images, noise = list[Tensor](), torch.Generator().manual_seed(seed)
        where = next(self.tokenizer.parameters()).device
        for x_0, heard in self.held.batches():
            start = torch.randn((steps + 1, *x_0.shape), generator=noise).to(where)
            images.append(self.tokenizer.decode(to_grid(draw(start, heard.to(where)))).cpu())
        pictures = torch.cat(images)
        fd = frechet_distance(moments(features.features_of(self.network, pictures)), self.held.moments)
        return {"fd": fd, "accuracy": self._accuracy(pictures[: self.judged])}

    def _accuracy(self, images: Tensor) -> float:
        asked = self.held.prompts[: len(images)]
        drawn = [Image.fromarray(pixels) for pixels in to_pixels(images)]
        return sum(Seen(self.judge, *each).whole() for each in zip(drawn, asked, strict=True)) / len(asked)


def stage_seconds(model: NTM, heard: Heard, T: int = 4) -> dict[str, float]:
    """Return the seconds a picture of the steps, and of each way to a clean state, in one batch."""
    like = heard.x_0
    (t, many), noise = model.schedule(T, like, T_MIN), torch.randn((T + 1, *like.shape), device=like.device)
    stages: dict[str, Callable[[], Tensor]] = {
        "predictor": lambda: ntm.sample(model, noise[-1:], t, many, heard, noise)
    }
    u = stages["predictor"]()
    stages |= {name: partial(way, model, u, t, many, heard) for name, way in ntm.DECODERS.items()}
    seconds = {}
    for name, run in stages.items():
        run()  # whatever is made on the first call
        began = time.monotonic()
        run()
        seconds[name] = (time.monotonic() - began) / len(like)
    return seconds


# -- the comparison ------------------------------------------------------------------------------

#: Row -> metric -> value.
Scores = dict[str, dict[str, float]]


def run_seed(scale: Scale, folder: Path, seed: int) -> Scores:
    """Train and score every model with one seed; the scores are cached, those of each model as soon as they are."""
    cache, where, frozen, (network, _) = folder / f"scores-{seed}.json", device(), load_frozen(), features.load()
    scores: Scores = json.loads(cache.read_text()) if cache.exists() else {}
    if "ntm_no_anchor_t1" in scores:
        return scores
    held, folder_of_seed = draw_held_out(frozen, network, scale.held_out), folder / str(seed)
    scenes = load_or_build(folder / "scenes.pt", frozen.tokenizer, scale.scenes, 71, 0.6, torch.device("cpu"))
    frozen.tokenizer.to(where)
    scorer, heard = Scorer(frozen, network, held, scale.judged), HeardScenes(scenes, frozen.binding.to(where), where)
    flow = train_flow(scale, folder_of_seed, scenes, frozen, seed).to(where)
    scores |= {f"fm_{n}": scorer.score(flow_sampler(flow, n), n, seed) for n in FLOW_STEPS if f"fm_{n}" not in scores}
    for ablation in ABLATIONS:
        if f"{ablation}_t1" not in scores:
            model = train(scale, folder_of_seed, heard, seed, ablation).to(where)
            scores |= score_ablation(model, ablation, scorer, seed)
        write_atomic(cache, json.dumps(scores, indent=1).encode())
    return scores


def score_ablation(model: NTM, ablation: str, scorer: Scorer, seed: int) -> Scores:
    """Return the rows of one model: in each number of steps, and in the most of them by each way to a clean state."""
    scores: Scores = {}
    for T in LEVELS:
        row = f"{ablation}_t{T}"
        scores[row] = {"elbo_bpd": elbo_bpd(model, T, scorer.held)}
        scores[row] |= scorer.score(trajectory_sampler(model, "inverse"), T, seed)
        scores[f"{row}_mean"] = scorer.score(trajectory_sampler(model, "inverse", mean_last=True), T, seed)
    for decoder in ("denoised", "distilled") if ablation in DECODED else ():
        sampler = trajectory_sampler(model, decoder)
        scores[f"{ablation}_t{LEVELS[-1]}_{decoder}"] = scorer.score(sampler, LEVELS[-1], seed)
    if ablation == "ntm":
        scores["ntm_seconds_a_picture"] = stage_seconds(
            model, scorer.held.heard_of(torch.arange(8)).to(next(model.parameters()).device)
        )
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
    """Train and compare all models.

    Raises: WeightsError if the shipped tokenizer, binding, judge or features are missing.
    """
    scale, began = QUICK if quick else FULL, time.monotonic()
    folder = Path("runs") / scale.name
    rows = to_rows([run_seed(scale, folder, seed) for seed in scale.seeds])
    return Results(
        name="ntm", command="scope bench ntm" + (" --quick" if quick else ""), seeds=scale.seeds,
        hours=(time.monotonic() - began) / 3600, judge=f"{Judge.name}@{Judge.version}",
        n_expected=len(TASKS) * scale.held_out, rows=rows,
    )  # fmt: skip
