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
from collections.abc import Callable, Collection, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import cached_property
from multiprocessing import get_context
from pathlib import Path
from typing import Protocol

import numpy as np
import torch
from PIL import Image
from spacy.matcher.levenshtein import levenshtein

from scope.benchmarks import features
from scope.benchmarks.metrics.curves import mean
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.metrics.pictures import Moments, frechet_distance, moments, tile_edge
from scope.benchmarks.progress import Progress
from scope.benchmarks.results import Metric, Results, Row
from scope.benchmarks.tasks import SEED, TASKS, Prompt, Words, area, intersection, prompts
from scope.errors import ScopeError
from scope.files import write_atomic
from scope.generators import flow, ntm
from scope.judges.ocr import normalise
from scope.judges.pocket import DetectedScene
from scope.judges.pocket import load as load_judge
from scope.models.features import FeatureNet
from scope.nn.images import to_tensor
from scope.protocols import Generator, Verifier, reads_of
from scope.specification import Request, Type
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
_SAME_BOX = 0.4  # intersection over union

# -- scores --------------------------------------------------------------------------------------


class Judge(Verifier, Protocol):
    """What gives verdicts and says what it sees."""

    def perceive(self, image: Image.Image, asked: Collection[str] = ()) -> DetectedScene:
        """Return what is detected in a picture of which these nouns were asked, and read."""
        ...


@dataclass(frozen=True)
class Seen:
    """What the judge says of a picture that was drawn for a prompt."""

    judge: Judge
    image: Image.Image
    prompt: Prompt

    @cached_property
    def outcomes(self) -> dict[str, bool]:
        """Return of each commitment whether it is met; what cannot be judged is not."""
        spec = self.prompt.spec
        verdicts = self.judge.check(self.image, spec.commitments, spec)
        return {verdict.commitment: verdict.outcome == "met" for verdict in verdicts}

    def met(self, types: Collection[Type]) -> float:
        """Return whether all commitments of these types are met, 0 or 1."""
        return float(all(self.outcomes[c.id] for c in self.prompt.spec.commitments if c.type in types))

    def whole(self) -> float:
        """Return whether all commitments are met, 0 or 1."""
        return float(all(self.outcomes[c.id] for c in self.prompt.spec.commitments))

    def similarity(self) -> float:
        """Return how similar what can be read is to the words that were asked for, in [0, 1]."""
        words = self.judge.perceive(self.image).words
        return text_similarity(str(self.prompt.case.plan.text), words)

    def in_place(self) -> float:
        """Return whether each thing is found in its colour where its box was given, 0 or 1."""
        groups = self.prompt.case.plan.groups
        found = self.judge.perceive(self.image, {g.noun for g in groups}).detections
        wanted = zip(groups, self.prompt.case.boxes, strict=True)
        return float(
            all(
                any(d.noun == g.noun and d.color == g.color and iou(d.xyxy_px, box) >= _SAME_BOX for d in found)
                for g, box in wanted
            )
        )


