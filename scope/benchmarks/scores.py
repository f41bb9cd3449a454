"""What a judge says of one picture that was drawn for a prompt of tasks.py: the scores of each task."""

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Protocol

from PIL import Image
from spacy.matcher.levenshtein import levenshtein

from scope.benchmarks.metrics.curves import mean
from scope.benchmarks.results import Metric
from scope.benchmarks.tasks import Prompt, area, intersection
from scope.judges.ocr import normalise
from scope.protocols import Verifier
from scope.specification import Type

SAME_BOX = 0.4  # intersection over union


class Thing(Protocol):
    """One thing that is found. `xyxy_px` in pixels of 128 a side."""

    @property
    def noun(self) -> str: ...  # noqa: D102
    @property
    def color(self) -> str | None: ...  # noqa: D102
    @property
    def xyxy_px(self) -> tuple[float, float, float, float]: ...  # noqa: D102


class Perceived(Protocol):
    """What is found in a picture, and what can be read in it."""

    @property
    def detections(self) -> Sequence[Thing]: ...  # noqa: D102
    @property
    def words(self) -> tuple[str, ...]: ...  # noqa: D102


class Judge(Verifier, Protocol):
    """What gives verdicts and says what it sees."""

    def perceive(self, image: Image.Image, asked: Collection[str] = ()) -> Perceived:
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
                any(d.noun == g.noun and d.color == g.color and iou(d.xyxy_px, box) >= SAME_BOX for d in found)
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
MEANS = frozenset({"text_similarity"})  # of shares, where the others are shares of yes or no
#: What has a ceiling.
SCORED = tuple(metric for scores in SCORES.values() for metric in scores if metric not in MEANS)


def bounded_mean(scores: list[float]) -> Metric:
    """Return the mean of scores in [0, 1]; its interval does not leave them."""
    metric = mean(scores)
    low, high = metric.ci or (0.0, 1.0)
    return metric.model_copy(update={"ci": (max(0.0, low), min(1.0, high))})
