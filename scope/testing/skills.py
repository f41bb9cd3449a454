"""What a skill promises."""

from collections.abc import Iterator
from functools import partial

from scope.specification import IllegalEvent, Specification
from scope.specification.permissions import appended
from scope.testing.trial import Broken, Look, Trial, check_cancel, check_hostile, check_names, check_verbs, hostile


def _schema(trial: Trial) -> None:
    check_names(trial.part)
    check_verbs(trial.part, needed=1, run=2)


def _pure(trial: Trial) -> None:
    for spec in trial.specs:
        before = spec.canonical()
        answers = [trial.part.needed(spec) for _ in range(3)]
        if any(type(answer) is not bool for answer in answers):
            raise Broken(f"needed() gave {answers[0]!r}, not a bool")
        if len(set(answers)) > 1:
            raise Broken("needed() gave different answers to one question")
        if spec.canonical() != before:
            raise Broken("needed() changed the specification")


def _asked(trial: Trial) -> None:
    if not list(_needed(trial)):
        raise Broken(
            "needed() is False for every sample, so run() was never tried; give one of your own with given=[...]"
        )


def _same(trial: Trial) -> None:
    for spec in _needed(trial):
        if _run(trial, spec).canonical() != _run(trial, spec).canonical():
            raise Broken("two runs on one specification differ")


def _settles(trial: Trial) -> None:
    for spec in _needed(trial):
        once = _run(trial, spec)
        if trial.part.needed(once) and _run(trial, once).canonical() != once.canonical():
            raise Broken("run on its own result, it is needed again and changes more: a run would never settle")


def _ledger(trial: Trial) -> None:
    for spec in _needed(trial):
        _lawful(trial, spec, _run(trial, spec))


def _untouched(trial: Trial) -> None:
    for spec in _needed(trial):
        before = spec.canonical()
        _run(trial, spec)
        if spec.canonical() != before:
            raise Broken("run() changed the specification that it was given; return a new one")


def _hostile(trial: Trial) -> None:
    for name, spec in hostile().items():
        check_hostile(name, partial(_tried, trial, spec))


def _cancel(trial: Trial) -> None:
    for spec in _needed(trial):
        check_cancel(trial.part, partial(trial.part.run, spec, trial.toolbox))


def _needed(trial: Trial) -> Iterator[Specification]:
    return (spec for spec in trial.specs if trial.part.needed(spec))


def _run(trial: Trial, spec: Specification) -> Specification:
    after = trial.part.run(spec, trial.toolbox)
    if not isinstance(after, Specification):
        raise Broken(f"run() gave {type(after).__name__}, not a Specification")
    return after


def _tried(trial: Trial, spec: Specification) -> None:
    if trial.part.needed(spec):
        _lawful(trial, spec, _run(trial, spec))


def _lawful(trial: Trial, before: Specification, after: Specification) -> None:
    try:
        appended(before, after, trial.part.name, trial.part.version)
    except IllegalEvent as error:
        raise Broken(str(error)) from error


CHECKS: dict[str, Look] = {
    "schema": _schema,
    "pure": _pure,
    "asked": _asked,
    "same": _same,
    "settles": _settles,
    "ledger": _ledger,
    "untouched": _untouched,
    "hostile": _hostile,
    "cancel": _cancel,
}
