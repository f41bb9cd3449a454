"""The state machine. This page tells the story:

    decompose -> bind -> generate -> verify -> finish
                  ^                    |
                  +----- repair <------+   something is violated, and rounds and time are left

LangGraph runs it and stores the state after every node in the run's folder, so a killed run goes on where it was.
A node may run twice (killed before its state was stored); what it did is looked up, never done again: each draft and
each verifier's answer is recorded under a key of all that decides it, before anything uses it.
"""

import hashlib
import io
import sqlite3
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.checkpoint.serde.jsonplus import JsonPlusSerializer
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from PIL import Image
from pydantic import ValidationError, model_validator

from scope.errors import PromptError, ScopeError, StateCorrupt
from scope.files import write_atomic
from scope.judge import judge, unknown_to
from scope.outcome import Outcome, Progress, Tally, best_of, json_report, tally
from scope.protocols import Toolbox, Verifier
from scope.runs import Options, Run
from scope.skills.bind import Bind, request_of
from scope.skills.decompose import Decompose
from scope.skills.repair import Repair
from scope.spec import Commitment, Draft, Event, Model, Specification, Status, Verdict, fold, sha256_of

Tell = Callable[[Progress], None]
Stage = Literal["decompose", "bind", "generate", "verify", "repair", "finish"]


# -- state ---------------------------------------------------------------------------------------


class State(Model):
    """All that a run knows, as plain JSON. Pictures are named by path and hash.

    `sha256` seals everything else: a state that was damaged on disk is refused, never continued.
    """

    prompt: str
    options: Options
    events: tuple[Event, ...] = ()
    drafts: tuple[Draft, ...] = ()
    verdicts: dict[str, tuple[Verdict, ...]] = {}
    round: int = 0
    seconds: dict[str, float] = {}  # by node, over all resumptions
    done: bool = False
    sha256: str = ""  # set by `stored`

    @property
    def spec(self) -> Specification:
        """Return the specification that the events fold to."""
        return fold(self.prompt, self.events)

    @property
    def best(self) -> Draft | None:
        """Return the best draft so far."""
        return best_of(self.drafts, self.verdicts)

    @property
    def out_of_time(self) -> bool:
        """Return whether the time budget is spent."""
        limit = self.options.max_time
        return limit is not None and sum(self.seconds.values()) >= limit

    @classmethod
    def begin(cls, prompt: str, options: Options) -> "State":
        """Return the state before the first node, not yet sealed."""
        return cls.model_construct(prompt=prompt, options=options)

    def after(self, spec: Specification, **changes: Any) -> "State":
        """Return the state with another specification and other changes."""
        return self.model_copy(update={"prompt": spec.prompt, "events": spec.events, **changes})

    def stored(self) -> dict[str, Any]:
        """Return the state as plain JSON with its seal."""
        plain = self.model_dump(mode="json", exclude={"sha256"})
        return plain | {"sha256": sha256_of(plain)}

    @model_validator(mode="after")
    def _whole(self) -> "State":
        if self.sha256 != self.stored()["sha256"]:
            raise StateCorrupt("the state does not match its sha256")
        return self


@dataclass(frozen=True)
class Desk:
    """What the nodes work with and what is not stored: LangGraph's context."""

    run: Run
    tools: Toolbox
    tell: Tell


# -- nodes ---------------------------------------------------------------------------------------


def decompose(state: State, desk: Desk) -> State:
    """Read the prompt into commitments."""
    return state.after(Decompose().run(state.spec, desk.tools))


def bind(state: State, desk: Desk) -> State:
    """Give every commitment its words in the request."""
    return state.after(Bind().run(state.spec, desk.tools))


def generate_drafts(state: State, desk: Desk) -> State:
    """Make this round's drafts; at least one is made in all, however little time there is."""
    for number in range(state.options.drafts):
        if state.drafts and state.out_of_time:
            break
        draft = _draft(state, desk, number)
        seconds = state.seconds | {"generate": state.seconds.get("generate", 0.0) + draft.seconds}
        state = state.model_copy(update={"drafts": (*state.drafts, draft), "seconds": seconds})
    return state


