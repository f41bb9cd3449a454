"""Whether a run survives: killed, interrupted, damaged on disk, or worked on by two at once. POSIX only.

Each row injects real faults into real processes that run the state machine with fake parts, and compares the finished
specification with that of an undisturbed run.

`tried`: faults that were injected. `lost`: commitments that were gone at the end. `wrong`: finished runs whose
canonical specification differs by a byte, or that ended in anything but a `ScopeError`. `repeated`: nodes that ran
again.
"""

import multiprocessing
import os
import random
import shutil
import signal
import sqlite3
import time
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field
from hashlib import sha256
from multiprocessing.process import BaseProcess
from multiprocessing.synchronize import Event
from pathlib import Path

from PIL.Image import Image

from scope.benchmarks.results import Metric, Results, Row
from scope.config import Options
from scope.engine import execution
from scope.engine.outcome import Progress
from scope.errors import ScopeError
from scope.protocols import Toolbox
from scope.runs import store
from scope.runs.budget import BudgetedModel
from scope.runs.context import RunContext
from scope.runs.store import Run
from scope.specification import Commitment, Specification, Type, Verdict
from scope.testing import Call, FakeGenerator, FakeLanguageModel, FakeVerifier, fake_toolbox, temporary_home
from scope.verifiers.vlm import VlmVerifier

PROMPT = "2 red apple left of 1 blue car on beach saying FRESH ?sleepy"
OPTIONS = Options(learned=False, generator="fake", drafts=2, max_rounds=2)
PAID = Options(learned=False, generator="fake", drafts=2, max_rounds=2, max_cost=25.0)
CEILING = 1.0  # what a call costs at most
SHORT = Options(learned=False, generator="fake", drafts=1, max_rounds=1)

#: Processes are forked from a server that has everything imported.
_CONTEXT = multiprocessing.get_context("forkserver")
_CONTEXT.set_forkserver_preload([__name__])


