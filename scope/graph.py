"""The state machine. This page tells the story.

    decompose -> bind -> generate -> verify -> finish
                  ^                    |
                  +----- repair <------+   something is violated, and rounds and time are left

LangGraph runs it and stores the state after every node in the run's folder, so that a run which was killed goes on
where it was. The node in which it was killed runs again; what it did already is looked up, not done again (desk.py).
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable, Sequence
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime

from scope.desk import Desk, Tell
from scope.errors import PromptError, ScopeError
from scope.outcome import Outcome, Progress, Stage, best_of, json_report, tally
from scope.protocols import Toolbox
from scope.runs import Run
from scope.skills.bind import Bind, request_of
from scope.skills.decompose import Decompose
from scope.skills.repair import Repair
from scope.spec import Draft, Specification, Status, Verdict
from scope.state import State, saver, stored

# -- nodes: each takes a state and returns the next ----------------------------------------------


def decompose(state: State, desk: Desk) -> State:
    """Read the prompt into commitments."""
    return state.after(Decompose().run(state.spec, desk.tools))


def bind(state: State, desk: Desk) -> State:
    """Give every commitment its words in the request."""
    return state.after(Bind().run(state.spec, desk.tools))


def generate_drafts(state: State, desk: Desk) -> State:
    """Make the drafts of this round; however little time there is, one is made in all."""
    parent = state.best.id if state.best else None
    for place in range(state.options.drafts):
        if state.drafts and state.out_of_time:
            break
        request = request_of(state.spec, seed=seed_of(state.options.seed, state.round, place), parent=parent)
        draft = desk.draw(f"d{len(state.drafts) + 1}", request, _step_teller(state, desk, place))
        seconds = state.seconds | {"generate": state.seconds.get("generate", 0.0) + draft.seconds}
        state = state.model_copy(update={"drafts": (*state.drafts, draft), "seconds": seconds})
    return state


def verify(state: State, desk: Desk) -> State:
    """Judge every new draft, then let the ledger rest on the best of all."""
    spec, verdicts = state.spec, dict(state.verdicts)
    for draft in (d for d in state.drafts if d.id not in verdicts):
        verdicts[draft.id] = desk.judge(draft, spec)
        spec = _entered(spec, draft, verdicts[draft.id])
        text = f"{draft.id}: {tally(verdicts[draft.id])}"
        desk.tell(Progress(stage="verify", state="step", round=state.round, text=text))
    best = best_of(state.drafts, verdicts)
    return state.after(_settled(spec, best, verdicts[best.id]) if best else spec, verdicts=verdicts)


def repair(state: State, desk: Desk) -> State:
    """Choose how the next round is to get right what the best draft got wrong."""
    return state.after(Repair().run(state.spec, desk.tools), round=state.round + 1)


def finish(state: State, desk: Desk) -> State:
    """Say that nothing more will be done, and why more was not."""
    notes = [f"the weights of {desk.tools.generator.name} do not know {what}" for what in desk.unknown(state.spec)]
    if state.out_of_time:
        notes.append(f"the time budget of {state.options.max_time:g} s is spent; allow more with --max-time")
    return state.model_copy(update={"done": True, "notes": tuple(notes)})


def route(state: State) -> Literal["repair", "finish"]:
    """Repair while something is violated, and rounds and time are left."""
    left = state.round < state.options.max_rounds and not state.out_of_time
    return "repair" if left and Repair().needed(state.spec) else "finish"


# -- the machine ---------------------------------------------------------------------------------

NODES: dict[Stage, Callable[[State, Desk], State]] = {
    "decompose": decompose,
    "bind": bind,
    "generate": generate_drafts,
    "verify": verify,
    "repair": repair,
    "finish": finish,
}


def build() -> StateGraph[State, Desk, State, State]:
    """Return the graph, not yet compiled."""
    graph = StateGraph(State, context_schema=Desk)
    for stage, work in NODES.items():
        graph.add_node(stage, _node(stage, work))
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

    Raises: RunBusy, StateCorrupt, OutputError; ScopeError if a part fails; KeyboardInterrupt passes through. After any
    of these the same call continues the run. PromptError if nothing can be drawn: then the run is removed.
    """
    try:
        with run.locked():
            outcome = _invoke(Desk(run, tools, on_event)).outcome(run.id)
            run.finish(json_report(outcome))
    except PromptError:
        run.remove()
        raise
    return outcome