def verify(state: State, desk: Desk) -> State:
    """Judge every new draft, and let the ledger come to rest on the best of all."""
    spec, verdicts = state.spec, dict(state.verdicts)
    for draft in (d for d in state.drafts if d.id not in verdicts):
        verdicts[draft.id] = _judged(draft, spec, desk)
        spec = _entered(spec, draft, verdicts[draft.id])
        desk.tell(Progress(stage="verify", state="step", round=state.round, text=f"{draft.id}: {tally(verdicts[draft.id])}"))
    best = best_of(state.drafts, verdicts)
    if best is not None:
        spec = _settled(spec, best, verdicts[best.id])
    return state.after(spec, verdicts=verdicts)


def repair(state: State, desk: Desk) -> State:
    """Choose how the next round is to get right what the best draft got wrong."""
    return state.after(Repair().run(state.spec, desk.tools), round=state.round + 1)


def finish(state: State, desk: Desk) -> State:
    """Say that nothing more will be done."""
    return state.model_copy(update={"done": True})


def route(state: State) -> Literal["repair", "finish"]:
    """Repair while something is violated, and rounds and time are left."""
    left = state.round < state.options.max_rounds and not state.out_of_time
    return "repair" if left and Repair().needed(state.spec) else "finish"


NODES: dict[Stage, Callable[[State, Desk], State]] = {
    "decompose": decompose,
    "bind": bind,
    "generate": generate_drafts,
    "verify": verify,
    "repair": repair,
    "finish": finish,
}


# -- the machine ---------------------------------------------------------------------------------


def build() -> StateGraph[State, Desk, State, State]:
    """Return the graph, not yet compiled."""
    graph = StateGraph(State, context_schema=Desk)
    for stage in NODES:
        graph.add_node(stage, _node(stage))
    graph.add_edge(START, "decompose")
    graph.add_edge("decompose", "bind")
    graph.add_edge("bind", "generate")
    graph.add_edge("generate", "verify")
    graph.add_conditional_edges("verify", route)
    graph.add_edge("repair", "bind")
    graph.add_edge("finish", END)
    return graph


def mermaid() -> str:
    """Return the diagram of the machine in Mermaid's language."""
    return build().compile().get_graph().draw_mermaid()


def generate(run: Run, tools: Toolbox, on_event: Tell = lambda progress: None) -> Outcome:
    """Run the machine on a new run, or continue one that was stopped, to its end.

    Raises: RunBusy, StateCorrupt, OutputError, PromptError; ScopeError if a part fails. KeyboardInterrupt passes
    through. Whatever is raised, the run can be continued by the same call.
    """
    with run.locked():
        outcome = _outcome(run, _invoke(Desk(run, tools, on_event)))
        run.finish(json_report(outcome))
    return outcome


def load(run: Run) -> Outcome | None:
    """Return a run as it stands, finished or not; None: it was never started.

    Raises: StateCorrupt.
    """
    with run.database() as connection:
        state = _stored(run, _saver(connection))
    return _outcome(run, state) if state is not None else None


def _node(stage: Stage) -> Callable[[State, Runtime[Desk]], dict[str, Any]]:
    """Return what LangGraph calls: it is handed a checked state, and returns one that is sealed, timed and dated."""

    def node(state: State, runtime: Runtime[Desk]) -> dict[str, Any]:
        desk, began = runtime.context, time.monotonic()
        desk.tell(Progress(stage=stage, state="start", round=state.round))
        try:
            after = NODES[stage](state, desk)
        except ScopeError:
            raise
        except Exception as error:
            raise ScopeError(
                f"{stage} failed: {type(error).__name__}: {error}. Nothing is lost: when the cause is gone, continue "
                f"with: scope resume {desk.run.id}"
            ) from error
        desk.tell(Progress(stage=stage, state="end", round=after.round))
        return _dated(_timed(state, after, stage, time.monotonic() - began), len(state.events)).stored()

    return node