class RandomVerifier(FakeVerifier):
    """Violates each commitment with probability 1/2, by a hash of its id and the picture."""

    def check(self, image: Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        """Return one verdict per commitment, the same in every process."""
        pixels = image.tobytes()
        violated = {c.id for c in commitments if sha256(pixels + c.id.encode()).digest()[0] % 2}
        verdicts = super().check(image, commitments, spec)
        return [v.model_copy(update={"outcome": "violated"}) if v.commitment in violated else v for v in verdicts]


def priced_model(file: Path) -> FakeLanguageModel:
    """Return a model that logs each call, takes a moment, says yes, and costs its ceiling each time."""

    def answer(call: Call) -> dict[str, str]:
        with file.open("a", buffering=1) as log:
            log.write(sha256(f"{call.messages}{[i.tobytes() for i in call.images]}".encode()).hexdigest() + "\n")
        time.sleep(0.005)
        return {"answer": "yes"}

    return FakeLanguageModel([answer], name="priced", cost=CEILING, ceiling=CEILING)


@dataclass
class FaultTally:
    """What came of injecting one kind of fault many times."""

    tried: int = 0
    lost: int = 0
    wrong: int = 0
    repeated: int = 0
    refused: int = 0  # runs that stopped with a ScopeError
    began: float = field(default_factory=time.monotonic)
    seconds: float = 0.0

    def row(self, name: str, note: str = "") -> Row:
        """Return the row of the results file."""
        counts = {"tried": self.tried, "lost": self.lost, "wrong": self.wrong, "repeated": self.repeated}
        metrics = {k: Metric(value=v) for k, v in counts.items()} | {"seconds": Metric(value=round(self.seconds, 1))}
        return Row(name=name, metrics=metrics, note=note)

    def stop(self) -> "FaultTally":
        """Stop the clock and return this."""
        self.seconds = time.monotonic() - self.began
        return self

    def compare(self, run: Run, reference: "Reference") -> None:
        """Count what the finished run lost or got wrong against the undisturbed one."""
        outcome = execution.load(run)
        self.lost += len(reference.ids - _ids(run))
        self.wrong += outcome is None or outcome.spec.canonical() != reference.canonical


@dataclass(frozen=True)
class Reference:
    """An undisturbed run."""

    canonical: str
    ids: frozenset[str]
    nodes: int
    seconds: float  # of its process


def measure() -> Results:
    """Inject all faults.

    Raises: ScopeError if a run is lost in a way that these counts do not cover.
    """
    killed, interrupted, corrupted, raced = kills(200), kills(100, signal.SIGINT), bit_flips(500), races(100)
    paying = budget_kills(100)
    return Results(
        name="durability",
        command="scope bench durability",
        seeds=(0,),
        n_expected=1000,
        rows=(
            killed.row("kill", "SIGKILL at a random moment, then resumed"),
            interrupted.row("interrupt", "SIGINT at a random moment, then resumed"),
            corrupted.row("corrupt_state", f"one flipped bit, then resumed; {corrupted.refused} refused"),
            raced.row("concurrency", f"two processes on one run; {raced.refused} turned away"),
            paying.row(
                "budget", "SIGKILL at a random moment of a run that pays for each answer; wrong: spent too much"
            ),
        ),
    )


def kills(count: int, with_signal: signal.Signals = signal.SIGKILL, seed: int = 0) -> FaultTally:
    """Stop processes at `count` random moments of their work, up to three in a run, then let each run finish."""
    rng = random.Random(seed)
    with temporary_home() as home:
        reference, tally = _reference(home), FaultTally()
        while tally.tried < count:
            run, before = store.create(PROMPT, OPTIONS), tally.tried
            _stop_thrice(home, run, with_signal, tally, count, lambda: rng.uniform(0, reference.seconds))
            tally.compare(run, reference)
            repeated = max(0, len(_nodes(run)) - reference.nodes)
            tally.repeated += repeated
            tally.wrong += repeated > tally.tried - before
        return tally.stop()


def budget_kills(count: int, seed: int = 0) -> FaultTally:
    """Kill runs that pay a language model for each verdict: none may spend more than its budget and one call."""
    rng = random.Random(seed)
    with temporary_home() as home:
        reference, tally = _reference(home, PAID), FaultTally()
        while tally.tried < count:
            run = store.create(PROMPT, PAID)
            _stop_thrice(home, run, signal.SIGKILL, tally, count, lambda: rng.uniform(0, reference.seconds))
            tally.lost += len(reference.ids - _ids(run))
            tally.wrong += run.spent() > (PAID.max_cost or 0) + CEILING
            tally.repeated += len(_calls(run)) - len(set(_calls(run)))
        return tally.stop()


def _stop_thrice(
    home: Path, run: Run, with_signal: signal.Signals, tally: FaultTally, count: int, moment: Callable[[], float]
) -> None:
    """Stop a run's process up to three times, each after `moment()` seconds, until `count` in all; let it finish."""
    stopped = 130 if with_signal is signal.SIGINT else -with_signal
    for _ in range(3):
        ready = _CONTEXT.Event()
        process = _start(home, run, ready)
        ready.wait()
        process.join(moment())
        if not process.is_alive() or tally.tried == count:
            break
        _send(process, with_signal)
        process.join(60)
        process.kill()  # one that hangs
        process.join()
        tally.tried += process.exitcode != 0  # else it was done before the signal came
        tally.wrong += process.exitcode not in (0, stopped)
    process.join()
    _finish(home, run)


def bit_flips(count: int, seed: int = 0) -> FaultTally:
    """Flip one bit of a half-finished run's database, anywhere or in its newest state, then resume."""
    rng = random.Random(seed)
    with temporary_home() as home:
        reference, tally, run = _reference(home, SHORT), FaultTally(), store.create(PROMPT, SHORT)
        _until_first_repair(run)
        whole = home / "whole"
        shutil.copytree(run.folder, whole)
        for number in range(count):
            shutil.rmtree(run.folder)
            shutil.copytree(whole, run.folder)
            flip = _flip_anywhere if number % 2 else _flip_newest_state
            flip(run.folder / "state.sqlite", rng)
            tally.tried += 1
            try:
                execution.generate(run, _tools(run))
                tally.compare(run, reference)
            except ScopeError:
                tally.refused += 1
            except Exception:
                tally.wrong += 1
        return tally.stop()


def races(count: int) -> FaultTally:
    """Let two processes work on one run at once: one is turned away, or comes late and finds the work done."""
    with temporary_home() as home:
        reference, tally = _reference(home), FaultTally()
        for _ in range(count):
            run = store.create(PROMPT, OPTIONS)
            pair = [_start(home, run), _start(home, run)]
            for process in pair:
                process.join()
            tally.tried += 1
            tally.refused += sum(process.exitcode == 2 for process in pair)
            tally.wrong += sorted(process.exitcode or 0 for process in pair) not in ([0, 0], [0, 2])
            tally.repeated += len(_nodes(run)) - reference.nodes
            tally.compare(run, reference)
        return tally.stop()


# -- processes -----------------------------------------------------------------------------------


def _tools(run: Run, delay: float = 0.0) -> Toolbox:
    """Return fake parts that take `delay` seconds a picture and a check, so that there is time to be killed in.

    With a budget of money, one of the verifiers asks a model that is paid.
    """
    limit = run.manifest.options.max_cost
    if limit is not None:
        language = BudgetedModel(priced_model(run.folder / "model_calls"), RunContext(run, limit))
        relations = FakeVerifier({"c3": "violated"}, handled=frozenset({Type.RELATION}))
        return fake_toolbox(relations, VlmVerifier(language), generator=FakeGenerator(delay=delay))
    return fake_toolbox(RandomVerifier(delay=delay), generator=FakeGenerator(delay=delay))


def _work(home: str, run_id: str, ready: Event | None) -> None:
    """Run a run to its end, logging each node that starts. Exits as the command line would: 0, 2 or 130."""
    os.environ["SCOPE_HOME"] = home
    run = store.open_run(run_id)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
    with (run.folder / "nodes").open("a", buffering=1) as log:

        def note(progress: Progress) -> None:
            if progress.state == "start":
                log.write(f"{progress.stage}\n")

        try:
            try:
                if ready is not None:
                    ready.set()
                execution.generate(run, _tools(run, delay=0.01), note)
            finally:
                signal.signal(signal.SIGINT, signal.SIG_IGN)  # what comes now comes too late
        except KeyboardInterrupt:  # also one that came just before
            raise SystemExit(130) from None
        except ScopeError as error:
            raise SystemExit(error.exit_code) from error


def _start(home: Path, run: Run, ready: Event | None = None) -> BaseProcess:
    """Start a process that works on a run and says when it is `ready`."""
    process = _CONTEXT.Process(target=_work, args=(str(home), run.id, ready))
    process.start()
    return process


def _send(process: BaseProcess, with_signal: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it may have ended in the meantime
        os.kill(process.pid or 0, with_signal)


def _finish(home: Path, run: Run) -> None:
    process = _start(home, run)
    process.join()


def _ids(run: Run) -> frozenset[str]:
    outcome = execution.load(run)
    return frozenset(c.id for c in outcome.spec.commitments) if outcome else frozenset()


def _calls(run: Run) -> list[str]:
    return (run.folder / "model_calls").read_text().split()


def _nodes(run: Run) -> list[str]:
    return (run.folder / "nodes").read_text().split()


def _reference(home: Path, options: Options = OPTIONS) -> Reference:
    """Return an undisturbed run, timed when the server of processes is warm."""
    _finish(home, store.create(PROMPT, options))
    run, began = store.create(PROMPT, options), time.monotonic()
    _finish(home, run)
    seconds, outcome = time.monotonic() - began, execution.load(run)
    if outcome is None or not run.finished:
        raise ScopeError("a run that nobody disturbed did not finish")
    return Reference(outcome.spec.canonical(), _ids(run), len(_nodes(run)), seconds)


# -- bit flips -----------------------------------------------------------------------------------


def _until_first_repair(run: Run) -> None:
    def stop(progress: Progress) -> None:
        if progress.stage == "repair":
            raise KeyboardInterrupt

    try:
        execution.generate(run, _tools(run), stop)
    except KeyboardInterrupt:
        return
    raise ScopeError("the run was to need a repair")


def _flip_anywhere(database: Path, rng: random.Random) -> None:
    data = bytearray(database.read_bytes())
    _flip(data, rng)
    database.write_bytes(data)


def _flip_newest_state(database: Path, rng: random.Random) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        newest = "(SELECT rowid FROM checkpoints ORDER BY checkpoint_id DESC LIMIT 1)"
        [(blob,)] = connection.execute(f"SELECT checkpoint FROM checkpoints WHERE rowid = {newest}")
        data = bytearray(blob)
        _flip(data, rng)
        connection.execute(f"UPDATE checkpoints SET checkpoint = ? WHERE rowid = {newest}", (bytes(data),))


def _flip(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
