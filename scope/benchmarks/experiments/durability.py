"""Whether a run survives: killed, interrupted, damaged on disk, or worked on by two at once. POSIX only.

Each row does real harm to real processes that run the machine with fake parts, and compares the finished specification
with that of a run left in peace.

`tried`: times that harm was done. `lost`: commitments that were gone at the end. `wrong`: finished runs whose canonical
specification differs by a byte, or that ended in anything but a `ScopeError`. `repeated`: nodes that ran again.
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
from scope.engine import graph
from scope.engine.outcome import Progress
from scope.errors import ScopeError
from scope.protocols import Toolbox
from scope.runs import store
from scope.runs.budget import Metered
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


class Coin(FakeVerifier):
    """Tosses a coin for each commitment, by its id and the picture: half of the verdicts are broken."""

    def check(self, image: Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        """Return one verdict per commitment, the same in every process."""
        picture = image.tobytes()
        heads = {c.id for c in commitments if sha256(picture + c.id.encode()).digest()[0] % 2}
        verdicts = super().check(image, commitments, spec)
        return [v.model_copy(update={"outcome": "violated"}) if v.commitment in heads else v for v in verdicts]


def priced(file: Path) -> FakeLanguageModel:
    """Return a model that notes what it is asked, takes a moment, says yes, and costs its ceiling each time."""

    def answer(call: Call) -> dict[str, str]:
        with file.open("a", buffering=1) as log:
            log.write(sha256(f"{call.messages}{[i.tobytes() for i in call.images]}".encode()).hexdigest() + "\n")
        time.sleep(0.005)
        return {"answer": "yes"}

    return FakeLanguageModel([answer], name="priced", cost=CEILING, ceiling=CEILING)


@dataclass
class Harm:
    """What came of doing one kind of harm many times."""

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

    def over(self) -> "Harm":
        """Stop the clock and return this."""
        self.seconds = time.monotonic() - self.began
        return self

    def compare(self, run: Run, peace: "Peace") -> None:
        """Count what the finished run lost or got wrong against the run left in peace."""
        outcome = graph.load(run)
        ids = {c.id for c in outcome.spec.commitments} if outcome else set()
        self.lost += len(peace.ids - ids)
        self.wrong += outcome is None or outcome.spec.canonical() != peace.canonical


@dataclass(frozen=True)
class Peace:
    """A run that nobody disturbed."""

    canonical: str
    ids: frozenset[str]
    nodes: int
    seconds: float  # of its process


def measure() -> Results:
    """Return the figures.

    Raises: ScopeError if a run is lost in a way that these counts do not cover.
    """
    killed, interrupted, damaged, raced = kills(200), kills(100, signal.SIGINT), damages(500), races(100)
    paid = overspending(100)
    return Results(
        name="durability",
        command="scope bench durability",
        seeds=(0,),
        n_expected=1000,
        rows=(
            killed.row("kill", "SIGKILL at a random moment, then resumed"),
            interrupted.row("interrupt", "SIGINT at a random moment, then resumed"),
            damaged.row("corrupt_state", f"one flipped bit, then resumed; {damaged.refused} refused"),
            raced.row("concurrency", f"two processes on one run; {raced.refused} turned away"),
            paid.row("budget", "SIGKILL at a random moment of a run that pays for each answer; wrong: spent too much"),
        ),
    )


def kills(count: int, with_signal: signal.Signals = signal.SIGKILL, seed: int = 0) -> Harm:
    """Stop processes at `count` random moments of their work, up to three in a run, then let each run finish."""
    moments = random.Random(seed)
    with temporary_home() as home:
        peace, harm = _peace(home), Harm()
        while harm.tried < count:
            run, before = store.create(PROMPT, OPTIONS), harm.tried
            _stop_thrice(home, run, with_signal, harm, count, lambda: moments.uniform(0, peace.seconds))
            harm.compare(run, peace)
            repeated = max(0, len(_nodes(run)) - peace.nodes)
            harm.repeated += repeated
            harm.wrong += repeated > harm.tried - before
        return harm.over()


def overspending(count: int, seed: int = 0) -> Harm:
    """Kill runs that pay a language model for each verdict: none may spend more than its budget and one call."""
    moments = random.Random(seed)
    with temporary_home() as home:
        peace, harm = _peace(home, PAID), Harm()
        while harm.tried < count:
            run = store.create(PROMPT, PAID)
            _stop_thrice(home, run, signal.SIGKILL, harm, count, lambda: moments.uniform(0, peace.seconds))
            outcome = graph.load(run)
            harm.lost += len(peace.ids - {c.id for c in outcome.spec.commitments}) if outcome else len(peace.ids)
            harm.wrong += run.spent() > (PAID.max_cost or 0) + CEILING
            harm.repeated += len(_asked(run)) - len(set(_asked(run)))
        return harm.over()


def _stop_thrice(
    home: Path, run: Run, with_signal: signal.Signals, harm: Harm, count: int, moment: Callable[[], float]
) -> None:
    """Stop a run's process up to three times, each after `moment()` seconds, until `count` in all; let it finish."""
    stopped = 130 if with_signal is signal.SIGINT else -with_signal
    for _ in range(3):
        ready = _CONTEXT.Event()
        process = _start(home, run, ready)
        ready.wait()
        process.join(moment())
        if not process.is_alive() or harm.tried == count:
            break
        _send(process, with_signal)
        process.join(60)
        process.kill()  # one that hangs
        process.join()
        harm.tried += process.exitcode != 0  # else it was done before the signal came
        harm.wrong += process.exitcode not in (0, stopped)
    process.join()
    _finish(home, run)