def _timed(before: State, after: State, stage: Stage, elapsed: float) -> State:
    """Return `after` with the seconds of this node, or more where it looked up work that took longer."""
    earlier = before.seconds.get(stage, 0.0)
    spent = max(earlier + elapsed, after.seconds.get(stage, 0.0))
    return after.model_copy(update={"seconds": after.seconds | {stage: spent}})


def _dated(state: State, known: int) -> State:
    """Return the state with the time of day on the events after the first `known`."""
    now = round(time.time(), 3)
    new = tuple(event.model_copy(update={"time": now}) for event in state.events[known:])
    return state.model_copy(update={"events": state.events[:known] + new})


def _invoke(desk: Desk) -> State:
    """Return the final state. The state's own flag says whether it is final: LangGraph's `next` does not."""
    run = desk.run
    config: RunnableConfig = {
        "configurable": {"thread_id": run.id},
        "recursion_limit": 4 * (run.manifest.options.max_rounds + 2),
    }
    with run.database() as connection:
        saver = _saver(connection)
        state = _stored(run, saver)
        if state is not None and state.done:
            return state
        start = None if state is not None else State.begin(run.manifest.prompt, run.manifest.options).stored()
        build().compile(checkpointer=saver).invoke(start, config, context=desk, durability="sync")
        state = _stored(run, saver)
    if state is None or not state.done:
        raise run.corrupt("the machine stopped before its end")
    return state


def _saver(connection: sqlite3.Connection) -> SqliteSaver:
    saver = SqliteSaver(connection, serde=JsonPlusSerializer(allowed_msgpack_modules=[]))
    saver.setup()
    return saver


def _stored(run: Run, saver: SqliteSaver) -> State | None:
    """Return the newest stored state; None: the run was never started.

    Raises: StateCorrupt if it cannot be read, is not what was written, or has vanished.
    """
    try:
        checkpoint = saver.get_tuple({"configurable": {"thread_id": run.id}})
        if checkpoint is None:
            if any(run.drafts.iterdir()):
                raise run.corrupt("its state is gone")
            return None
        channels = checkpoint.checkpoint["channel_values"]
        values = channels.get(START, channels)  # killed before the first node: the input is all there is
        return State.model_validate({name: values[name] for name in State.model_fields})
    except (ScopeError, sqlite3.Error):
        raise
    except Exception as error:  # damaged bytes make the decoder raise almost anything
        raise run.corrupt(f"{type(error).__name__}: {error}") from error


def _outcome(run: Run, state: State) -> Outcome:
    best = state.best
    all_met = best is not None and tally(state.verdicts[best.id]).met == len(state.spec.commitments)
    return Outcome(
        run=run.id,
        exit=0 if all_met else 4 if state.out_of_time else 3,
        best=best,
        spec=state.spec,
        drafts=state.drafts,
        verdicts=state.verdicts,
        seconds=state.seconds | {"total": sum(state.seconds.values())},
    )


# -- one draft -----------------------------------------------------------------------------------


