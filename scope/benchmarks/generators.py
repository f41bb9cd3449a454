"""What the shipped generators draw right in one draft.

Held-out prompts of the pocket world, by task. Each task draws plans of which a pair (colour and noun, or two related
nouns) was never trained on, words them, and parses them as any prompt is parsed. The judge scores, whom no loop and no
training may ask. `text` is how near to the word comes what can be read on the sign: 1 less the edit distance, as a
share of the longer one. `fd` compares all images with the true scenes of the same plans. The row `true_scenes` is the
judge's ceiling.
"""

import time
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

import numpy as np
import torch
from PIL import Image
from spacy.matcher.levenshtein import levenshtein

from scope.benchmarks import features
from scope.benchmarks.metrics.curves import mean
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.metrics.pictures import Moments, frechet_distance, moments
from scope.benchmarks.results import Metric, Results, Row
from scope.errors import ScopeError
from scope.generators import flow, ntm
from scope.judges.ocr import normalise, read_words
from scope.judges.pocket import load as load_judge
from scope.models.features import FeatureNet
from scope.nn.images import to_tensor
from scope.parsing.grammar import Grammar
from scope.protocols import Generator, Verifier
from scope.skills.bind import request_of
from scope.specification import Request, Specification, Type
from scope.weights import expected
from scope.worlds.pocket import Group, Plan, caption, compose, held_out
from scope.worlds.pocket.catalogue import COLOR_NAMES, CORE_NOUNS, CORE_RELATIONS, CORE_SETTINGS
from scope.worlds.pocket.rng import Rng
from scope.worlds.pocket.sampling import WORDS

PROMPTS, QUICK = 60, 6  # per task
SEED = 700_000
Draw = Callable[["Prompt"], Image.Image]
Read = Callable[[Image.Image], tuple[str, ...]]

# -- tasks ---------------------------------------------------------------------------------------


def _group(rng: Rng, noun: str, count: int = 1, colored: bool = True) -> Group:
    return Group(noun, count, str(rng.choice(COLOR_NAMES)) if colored else None)


def _two_nouns(rng: Rng) -> list[str]:
    return [str(noun) for noun in rng.choice(list(CORE_NOUNS), 2, replace=False)]


def single_object(rng: Rng) -> Plan:
    """One coloured object: is it there?"""
    return Plan((_group(rng, str(rng.choice(list(CORE_NOUNS)))),))


def two_object(rng: Rng) -> Plan:
    """Two objects, one of them coloured: are both there?"""
    first, second = _two_nouns(rng)
    return Plan((_group(rng, first), _group(rng, second, colored=False)))


def counting(rng: Rng) -> Plan:
    """Two to four coloured objects: as many as the prompt says?"""
    return Plan((_group(rng, str(rng.choice(list(CORE_NOUNS))), int(rng.integers(2, 5))),))


def position(rng: Rng) -> Plan:
    """Two objects in a relation: are they there, and in place?"""
    first, second = _two_nouns(rng)
    return Plan((Group(first), Group(second)), str(rng.choice(list(CORE_RELATIONS))))


def color_attribution(rng: Rng) -> Plan:
    """Two coloured objects: does each have its own colour?"""
    first, second = _two_nouns(rng)
    return Plan((_group(rng, first), _group(rng, second)))


def setting(rng: Rng) -> Plan:
    """One coloured object in a setting: is it that setting?"""
    place = str(rng.choice([s for s in CORE_SETTINGS if s != "plain"]))
    return replace(single_object(rng), setting=place)


def text(rng: Rng) -> Plan:
    """One coloured object and a sign with a word: what does it say?"""
    return replace(single_object(rng), text=str(rng.choice(WORDS)))


#: Task -> (how its plans are drawn, the types of commitment that it scores).
TASKS: dict[str, tuple[Callable[[Rng], Plan], frozenset[Type]]] = {
    "single_object": (single_object, frozenset({Type.PRESENCE})),
    "colors": (single_object, frozenset({Type.PRESENCE, Type.ATTRIBUTE})),
    "two_object": (two_object, frozenset({Type.PRESENCE})),
    "counting": (counting, frozenset({Type.PRESENCE, Type.COUNT})),
    "position": (position, frozenset({Type.PRESENCE, Type.RELATION})),
    "color_attribution": (color_attribution, frozenset({Type.PRESENCE, Type.ATTRIBUTE})),
    "setting": (setting, frozenset({Type.SETTING})),
    "text": (text, frozenset({Type.TEXT})),
}


def plans(task: Callable[[Rng], Plan], count: int) -> list[Plan]:
    """Return `count` plans of a task of which a pair is held out, whatever their signs say."""
    rng = np.random.default_rng(SEED)
    matches: list[Plan] = []
    while len(matches) < count:
        plan = task(rng)
        if held_out(replace(plan, text=None)):
            matches.append(plan)
    return matches


def specifications(task: Callable[[Rng], Plan], count: int) -> list[Specification]:
    """Return the specifications that are parsed from the captions of a task's plans."""
    rng, grammar = np.random.default_rng((SEED, 1)), Grammar()
    return [grammar.decompose(caption(plan, rng).text) for plan in plans(task, count)]


@dataclass(frozen=True)
class Prompt:
    """One prompt of a task, with the plan that it words."""

    plan: Plan
    spec: Specification
    seed: int

    @property
    def request(self) -> Request:
        """Return the request to a generator, in its own number of steps."""
        return request_of(self.spec, seed=self.seed)


def task_prompts(count: int) -> dict[str, list[Prompt]]:
    """Return `count` prompts of each task."""
    return {
        name: [
            Prompt(plan, spec, SEED + i)
            for i, (plan, spec) in enumerate(zip(plans(task, count), specifications(task, count), strict=True))
        ]
        for name, (task, _) in TASKS.items()
    }


