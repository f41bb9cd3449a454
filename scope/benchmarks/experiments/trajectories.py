"""What NTM's likelihood and its denoiser are worth, once cells hear their regions (arXiv 2605.08078).

Held-out prompts of four tasks (tasks.py), each in its own regions, in four steps. Rows `inverse`, `denoised` and
`distilled` are the ways from a trajectory to a picture, from the same noise: the paper's trajectory denoising, which
takes gradients, and the denoiser that learnt what it gives. `random` and `likeliest` are drafts: one of eight, at
random (their mean), and the one that the model itself holds for likeliest. `whole` are the prompts of which the judge
finds every commitment met, `fd` the Frechet distance to the true scenes, `seconds` those of a picture, and `way` those
of the way from its trajectory to the clean state alone.
"""

import time
from collections.abc import Sequence

import numpy as np
from PIL import Image

from scope.benchmarks import features
from scope.benchmarks.experiments.ntm import stage_seconds
from scope.benchmarks.generators import reduced
from scope.benchmarks.metrics.curves import mean
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.metrics.pictures import frechet_distance, moments
from scope.benchmarks.progress import Progress
from scope.benchmarks.results import Metric, Results, Row
from scope.benchmarks.scores import Judge, Seen
from scope.benchmarks.tasks import Prompt, Words, prompts
from scope.generators import ntm
from scope.generators.canvas import heard
from scope.generators.ntm import NTMGenerator
from scope.judges.pocket import load as load_judge
from scope.models.ntm import DECODERS

SEED = 970_000
TASKS = ("two_object", "counting", "color_attribution", "crowded")
PROMPTS, QUICK = 25, 2  # of each task
DRAFTS = 8


def measure(quick: bool = False, count: int = PROMPTS) -> Results:
    """Draw and judge.

    Raises: WeightsError if weights are missing or damaged.
    """
    began, generator, judge = time.monotonic(), ntm.load(), load_judge()
    words, flags = (
        Words.of([generator.vocabulary]),
        " --quick" if quick else f" --count {count}" if count != PROMPTS else "",
    )
    asked = [prompt for task in TASKS for prompt in prompts(task, words, QUICK if quick else count, SEED)]
    ways = stage_seconds(generator.model, heard(asked[0].bound_request, None, generator.binding))
    rows = [decoder_row(name, generator, judge, asked, ways[name]) for name in DECODERS]
    rows += draft_rows(generator, judge, asked)
    return Results(
        name="trajectories", command="scope bench trajectories" + flags, seeds=(SEED,),
        judge=f"{judge.name}@{judge.version}", n_expected=len(asked) * (len(DECODERS) + DRAFTS), rows=tuple(rows),
        hours=(time.monotonic() - began) / 3600,
    )  # fmt: skip


def decoder_row(name: str, generator: NTMGenerator, judge: Judge, asked: Sequence[Prompt], way: float) -> Row:
    """Return what a way from trajectories to pictures is worth; it alone takes `way` seconds."""
    other = NTMGenerator(generator.model, generator.binding, generator.tokenizer, {}, decoder=name)
    progress, images, began = Progress(f"{name}, drawn", len(asked)), list[Image.Image](), time.monotonic()
    for prompt in asked:
        images.append(other.generate([prompt.bound_request])[0].image)
        progress.add()
    seconds = (time.monotonic() - began) / len(asked)
    true = moments(features.features_of(network := features.load()[0], reduced([p.true_scene() for p in asked])))
    distance = frechet_distance(moments(features.features_of(network, reduced(images))), true)
    met = sum(Seen(judge, image, prompt).whole() for image, prompt in zip(images, asked, strict=True))
    metrics = {
        "whole": share(round(met), len(asked)),
        "fd": Metric(value=round(distance, 4), n=len(asked)),
        "seconds": Metric(value=round(seconds, 3), n=len(asked)),
        "way": Metric(value=round(way, 4), n=1),
    }
    return Row(name=name, metrics=metrics)


def draft_rows(generator: NTMGenerator, judge: Judge, asked: Sequence[Prompt]) -> list[Row]:
    """Return what a draft at random is worth, and the likeliest of eight."""
    progress, whole, likely = Progress("drafts, drawn and judged", len(asked) * DRAFTS), list[list[float]](), []
    for prompt in asked:
        seeds = range(prompt.seed, prompt.seed + DRAFTS)
        drafts = [generator.generate([prompt.bound_request.model_copy(update={"seed": s})])[0] for s in seeds]
        whole.append([Seen(judge, draft.image, prompt).whole() for draft in drafts])
        likely.append(int(np.argmax([draft.log_likelihood or -np.inf for draft in drafts])))
        progress.add(DRAFTS)
    best = sum(row[i] for row, i in zip(whole, likely, strict=True))
    return [
        Row(name="random", metrics={"whole": mean([float(np.mean(row)) for row in whole])}, note="mean of eight"),
        Row(name="likeliest", metrics={"whole": share(round(best), len(asked))}, note="of the same eight"),
    ]
