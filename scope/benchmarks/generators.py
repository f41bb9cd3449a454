"""What the shipped generators draw right in one draft, and what normalizing trajectories win: two files of figures.

`generators`: held-out prompts of the pocket world, by kind of promise. Each task draws plans of which a pair (colour
and noun, or two related nouns) was never trained on, words them, and reads them as any prompt is read. The judge
scores, whom no loop and no training may ask. `text` is how near to the word comes what can be read on the sign: 1 less
the edit distance, as a share of the longer one. `fd` compares all pictures with the true scenes of the same plans. The
row `true_scenes` is the judge's ceiling.

`ntm`: the comparison of `scope.benchmarks.experiments.ntm`.
"""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from spacy.matcher.levenshtein import levenshtein

from scope.benchmarks import features
from scope.benchmarks.experiments import ntm as comparison
from scope.benchmarks.metrics.curves import mean
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.metrics.pictures import Moments, frechet_distance, moments
from scope.benchmarks.results import Metric, Results, Row
from scope.errors import ScopeError, UsageError
from scope.generators import flow, ntm
from scope.judges.ocr import normalise, read_words
from scope.judges.pocket import Judge
from scope.judges.pocket import load as load_judge
from scope.models.features import FeatureNet
from scope.nn.images import to_tensor
from scope.nn.weights import expected
from scope.parsing.grammar import Grammar
from scope.protocols import Generator
from scope.skills.bind import request_of
from scope.specification import Request, Specification, Type
from scope.worlds.pocket import Group, Plan, caption, compose, held_out
from scope.worlds.pocket.catalogue import COLOR_NAMES, CORE_NOUNS, CORE_RELATIONS, CORE_SETTINGS
from scope.worlds.pocket.sampling import WORDS

PROMPTS, QUICK = 60, 6  # per task
SEED = 700_000
Random = np.random.Generator

# -- tasks ---------------------------------------------------------------------------------------


def _group(random: Random, noun: str, count: int = 1, colored: bool = True) -> Group:
    return Group(noun, count, str(random.choice(COLOR_NAMES)) if colored else None)


def _pair(random: Random) -> list[str]:
    return [str(noun) for noun in random.choice(list(CORE_NOUNS), 2, replace=False)]


def single_object(random: Random) -> Plan:
    """One coloured thing: is it there?"""
    return Plan((_group(random, str(random.choice(list(CORE_NOUNS)))),))


def two_object(random: Random) -> Plan:
    """Two things, one of them coloured: are both there?"""
    first, second = _pair(random)
    return Plan((_group(random, first), _group(random, second, colored=False)))


def counting(random: Random) -> Plan:
    """Two to four coloured things: as many as were asked for?"""
    return Plan((_group(random, str(random.choice(list(CORE_NOUNS))), int(random.integers(2, 5))),))


def position(random: Random) -> Plan:
    """Two things in a relation: are they there, and in place?"""
    first, second = _pair(random)
    return Plan((Group(first), Group(second)), str(random.choice(list(CORE_RELATIONS))))


def color_attribution(random: Random) -> Plan:
    """Two coloured things: does each have its own colour?"""
    first, second = _pair(random)
    return Plan((_group(random, first), _group(random, second)))


def setting(random: Random) -> Plan:
    """One coloured thing in a setting: is it that setting?"""
    place = str(random.choice([s for s in CORE_SETTINGS if s != "plain"]))
    return replace(single_object(random), setting=place)


def text(random: Random) -> Plan:
    """One coloured thing and a sign with a word: what does it say?"""
    return replace(single_object(random), text=str(random.choice(WORDS)))


#: Task -> (plans, the types of commitment that its score asks for).
TASKS: dict[str, tuple[Callable[[Random], Plan], frozenset[Type]]] = {
    "single_object": (single_object, frozenset({Type.PRESENCE})),
    "colors": (single_object, frozenset({Type.PRESENCE, Type.ATTRIBUTE})),
    "two_object": (two_object, frozenset({Type.PRESENCE})),
    "counting": (counting, frozenset({Type.PRESENCE, Type.COUNT})),
    "position": (position, frozenset({Type.PRESENCE, Type.RELATION})),
    "color_attribution": (color_attribution, frozenset({Type.PRESENCE, Type.ATTRIBUTE})),
    "setting": (setting, frozenset({Type.SETTING})),
    "text": (text, frozenset({Type.TEXT})),
}


def plans(task: Callable[[Random], Plan], count: int) -> list[Plan]:
    """Return `count` plans of a task of which a pair is held out, whatever their signs say."""
    random = np.random.default_rng(SEED)
    found: list[Plan] = []
    while len(found) < count:
        plan = task(random)
        if held_out(replace(plan, text=None)):
            found.append(plan)
    return found


def prompts(task: Callable[[Random], Plan], count: int) -> list[Specification]:
    """Return the prompts of the plans of a task, read."""
    random, grammar = np.random.default_rng((SEED, 1)), Grammar()
    return [grammar.decompose(caption(plan, random).text) for plan in plans(task, count)]


@dataclass(frozen=True)
class Prompt:
    """One picture that a task asks for."""

    plan: Plan
    spec: Specification
    seed: int

    @property
    def request(self) -> Request:
        """Return what a generator is asked for, in its own number of steps."""
        return request_of(self.spec, seed=self.seed)


def asked(count: int) -> dict[str, list[Prompt]]:
    """Return `count` prompts of each task."""
    return {
        name: [
            Prompt(plan, spec, SEED + i)
            for i, (plan, spec) in enumerate(zip(plans(task, count), prompts(task, count), strict=True))
        ]
        for name, (task, _) in TASKS.items()
    }