# -- scores --------------------------------------------------------------------------------------


def score(judge: Verifier, read: Read, image: Image.Image, spec: Specification, types: frozenset[Type]) -> float:
    """Return whether all commitments of these types are met, 0 or 1; of words, how similar the text is, in [0, 1]."""
    commitments = [c for c in spec.commitments if c.type in types]
    if Type.TEXT in types:
        return text_similarity(str(commitments[0].value), read(image))
    return float(all(v.outcome == "met" for v in judge.check(image, commitments, spec)))


def text_similarity(word: str, texts: tuple[str, ...]) -> float:
    """Return how near to a word the nearest of the texts on signs comes, or all of them together, in [0, 1]."""
    word = normalise(word)
    return max(1 - int(levenshtein(word, text)) / max(len(word), len(text)) for text in (*texts, "".join(texts)))


class ImageCache:
    """The images of one system, and the seconds that they took. Tasks with the same request share its image."""

    def __init__(self, draw: Draw) -> None:
        self.draw, self.images, self.seconds = draw, dict[Request, Image.Image](), 0.0

    def image(self, prompt: Prompt) -> Image.Image:
        """Return the image of a prompt."""
        if prompt.request not in self.images:
            began = time.monotonic()
            self.images[prompt.request] = self.draw(prompt)
            self.seconds += time.monotonic() - began
        return self.images[prompt.request]

    def scores(self, judge: Verifier, read: Read, tasks: dict[str, list[Prompt]]) -> dict[str, Metric]:
        """Return the mean score of each task."""
        metrics = {}
        for name, prompts in tasks.items():
            _, types = TASKS[name]
            scores = [score(judge, read, self.image(prompt), prompt.spec, types) for prompt in prompts]
            metrics[name] = _bounded_mean(scores) if Type.TEXT in types else share(round(sum(scores)), len(scores))
        return metrics

    def moments(self, network: FeatureNet) -> Moments:
        """Return those of the features of all images."""
        images = to_tensor([np.asarray(image) for image in self.images.values()], torch.device("cpu"))
        return moments(features.features_of(network, images))


def _bounded_mean(scores: list[float]) -> Metric:
    """Return the mean of scores in [0, 1]; its interval does not leave them."""
    metric = mean(scores)
    low, high = metric.ci or (0.0, 1.0)
    return metric.model_copy(update={"ci": (max(0.0, low), min(1.0, high))})


def true_scene(prompt: Prompt) -> Image.Image:
    """Return the scene that a prompt describes."""
    return Image.fromarray(compose(prompt.plan, (SEED, prompt.seed)).image)


def draw_with(generator: Generator, steps: int) -> Draw:
    """Return how a generator draws prompts in so many steps."""

    def draw(prompt: Prompt) -> Image.Image:
        return generator.generate([prompt.request.model_copy(update={"steps": steps})])[0].image

    return draw


# -- the comparison ------------------------------------------------------------------------------


@dataclass(frozen=True)
class System:
    """A generator that is compared, in a number of steps; `weights` names the shipped weights that it needs."""

    name: str
    weights: str
    load: Callable[[], Generator]
    steps: int


SYSTEMS = (System("flow_50", "flow", flow.load, 50), System("ntm_4", "ntm", ntm.load, 4))


def compare(
    systems: Collection[System],
    judge: Verifier,
    read: Read,
    network: FeatureNet | None,
    count: int,
    weights: Collection[str],
) -> Results:
    """Return the scores of each system, and those of true scenes.

    Args:
        systems: what is compared; one whose weights are not there gets a note and no metrics.
        judge: gives the verdicts.
        read: returns the normalised texts on an image.
        network: features for the Frechet distance; None: without it.
        count: prompts of each task.
        weights: names of the weights that are there.

    Raises: ScopeError if fewer prompts were scored than expected, or the judge needs Tesseract and it is not installed.
    """
    began, tasks, truth = time.monotonic(), task_prompts(count), ImageCache(true_scene)
    ceiling = truth.scores(judge, read, tasks)
    rows = [Row(name="true_scenes", metrics=ceiling, note="the judge's ceiling")]
    for system in systems:
        if system.weights not in weights:
            rows.append(Row(name=system.name, note=f"this version ships no weights named {system.weights}"))
            continue
        cache = ImageCache(draw_with(system.load(), system.steps))
        metrics, n = cache.scores(judge, read, tasks), len(cache.images)
        if network is not None:
            metrics["fd"] = Metric(value=frechet_distance(cache.moments(network), truth.moments(network)), n=n)
        metrics["images_per_s"] = Metric(value=n / cache.seconds, n=n)
        rows.append(Row(name=system.name, metrics=metrics, note="one draft, no repair"))
    if any(row.metrics[task].n != count for row in rows if row.metrics for task in TASKS):
        raise ScopeError(f"not all of {count} prompts of each task were scored; the results are not written")
    return Results(
        name="generators", command="scope bench generators", seeds=(SEED,), hours=(time.monotonic() - began) / 3600,
        judge=f"{judge.name}@{judge.version}", n_expected=count * len(TASKS), rows=tuple(rows),
        judge_ceiling={task: metric.value for task, metric in ceiling.items()},
    )  # fmt: skip


def measure(quick: bool = False) -> Results:
    """Compare the shipped generators; `quick` on a few prompts.

    Raises: ScopeError as `compare` does; WeightsError if weights are damaged.
    """
    weights = expected()
    network = features.load()[0] if "features" in weights else None
    results = compare(SYSTEMS, load_judge(), read_words, network, QUICK if quick else PROMPTS, weights)
    return results.model_copy(update={"command": f"{results.command} --quick"}) if quick else results