def iou(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Return the intersection of two boxes (x0, y0, x1, y1) over their union."""
    both = intersection(a, b)
    return both / (area(a) + area(b) - both)


def text_similarity(word: str, texts: tuple[str, ...]) -> float:
    """Return how near to a word the nearest of the texts on signs comes, or all of them together, in [0, 1]."""
    word = normalise(word)
    return max(1 - int(levenshtein(word, text)) / max(len(word), len(text)) for text in (*texts, "".join(texts)))


def _met(*types: Type) -> Callable[[Seen], float]:
    return lambda seen: seen.met(types)


#: Task -> what is scored of its pictures: metric -> score.
SCORES: dict[str, dict[str, Callable[[Seen], float]]] = {
    "single_object": {
        "single_object": _met(Type.PRESENCE),
        "colors": _met(Type.PRESENCE, Type.ATTRIBUTE),
    },
    "two_object": {"two_object": _met(Type.PRESENCE)},
    "counting": {"counting": _met(Type.PRESENCE, Type.COUNT)},
    "position": {"position": _met(Type.PRESENCE, Type.RELATION)},
    "color_attribution": {"color_attribution": _met(Type.PRESENCE, Type.ATTRIBUTE)},
    "setting": {"setting": _met(Type.SETTING)},
    "text": {"text": _met(Type.TEXT), "text_similarity": Seen.similarity},
    "style": {"style": _met(Type.STYLE)},
    "crowded": {"crowded": Seen.whole},
    "free_boxes": {"free_boxes": Seen.in_place},
}
_MEANS = frozenset({"text_similarity"})  # of shares, where the others are shares of yes or no
#: What has a ceiling.
SCORED = tuple(metric for scores in SCORES.values() for metric in scores if metric not in _MEANS)
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
        if not row.metrics:
            return row
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
        metrics = self.scores(f"{system.name}, core", self.drawn(system, generator))
        return Row(name=f"{system.name}_core", metrics=metrics, note=_CORE)

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
            metrics |= {m: bounded_mean(p) if m in _MEANS else share(round(sum(p)), len(p)) for m, p in points.items()}
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


def bounded_mean(scores: list[float]) -> Metric:
    """Return the mean of scores in [0, 1]; its interval does not leave them."""
    metric = mean(scores)
    low, high = metric.ci or (0.0, 1.0)
    return metric.model_copy(update={"ci": (max(0.0, low), min(1.0, high))})


@dataclass(frozen=True)
class Job:
    """A row to be made. `system`: whose; None: the judge's ceiling. `core`: of the first nouns of the world alone.

    `part`: the file that keeps it, so that what was stopped goes on from there; None: it is kept nowhere.
    """

    comparison: Comparison
    system: System | None
    core: bool = False
    part: Path | None = None

    def row(self) -> Row:
        """Return the row."""
        if self.part is not None and self.part.exists():
            return Row.model_validate_json(self.part.read_bytes())
        row = self._made()
        if self.part is not None:
            write_atomic(self.part, row.model_dump_json().encode())
        return row

    def _made(self) -> Row:
        if self.system is None:
            row = self.comparison.ceiling()
            return row.model_copy(update={"name": "true_scenes_core", "note": _CORE}) if self.core else row
        make = self.comparison.core_row if self.core else self.comparison.row
        return make(self.system, self.system.load())


def compare(
    systems: Collection[System],
    judge: Judge,
    network: FeatureNet | None,
    count: int,
    weights: Collection[str],
    timed: int = TIMED_QUICK,
    processes: int = 0,
    parts: Path | None = None,
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
        parts: a folder that keeps the rows that are made, for the next time; None: nothing is kept.

    Raises: ScopeError if fewer prompts were drawn than expected, or the judge needs Tesseract and it is not installed.
    """
    began = time.monotonic()
    there = [system for system in systems if {system.weights, *system.besides} <= set(weights)]
    loaded = {system.weights: system.load() for system in _first_of_each(systems) if system.weights in weights}
    words = Words.of(generator.vocabulary for generator in loaded.values())
    asked = {task: prompts(task, words, count) for task in TASKS}
    scale = max((drawn_scale(generator, asked["single_object"][0]) for generator in loaded.values()), default=1)
    comparison = Comparison(asked, judge, network, scale)
    jobs = {"true_scenes": Job(comparison, None)} | {system.name: Job(comparison, system) for system in there}
    if core := [system for system in there if system.name in CORE_SYSTEMS]:
        few = Comparison({task: prompts(task, words.core, count) for task in CORE_TASKS}, judge, None, scale)
        jobs |= {f"{of.name if of else 'true_scenes'}_core": Job(few, of, core=True) for of in (None, *core)}
    if parts is not None:
        parts.mkdir(parents=True, exist_ok=True)
        jobs = {name: replace(job, part=parts / f"{name}.json") for name, job in jobs.items()}
    rows = dict(zip(jobs, _made(jobs.values(), processes), strict=True))
    for system in systems:
        if system in there:
            row = rows[system.name]
            rows[system.name] = comparison.timed_row(row, system, loaded[system.weights], timed)
        else:
            missing = ", ".join(name for name in (system.weights, *system.besides) if name not in weights)
            rows[system.name] = Row(name=system.name, note=f"this version ships no weights named {missing}")
    order = ("true_scenes", *(system.name for system in systems), *(name for name in rows if name.endswith("_core")))
    ceiling = {metric: rows["true_scenes"].metrics[metric].value for metric in SCORED}
    return Results(
        name="generators", command="scope bench generators", seeds=(SEED,), hours=(time.monotonic() - began) / 3600,
        judge=f"{judge.name}@{judge.version}", n_expected=count * len(TASKS),
        rows=tuple(rows[name] for name in order), judge_ceiling=ceiling,
    )  # fmt: skip


def _made(jobs: Collection[Job], processes: int) -> list[Row]:
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
    key = hashlib.sha256(json.dumps([count, SEED, sorted(weights.items())]).encode()).hexdigest()[:12]
    parts = Path("runs") / f"generators-{key}"
    results = compare(SYSTEMS, load_judge(), network, count, weights, TIMED, os.cpu_count() or 1, parts)
    flags = f" --count {count}" if count != PROMPTS else ""
    return results.model_copy(update={"command": results.command + flags})