# -- scores --------------------------------------------------------------------------------------


def score(judge: Judge, image: Image.Image, spec: Specification, types: frozenset[Type]) -> float:
    """Return whether all promises of these types are kept, 0 or 1; of words, how near they come."""
    promised = [c for c in spec.commitments if c.type in types]
    if Type.TEXT in types:
        return nearness(str(promised[0].value), read_words(image))
    return float(all(v.outcome == "met" for v in judge.check(image, promised, spec)))


def nearness(word: str, found: tuple[str, ...]) -> float:
    """Return how near to a word the nearest of what was read on signs comes, or all of it together, in [0, 1]."""
    word = normalise(word)
    return max(1 - int(levenshtein(word, other)) / max(len(word), len(other)) for other in (*found, "".join(found)))


class Album:
    """What one artist drew. Tasks that ask for the same picture get the one there is."""

    def __init__(self, draw: Callable[[Prompt], Image.Image]) -> None:
        self.draw, self.pictures, self.seconds = draw, dict[Request, Image.Image](), 0.0

    def picture(self, prompt: Prompt) -> Image.Image:
        """Return the picture of a prompt."""
        if prompt.request not in self.pictures:
            began = time.monotonic()
            self.pictures[prompt.request] = self.draw(prompt)
            self.seconds += time.monotonic() - began
        return self.pictures[prompt.request]

    def scores(self, judge: Judge, tasks: dict[str, list[Prompt]]) -> dict[str, Metric]:
        """Return the mean score of each task."""
        found = {}
        for name, of_task in tasks.items():
            _, types = TASKS[name]
            scores = [score(judge, self.picture(prompt), prompt.spec, types) for prompt in of_task]
            found[name] = _mean(scores) if Type.TEXT in types else share(round(sum(scores)), len(scores))
        return found

    def moments(self, network: FeatureNet) -> Moments:
        """Return those of the features of all pictures."""
        images = to_tensor([np.asarray(picture) for picture in self.pictures.values()], torch.device("cpu"))
        return moments(features.features_of(network, images))


def _mean(scores: list[float]) -> Metric:
    """Return the mean of scores in [0, 1]; its interval does not leave them."""
    metric = mean(scores)
    low, high = metric.ci or (0.0, 1.0)
    return metric.model_copy(update={"ci": (max(0.0, low), min(1.0, high))})


def true_scene(prompt: Prompt) -> Image.Image:
    """Return the scene that a prompt describes."""
    return Image.fromarray(compose(prompt.plan, (SEED, prompt.seed)).image)


def drawn_by(generator: Generator, steps: int) -> Callable[[Prompt], Image.Image]:
    """Return how a generator draws prompts in so many steps."""

    def draw(prompt: Prompt) -> Image.Image:
        return generator.generate([prompt.request.model_copy(update={"steps": steps})])[0].image

    return draw


# -- all together --------------------------------------------------------------------------------

#: Row -> (whose weights it needs, the generator, its steps).
ROWS: dict[str, tuple[str, Callable[[], Generator], int]] = {
    "flow_50": ("flow", flow.load, 50),
    "ntm_4": ("ntm", ntm.load, 4),
}


def drawing(quick: bool = False) -> Results:
    """Return the scores of each generator of which there are weights, and those of true scenes.

    Raises: ScopeError if fewer prompts were scored than expected, or Tesseract is not installed.
    """
    count, judge, began = QUICK if quick else PROMPTS, load_judge(), time.monotonic()
    tasks, network = asked(count), features.load()[0] if "features" in expected() else None
    truth = Album(true_scene)
    ceiling = truth.scores(judge, tasks)
    rows = [Row(name="true_scenes", metrics=ceiling, note="the judge's ceiling")]
    for name, (weights, load, steps) in ROWS.items():
        if weights not in expected():
            rows.append(Row(name=name, note=f"this version ships no weights named {weights}"))
            continue
        album = Album(drawn_by(load(), steps))
        metrics = album.scores(judge, tasks)
        if network is not None:
            metrics["fd"] = _fd(album.moments(network), truth.moments(network), len(album.pictures))
        metrics["images_per_s"] = Metric(value=len(album.pictures) / album.seconds, n=len(album.pictures))
        rows.append(Row(name=name, metrics=metrics, note="one draft, no repair"))
    if any(row.metrics[task].n != count for row in rows if row.metrics for task in TASKS):
        raise ScopeError(f"not all of {count} prompts of each task were scored; the figures are not written")
    return Results(
        name="generators", command="scope bench generators" + (" --quick" if quick else ""), seeds=(SEED,),
        hours=(time.monotonic() - began) / 3600, judge=f"{judge.name}@{judge.version}",
        judge_ceiling={task: metric.value for task, metric in ceiling.items()}, n_expected=count * len(TASKS),
        rows=tuple(rows),
    )  # fmt: skip


def _fd(ours: Moments, true: Moments, n: int) -> Metric:
    return Metric(value=frechet_distance(ours, true), n=n)


PARTS: dict[str, Callable[[bool], Results]] = {"generators": drawing, "ntm": comparison.measure}


def measure(quick: bool = False, only: str | None = None) -> Iterator[Results]:
    """Yield the figures of each part, or `only` of one.

    Raises: UsageError if there is no such part; ScopeError as `drawing` and the comparison do.
    """
    if only not in (None, *PARTS):
        raise UsageError(f"the benchmark 'generators' has no part {only!r}; it has: {', '.join(PARTS)}")
    for name, part in PARTS.items():
        if only in (None, name):
            yield part(quick)
