"""What the shipped generators draw right in one draft.

Held-out prompts of the pocket world, by task (tasks.py), over all nouns that the generators know. The judge scores,
whom no loop and no training may ask. Rows whose request has a region for each thing are bound, on the way of
`scope generate`; those called `direct` get the prompt alone, and the generator lays out by itself. The row
`true_scenes` is the judge's ceiling: scenes drawn in the boxes of the bound requests.

`first_six` is the mean of GenEval's six tasks. `text` is read letter for letter; `text_similarity` is one less the edit
distance of what can be read on the sign, as a share of the longer one. `crowded` is met where the whole prompt is.
`free_boxes` is met where each thing is found, in its colour, in a box that shares .4 of both together (intersection
over union) with its own. `whole` are the prompts of all tasks of which every commitment is met. `fd` compares all
pictures but those of `free_boxes` with the true scenes of the same prompts. `tile_edge` is how much larger the jumps
between pixels are at the borders of 16-px patches than elsewhere, as a share of the same of the true scenes. `seconds`
is the median of single requests on two threads, `images_per_s` what batches give.
"""

import hashlib
import json
import math
import os
import statistics
import time
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from scope.benchmarks import features
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.metrics.pictures import Moments, frechet_distance, moments, tile_edge
from scope.benchmarks.progress import Progress
from scope.benchmarks.results import Metric, Results, Row
from scope.benchmarks.scores import MEANS, SCORED, SCORES, Judge, Seen, bounded_mean
from scope.benchmarks.tasks import SEED, TASKS, Prompt, Words, prompts
from scope.errors import ScopeError
from scope.files import write_atomic
from scope.generators import flow, ntm
from scope.judges.pocket import load as load_judge
from scope.models.features import FeatureNet
from scope.nn.images import to_tensor
from scope.protocols import Generator, reads_of
from scope.specification import Request
from scope.weights import expected
from scope.worlds.pocket.sprites import SIZE

PROMPTS, QUICK = 200, 6  # of each task
BATCH = 16  # requests of one call
TIMED, TIMED_QUICK, THREADS = 20, 2, 2  # single requests, and the threads that draw them
FIRST_SIX = ("single_object", "two_object", "colors", "counting", "position", "color_attribution")
#: What is asked again of the nouns that the world had first, and who is.
CORE_TASKS = ("single_object", "two_object", "counting", "position", "color_attribution", "setting")
CORE_SYSTEMS = frozenset({"flow_50", "ntm_4"})
_CORE = "over the first nouns of the world"

#: What a system that gets no regions cannot know.
_BOUND_ONLY = "free_boxes"

# -- systems -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class System:
    """A generator that is compared, in a number of steps, bound to regions or not.

    `weights` names the shipped weights that it needs; systems of the same name share one loaded generator. One that is
    not bound lays out by itself, for which it may need weights `besides`.
    """

    name: str
    weights: str
    load: Callable[[], Generator]
    steps: int
    bound: bool
    besides: tuple[str, ...] = ()

    def request(self, prompt: Prompt) -> Request:
        """Return what the generator is asked for a prompt."""
        request = prompt.bound_request if self.bound else prompt.request
        return request.model_copy(update={"steps": self.steps})

    def tasks(self) -> tuple[str, ...]:
        """Return the tasks that it can be asked."""
        return tuple(task for task in TASKS if self.bound or task != _BOUND_ONLY)


SYSTEMS = (
    System("flow_50", "flow", flow.load, 50, bound=True),
    System("flow_4", "flow", flow.load, 4, bound=True),
    System("ntm_4", "ntm", ntm.load, 4, bound=True),
    System("flow_50_direct", "flow", flow.load, 50, bound=False, besides=("layout",)),
    System("ntm_4_direct", "ntm", ntm.load, 4, bound=False, besides=("layout",)),
)


