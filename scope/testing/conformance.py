"""Does a part do what its Protocol says? A skill, a generator or a verifier is tried in a process of its own.

from scope.testing import validate

def test_my_skill() -> None:
    validate(MySkill).assert_ok()
"""

import base64
import pickle
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import Any, Literal

from scope.errors import UsageError
from scope.protocols import Toolbox
from scope.specification import Model, Specification
from scope.testing.checks import generators, skills, verifiers
from scope.testing.checks.case import Case, Check, ConformanceError, samples
from scope.testing.fakes import fake_toolbox
from scope.worker import Channel, MessageKind, Worker, WorkerDied, WorkerTimeout

Kind = Literal["skill", "generator", "verifier"]

#: The checks, by kind and in this order. "terminates" is added by the one who waits.
CHECKS: dict[Kind, dict[str, Check]] = {
    "skill": skills.CHECKS,
    "generator": generators.CHECKS,
    "verifier": verifiers.CHECKS,
}

_VERBS: dict[str, Kind] = {"run": "skill", "generate": "generator", "check": "verifier"}
_START = 60.0  # seconds to import a part and to make it: weights may be large


class Finding(Model):
    """The result of one check."""

    check: str
    ok: bool
    why: str = ""


class Report(Model):
    """The results of all checks of one part."""

    part: str  # name@version
    kind: Kind
    findings: tuple[Finding, ...]

    @property
    def ok(self) -> bool:
        """Return whether nothing was found wanting."""
        return all(finding.ok for finding in self.findings)

    def assert_ok(self) -> None:
        """Raise AssertionError with every finding that is not ok, for use in a test."""
        assert self.ok, str(self)

    def __str__(self) -> str:
        wrong = [f"{f.check}: {f.why}" for f in self.findings if not f.ok]
        return "\n".join([f"{self.kind} {self.part}: {len(wrong)} of {len(self.findings)} checks failed", *wrong])


def validate(
    part: Any, *, specifications: Sequence[Specification] = (), toolbox: Toolbox | None = None, timeout: float = 60.0
) -> Report:
    """Try a part in a worker process and return what was found.

    Args:
        part: what the entry point names (a class or a function that makes the part), or a part. A worker process must
            be able to import it: define it at the top of a module.
        specifications: some of your own that it is tried on too; a skill needs one on which it has something to do.
        toolbox: what a skill is given; None: fakes, without language model and knowledge.
        timeout: seconds per check. A part that does not end is cut, and what was left is not looked at.

    Raises: UsageError if it is none of the three kinds, or cannot be made in a worker process.
    """
    task = {"timeout": timeout, "pickle": _pickled((part, tuple(specifications), toolbox))}
    with Worker("scope.testing.conformance:work", task) as worker:
        try:
            message, about = worker.receive(_START)
        except (WorkerTimeout, WorkerDied) as error:
            raise UsageError(f"{part!r} cannot be tried: {error}") from error
        if message is MessageKind.ERROR:
            raise UsageError(f"{part!r} cannot be tried in a process of its own: {': '.join(about)}")
        kind: Kind = about["kind"]
        findings = tuple(_received(worker, list(CHECKS[kind]), timeout))
    return Report(part=about["part"], kind=kind, findings=findings)


def work(channel: Channel, task: dict[str, Any]) -> None:
    """Make the part, and send each finding as it is made."""
    part, specifications, toolbox = pickle.loads(base64.b64decode(task["pickle"]))
    part = part() if _is_maker(part) else part
    kind = kind_of(part)
    channel.log({"kind": kind, "part": f"{getattr(part, 'name', '?')}@{getattr(part, 'version', '?')}"})
    case = Case(part, (*samples(), *specifications), toolbox or fake_toolbox())
    for finding in run_checks(kind, case, before=partial(channel.exit_after, task["timeout"])):
        channel.log(finding.model_dump())


def run_checks(kind: Kind, case: Case, before: Callable[[], None] = lambda: None) -> Iterator[Finding]:
    """Yield a finding per check of this kind, made here and now. `before` is called before each."""
    for name, check in CHECKS[kind].items():
        before()
        try:
            check(case)
        except ConformanceError as error:
            yield Finding(check=name, ok=False, why=str(error))
        except BaseException as error:  # whatever a part does, the report is made
            yield Finding(check=name, ok=False, why=f"it raised {type(error).__name__}: {error}")
        else:
            yield Finding(check=name, ok=True)


def kind_of(part: Any) -> Kind:
    """Return what a part is, by the verb that it has.

    Raises: UsageError if it has none of them, or several.
    """
    kinds = [kind for verb, kind in _VERBS.items() if callable(getattr(part, verb, None))]
    if len(kinds) != 1:
        verbs = ", ".join(f"{verb} ({kind})" for verb, kind in _VERBS.items())
        raise UsageError(f"{type(part).__name__} is not one part: it must have exactly one of {verbs}")
    return kinds[0]


def _received(worker: Worker, left: list[str], timeout: float) -> Iterator[Finding]:
    """Yield what a worker finds; where it does not come to an end, say in which check, and what was not looked at."""
    while left:
        try:
            message, value = worker.receive(timeout)
        except (WorkerTimeout, WorkerDied) as error:
            yield Finding(check="terminates", ok=False, why=f"{left[0]}: {error}")
            yield from (Finding(check=name, ok=False, why="not looked at: it did not end before") for name in left)
            return
        assert message is MessageKind.LOG, value
        left.pop(0)
        yield Finding.model_validate(value)
    yield Finding(check="terminates", ok=True)


def _is_maker(part: Any) -> bool:
    return isinstance(part, type) or (callable(part) and not any(hasattr(part, verb) for verb in _VERBS))


def _pickled(value: Any) -> str:
    try:
        return base64.b64encode(pickle.dumps(value)).decode()
    except Exception as error:  # whatever the objects inside raise
        raise UsageError(
            f"{value[0]!r} cannot be sent to a process of its own ({error}); define it in a module"
        ) from error
