"""What a verifier is held to."""

from collections.abc import Iterator, Sequence
from functools import partial

from PIL import Image

from scope.specification import Commitment, Specification, Verdict, canonical_json
from scope.testing.checks.case import (
    Case,
    Check,
    ConformanceError,
    check_hostile,
    check_interruptible,
    check_names,
    check_verbs,
    hostile,
)

_SIZES = ((64, 64), (1, 1), (300, 2))


def _interface(case: Case) -> None:
    check_names(case.part)
    check_verbs(case.part, handles=1, check=3)


def _pure(case: Case) -> None:
    for spec in case.specs:
        for commitment in spec.commitments:
            before = canonical_json(commitment)
            answers = [case.part.handles(commitment) for _ in range(3)]
            if any(type(answer) is not bool for answer in answers):
                raise ConformanceError(f"handles() gave {answers[0]!r}, not a bool")
            if len(set(answers)) > 1:
                raise ConformanceError("handles() gave different answers to one question")
            if canonical_json(commitment) != before:
                raise ConformanceError("handles() changed the commitment")


def _exercised(case: Case) -> None:
    if not any(commitments for _, commitments in _questions(case)):
        raise ConformanceError(
            "handles() is False for every sample, so check() was never tried; give your own with specifications=[...]"
        )


def _answers(case: Case) -> None:
    for spec, commitments in _questions(case):
        for asked in (commitments, commitments[::-1], []):
            _check(case, _image(), asked, spec)


def _signed(case: Case) -> None:
    for spec, commitments in _questions(case):
        for verdict in _check(case, _image(), commitments, spec):
            if verdict.verifier != case.signature:
                raise ConformanceError(f"a verdict is signed {verdict.verifier!r}; write {case.signature!r}")
            if not verdict.reason:
                raise ConformanceError("a verdict has no reason")
            try:
                canonical_json(verdict)
            except (TypeError, ValueError) as error:
                raise ConformanceError(f"a verdict is not plain JSON: {error}") from error


def _abstains(case: Case) -> None:
    """A commitment that it does not handle, it cannot judge."""
    for spec in case.specs:
        others = [c for c in spec.commitments if not case.part.handles(c)]
        for verdict in _check(case, _image(), others, spec):
            if verdict.outcome is not None:
                raise ConformanceError(
                    f"it says {verdict.outcome!r} of {verdict.commitment}, which it does not handle: say None"
                )


def _deterministic(case: Case) -> None:
    for spec, commitments in _questions(case):
        if _check(case, _image(), commitments, spec) != _check(case, _image(), commitments, spec):
            raise ConformanceError("two looks at one picture differ")


def _untouched(case: Case) -> None:
    for spec, commitments in _questions(case):
        image, before = _image(), spec.canonical()
        _check(case, image, commitments, spec)
        if image.tobytes() != _image().tobytes() or image.size != _image().size:
            raise ConformanceError("check() changed the picture")
        if spec.canonical() != before:
            raise ConformanceError("check() changed the specification")


def _hostile(case: Case) -> None:
    for name, spec in hostile().items():
        mine = [c for c in spec.commitments if case.part.handles(c)]
        check_hostile(name, partial(_check, case, _image(), mine, spec))
    for size in _SIZES:
        for spec, commitments in _questions(case):
            check_hostile(f"{size} pixels", partial(_check, case, _image(size), commitments, spec))


def _interruptible(case: Case) -> None:
    for spec, commitments in _questions(case):
        if commitments:
            check_interruptible(case.part, partial(case.part.check, _image(), commitments, spec))
            return


def _questions(case: Case) -> Iterator[tuple[Specification, list[Commitment]]]:
    for spec in case.specs:
        yield spec, [c for c in spec.commitments if case.part.handles(c)]


def _check(case: Case, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
    verdicts = case.part.check(image, commitments, spec)
    if not isinstance(verdicts, list) or not all(isinstance(v, Verdict) for v in verdicts):
        raise ConformanceError(f"check() gave {verdicts!r:.80}, not a list of Verdicts")
    asked, answered = [c.id for c in commitments], [v.commitment for v in verdicts]
    if asked != answered:
        raise ConformanceError(f"asked about {asked}, it answered about {answered}")
    return verdicts


def _image(size: tuple[int, int] = _SIZES[0]) -> Image.Image:
    return Image.linear_gradient("L").resize(size).convert("RGB")


CHECKS: dict[str, Check] = {
    "interface": _interface,
    "pure": _pure,
    "exercised": _exercised,
    "answers": _answers,
    "signed": _signed,
    "abstains": _abstains,
    "deterministic": _deterministic,
    "untouched": _untouched,
    "hostile": _hostile,
    "interruptible": _interruptible,
}