def draw(generator: Generator, requests: Sequence[Request], progress: Progress) -> Iterator[Image.Image]:
    """Yield the pictures of requests, in order, drawn some at a time.

    Raises: ScopeError if the generator draws fewer than it was asked for.
    """
    for start in range(0, len(requests), BATCH):
        asked = requests[start : start + BATCH]
        pictures = generator.generate(asked)
        if len(pictures) != len(asked):
            name = f"{generator.name}@{generator.version}"
            raise ScopeError(f"{name} drew {len(pictures)} of {len(asked)} prompts; the results are not written")
        yield from (picture.image for picture in pictures)
        progress.add(len(asked))


def drawn_scale(generator: Generator, prompt: Prompt) -> int:
    """Return how many times 128 px a side a generator's pictures have, so that true scenes are as large."""
    return max(1, generator.generate([prompt.request])[0].image.width // SIZE)


def latency(generator: Generator, requests: Sequence[Request]) -> Metric:
    """Return the median seconds of single requests on two threads, after one that is not counted."""
    threads, seconds = torch.get_num_threads(), []
    torch.set_num_threads(THREADS)
    try:
        for request in (requests[0], *requests):
            began = time.perf_counter()
            generator.generate([request])
            seconds.append(time.perf_counter() - began)
    finally:
        torch.set_num_threads(threads)
    return Metric(value=round(statistics.median(seconds[1:]), 3), n=len(requests))


# -- the comparison ------------------------------------------------------------------------------

Pictures = dict[str, list[Image.Image]]  # of each task, in the order of its prompts


@dataclass(frozen=True)
class Comparison:
    """What all systems are asked, who judges, and the features for the Frechet distance (None: without it).

    True scenes are `scale` times 128 px a side.
    """

    prompts: dict[str, list[Prompt]]
    judge: Judge
    network: FeatureNet | None
    scale: int = 1

    @cached_property
    def truth(self) -> Pictures:
        """Return the true scenes."""
        return {task: [prompt.true_scene(self.scale) for prompt in asked] for task, asked in self.prompts.items()}

    def ceiling(self) -> Row:
        """Return what the judge says of the true scenes."""
        return Row(name="true_scenes", metrics=self.scores("true_scenes", self.truth), note="the judge's ceiling")

    def row(self, system: System, generator: Generator) -> Row:
        """Return what a system draws right."""
        if system.bound and "regions" not in reads_of(generator):
            return Row(name=system.name, note=f"{generator.name}@{generator.version} reads no regions")
        pictures = self.drawn(system, generator)
        metrics = self.scores(system.name, pictures)
        if self.network is not None:
            metrics["fd"] = self._distance(self.network, pictures)
        if math.isfinite((edge := self._tile_edge(pictures)).value):  # blank pages have no jumps at all
            metrics["tile_edge"] = edge
        note = "bound to regions" if system.bound else "from the prompt alone"
        return Row(name=system.name, metrics=metrics, note=f"{note}; one draft, no repair")

    def timed_row(self, row: Row, system: System, generator: Generator, timed: int) -> Row:
        """Return a row with its seconds: those of single requests, and the pictures a second of batches."""
        requests = [system.request(prompt) for task in system.tasks() for prompt in self.prompts.get(task, ())]
        few = requests[:: -(-len(requests) // timed)]
        began = time.monotonic()
        list(draw(generator, few, Progress(f"{system.name}, timed", len(few))))
        per_s = Metric(value=round(len(few) / (time.monotonic() - began), 3), n=len(few))
        return row.model_copy(
            update={"metrics": row.metrics | {"seconds": latency(generator, few), "images_per_s": per_s}}
        )

    def core_row(self, system: System, generator: Generator) -> Row:
        """Return what a system draws right of these prompts, and no more."""
        return Row(name=system.name, metrics=self.scores(f"{system.name}, core", self.drawn(system, generator)))

    def drawn(self, system: System, generator: Generator) -> Pictures:
        """Return what a system draws of the tasks that it can be asked."""
        asked = [(task, prompt) for task in system.tasks() for prompt in self.prompts.get(task, ())]
        requests, pictures = [system.request(prompt) for _, prompt in asked], Pictures()
        drawn = draw(generator, requests, Progress(f"{system.name}, drawn", len(requests)))
        for (task, _), image in zip(asked, drawn, strict=True):
            pictures.setdefault(task, []).append(image)
        return pictures

    def scores(self, name: str, pictures: Pictures) -> dict[str, Metric]:
        """Return the mean score of each task, of the first six, and of whole prompts."""
        progress = Progress(f"{name}, judged", sum(map(len, pictures.values())))
        metrics, whole = dict[str, Metric](), list[float]()
        for task, images in pictures.items():
            points: dict[str, list[float]] = {metric: [] for metric in SCORES[task]}
            for image, prompt in zip(images, self.prompts[task], strict=True):
                seen = Seen(self.judge, image, prompt)
                for metric, score in SCORES[task].items():
                    points[metric].append(score(seen))
                whole.append(seen.whole())
                progress.add()
            metrics |= {m: bounded_mean(p) if m in MEANS else share(round(sum(p)), len(p)) for m, p in points.items()}
        ordered = {task: metrics[task] for task in (*FIRST_SIX, *metrics)}
        six = Metric(value=round(statistics.fmean(metrics[task].value for task in FIRST_SIX), 4))
        return {"first_six": six, **ordered, "whole": share(round(sum(whole)), len(whole))}

    def _tile_edge(self, pictures: Pictures) -> Metric:
        """Return the jumps at the borders of patches, as a share of those of the true scenes of the same prompts."""
        drawn, true = ([image for task in pictures for image in of[task]] for of in (pictures, self.truth))
        return Metric(value=round(tile_edge(reduced(drawn)) / tile_edge(reduced(true)), 4), n=len(drawn))

    def _distance(self, network: FeatureNet, pictures: Pictures) -> Metric:
        tasks = [task for task in pictures if task != _BOUND_ONLY]
        drawn, true = ([image for task in tasks for image in of[task]] for of in (pictures, self.truth))
        value = frechet_distance(_moments(network, drawn), _moments(network, true))
        return Metric(value=round(value, 4), n=len(drawn))


def _moments(network: FeatureNet, images: Sequence[Image.Image]) -> Moments:
    """Return those of the features of pictures."""
    return moments(features.features_of(network, reduced(images)))


def reduced(images: Sequence[Image.Image]) -> torch.Tensor:
    """Return pictures (n, 3, 128, 128) in [-1, 1], reduced by area where they are larger."""
    small = (image if image.width == SIZE else image.resize((SIZE, SIZE), Image.Resampling.BOX) for image in images)
    return to_tensor([np.asarray(image) for image in small], torch.device("cpu"))


@dataclass(frozen=True)
class Job:
    """A row to be made. `system`: whose; None: the judge's ceiling. `core`: of the first nouns of the world alone.

    `missing`: the weights that there are not. `parts`: the folder that keeps rows, so that what was stopped goes on;
    None: this one is kept nowhere.
    """

    comparison: Comparison
    system: System | None
    core: bool = False
    missing: tuple[str, ...] = ()
    parts: Path | None = None

    @property
    def name(self) -> str:
        """Return the name of the row."""
        return (self.system.name if self.system else "true_scenes") + "_core" * self.core

    def row(self) -> Row:
        """Return the row."""
        if self.parts is None or self.missing:
            return self._made()
        part = self.parts / f"{self.name}.json"
        if not part.exists():
            write_atomic(part, self._made().model_dump_json().encode())
        return Row.model_validate_json(part.read_bytes())

    def _made(self) -> Row:
        if self.missing:
            return Row(name=self.name, note=f"this version ships no weights named {', '.join(self.missing)}")
        if self.system is None:
            row = self.comparison.ceiling()
        else:
            make = self.comparison.core_row if self.core else self.comparison.row
            row = make(self.system, self.system.load())
        return row.model_copy(update={"name": self.name, "note": _CORE if self.core else row.note})


def compare(
    systems: Collection[System],
    judge: Judge,
    network: FeatureNet | None,
    count: int,
    weights: Collection[str],
    timed: int = TIMED_QUICK,
    processes: int = 0,
    runs: Path | None = None,
) -> Results:
    """Return the scores of each system, and those of true scenes.

    Args:
        systems: what is compared; one whose weights are not there gets a note and no metrics.
        judge: gives the verdicts.
        network: features for the Frechet distance; None: without it.
        count: prompts of each task.
        weights: names of the weights that are there.
        timed: single requests whose seconds are taken, when all else is done.
        processes: that make rows beside each other, on a thread each; 0: one after the other, in this one.
        runs: where rows are kept as they are made, for the next time that the same is compared; None: nowhere.

    Raises: ScopeError if fewer prompts were drawn than expected, or the judge needs Tesseract and it is not installed.
    """
    began = time.monotonic()
    loaded = {system.weights: system.load() for system in _first_of_each(systems) if system.weights in weights}
    words = Words.of(generator.vocabulary for generator in loaded.values())
    asked = {task: prompts(task, words, count) for task in TASKS}
    scale = max((drawn_scale(generator, asked["single_object"][0]) for generator in loaded.values()), default=1)
    parts = _parts(runs, asked, (judge, *loaded.values())) if runs else None
    whole = Comparison(asked, judge, network, scale)
    jobs = [Job(whole, None, parts=parts)]
    for system in systems:
        missing = tuple(name for name in (system.weights, *system.besides) if name not in weights)
        jobs.append(Job(whole, system, missing=missing, parts=parts))
    if core := [job.system for job in jobs if job.system and job.system.name in CORE_SYSTEMS and not job.missing]:
        few = Comparison({task: prompts(task, words.core, count) for task in CORE_TASKS}, judge, None, scale)
        jobs += [Job(few, system, core=True, parts=parts) for system in (None, *core)]
    rows = _made(jobs, processes)
    for i, (job, row) in enumerate(zip(jobs, rows, strict=True)):
        if job.system and row.metrics and not job.core:
            rows[i] = whole.timed_row(row, job.system, loaded[job.system.weights], timed)
    ceiling = {metric: rows[0].metrics[metric].value for metric in SCORED}
    return Results(
        name="generators", command="scope bench generators", seeds=(SEED,), hours=(time.monotonic() - began) / 3600,
        judge=f"{judge.name}@{judge.version}", n_expected=count * len(TASKS), rows=tuple(rows), judge_ceiling=ceiling,
    )  # fmt: skip


def _parts(runs: Path, asked: dict[str, list[Prompt]], parts: Iterable[Judge | Generator]) -> Path:
    """Make and return the folder of the rows of these prompts, as they are read and laid out, by these parts."""
    requests = [prompt.bound_request.model_dump_json() for of_task in asked.values() for prompt in of_task]
    folder = runs / _key([*(f"{part.name}@{part.version}" for part in parts), *requests])
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def _key(says: Sequence[object]) -> str:
    return hashlib.sha256(json.dumps(says).encode()).hexdigest()[:12]


def _made(jobs: Sequence[Job], processes: int) -> list[Row]:
    if not processes:
        return [job.row() for job in jobs]
    context = get_context("spawn")
    with ProcessPoolExecutor(processes, context, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        return list(pool.map(Job.row, jobs))


def _first_of_each(systems: Collection[System]) -> list[System]:
    return list({system.weights: system for system in reversed(tuple(systems))}.values())


def measure(quick: bool = False, count: int = PROMPTS) -> Results:
    """Compare the shipped generators on `count` prompts of each task, with a process a core; `quick` on a few.

    Rows are kept under runs/ as they are made: stopped, the same command with the same weights goes on.

    Raises: ScopeError as `compare` does; WeightsError if weights are damaged.
    """
    weights = expected()
    network = features.load()[0] if "features" in weights else None
    if quick:
        results = compare(SYSTEMS, load_judge(), network, QUICK, weights, TIMED_QUICK)
        return results.model_copy(update={"command": f"{results.command} --quick"})
    runs = Path("runs") / f"generators-{_key(sorted(weights.items()))}"
    results = compare(SYSTEMS, load_judge(), network, count, weights, TIMED, os.cpu_count() or 1, runs)
    flags = f" --count {count}" if count != PROMPTS else ""
    return results.model_copy(update={"command": results.command + flags})