def damages(count: int, seed: int = 0) -> Harm:
    """Flip one bit of a half-finished run's database, anywhere or in its newest state, then resume."""
    places = random.Random(seed)
    with temporary_home() as home:
        peace, harm, run = _peace(home, SHORT), Harm(), store.create(PROMPT, SHORT)
        _until_first_repair(run)
        whole = home / "whole"
        shutil.copytree(run.folder, whole)
        for number in range(count):
            shutil.rmtree(run.folder)
            shutil.copytree(whole, run.folder)
            flip = _flip_anywhere if number % 2 else _flip_newest_state
            flip(run.folder / "state.sqlite", places)
            harm.tried += 1
            try:
                graph.generate(run, _tools(run))
                harm.compare(run, peace)
            except ScopeError:
                harm.refused += 1
            except Exception:
                harm.wrong += 1
        return harm.over()


def races(count: int) -> Harm:
    """Let two processes work on one run at once: one is turned away, or comes late and finds the work done."""
    with temporary_home() as home:
        peace, harm = _peace(home), Harm()
        for _ in range(count):
            run = store.create(PROMPT, OPTIONS)
            pair = [_start(home, run), _start(home, run)]
            for process in pair:
                process.join()
            harm.tried += 1
            harm.refused += sum(process.exitcode == 2 for process in pair)
            harm.wrong += sorted(process.exitcode or 0 for process in pair) not in ([0, 0], [0, 2])
            harm.repeated += len(_nodes(run)) - peace.nodes
            harm.compare(run, peace)
        return harm.over()


# -- processes -----------------------------------------------------------------------------------


def _tools(run: Run, delay: float = 0.0) -> Toolbox:
    """Return fake parts that take `delay` seconds a picture and a check, so that there is a moment to be killed in.

    With a budget of money, one of the verifiers asks a model that is paid.
    """
    limit = run.manifest.options.max_cost
    if limit is not None:
        language = Metered(priced(run.folder / "asked"), run, limit)
        broken = FakeVerifier({"c3": "violated"}, handled=frozenset({Type.RELATION}))
        return fake_toolbox(broken, VlmVerifier(language), generator=FakeGenerator(delay=delay))
    return fake_toolbox(Coin(delay=delay), generator=FakeGenerator(delay=delay))


def _work(home: str, run_id: str, ready: Event | None) -> None:
    """Run a run to its end, noting each node that starts. Exits as the command line would: 0, 2 or 130."""
    os.environ["SCOPE_HOME"] = home
    run = store.open_run(run_id)
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background job starts with it ignored
    with (run.folder / "nodes").open("a", buffering=1) as log:

        def note(news: Progress) -> None:
            if news.state == "start":
                log.write(f"{news.stage}\n")

        try:
            if ready is not None:
                ready.set()
            graph.generate(run, _tools(run, delay=0.01), note)
        except KeyboardInterrupt:
            raise SystemExit(130) from None
        except ScopeError as error:
            raise SystemExit(error.exit_code) from error
        finally:
            signal.signal(signal.SIGINT, signal.SIG_IGN)  # what comes now comes too late


def _start(home: Path, run: Run, ready: Event | None = None) -> BaseProcess:
    """Start a process that works on a run and says when it is `ready` to be harmed."""
    process = _CONTEXT.Process(target=_work, args=(str(home), run.id, ready))
    process.start()
    return process


def _send(process: BaseProcess, with_signal: signal.Signals) -> None:
    with suppress(ProcessLookupError):  # it may have ended in the meantime
        os.kill(process.pid or 0, with_signal)


def _finish(home: Path, run: Run) -> None:
    process = _start(home, run)
    process.join()


def _asked(run: Run) -> list[str]:
    return (run.folder / "asked").read_text().split()


def _nodes(run: Run) -> list[str]:
    return (run.folder / "nodes").read_text().split()


def _peace(home: Path, options: Options = OPTIONS) -> Peace:
    """Return the run left in peace, timed when the server of processes is warm."""
    _finish(home, store.create(PROMPT, options))
    run, began = store.create(PROMPT, options), time.monotonic()
    _finish(home, run)
    seconds, outcome = time.monotonic() - began, graph.load(run)
    if outcome is None or not run.finished:
        raise ScopeError("a run that nobody disturbed did not finish")
    ids = frozenset(c.id for c in outcome.spec.commitments)
    return Peace(outcome.spec.canonical(), ids, len(_nodes(run)), seconds)


# -- damage --------------------------------------------------------------------------------------


def _until_first_repair(run: Run) -> None:
    def stop(news: Progress) -> None:
        if news.stage == "repair":
            raise KeyboardInterrupt

    try:
        graph.generate(run, _tools(run), stop)
    except KeyboardInterrupt:
        return
    raise ScopeError("the run was to need a repair")


def _flip_anywhere(database: Path, places: random.Random) -> None:
    data = bytearray(database.read_bytes())
    _flip(data, places)
    database.write_bytes(data)


def _flip_newest_state(database: Path, places: random.Random) -> None:
    with closing(sqlite3.connect(database)) as connection, connection:
        newest = "(SELECT rowid FROM checkpoints ORDER BY checkpoint_id DESC LIMIT 1)"
        [(blob,)] = connection.execute(f"SELECT checkpoint FROM checkpoints WHERE rowid = {newest}")
        data = bytearray(blob)
        _flip(data, places)
        connection.execute(f"UPDATE checkpoints SET checkpoint = ? WHERE rowid = {newest}", (bytes(data),))


def _flip(data: bytearray, places: random.Random) -> None:
    data[places.randrange(len(data))] ^= 1 << places.randrange(8)
