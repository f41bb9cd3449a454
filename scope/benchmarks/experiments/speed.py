"""How long things take on this machine, in seconds, and how much memory they need.

`import` and `help` load no torch. `cold` is a whole `scope generate` in a new process, `draft` one more picture in a
process that has drawn before, bound to regions, by a generator in so many steps, and `layout` what places its things.
`node` is what the state machine adds to one node: a run whose parts do nothing, by its nodes. `outside_model` is the
share of a warm run that is not spent in forward passes of networks.
"""

import json
import resource
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import torch

from scope.benchmarks.results import Metric, Results, Row
from scope.benchmarks.tasks import bound
from scope.config import Options
from scope.engine.assemble import assemble
from scope.engine.execution import generate
from scope.errors import ScopeError
from scope.parsing.grammar import Grammar
from scope.plugins import registry
from scope.runs import store
from scope.testing import fake_toolbox, temporary_home

PROMPT = "two red apples to the left of a blue car on a beach"
REPEATS = 5
_NODES = 5  # decompose, bind, generate, verify, finish
_RUNNER = """
import json, resource, subprocess, sys, time
began = time.perf_counter()
done = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
seconds = time.perf_counter() - began
print(json.dumps([seconds, resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, done.returncode]))
"""
_SCOPE = (sys.executable, "-m", "scope")


def measure() -> Results:
    """Return the times. Run it on an idle machine.

    Raises: ScopeError if `scope generate` fails here.
    """
    with temporary_home() as home:
        rows = (
            _process("import", (sys.executable, "-c", "import scope"), REPEATS),
            _process("help", (*_SCOPE, "--help"), REPEATS),
            _process(
                "cold", (*_SCOPE, "generate", PROMPT, "--drafts", "1", "--max-rounds", "0", "-o", f"{home}/a.png"), 3
            ),
            _draft("ntm", 4),
            _draft("flow", 50),
            _layout(),
            _node(),
            _outside_model(),
        )
    return Results(name="speed", command="scope bench speed", seeds=(0,), rows=rows)


def _process(name: str, command: Sequence[str], repeats: int) -> Row:
    """Return the wall seconds of a new process and its peak memory."""
    seconds, peaks = zip(*(_run(command) for _ in range(repeats)), strict=True)
    return _row(name, seconds, peak_mb=Metric(value=max(peaks)))


def _run(command: Sequence[str]) -> tuple[float, float]:
    """Return the wall seconds and the peak memory of a command.

    A process of its own runs it: Linux hands the memory peak of whoever starts a program down to it.
    """
    done = subprocess.run((sys.executable, "-c", _RUNNER, *command), capture_output=True, text=True, check=True)
    seconds, peak, code = json.loads(done.stdout)
    if code not in (0, 3):  # 3: drawn, and something is not met
        raise ScopeError(f"`{' '.join(command)}` failed with exit code {code}; run it to see why")
    return seconds, _megabytes(peak)


def _megabytes(maxrss: int) -> float:
    """Return a peak as the operating system gives it, in MB: macOS counts bytes, Linux kilobytes."""
    return maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6


def _draft(name: str, steps: int) -> Row:
    generator, spec = registry.load("generators", name)(), Grammar().decompose(PROMPT)
    requests = [bound(spec, seed).model_copy(update={"steps": steps}) for seed in range(REPEATS + 1)]
    seconds = _time(lambda seed: generator.generate([requests[seed]]))
    peak = _megabytes(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss)
    return _row(f"draft_{name}_{steps}", seconds, peak_mb=Metric(value=peak))


def _layout() -> Row:
    spec = Grammar().decompose(PROMPT)
    return _row("layout", _time(lambda seed: bound(spec, seed)))


def _node() -> Row:
    tools = fake_toolbox()
    runs = _new_runs("2 red apple left of 1 blue car")
    seconds = _time(lambda seed: generate(runs[seed], tools))
    return _row("node", [s / _NODES for s in seconds])


def _outside_model() -> Row:
    runs = _new_runs(PROMPT)
    tools = assemble(runs[0])
    shares = []

    def run_once(seed: int) -> None:
        began = time.perf_counter()
        with _forward_passes() as inside:
            generate(runs[seed], tools)
        shares.append(1 - inside() / (time.perf_counter() - began))

    _time(run_once)
    return Row(name="outside_model", metrics={"share": Metric(value=statistics.median(shares[1:]), n=REPEATS)})


def _new_runs(prompt: str) -> list[store.Run]:
    return [store.create(prompt, Options(seed=s, drafts=1, max_rounds=0)) for s in range(REPEATS + 1)]


def _time(work: Callable[[int], Any]) -> list[float]:
    """Return the seconds of each of `REPEATS` calls, after one that is not counted."""
    work(0)
    seconds = []
    for seed in range(1, REPEATS + 1):
        began = time.perf_counter()
        work(seed)
        seconds.append(time.perf_counter() - began)
    return seconds


def _row(name: str, seconds: Sequence[float], **metrics: Metric) -> Row:
    return Row(name=name, metrics={"seconds": Metric(value=statistics.median(seconds), n=len(seconds)), **metrics})


@contextmanager
def _forward_passes() -> Iterator[Callable[[], float]]:
    """Count the seconds inside torch modules that are called while this is open; a module in a module counts once."""
    depth, began, total = 0, 0.0, 0.0

    def enter(module: torch.nn.Module, inputs: Any) -> None:
        nonlocal depth, began
        if depth == 0:
            began = time.perf_counter()
        depth += 1

    def leave(module: torch.nn.Module, inputs: Any, output: Any) -> None:
        nonlocal depth, total
        depth -= 1
        if depth == 0:
            if torch.cuda.is_available():
                torch.cuda.synchronize()  # a GPU returns before it is done
            total += time.perf_counter() - began

    hooks = [
        torch.nn.modules.module.register_module_forward_pre_hook(enter),
        torch.nn.modules.module.register_module_forward_hook(leave),
    ]
    try:
        yield lambda: total
    finally:
        for hook in hooks:
            hook.remove()
