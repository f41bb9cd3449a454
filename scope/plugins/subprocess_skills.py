"""Skills of other packages: each step is done in a process of its own, within a limit.

Such a skill may hang, burn the processor or crash: the run goes on with the commitments as they were, and a note says
why. It asks the reader, the knowledge and the language model of the run through us, so that what it may spend and
which keys are used stay in one place. What it returns is checked before it counts (scope/specification/permissions.py).

This keeps a run whole. It is no sandbox: a skill runs with the rights of the one who installed it.
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NoReturn

from scope import errors
from scope.errors import OutputError, PluginError, ScopeError, StateCorrupt
from scope.plugins import registry
from scope.protocols import Message, Passage, Reply, Skill, Toolbox
from scope.runs.context import RunContext
from scope.specification import Event, IllegalEvent, Model, Specification
from scope.specification.permissions import appended
from scope.worker import Channel, MessageKind, Worker, WorkerDied, WorkerTimeout


class SkillFailed(ScopeError):
    """A skill gave nothing that can be used. The run goes on without its step."""


class Step(Model):
    """What a skill did: the events that it appended, or why there are none."""

    events: tuple[Event, ...] = ()
    failure: str = ""


@dataclass(frozen=True)
class SubprocessSkill:
    """A skill of another package, as a run meets it. Its code never runs in our process."""

    plugin: registry.Plugin
    context: RunContext
    limit: float  # seconds for one step
    tools: Toolbox  # of the run, to ask through us

    @property
    def name(self) -> str:
        """Return the name that it is installed as."""
        return self.plugin.name

    @property
    def version(self) -> str:
        """Return the version of its package."""
        return self.plugin.version

    def needed(self, spec: Specification) -> bool:
        """Return whether it did anything to this ledger, or failed: its own process tells, once for each ledger."""
        step = self._step(spec)
        return bool(step.events or step.failure)

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        """Return the specification with what it appended, if it sees anything to do. Each step is done once.

        Raises: SkillFailed if it was too slow, crashed, raised, or did what a skill may not do.
        """
        step = self._step(spec)
        if step.failure:
            raise SkillFailed(step.failure)
        return Specification(prompt=spec.prompt, events=(*spec.events, *step.events))

    def _step(self, spec: Specification) -> Step:
        key = [self.name, self.plugin.fingerprint, spec.sha256()]
        return self.context.call("skill", key, lambda: self._made(spec), Step)

    def _made(self, spec: Specification) -> Step:
        began = time.monotonic()
        try:
            result = _run_in_worker(self.name, spec, self.tools, self.limit)
        except WorkerTimeout:
            return Step(failure=f"it did not end within {self.limit:g} s; allow more with SCOPE_SKILL_TIMEOUT")
        except (WorkerDied, SkillFailed) as error:
            return Step(failure=str(error))
        try:
            events = appended(spec, Specification.model_validate(result["spec"]), self.name, result["version"])
        except IllegalEvent as error:
            return Step(failure=str(error))
        except (TypeError, KeyError, ValueError) as error:  # pydantic's ValidationError is a ValueError
            return Step(failure=f"its answer is no specification: {error}")
        share = (time.monotonic() - began) / max(1, len(events))
        return Step(events=tuple(event.model_copy(update={"seconds": share}) for event in events))


def run_or_skip(skill: Skill, spec: Specification, tools: Toolbox) -> tuple[Specification, str | None]:
    """Return what a skill made of a specification; where it failed, the specification as it was and a note."""
    try:
        return skill.run(spec, tools), None
    except SkillFailed as error:
        return spec, f"the skill {skill.name!r} was left out: {error}"


# -- the run's side ------------------------------------------------------------------------------


def _run_in_worker(name: str, spec: Specification, tools: Toolbox, limit: float) -> dict[str, Any]:
    """Return the worker's result: {"version", "spec"}.

    Raises: WorkerTimeout, WorkerDied, SkillFailed; whatever ends the run, such as a budget that is spent.
    """
    task = {
        "name": name,
        "spec": spec.model_dump(mode="json"),
        "limit": limit,
        "knowledge": [(k.name, k.version) for k in tools.knowledge],
        "language": (tools.language.name, tools.language.version) if tools.language is not None else None,
        "seed": tools.seed,
        "canvas": tools.canvas,
    }
    end = time.monotonic() + limit
    with Worker("scope.plugins.subprocess_skills:work", task) as worker:
        while True:
            kind, value = worker.receive(end - time.monotonic())
            match kind:
                case MessageKind.ERROR:
                    raise SkillFailed(": ".join(value))
                case MessageKind.RESULT:
                    result: dict[str, Any] = value
                    return result
                case _:
                    worker.send(_answer(value, tools))


def _answer(question: dict[str, Any], tools: Toolbox) -> dict[str, Any]:
    """Return what one of the run's tools answers, or the error that it raises."""
    try:
        match question["tool"]:
            case "reader":
                return {"value": tools.reader.decompose(str(question["prompt"])).model_dump(mode="json")}
            case "knowledge":
                found = tools.knowledge[question["number"]].search(str(question["query"]), int(question["count"]))
                return {"value": [passage.model_dump(mode="json") for passage in found]}
            case "language" if tools.language is not None:
                messages = [Message.model_validate(message) for message in question["messages"]]
                return {"value": tools.language.complete(messages, question["schema"]).model_dump(mode="json")}
            case other:
                raise ScopeError(f"a skill cannot ask {other!r}")
    except (OutputError, StateCorrupt):  # the answer could not be recorded: the run's failure, not the skill's
        raise
    except Exception as error:
        return {"error": [type(error).__name__, str(error)]}


