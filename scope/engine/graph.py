"""The state machine. This page tells the story.

    decompose -> [confirm] -> retrieve? -> reason? -> skills? -> bind -> generate -> verify -> finish
                                 ^                                ^                    |
                                 +---- an answer proved wrong ----|--------------------+
                                                                  +-- repair <- [confirm]  something is violated

A skill runs where `needed()` says so of the specification, and else costs nothing. LangGraph runs the machine and
stores the state after every node in the run's folder, so that a run which was killed goes on where it was. The node in
which it was killed runs again; what it did already is looked up, not done again (context.py).
"""

import hashlib
import sqlite3
import time
from collections.abc import Callable
from functools import cache
from typing import Any, Literal

from langchain_core.runnables import RunnableConfig
from langgraph.errors import GraphBubbleUp
from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Command, interrupt

from scope.engine import review
from scope.engine.context import Desk, Tell
from scope.engine.ledger_updates import doubtful, entered, repair_result, settled
from scope.engine.outcome import Outcome, Progress, Stage, best_of, json_report, tally
from scope.engine.state import STOP, State, saver, stored
from scope.errors import PromptError, ScopeError, UsageError
from scope.plugins.subprocess_skills import run_or_skip
from scope.protocols import Toolbox
from scope.runs import repair_stats
from scope.runs.store import Run
from scope.skills.bind import Bind, request_of
from scope.skills.decompose import Decompose
from scope.skills.reason import Reason
from scope.skills.repair import STRATEGIES, Repair
from scope.skills.retrieve import Retrieve
from scope.specification import Specification, Status
from scope.specification import reopen as reopened

Ask = Callable[[review.Question], str]

# -- nodes: each takes a state and returns the next ----------------------------------------------


def decompose(state: State, desk: Desk) -> State:
    """Read the prompt into commitments."""
    return state.after(Decompose().run(state.spec, desk.tools))


def confirm_spec(state: State, desk: Desk) -> State:
    """Ask a person whether this is what was meant."""
    return state.after(review.edited(state.spec, interrupt(review.spec_question(state.spec).model_dump())))


def retrieve(state: State, desk: Desk) -> State:
    """Look up what the prompt names and does not say."""
    return state.after(Retrieve().run(state.spec, desk.tools))


def reason(state: State, desk: Desk) -> State:
    """Work out what the prompt leaves to be worked out."""
    return state.after(Reason().run(state.spec, desk.tools))


def skills(state: State, desk: Desk) -> State:
    """Let the skills of other packages do what they see to be done."""
    spec, notes = state.spec, state.notes
    for skill in desk.tools.skills:
        if skill.needed(spec):
            spec, note = run_or_skip(skill, spec, desk.tools)
            notes = (*notes, note) if note else notes
    return state.after(spec, notes=notes)


def bind(state: State, desk: Desk) -> State:
    """Give every commitment its words in the request."""
    return state.after(Bind().run(state.spec, desk.tools))


def generate_drafts(state: State, desk: Desk) -> State:
    """Make the drafts of this round; however little is left of the budgets, one is made in all.

    Where a repair words a request that the generator cannot read, the round has no drafts, and those before it stand.
    """
    named = state.spec.where(Status.REPAIRED)
    for place in range(state.options.drafts):
        if state.drafts and (state.out_of_time or state.out_of_images):
            break
        request = request_of(state.spec, seed=seed_of(state.options.seed, state.round, place), parent=state.best)
        try:
            draft = desk.draw(f"d{len(state.drafts) + 1}", request, _step_teller(state, desk, place), named)
        except PromptError as error:
            if not state.drafts:
                raise
            notes = dict.fromkeys((*state.notes, f"a repair could not be drawn: {error}"))
            return state.model_copy(update={"notes": tuple(notes)})
        seconds = state.seconds | {"generate": state.seconds.get("generate", 0.0) + draft.seconds}
        state = state.model_copy(update={"drafts": (*state.drafts, draft), "seconds": seconds})
    return state


def verify(state: State, desk: Desk) -> State:
    """Judge every new draft, then let the ledger rest on the best of all."""
    spec, verdicts = state.spec, dict(state.verdicts)
    new = [draft for draft in state.drafts if draft.id not in verdicts]
    for draft in new:
        verdicts[draft.id] = desk.judge(draft, spec)
        spec = entered(spec, draft, verdicts[draft.id])
        text = f"{draft.id}: {tally(verdicts[draft.id])}"
        desk.tell(Progress(stage="verify", state="step", round=state.round, text=text))
    best = best_of(state.drafts, verdicts)
    repairs = (*state.repairs, *repair_result(state.spec, new, verdicts))
    if best is None:
        return state
    return state.after(settled(spec, best, verdicts[best.id]), verdicts=verdicts, repairs=repairs)


def reopen(state: State, desk: Desk) -> State:
    """Drop the answers that no draft could keep and that have alternatives."""
    spec = state.spec
    for unknown in doubtful(spec):
        spec = reopened(spec, unknown, "graph:reopen", "no draft kept it, and there are other candidates")
    return state.after(spec, round=state.round + 1)