def seed_of(seed: int, round_: int, number: int) -> int:
    """Return the seed of one draft, below 2**32: a pure function of the run's seed and the draft's place."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{round_}/{number}".encode()).digest()[:4], "big")


def _draft(state: State, desk: Desk, number: int) -> Draft:
    """Make one draft, or find the one that was made before a kill."""
    generator, run = desk.tools.generator, desk.run
    parent = state.best.id if state.best else None
    request = request_of(state.spec, seed=seed_of(state.options.seed, state.round, number), parent=parent)
    draft_id = f"d{len(state.drafts) + 1}"
    maker = f"{generator.name}@{generator.version}"
    key = sha256_of([run.id, "generate", draft_id, request.model_dump(mode="json"), maker, generator.weights])
    path = run.drafts / f"{draft_id}.png"
    recorded = run.recall(key)
    if recorded is not None and path.exists() and _sha256(path.read_bytes()) == recorded["sha256"]:
        return Draft.model_validate(recorded)

    def on_step(done: int, steps: int) -> None:
        desk.tell(
            Progress(
                stage="generate", state="step", round=state.round,
                draft=number + 1, drafts=state.options.drafts, step=done, steps=steps,
            )
        )  # fmt: skip

    began = time.monotonic()
    # One at a time: a batch would save little, and its pictures depend on what else is in it.
    [picture] = generator.generate([request], on_step)
    png = io.BytesIO()
    picture.image.save(png, "PNG")
    write_atomic(path, png.getvalue())
    draft = Draft(
        id=draft_id,
        path=f"drafts/{path.name}",
        sha256=_sha256(png.getvalue()),
        request=request,
        generator=maker,
        log_likelihood=picture.log_likelihood,
        seconds=time.monotonic() - began,
    )
    run.record(key, draft.model_dump(mode="json"))
    return draft


def _judged(draft: Draft, spec: Specification, desk: Desk) -> tuple[Verdict, ...]:
    """Return one verdict per commitment; a verifier that answered before a kill is not asked again."""
    run = desk.run
    png = (run.folder / draft.path).read_bytes()
    if _sha256(png) != draft.sha256:
        raise run.corrupt(f"{draft.path} is not the picture that was made")
    with Image.open(io.BytesIO(png)) as opened:
        image = opened.convert("RGB")

    def ask(verifier: Verifier, commitments: Sequence[Commitment]) -> Sequence[Verdict]:
        asked = [c.model_dump(mode="json") for c in commitments]
        key = sha256_of([run.id, "verify", draft.sha256, verifier.name, verifier.version, asked])
        recorded = run.recall(key)
        if recorded is None:
            answers = verifier.check(image, commitments, spec)
            recorded = {"verdicts": [v.model_dump(mode="json") for v in answers]}
            run.record(key, recorded)
        return [Verdict.model_validate(v) for v in recorded["verdicts"]]

    verdicts = judge(spec, desk.tools.verifiers, ask)
    return tuple(_explained(v, spec[v.commitment], desk) for v in verdicts)


def _explained(verdict: Verdict, commitment: Commitment, desk: Desk) -> Verdict:
    """Return the verdict with the plain reason where the weights could not have known."""
    generator = desk.tools.generator
    unknown = unknown_to(generator.vocabulary, commitment) if generator.vocabulary else None
    if unknown is None or verdict.outcome == "met":
        return verdict
    return verdict.model_copy(update={"reason": f"{verdict.reason}; the weights of {generator.name} do not know {unknown}"})


def _entered(spec: Specification, draft: Draft, verdicts: Sequence[Verdict]) -> Specification:
    """Return the specification with the verdicts on a draft in its ledger."""
    for verdict in verdicts:
        evidence = {"reason": verdict.reason, "score": verdict.score}
        cause = f"verifier:{verdict.verifier}"
        spec = spec.move(verdict.commitment, _status(verdict), cause, evidence=evidence, draft=draft.id)
    return spec


def _settled(spec: Specification, best: Draft, verdicts: Sequence[Verdict]) -> Specification:
    """Return the specification with its statuses as they are on the best draft, where a later draft changed them."""
    for verdict in verdicts:
        if spec.statuses()[verdict.commitment] is not _status(verdict):
            spec = spec.move(verdict.commitment, _status(verdict), "graph:best", draft=best.id)
    return spec


def _status(verdict: Verdict) -> Status:
    if verdict.blocked_by is not None:
        return Status.BLOCKED
    return {"met": Status.MET, "broken": Status.VIOLATED, None: Status.UNJUDGED}[verdict.outcome]


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
