"""Statistics of several trainings: a mean with its interval, how many times sooner, and rank correlations.

A training is scored at a few logged steps. The step at which it reaches a target lies on the line between two of them,
in log(steps) and log(score); before the first or after the last of them it is known by a bound only, and so is a ratio.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from scipy import stats

from scope.benchmarks.results import Metric
from scope.errors import ScopeError

#: (steps, score) with growing steps; a low score is good, and all are above 0.
Curve = Sequence[tuple[float, float]]


def mean(values: Sequence[float]) -> Metric:
    """Return a mean with Student's 95 % interval; of one value, without.

    Raises: ScopeError if there is none, or one is not finite.
    """
    x = np.asarray(values, np.float64)
    if not (len(x) and np.isfinite(x).all()):
        raise ScopeError(f"a mean needs finite values, at least one; these are {values}")
    if len(x) == 1:
        return Metric(value=float(x[0]), n=1)
    margin = float(stats.t.ppf(0.975, len(x) - 1) * x.std(ddof=1) / math.sqrt(len(x)))
    return Metric(value=float(x.mean()), ci=(float(x.mean()) - margin, float(x.mean()) + margin), n=len(x))


@dataclass(frozen=True)
class Bounds:
    """A positive number that lies in [low, high]; where both are equal it is known, else one of them is a bound."""

    low: float
    high: float

    def __str__(self) -> str:
        if self.low == self.high:
            return f"{self.low:.3g}"
        if math.isinf(self.high):
            return f"at least {self.low:.3g}" if self.low else "not known"
        return f"{self.low:.3g} to {self.high:.3g}" if self.low else f"at most {self.high:.3g}"


def steps_to(curve: Curve, target: float) -> Bounds:
    """Return the step at which a curve first reaches a target.

    A curve that starts at or below the target reached it in (0, first step]; one that never does, in [last step, inf).

    Raises: ScopeError if the curve is empty or its steps do not grow, or a step, a score or the target is not above 0.
    """
    steps, scores = zip(*curve, strict=True) if curve else ((), ())
    if not curve or min(*steps, *scores, target) <= 0 or any(b <= a for a, b in pairwise(steps)):
        raise ScopeError(f"a curve has growing steps and scores above 0, and so has its target {target}; got {curve}")
    if scores[0] <= target:
        return Bounds(0.0, steps[0])
    for (s0, f0), (s1, f1) in pairwise(curve):
        if f1 <= target:
            t = math.log(f0 / target) / math.log(f0 / f1)
            reached = s0 * (s1 / s0) ** t
            return Bounds(reached, reached)
    return Bounds(steps[-1], math.inf)


def steps_ratio(baseline: Curve, ours: Curve, target: float | None = None) -> Bounds:
    """Return how many times sooner ours reaches a target than the baseline does; without a target: the baseline's best.

    Raises: ScopeError as `steps_to`.
    """
    goal = min(score for _, score in baseline) if target is None else target
    theirs, own = steps_to(baseline, goal), steps_to(ours, goal)
    return Bounds(theirs.low / own.high, theirs.high / own.low if own.low else math.inf)


def spearman(a: Sequence[float], b: Sequence[float]) -> float:
    """Return Spearman's rank correlation of two properties of the same items, in [-1, 1].

    Raises: ScopeError if there are fewer than three items, or one property is the same for all.
    """
    if len(a) != len(b) or len(a) < 3 or len(set(a)) == 1 or len(set(b)) == 1:
        raise ScopeError(f"a rank correlation needs three pairs that differ; got {list(a)} and {list(b)}")
    return float(stats.spearmanr(a, b).statistic)
