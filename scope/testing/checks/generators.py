"""What a generator is held to."""

import math
import re
from collections.abc import Sequence
from functools import partial

from PIL import Image

from scope.protocols import Picture, Vocabulary, ignore_steps
from scope.specification import READS, Binding, Request, Span
from scope.testing.checks.case import (
    HOSTILE,
    Case,
    Check,
    ConformanceError,
    check_hostile,
    check_interruptible,
    check_names,
    check_verbs,
)


def _interface(case: Case) -> None:
    check_names(case.part)
    check_verbs(case.part, generate=2)
    if not isinstance(case.part.reads, frozenset) or not case.part.reads <= READS.keys():
        raise ConformanceError(f"reads is {case.part.reads!r}; it is a frozenset of some of: {', '.join(READS)}")
    weights, vocabulary = case.part.weights, case.part.vocabulary
    if not isinstance(weights, dict) or not all(re.fullmatch("[0-9a-f]{64}", str(h)) for h in weights.values()):
        raise ConformanceError(f"weights is {weights!r}; it maps file names to hex sha256")
    if vocabulary is not None and not isinstance(vocabulary, Vocabulary):
        raise ConformanceError(f"vocabulary is {vocabulary!r}, neither a Vocabulary nor None")


def _pictures(case: Case) -> None:
    for requests in ([], [_first()], [_first(), _second()]):
        for picture in _generate(case, requests):
            likelihood = picture.log_likelihood
            if likelihood is not None and not math.isfinite(likelihood):
                raise ConformanceError(f"log_likelihood is {likelihood}; where it is not known it is None")


def _deterministic(case: Case) -> None:
    if _drawn(case, [_first()]) != _drawn(case, [_first()]):
        raise ConformanceError("one request gave two different pictures")


def _independent(case: Case) -> None:
    if _drawn(case, [_first(), _second()]) != _drawn(case, [_first()]) + _drawn(case, [_second()]):
        raise ConformanceError("a picture depends on what else is asked for at the same time")


def _progress(case: Case) -> None:
    told: list[tuple[int, int]] = []
    case.part.generate([_first()], lambda done, total: told.append((done, total)))
    if any(not 0 < done <= total for done, total in told) or told != sorted(told):
        raise ConformanceError(f"it told of the steps {told}: (steps done, steps in all), and never backwards")


def _untouched(case: Case) -> None:
    requests = [_first(), _second()]
    case.part.generate(requests, ignore_steps)
    if requests != [_first(), _second()]:
        raise ConformanceError("generate() changed the requests that it was given")


def _hostile(case: Case) -> None:
    for name, word in {"an empty text": "", **HOSTILE}.items():
        request = Request(text=word, quoted=(word,))
        check_hostile(name, partial(_generate, case, [request]))


def _interruptible(case: Case) -> None:
    check_interruptible(case.part, partial(case.part.generate, [_first()], ignore_steps))


def _first() -> Request:
    """Return a request; a new one, as a part may spoil it."""
    entity = Binding(commitment="e1", group=1, span=Span(start=8, end=14))
    color = Binding(commitment="c1", group=1, span=Span(start=4, end=7))
    return Request(text="two red apples", bindings=(entity, color), seed=1)


def _second() -> Request:
    return Request(text='a sign that says "FRESH"', quoted=("FRESH",), seed=2**32 - 1)


def _generate(case: Case, requests: list[Request]) -> Sequence[Picture]:
    pictures = case.part.generate(requests, ignore_steps)
    if not isinstance(pictures, list) or not all(isinstance(p, Picture) for p in pictures):
        raise ConformanceError(f"generate() gave {pictures!r:.80}, not a list of Pictures")
    if len(pictures) != len(requests):
        raise ConformanceError(f"generate() gave {len(pictures)} pictures for {len(requests)} requests")
    for picture in pictures:
        if not isinstance(picture.image, Image.Image) or 0 in picture.image.size:
            raise ConformanceError(f"a picture holds {picture.image!r:.80}, not an image")
    return pictures


def _drawn(case: Case, requests: list[Request]) -> list[bytes]:
    return [picture.image.convert("RGB").tobytes() for picture in _generate(case, requests)]


CHECKS: dict[str, Check] = {
    "interface": _interface,
    "pictures": _pictures,
    "deterministic": _deterministic,
    "independent": _independent,
    "progress": _progress,
    "untouched": _untouched,
    "hostile": _hostile,
    "interruptible": _interruptible,
}