def load(run: Run) -> Outcome | None:
    """Return a run as it stands, finished or not; None: it was never started.

    Raises: StateCorrupt.
    """
    with run.database() as connection:
        state = stored(run, saver(connection))
    return state.outcome(run.id) if state is not None else None


def _invoke(desk: Desk) -> State:
    """Return the final state. Its own flag says that it is final: after a kill, LangGraph's `next` does not."""
    run, options = desk.run, desk.run.manifest.options
    config: RunnableConfig = {"configurable": {"thread_id": run.id}, "recursion_limit": 4 * (options.max_rounds + 2)}
    with run.database() as connection:
        checkpoints = saver(connection)
        state = stored(run, checkpoints)
        if state is not None and state.done:
            return state
        start: Any = State.begin(run.manifest.prompt, options).sealed() if state is None else None
        machine = build().compile(checkpointer=checkpoints)
        try:
            with desk.interrupts.held():
                machine.invoke(start, config, context=desk, durability="sync")
        except (ScopeError, sqlite3.Error, OSError):
            raise
        except Exception as error:  # no node raises anything else: it is LangGraph that cannot read its own record
            raise run.corrupt(f"state.sqlite: {type(error).__name__}") from error
        state = stored(run, checkpoints)
    if state is None or not state.done:
        raise run.corrupt("the machine stopped before its end")
    return state


def _node(stage: Stage, work: Callable[[State, Desk], State]) -> Any:  # LangGraph tells node types apart by names
    """Return what LangGraph calls. It is handed a checked state, and returns one that is timed, dated and sealed."""

    def node(state: State, runtime: Runtime[Desk]) -> dict[str, Any]:
        desk, began = runtime.context, time.monotonic()
        try:
            with desk.interrupts.let():
                desk.tell(Progress(stage=stage, state="start", round=state.round))
                after = work(state, desk)
                desk.tell(Progress(stage=stage, state="end", round=after.round))
        except ScopeError:
            raise
        except Exception as error:
            raise ScopeError(
                f"{stage} failed: {type(error).__name__}: {error}. Nothing is lost: when the cause is gone, "
                f"continue with: scope resume {desk.run.id}"
            ) from error
        return _dated(_timed(state, after, stage, time.monotonic() - began), len(state.events)).sealed()

    return node


def _timed(before: State, after: State, stage: Stage, elapsed: float) -> State:
    """Return `after` with the seconds of this node, or more where it looked up work that had taken longer."""
    spent = max(before.seconds.get(stage, 0.0) + elapsed, after.seconds.get(stage, 0.0))
    return after.model_copy(update={"seconds": after.seconds | {stage: spent}})


def _dated(state: State, known: int) -> State:
    """Return the state with the time of day on the events after the first `known`."""
    now = round(time.time(), 3)
    new = tuple(event.model_copy(update={"time": now}) for event in state.events[known:])
    return state.model_copy(update={"events": state.events[:known] + new})


# -- drafts and verdicts in the ledger -----------------------------------------------------------


def seed_of(seed: int, round_: int, place: int) -> int:
    """Return the seed of a draft, below 2**32: a pure function of the run's seed and the draft's place."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{round_}/{place}".encode()).digest()[:4], "big")


def _step_teller(state: State, desk: Desk, place: int) -> Callable[[int, int], None]:
    here = Progress(
        stage="generate", state="step", round=state.round, draft=place + 1, drafts=state.options.drafts
    )  # fmt: skip
    return lambda done, total: desk.tell(here.model_copy(update={"step": done, "steps": total}))


def _entered(spec: Specification, draft: Draft, verdicts: Sequence[Verdict]) -> Specification:
    """Return the specification with the verdicts on a draft in its ledger."""
    for verdict in verdicts:
        evidence = {"reason": verdict.reason, "score": verdict.score}
        cause = f"verifier:{verdict.verifier}"
        spec = spec.move(verdict.commitment, _status(verdict), cause, evidence=evidence, draft=draft.id)
    return spec


def _settled(spec: Specification, best: Draft, verdicts: Sequence[Verdict]) -> Specification:
    """Return the specification with its statuses as on the best draft, where a later draft changed them."""
    for verdict in verdicts:
        if spec.statuses()[verdict.commitment] is not _status(verdict):
            spec = spec.move(verdict.commitment, _status(verdict), "graph:best", draft=best.id)
    return spec


def _status(verdict: Verdict) -> Status:
    if verdict.blocked_by is not None:
        return Status.BLOCKED
    return {"met": Status.MET, "broken": Status.VIOLATED, None: Status.UNJUDGED}[verdict.outcome]
