"""What a skill is held to."""

from collections.abc import Iterator
from functools import partial

from scope.specification import IllegalEvent, Specification
from scope.specification.permissions import appended
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


def _interface(case: Case) -> None:
    check_names(case.part)
    check_verbs(case.part, needed=1, run=2)


def _pure(case: Case) -> None:
    for spec in case.specs:
        before = spec.canonical()
        answers = [case.part.needed(spec) for _ in range(3)]
        if any(type(answer) is not bool for answer in answers):
            raise ConformanceError(f"needed() gave {answers[0]!r}, not a bool")
        if len(set(answers)) > 1:
            raise ConformanceError("needed() gave different answers to one question")
        if spec.canonical() != before:
            raise ConformanceError("needed() changed the specification")


def _exercised(case: Case) -> None:
    if not list(_needed(case)):
        raise ConformanceError(
            "needed() is False for every sample, so run() was never tried; give your own with specifications=[...]"
        )


def _deterministic(case: Case) -> None:
    for spec in _needed(case):
        if _run(case, spec).canonical() != _run(case, spec).canonical():
            raise ConformanceError("two runs on one specification differ")


def _idempotent(case: Case) -> None:
    for spec in _needed(case):
        once = _run(case, spec)
        if case.part.needed(once) and _run(case, once).canonical() != once.canonical():
            raise ConformanceError("on its own result it is needed again and changes more: a run would never settle")


def _ledger(case: Case) -> None:
    for spec in _needed(case):
        _lawful(case, spec, _run(case, spec))


def _untouched(case: Case) -> None:
    for spec in _needed(case):
        before = spec.canonical()
        _run(case, spec)
        if spec.canonical() != before:
            raise ConformanceError("run() changed the specification that it was given; return a new one")


def _hostile(case: Case) -> None:
    for name, spec in hostile().items():
        check_hostile(name, partial(_tried, case, spec))


def _interruptible(case: Case) -> None:
    needed = list(_needed(case))
    for spec in needed:
        check_interruptible(case.part, partial(case.part.run, spec, case.toolbox), shared_by=len(needed))


def _needed(case: Case) -> Iterator[Specification]:
    return (spec for spec in case.specs if case.part.needed(spec))


def _run(case: Case, spec: Specification) -> Specification:
    after = case.part.run(spec, case.toolbox)
    if not isinstance(after, Specification):
        raise ConformanceError(f"run() gave {type(after).__name__}, not a Specification")
    return after


def _tried(case: Case, spec: Specification) -> None:
    if case.part.needed(spec):
        _lawful(case, spec, _run(case, spec))


def _lawful(case: Case, before: Specification, after: Specification) -> None:
    try:
        appended(before, after, case.part.name, case.part.version)
    except IllegalEvent as error:
        raise ConformanceError(str(error)) from error


CHECKS: dict[str, Check] = {
    "interface": _interface,
    "pure": _pure,
    "exercised": _exercised,
    "deterministic": _deterministic,
    "idempotent": _idempotent,
    "ledger": _ledger,
    "untouched": _untouched,
    "hostile": _hostile,
    "interruptible": _interruptible,
}
