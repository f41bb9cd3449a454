"""What a verifier promises."""

from collections.abc import Iterator, Sequence
from functools import partial

from PIL import Image

from scope.specification import Commitment, Specification, Verdict, canonical_json
from scope.testing.trial import Broken, Look, Trial, check_cancel, check_hostile, check_names, check_verbs, hostile

_SIZES = ((64, 64), (1, 1), (300, 2))


def _schema(trial: Trial) -> None:
    check_names(trial.part)
    check_verbs(trial.part, handles=1, check=3)


def _pure(trial: Trial) -> None:
    for spec in trial.specs:
        for commitment in spec.commitments:
            before = canonical_json(commitment)
            answers = [trial.part.handles(commitment) for _ in range(3)]
            if any(type(answer) is not bool for answer in answers):
                raise Broken(f"handles() gave {answers[0]!r}, not a bool")
            if len(set(answers)) > 1:
                raise Broken("handles() gave different answers to one question")
            if canonical_json(commitment) != before:
                raise Broken("handles() changed the commitment")


def _asked(trial: Trial) -> None:
    if not any(commitments for _, commitments in _questions(trial)):
        raise Broken("handles() is False for every sample, so check() was never tried; give one with given=[...]")


def _answers(trial: Trial) -> None:
    for spec, commitments in _questions(trial):
        for asked in (commitments, commitments[::-1], []):
            _check(trial, _image(), asked, spec)


def _signed(trial: Trial) -> None:
    for spec, commitments in _questions(trial):
        for verdict in _check(trial, _image(), commitments, spec):
            if verdict.verifier != trial.signature:
                raise Broken(f"a verdict is signed {verdict.verifier!r}; write {trial.signature!r}")
            if not verdict.reason:
                raise Broken("a verdict has no reason")
            try:
                canonical_json(verdict)
            except (TypeError, ValueError) as error:
                raise Broken(f"a verdict is not plain JSON: {error}") from error


def _modest(trial: Trial) -> None:
    """A commitment that it does not handle, it cannot judge."""
    for spec in trial.specs:
        others = [c for c in spec.commitments if not trial.part.handles(c)]
        for verdict in _check(trial, _image(), others, spec):
            if verdict.outcome is not None:
                raise Broken(f"it says {verdict.outcome!r} of {verdict.commitment}, which it does not handle: say None")


def _same(trial: Trial) -> None:
    for spec, commitments in _questions(trial):
        if _check(trial, _image(), commitments, spec) != _check(trial, _image(), commitments, spec):
            raise Broken("two looks at one picture differ")


def _untouched(trial: Trial) -> None:
    for spec, commitments in _questions(trial):
        image, before = _image(), spec.canonical()
        _check(trial, image, commitments, spec)
        if image.tobytes() != _image().tobytes() or image.size != _image().size:
            raise Broken("check() changed the picture")
        if spec.canonical() != before:
            raise Broken("check() changed the specification")


def _hostile(trial: Trial) -> None:
    for name, spec in hostile().items():
        mine = [c for c in spec.commitments if trial.part.handles(c)]
        check_hostile(name, partial(_check, trial, _image(), mine, spec))
    for size in _SIZES:
        for spec, commitments in _questions(trial):
            check_hostile(f"{size} pixels", partial(_check, trial, _image(size), commitments, spec))


def _cancel(trial: Trial) -> None:
    for spec, commitments in _questions(trial):
        if commitments:
            check_cancel(trial.part, partial(trial.part.check, _image(), commitments, spec))
            return


def _questions(trial: Trial) -> Iterator[tuple[Specification, list[Commitment]]]:
    for spec in trial.specs:
        yield spec, [c for c in spec.commitments if trial.part.handles(c)]


def _check(trial: Trial, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
    verdicts = trial.part.check(image, commitments, spec)
    if not isinstance(verdicts, list) or not all(isinstance(v, Verdict) for v in verdicts):
        raise Broken(f"check() gave {verdicts!r:.80}, not a list of Verdicts")
    asked, answered = [c.id for c in commitments], [v.commitment for v in verdicts]
    if asked != answered:
        raise Broken(f"asked about {asked}, it answered about {answered}")
    return verdicts


def _image(size: tuple[int, int] = _SIZES[0]) -> Image.Image:
    return Image.linear_gradient("L").resize(size).convert("RGB")


CHECKS: dict[str, Look] = {
    "schema": _schema,
    "pure": _pure,
    "asked": _asked,
    "answers": _answers,
    "signed": _signed,
    "modest": _modest,
    "same": _same,
    "untouched": _untouched,
    "hostile": _hostile,
    "cancel": _cancel,
}
