"""The state machine. This page tells the story.

    decompose -> [confirm] -> ground* -> bind -> generate* -> verify -> finish
                                ^         ^          ^           |
                                |         |          +-----------+   more drafts of this round
                                +---------|----------------------+   an answer proved wrong
                                          +-- repair <- [confirm]    something is violated

`ground` runs one skill at a time, the first whose `needed()` holds, and is asked again until none is needed; what is
not needed costs nothing. `generate` runs once for each call of the generator, side by side where it allows. LangGraph
runs the machine and stores the state after every node in the run's folder, so that a run which was killed goes on where
it was. The node in which it was killed runs again; what it did already is looked up, not done again (context.py).
nodes.py has how a node is run, execution.py how the whole is.
"""

import hashlib
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from functools import cache
from typing import Any, Literal

from langgraph.graph import END, START, StateGraph
from langgraph.graph.state import CompiledStateGraph
from langgraph.runtime import Runtime
from langgraph.types import Send, interrupt

from scope.config import Options
from scope.engine import review
from scope.engine.context import EngineContext
from scope.engine.grounding import MOST_RUNS, next_skill, step
from scope.engine.ledger_updates import doubtful, entered, gated, repair_result, replaced, settled
from scope.engine.nodes import as_call, as_node, guarded
from scope.engine.outcome import Progress, Stage, tally
from scope.engine.ranking import best_of, priorities_of, weigh
from scope.engine.state import STOP, Made, State, Wave
from scope.errors import BudgetSpent, PromptError
from scope.parsing.notes import notes_of
from scope.protocols import OnStep, Skill, limits
from scope.skills.bind import Bind, request_of
from scope.skills.decompose import Decompose
from scope.skills.layouts.moving import moved
from scope.skills.layouts.own_boxes import with_own_boxes
from scope.skills.repair import Repair
from scope.specification import (
    REGIONAL,
    Cause,
    ImageFile,
    Region,
    Request,
    Specification,
    Strategy,
    faults,
    last_repair,
    reopen,
)
from scope.specification.placements import clashes

STRATEGIES = tuple(strategy.value for strategy in Strategy)
REOPEN = Cause(kind="engine", name="reopen")

# -- nodes: each takes a state and returns the next ----------------------------------------------


def decompose(state: State, context: EngineContext) -> State:
    """Read the prompt into commitments, unless they were given."""
    reading = Decompose()
    spec = reading.run(state.spec, context.tools) if reading.needed(state.spec) else state.spec
    return _read(state, spec, asked="spec" in state.options.confirm)


def confirm(state: State, context: EngineContext) -> State:
    """Ask a person: before the first draft whether this is what was meant, later whether to repair it so."""
    if not state.drafts:
        return _read(state, review.edited(state.spec, interrupt(review.spec_question(state.spec).model_dump())))
    strategy = _repair(state).choose(state.spec, context.tools)
    text = interrupt(review.repair_question(state.spec, strategy, STRATEGIES).model_dump())
    plan = review.planned(state.spec, text, STRATEGIES)
    spec = review.waived(state.spec, plan.waive)
    return state.after(spec, chosen=plan.strategy if plan.repair else STOP)


def ground(state: State, context: EngineContext) -> State:
    """Drop the answers that no draft could keep; else run the first skill that sees something to do."""
    spec = state.spec
    if doubts := _doubts(state):
        for unknown in doubts:
            spec = reopen(spec, unknown, REOPEN, "no draft kept it, and there are other candidates")
        return state.after(spec, **_next_round(state), repairing=False)
    skill = _needed(state, context)
    if skill is None:
        return state
    after, ran, note = step(skill, spec, context.tools, state.ran)
    return state.after(after, ran=ran, notes=(*state.notes, note) if note else state.notes)


