"""Whether prompts of the world, written as people write them, come out whole with the defaults.

Prompts (data/first_prompts.txt), each drawn by each generator as `scope generate` draws it, in a fresh home, so that
nothing is learnt from one to the next. `exit_0` is the share of the first hundred that ends with exit code 0: the
verifiers of the loop find every commitment met; `first_40` that of the first forty, which were written when the world
had 198 nouns, and `last_10` that of the ten after the hundred, whose places are in some light or weather. `met` is the
share of commitments; of one prompt, how many.
"""

import statistics
import time
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files

from scope import app
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.progress import Progress
from scope.benchmarks.results import Metric, Results, Row
from scope.config import Options
from scope.errors import ScopeError
from scope.testing import temporary_home

GENERATORS = ("ntm", "flow")
HUNDRED = 100
QUICK = 4  # prompts


@dataclass(frozen=True)
class Attempt:
    """How one prompt fared. One that could not be drawn has an `error`, and none of its commitments is met."""

    exit: int
    met: int
    commitments: int
    drafts: int = 0
    seconds: float = 0.0
    error: str = ""


def prompts() -> tuple[str, ...]:
    """Return the prompts."""
    path = files("scope.benchmarks").joinpath("data", "first_prompts.txt")
    return tuple(path.read_text(encoding="utf-8").splitlines())


def attempt(prompt: str, generator: str) -> Attempt:
    """Draw a prompt with the defaults, in a home of its own."""
    began, commitments = time.monotonic(), len(app.decompose(prompt).commitments)
    try:
        with temporary_home():
            result = app.generate(prompt, options=Options(generator=generator))
    except ScopeError as error:
        return Attempt(error.exit_code, 0, commitments, seconds=time.monotonic() - began, error=str(error))
    proof, outcome = result.proof, result.outcome
    return Attempt(outcome.exit, proof.met, len(proof.rows), len(outcome.drafts), time.monotonic() - began)


def measure(quick: bool = False) -> Results:
    """Draw the prompts with both generators; `quick` a few of them."""
    began, asked = time.monotonic(), prompts()[: QUICK if quick else None]
    attempts = {name: _all(asked, name) for name in GENERATORS}
    return Results(
        name="first_prompts",
        command="scope bench first_prompts" + (" --quick" if quick else ""),
        seeds=(Options().seed,),
        n_expected=len(asked) * len(GENERATORS),
        hours=(time.monotonic() - began) / 3600,
        rows=(
            *(_generator_row(name, of_name) for name, of_name in attempts.items()),
            *(_prompt_row(prompt, {name: of[i] for name, of in attempts.items()}) for i, prompt in enumerate(asked)),
        ),
    )


def _all(asked: Sequence[str], generator: str) -> list[Attempt]:
    progress, attempts = Progress(f"{generator}, drawn", len(asked)), []
    for prompt in asked:
        attempts.append(attempt(prompt, generator))
        progress.add()
    return attempts


def _generator_row(name: str, attempts: Sequence[Attempt]) -> Row:
    n = len(attempts)
    of = {"exit_0": attempts[:HUNDRED], "first_40": attempts[:40], "last_10": attempts[HUNDRED:]}
    return Row(
        name=name,
        metrics={
            **{metric: share(sum(a.exit == 0 for a in some), len(some)) for metric, some in of.items() if some},
            "met": share(sum(a.met for a in attempts), sum(a.commitments for a in attempts)),
            "drafts": Metric(value=statistics.fmean(a.drafts for a in attempts), n=n),
            "seconds": Metric(value=round(statistics.fmean(a.seconds for a in attempts), 2), n=n),
        },
    )


def _prompt_row(prompt: str, attempts: dict[str, Attempt]) -> Row:
    metrics = {"commitments": Metric(value=max(a.commitments for a in attempts.values()))}
    for name, one in attempts.items():
        metrics |= {f"{name}_met": Metric(value=one.met), f"{name}_exit": Metric(value=one.exit)}
    errors = dict.fromkeys(f"{name}: {one.error}" for name, one in attempts.items() if one.error)
    return Row(name=prompt, metrics=metrics, note="; ".join(errors))