# -- the worker's side ---------------------------------------------------------------------------


def work(channel: Channel, task: dict[str, Any]) -> dict[str, Any]:
    """Run the skill if it is needed."""
    channel.exit_after(task["limit"])
    skill: Skill = registry.load("skills", task["name"])()
    if skill.name != task["name"]:
        raise PluginError(f"it calls itself {skill.name!r}, and is installed as {task['name']!r}: one name is needed")
    spec = Specification.model_validate(task["spec"])
    if skill.needed(spec):
        spec = skill.run(spec, _tools(channel, task))
    return {"version": skill.version, "spec": spec.model_dump(mode="json")}


def _tools(channel: Channel, task: dict[str, Any]) -> Toolbox:
    absent: Any = _Absent()
    return Toolbox(
        reader=_Reader(channel),
        generator=absent,
        verifiers=(),
        language=_Language(channel, *task["language"]) if task["language"] else None,
        knowledge=tuple(_Knowledge(channel, number, *named) for number, named in enumerate(task["knowledge"])),
        seed=task["seed"],
        canvas=task["canvas"],
    )


def _ask(channel: Channel, **question: Any) -> Any:
    """Return what a tool of the run answers.

    Raises: the ScopeError that the tool raised.
    """
    answer = channel.ask(question)
    if "error" in answer:
        name, message = answer["error"]
        raise getattr(errors, name, ScopeError)(message)
    return answer["value"]


class _Reader:
    """The run's reader, at the other end of the channel."""

    name, version = "reader", "1"

    def __init__(self, channel: Channel) -> None:
        self._channel = channel

    def decompose(self, prompt: str) -> Specification:
        return Specification.model_validate(_ask(self._channel, tool="reader", prompt=prompt))


class _Knowledge:
    """A knowledge of the run, at the other end of the channel."""

    def __init__(self, channel: Channel, number: int, name: str, version: str) -> None:
        self._channel, self._number, self.name, self.version = channel, number, name, version

    def search(self, query: str, count: int = 5) -> list[Passage]:
        found = _ask(self._channel, tool="knowledge", number=self._number, query=query, count=count)
        return [Passage.model_validate(passage) for passage in found]


class _Language:
    """The run's language model, at the other end of the channel."""

    def __init__(self, channel: Channel, name: str, version: str) -> None:
        self._channel, self.name, self.version = channel, name, version

    @property
    def ceiling(self) -> float:
        return 0.0  # the run itself keeps the account

    def complete(self, messages: Sequence[Message], schema: dict[str, Any], images: Sequence[Any] = ()) -> Reply:
        if images:
            raise ScopeError("a skill of another package cannot show pictures to the language model")
        plain = [message.model_dump(mode="json") for message in messages]
        return Reply.model_validate(_ask(self._channel, tool="language", messages=plain, schema=schema))


class _Absent:
    """What a skill of another package cannot have."""

    def __getattr__(self, name: str) -> NoReturn:
        raise PluginError("a skill of another package runs in a process of its own, without the generator")