def bind(state: State, context: EngineContext) -> State:
    """Give every commitment its words in the request; say what will not be heard, has no place, or cannot be judged."""
    spec = Bind().run(state.spec, context.tools)
    request = _request(state.after(spec), context, place=0)
    unjudged = context.unjudged_answers(spec) if not state.drafts else ()
    for words in (*clashes(spec), *context.passed_over(request, _edits(spec)), *unjudged):
        context.tell(Progress(stage="bind", state="step", round=state.round, text=words))
    return state.after(spec, ran={})


def generate(wave: Wave, context: EngineContext) -> Made:
    """Make some drafts of this round in one call.

    Where a repair words a request that the generator cannot read, or costs more than is left, the round has no drafts,
    and those before it stand.
    """
    state, began = wave.state, time.monotonic()
    first = len(state.drafts) + wave.place - state.attempted + 1
    requests = {f"d{first + i}": _request(state, context, wave.place + i) for i in range(wave.count)}
    try:
        drafts = context.draw(requests, state.repaired, _step_teller(wave, context), edits=_edits(state.spec))
    except (PromptError, BudgetSpent) as error:
        if not state.drafts:
            raise
        return Made.unsealed(round=state.round, place=wave.place, count=wave.count, refusal=str(error))
    took = max(time.monotonic() - began, sum(draft.seconds for draft in drafts))  # more, where it was looked up
    return Made.unsealed(round=state.round, place=wave.place, count=wave.count, drafts=tuple(drafts), seconds=took)


def verify(state: State, context: EngineContext) -> State:
    """Judge every new draft, then let the ledger rest on the best of all that pass the gate."""
    state = state.collected().model_copy(update={"cost": context.run.spent()})
    spec, verdicts = state.spec, dict(state.verdicts)
    new = [draft for draft in state.drafts if draft.id not in state.verdicts]
    for draft in new:
        verdicts[draft.id] = context.judge(draft, spec)
        spec = entered(spec, draft, verdicts[draft.id])
        text, weighed = f"{draft.id}: {tally(verdicts[draft.id])}", weigh(draft, verdicts, priorities_of(spec))
        text += "" if weighed.passes else f"; not kept, for it breaks {', '.join(weighed.breaks)}"
        context.tell(Progress(stage="verify", state="step", round=state.round, text=text))
    best = best_of(state.drafts, verdicts, priorities_of(spec))
    if best is None:
        return state
    spec = gated(settled(spec, best, verdicts[best.id]), new, verdicts, best)
    state = state.after(spec, verdicts=verdicts)
    if _more(state):
        return state
    repaired = repair_result(spec, state.new, verdicts) if state.repairing else ()
    return state.model_copy(update={"repairs": (*state.repairs, *repaired)})


def repair(state: State, context: EngineContext) -> State:
    """Choose how the next round is to get right what the best draft got wrong."""
    planned = _repair(state)
    strategy = Strategy(planned.chosen or planned.choose(state.spec, context.tools))
    regions, mask = _redrawn(state, context, strategy)
    spec = replace(planned, chosen=strategy, mask=mask).run(state.spec, context.tools)
    return state.after(replaced(spec, regions), **_next_round(state), repairing=True, chosen=None)


def finish(state: State, context: EngineContext) -> State:
    """Say that nothing more will be done, and why more was not."""
    maker, options = context.tools.generator, state.options
    notes = [f"the weights of {maker.name} do not know {what}" for what in context.unknown(state.spec)]
    notes += [*notes_of(state.spec.prompt), *clashes(state.spec)]
    notes += [words for draft in state.drafts[:1] for words in context.passed_over(draft.request)]
    notes += [note for knowledge in context.tools.knowledge for note in getattr(knowledge, "notes", ())]
    if state.out_of_time:
        notes.append(f"the time budget of {options.max_time:g} s is spent; allow more with --max-time")
    if state.out_of_images and state.repairable:
        notes.append(f"the budget of {options.max_images} drafts is spent; allow more with --max-images")
    if state.out_of_money:
        notes.append(f"the cost budget of {options.max_cost:g} is spent; allow more with --max-cost")
    return state.model_copy(update={"done": True, "notes": tuple(dict.fromkeys((*state.notes, *notes)))})