def confirm_repair(state: State, desk: Desk) -> State:
    """Ask a person whether what is violated is to be repaired so; what they give up is waived."""
    strategy = _repair(state).choose(state.spec, desk.tools)
    text = interrupt(review.repair_question(state.spec, strategy, STRATEGIES).model_dump())
    plan = review.planned(state.spec, text, STRATEGIES)
    spec = review.waived(state.spec, plan.waive)
    return state.after(spec, chosen=plan.strategy if plan.repair else STOP)


def repair(state: State, desk: Desk) -> State:
    """Choose how the next round is to get right what the best draft got wrong."""
    return state.after(_repair(state).run(state.spec, desk.tools), round=state.round + 1, chosen=None)


def finish(state: State, desk: Desk) -> State:
    """Say that nothing more will be done, and why more was not."""
    notes = [f"the weights of {desk.tools.generator.name} do not know {what}" for what in desk.unknown(state.spec)]
    notes += [note for knowledge in desk.tools.knowledge for note in getattr(knowledge, "notes", ())]
    options = state.options
    if state.out_of_time:
        notes.append(f"the time budget of {options.max_time:g} s is spent; allow more with --max-time")
    if state.out_of_images and state.repairable:
        notes.append(f"the budget of {options.max_images} drafts is spent; allow more with --max-images")
    if state.out_of_money:
        notes.append(f"the cost budget of {options.max_cost:g} is spent; allow more with --max-cost")
    return state.model_copy(update={"done": True, "notes": (*state.notes, *notes)})


# -- edges ---------------------------------------------------------------------------------------


def after_decompose(
    state: State, runtime: Runtime[Desk]
) -> Literal["confirm_spec", "retrieve", "reason", "skills", "bind"]:
    """Ask a person first, if they want to be asked."""
    return "confirm_spec" if "spec" in state.options.confirm else to_retrieve(state, runtime)


def to_retrieve(state: State, runtime: Runtime[Desk]) -> Literal["retrieve", "reason", "skills", "bind"]:
    """Retrieve where something is named that is not known here."""
    wanted = "retrieve" not in state.options.without and Retrieve().needed(state.spec)
    return "retrieve" if wanted else to_reason(state, runtime)


def to_reason(state: State, runtime: Runtime[Desk]) -> Literal["reason", "skills", "bind"]:
    """Reason where something is to be worked out."""
    wanted = "reason" not in state.options.without and Reason().needed(state.spec)
    return "reason" if wanted else to_skills(state, runtime)


def to_skills(state: State, runtime: Runtime[Desk]) -> Literal["skills", "bind"]:
    """Run the skills of other packages that see something to do."""
    return "skills" if any(skill.needed(state.spec) for skill in runtime.context.tools.skills) else "bind"


def route(state: State) -> Literal["reopen", "confirm_repair", "repair", "finish"]:
    """Go on while something is violated, and rounds and budgets are left."""
    if state.round >= state.options.max_rounds or state.out_of_budget or not state.repairable:
        return "finish"
    if "retrieve" not in state.options.without and doubtful(state.spec):
        return "reopen"
    if "repair" in state.options.without:
        return "finish"
    return "confirm_repair" if "repair" in state.options.confirm else "repair"


def after_confirm(state: State) -> Literal["repair", "finish"]:
    """Repair unless a person said that it is good enough, or waived all that was violated."""
    return "repair" if state.chosen != STOP and state.repairable else "finish"


# -- the machine ---------------------------------------------------------------------------------

NODES: dict[Stage, Callable[[State, Desk], State]] = {
    "decompose": decompose,
    "confirm_spec": confirm_spec,
    "retrieve": retrieve,
    "reason": reason,
    "skills": skills,
    "bind": bind,
    "generate": generate_drafts,
    "verify": verify,
    "reopen": reopen,
    "confirm_repair": confirm_repair,
    "repair": repair,
    "finish": finish,
}


def build() -> StateGraph[State, Desk, State, State]:
    """Return the graph, not yet compiled."""
    graph = StateGraph(State, context_schema=Desk)
    for stage, work in NODES.items():
        graph.add_node(stage, _node(stage, work))
    graph.add_edge(START, "decompose")
    graph.add_conditional_edges("decompose", after_decompose)
    graph.add_conditional_edges("confirm_spec", to_retrieve)
    graph.add_conditional_edges("retrieve", to_reason)
    graph.add_conditional_edges("reason", to_skills)
    graph.add_edge("skills", "bind")
    graph.add_edge("bind", "generate")
    graph.add_edge("generate", "verify")
    graph.add_conditional_edges("verify", route)
    graph.add_conditional_edges("reopen", to_retrieve)
    graph.add_conditional_edges("confirm_repair", after_confirm)
    graph.add_edge("repair", "bind")
    graph.add_edge("finish", END)
    return graph


@cache
def machine() -> CompiledStateGraph[State, Desk, State, State]:
    """Return the compiled graph, without a saver. It is made once; langgraph.json loads it, to be looked at."""
    return build().compile()


def mermaid() -> str:
    """Return the diagram of the machine in Mermaid's language."""
    return machine().get_graph().draw_mermaid()


