"""Runs the machine on a run, from wherever it stands to its end."""

import sqlite3
from collections.abc import Callable
from typing import Any

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command

from scope.engine import review
from scope.engine.context import EngineContext, Tell
from scope.engine.graph import machine, most_steps
from scope.engine.outcome import Outcome, json_report
from scope.engine.state import State, saver, stored
from scope.errors import PromptError, ScopeError, UsageError
from scope.protocols import Toolbox
from scope.runs import repair_stats
from scope.runs.store import Run
from scope.specification import Specification

_ASKS = 3  # times that one question is asked
Ask = Callable[[review.Question], str]


def generate(run: Run, tools: Toolbox, on_event: Tell = lambda progress: None, ask: Ask | None = None) -> Outcome:
    """Run the machine on a new run, or continue one that was stopped, to its end.

    Args:
        run: where the run is kept.
        tools: what it works with.
        on_event: who is told of progress. Drafts that are made side by side tell from threads of their own.
        ask: answers the questions that `Options.confirm` asks for; it gets a `Question` and returns its text, edited.

    Raises: RunBusy, StateCorrupt, OutputError; ScopeError if a part fails; UsageError if a question is asked and there
    is no `ask`; KeyboardInterrupt passes through. After any of these the same call continues the run. PromptError if
    nothing can be drawn: then the run is removed.
    """
    try:
        with run.locked():
            state = _final(EngineContext.of(run, tools, on_event), ask)
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


def _final(context: EngineContext, ask: Ask | None) -> State:
    """Return the final state. Its own flag says that it is final: after a kill, LangGraph's `next` does not."""
    run, options = context.run, context.run.manifest.options
    steps = most_steps(options, context.tools.skills)
    config: RunnableConfig = {"configurable": {"thread_id": run.id}, "recursion_limit": steps}
    with run.database() as connection:
        checkpoints = saver(connection)
        state = stored(run, checkpoints)
        if state is not None and state.done:
            return state
        given: Any = None
        if state is None:
            learned = repair_stats.known(options.generator) if options.learned else {}
            given = State.begin(run.manifest.prompt, options, learned, run.manifest.given).sealed()
        saved = machine().copy({"checkpointer": checkpoints})
        while True:
            try:
                with context.interrupts.held():
                    result = saved.invoke(given, config, context=context, durability="sync")
            except (ScopeError, sqlite3.Error, OSError):
                raise
            except Exception as error:  # no node raises anything else: it is LangGraph that cannot read its own record
                raise run.corrupt(f"state.sqlite: {type(error).__name__}") from error
            if "__interrupt__" not in result:
                break
            question = review.Question.model_validate(result["__interrupt__"][0].value)
            waiting = State.model_validate({name: result[name] for name in State.model_fields if name in result})
            given = Command(resume=_answer(run, ask, question, waiting.spec))
        state = stored(run, checkpoints)
    if state is None or not state.done:
        raise run.corrupt("the machine stopped before its end")
    return state


def _answer(run: Run, ask: Ask | None, question: review.Question, spec: Specification) -> str:
    """Return an answer that can be used; one that cannot is asked again with the reason, once it was changed.

    Raises: UsageError if it was not changed, or cannot be used the last time either.
    """
    if ask is None:
        raise UsageError(f"run {run.id} waits for an answer; give it with: scope resume {run.id}")
    why = ""
    for _ in range(_ASKS):
        text = ask(question)
        try:
            question.check(spec, text)
        except UsageError as error:
            if text == question.text:
                raise
            question, why = question.again(text, error), str(error)
        else:
            return text
    raise UsageError(f"the answer could not be used {_ASKS} times: {why}. Give another with: scope resume {run.id}")