# -- edges ---------------------------------------------------------------------------------------


def after_decompose(state: State, runtime: Runtime[EngineContext]) -> Literal["confirm", "ground", "bind"]:
    """Ask a person first, if they want to be asked."""
    return "confirm" if "spec" in state.options.confirm else to_ground(state, runtime)


def to_ground(state: State, runtime: Runtime[EngineContext]) -> Literal["ground", "bind"]:
    """Go on grounding until no skill sees anything to do."""
    return "ground" if _needed(state, runtime.context) is not None else "bind"


def after_confirm(
    state: State, runtime: Runtime[EngineContext]
) -> Literal["ground", "bind", "repair", "finish"]:  # fmt: skip
    """Go on; end where a person said that it is good enough, or waived all that was violated."""
    if not state.drafts:
        return to_ground(state, runtime)
    return "repair" if state.chosen != STOP and state.repairable else "finish"


def to_generate(state: State, runtime: Runtime[EngineContext]) -> list[Send] | Literal["verify"]:
    """Send out the calls that run side by side now: one checkpoint each."""
    return list(_calls(state, runtime.context)) or "verify"


def after_verify(
    state: State, runtime: Runtime[EngineContext]
) -> list[Send] | Literal["ground", "confirm", "repair", "finish"]:
    """Finish the round; then go on while something is violated, and rounds and budgets are left."""
    if _more(state) and (calls := list(_calls(state, runtime.context))):
        return calls
    if state.round >= state.options.max_rounds or state.out_of_budget or not state.repairable:
        return "finish"
    if _doubts(state):
        return "ground"
    if "repair" in state.options.without:
        return "finish"
    return "confirm" if "repair" in state.options.confirm else "repair"


# -- what nodes and edges ask --------------------------------------------------------------------


def _read(state: State, spec: Specification, asked: bool = False) -> State:
    """Return the state with what was read, things where a person put them; not while that person is to be `asked`."""
    return state.after(spec if asked else with_own_boxes(spec, state.options.region))


def _needed(state: State, context: EngineContext) -> Skill | None:
    """Return the first skill that sees something to do; a pure function of the ledger."""
    with guarded("ground", context):
        return next_skill(state.spec, context.tools, state.ran, state.options.without)


def _next_round(state: State) -> dict[str, Any]:
    """Return what changes when a round begins: its drafts repair what is the best until then."""
    return {"round": state.round + 1, "attempted": 0, "parent": state.best.id if state.best else None}


def _doubts(state: State) -> tuple[str, ...]:
    return doubtful(state.spec) if state.drafts and "retrieve" not in state.options.without else ()


def _repair(state: State) -> Repair:
    return Repair(gains=state.gains, records=state.repairs, chosen=state.chosen)


def _redrawn(state: State, context: EngineContext, strategy: Strategy) -> tuple[tuple[Region, ...], ImageFile | None]:
    """Return where things stand in the next drafts, and which part of the best may change; None: no part of its own.

    Things stand as on the best draft: what a repair moved in vain is back where it was.
    """
    best, found = state.best, faults(state.spec)
    regions = best.request.regions if best is not None else ()
    if best is None or strategy not in REGIONAL or not found:
        return regions, None
    names, after = {name for fault in found for name in fault.regions}, regions
    if strategy is Strategy.MOVE:
        width, height = context.tools.canvas
        seed = seed_of(state.options.seed, state.round + 1, 0)
        after = moved(state.spec, regions, names, seed=seed, width=width, height=height)
    changed = [region for region in (*regions, *after) if region.id in names]
    strays = [box for fault in found for box in fault.strays]
    return after, context.mask(state.round + 1, regions, changed, strays, best)


def _edits(spec: Specification) -> bool:
    """Return whether the editor makes the pictures of this round: the latest repair is an edit."""
    latest = last_repair(spec)
    return latest is not None and latest.strategy == Strategy.EDIT