def generate(run: Run, tools: Toolbox, on_event: Tell = lambda progress: None, ask: Ask | None = None) -> Outcome:
    """Run the machine on a new run, or continue one that was stopped, to its end.

    Args:
        run: where the run is kept.
        tools: what it works with.
        on_event: who is told of progress.
        ask: answers the questions that `Options.confirm` asks for; it gets a `Question` and returns its text, edited.

    Raises: RunBusy, StateCorrupt, OutputError; ScopeError if a part fails; UsageError if a question is asked and there
    is no `ask`; KeyboardInterrupt passes through. After any of these the same call continues the run. PromptError if
    nothing can be drawn: then the run is removed.
    """
    try:
        with run.locked():
            state = _invoke(Desk(run, tools, on_event), ask)
            outcome = state.outcome(run.id)
            repair_stats.learn(run.id, run.manifest.options.generator, state.repairs)
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


def _invoke(desk: Desk, ask: Ask | None) -> State:
    """Return the final state. Its own flag says that it is final: after a kill, LangGraph's `next` does not."""
    run, options = desk.run, desk.run.manifest.options
    config: RunnableConfig = {"configurable": {"thread_id": run.id}, "recursion_limit": 12 * (options.max_rounds + 2)}
    with run.database() as connection:
        checkpoints = saver(connection)
        state = stored(run, checkpoints)
        if state is not None and state.done:
            return state
        given: Any = None
        if state is None:
            learned = repair_stats.known(options.generator) if options.learned else {}
            given = State.begin(run.manifest.prompt, options, learned).sealed()
        saved = machine().copy({"checkpointer": checkpoints})
        while True:
            try:
                with desk.interrupts.held():
                    result = saved.invoke(given, config, context=desk, durability="sync")
            except (ScopeError, sqlite3.Error, OSError):
                raise
            except Exception as error:  # no node raises anything else: it is LangGraph that cannot read its own record
                raise run.corrupt(f"state.sqlite: {type(error).__name__}") from error
            if "__interrupt__" not in result:
                break
            question = review.Question.model_validate(result["__interrupt__"][0].value)
            waiting = State.model_validate({name: result[name] for name in State.model_fields})
            given = Command(resume=_answer(run, ask, question, waiting.spec))
        state = stored(run, checkpoints)
    if state is None or not state.done:
        raise run.corrupt("the machine stopped before its end")
    return state


def _answer(run: Run, ask: Ask | None, question: review.Question, spec: Specification) -> str:
    """Return an answer that can be used; one that cannot is asked again, once it was changed."""
    if ask is None:
        raise UsageError(f"run {run.id} waits for an answer; give it with: scope resume {run.id}")
    while True:
        text = ask(question)
        try:
            question.check(spec, text)
        except UsageError as error:
            if text == question.text:
                raise
            question = question.again(text, error)
        else:
            return text


def _node(stage: Stage, work: Callable[[State, Desk], State]) -> Any:  # LangGraph tells node types apart by names
    """Return what LangGraph calls. It is handed a checked state, and returns one that is timed, dated and sealed."""

    def node(state: State, runtime: Runtime[Desk]) -> dict[str, Any]:
        desk, began = runtime.context, time.monotonic()
        try:
            with desk.interrupts.let():
                desk.tell(Progress(stage=stage, state="start", round=state.round))
                after = work(state, desk)
                desk.tell(Progress(stage=stage, state="end", round=after.round))
        except (ScopeError, GraphBubbleUp):
            raise
        except Exception as error:
            raise ScopeError(
                f"{stage} failed: {type(error).__name__}: {error}. Nothing is lost: when the cause is gone, "
                f"continue with: scope resume {desk.run.id}"
            ) from error
        after = after.model_copy(update={"cost": desk.run.spent()})
        return _dated(_timed(state, after, stage, time.monotonic() - began), len(state.events)).sealed()

    return node


def _repair(state: State) -> Repair:
    return Repair(gains=state.gains, records=state.repairs, chosen=state.chosen)


def _timed(before: State, after: State, stage: Stage, elapsed: float) -> State:
    """Return `after` with the seconds of this node, or more where it looked up work that had taken longer."""
    spent = max(before.seconds.get(stage, 0.0) + elapsed, after.seconds.get(stage, 0.0))
    return after.model_copy(update={"seconds": after.seconds | {stage: spent}})


def _dated(state: State, known: int) -> State:
    """Return the state with the time of day on the events after the first `known`."""
    now = round(time.time(), 3)
    new = tuple(event.model_copy(update={"time": now}) for event in state.events[known:])
    return state.model_copy(update={"events": state.events[:known] + new})


def seed_of(seed: int, round_: int, place: int) -> int:
    """Return the seed of a draft, below 2**32: a pure function of the run's seed and the draft's place."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{round_}/{place}".encode()).digest()[:4], "big")


def _step_teller(state: State, desk: Desk, place: int) -> Callable[[int, int], None]:
    here = Progress(
        stage="generate", state="step", round=state.round, draft=place + 1, drafts=state.options.drafts
    )  # fmt: skip
    return lambda done, total: desk.tell(here.model_copy(update={"step": done, "steps": total}))
