"""How a node is run: told of, timed, dated and sealed, with errors in the words of this package."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

from langgraph.errors import GraphBubbleUp
from langgraph.runtime import Runtime

from scope.engine.context import EngineContext
from scope.engine.outcome import Progress, Stage
from scope.engine.state import Made, State, Wave
from scope.errors import ScopeError
from scope.text import printable


def as_node(stage: Stage, work: Callable[[State, EngineContext], State]) -> Any:  # LangGraph knows node types by names
    """Return what LangGraph calls. It is handed a checked state, and returns one that is timed, dated and sealed."""

    def node(state: State, runtime: Runtime[EngineContext]) -> dict[str, Any]:
        context, began = runtime.context, time.monotonic()
        with reported(stage, state.round, context):
            after = work(state, context)
        after = after.model_copy(update={"cost": context.run.spent()})
        return _dated(_timed(after, stage, time.monotonic() - began), len(state.events)).sealed()

    return node


def as_call(work: Callable[[Wave, EngineContext], Made]) -> Any:
    """Return what LangGraph calls for each `Send` to `generate`. It may run beside others of its kind."""

    def node(wave: dict[str, Any], runtime: Runtime[EngineContext]) -> dict[str, Any]:
        asked = Wave.model_validate(wave)
        with reported("generate", asked.state.round, runtime.context):
            return {"made": [work(asked, runtime.context).sealed()]}

    return node


@contextmanager
def reported(stage: Stage, round_: int, context: EngineContext) -> Iterator[None]:
    """Tell when a node begins and ends; the rest is as in `guarded`."""
    with guarded(stage, context):
        context.tell(Progress(stage=stage, state="start", round=round_))
        yield
        context.tell(Progress(stage=stage, state="end", round=round_))


@contextmanager
def guarded(stage: Stage, context: EngineContext) -> Iterator[None]:
    """Let Ctrl-C through meanwhile, and name what failed.

    Raises: ScopeError.
    """
    try:
        with context.interrupts.let():
            yield
    except (ScopeError, GraphBubbleUp):
        raise
    except (Exception, SystemExit) as error:
        raise ScopeError(
            f"{stage} failed: {type(error).__name__}: {printable(str(error))}. Nothing is lost: when the cause is "
            f"gone, continue with: scope resume {context.run.id}"
        ) from error


def _timed(state: State, stage: Stage, elapsed: float) -> State:
    return state.model_copy(update={"seconds": state.seconds | {stage: state.seconds.get(stage, 0.0) + elapsed}})


def _dated(state: State, known: int) -> State:
    """Return the state with the time of day on the events after the first `known`."""
    now = round(time.time(), 3)
    new = tuple(event.model_copy(update={"time": now}) for event in state.events[known:])
    return state.model_copy(update={"events": state.events[:known] + new})
