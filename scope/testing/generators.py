"""What a generator promises."""

import math
import re
from collections.abc import Sequence
from functools import partial

from PIL import Image

from scope.protocols import Picture, Vocabulary, ignore_steps
from scope.specification import Binding, Request, Span
from scope.testing.trial import HOSTILE, Broken, Look, Trial, check_cancel, check_hostile, check_names, check_verbs


def _schema(trial: Trial) -> None:
    check_names(trial.part)
    check_verbs(trial.part, generate=2)
    weights, vocabulary = trial.part.weights, trial.part.vocabulary
    if not isinstance(weights, dict) or not all(re.fullmatch("[0-9a-f]{64}", str(h)) for h in weights.values()):
        raise Broken(f"weights is {weights!r}; it maps file names to hex sha256")
    if vocabulary is not None and not isinstance(vocabulary, Vocabulary):
        raise Broken(f"vocabulary is {vocabulary!r}, neither a Vocabulary nor None")


def _pictures(trial: Trial) -> None:
    for requests in ([], [_first()], [_first(), _second()]):
        for picture in _generate(trial, requests):
            likelihood = picture.log_likelihood
            if likelihood is not None and not math.isfinite(likelihood):
                raise Broken(f"log_likelihood is {likelihood}; where it is not known it is None")


def _same(trial: Trial) -> None:
    if _drawn(trial, [_first()]) != _drawn(trial, [_first()]):
        raise Broken("one request gave two different pictures")


def _alone(trial: Trial) -> None:
    if _drawn(trial, [_first(), _second()]) != _drawn(trial, [_first()]) + _drawn(trial, [_second()]):
        raise Broken("a picture depends on what else is asked for at the same time")


def _steps(trial: Trial) -> None:
    told: list[tuple[int, int]] = []
    trial.part.generate([_first()], lambda done, total: told.append((done, total)))
    if any(not 0 < done <= total for done, total in told) or told != sorted(told):
        raise Broken(f"it told of the steps {told}: (steps done, steps in all), and never backwards")


def _untouched(trial: Trial) -> None:
    requests = [_first(), _second()]
    trial.part.generate(requests, ignore_steps)
    if requests != [_first(), _second()]:
        raise Broken("generate() changed the requests that it was given")


def _hostile(trial: Trial) -> None:
    for name, word in {"an empty text": "", **HOSTILE}.items():
        request = Request(text=word, quoted=(word,))
        check_hostile(name, partial(_generate, trial, [request]))


def _cancel(trial: Trial) -> None:
    check_cancel(trial.part, partial(trial.part.generate, [_first()], ignore_steps))


def _first() -> Request:
    """Return a request; a new one, as a part may spoil it."""
    entity = Binding(commitment="e1", group=1, span=Span(start=8, end=14))
    color = Binding(commitment="c1", group=1, span=Span(start=4, end=7))
    return Request(text="two red apples", bindings=(entity, color), seed=1)


def _second() -> Request:
    return Request(text='a sign that says "FRESH"', quoted=("FRESH",), seed=2**32 - 1)


def _generate(trial: Trial, requests: list[Request]) -> Sequence[Picture]:
    pictures = trial.part.generate(requests, ignore_steps)
    if not isinstance(pictures, list) or not all(isinstance(p, Picture) for p in pictures):
        raise Broken(f"generate() gave {pictures!r:.80}, not a list of Pictures")
    if len(pictures) != len(requests):
        raise Broken(f"generate() gave {len(pictures)} pictures for {len(requests)} requests")
    for picture in pictures:
        if not isinstance(picture.image, Image.Image) or 0 in picture.image.size:
            raise Broken(f"a picture holds {picture.image!r:.80}, not an image")
    return pictures


def _drawn(trial: Trial, requests: list[Request]) -> list[bytes]:
    return [picture.image.convert("RGB").tobytes() for picture in _generate(trial, requests)]


CHECKS: dict[str, Look] = {
    "schema": _schema,
    "pictures": _pictures,
    "same": _same,
    "alone": _alone,
    "steps": _steps,
    "untouched": _untouched,
    "hostile": _hostile,
    "cancel": _cancel,
}