def _request(state: State, context: EngineContext, place: int) -> Request:
    """Return the request of the draft at a place of this round."""
    options = state.options
    seed = seed_of(options.seed, state.round, place)
    shown = context.references(state.spec)
    return request_of(state.spec, seed=seed, parent=state.repaired, size=options.pixels, references=shown)


def seed_of(seed: int, round_: int, place: int) -> int:
    """Return the seed of a draft, below 2**32: a pure function of the run's seed and the draft's place."""
    return int.from_bytes(hashlib.sha256(f"{seed}/{round_}/{place}".encode()).digest()[:4], "big")


def _step_teller(wave: Wave, context: EngineContext) -> OnStep:
    here = Progress(
        stage="generate", state="step", round=wave.state.round, drafts=wave.state.options.drafts
    )  # fmt: skip

    def tell(done: int, total: int) -> None:
        context.interrupts.check()
        finished = min(wave.count - 1, (done - 1) * wave.count // total) if total > 0 else 0  # of one after another
        context.tell(here.model_copy(update={"draft": wave.place + 1 + finished, "step": done, "steps": total}))

    return tell


def most_steps(options: Options, skills: Sequence[Skill]) -> int:
    """Return how many steps of the machine a run takes at most: a bound for LangGraph, which no run should meet."""
    rounds = options.max_rounds + 2
    return rounds * (len(NODES) + MOST_RUNS * len(skills) + 2 * options.drafts)


def _more(state: State) -> bool:
    """Return whether this round has drafts to come: however little is left of the budgets, one is made in all."""
    spent = bool(state.drafts) and state.out_of_budget
    return state.attempted < state.options.drafts and not spent


def _calls(state: State, context: EngineContext) -> Iterator[Send]:
    """Yield the generator calls that come next: as many side by side as it allows, each of as many as it batches.

    Where time or money is limited, drafts are asked for one by one, for both are looked at between calls.
    """
    if not _more(state):
        return
    maker = limits(context.maker(_edits(state.spec)))
    limited = state.options.max_time is not None or (state.options.max_cost is not None and maker.ceiling > 0)
    batch, parallel = (1, 1) if limited else (maker.batch, maker.parallel)
    left = state.options.drafts - state.attempted
    if state.options.max_images is not None:
        left = max(0 if state.drafts else 1, min(left, state.options.max_images - len(state.drafts)))
    for first in range(0, min(left, batch * parallel), batch):
        count = min(batch, left - first)
        yield Send("generate", Wave.unsealed(state=state, place=state.attempted + first, count=count).sealed())


# -- the machine ---------------------------------------------------------------------------------

NODES: dict[Stage, Callable[[State, EngineContext], State]] = {
    "decompose": decompose,
    "confirm": confirm,
    "ground": ground,
    "bind": bind,
    "verify": verify,
    "repair": repair,
    "finish": finish,
}


def build() -> StateGraph[State, EngineContext, State, State]:
    """Return the graph, not yet compiled."""
    graph = StateGraph(State, context_schema=EngineContext)
    for stage, work in NODES.items():
        graph.add_node(stage, as_node(stage, work))
    graph.add_node("generate", as_call(generate))
    graph.add_edge(START, "decompose")
    graph.add_conditional_edges("decompose", after_decompose)
    graph.add_conditional_edges("confirm", after_confirm)
    graph.add_conditional_edges("ground", to_ground)
    graph.add_conditional_edges("bind", to_generate, ["generate", "verify"])
    graph.add_edge("generate", "verify")
    graph.add_conditional_edges("verify", after_verify, ["generate", "ground", "confirm", "repair", "finish"])
    graph.add_edge("repair", "bind")
    graph.add_edge("finish", END)
    return graph


@cache
def machine() -> CompiledStateGraph[State, EngineContext, State, State]:
    """Return the compiled graph, without a saver. It is made once; langgraph.json loads it, to be looked at."""
    return build().compile()
