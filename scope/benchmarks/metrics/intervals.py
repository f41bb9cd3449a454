"""Intervals of measured shares."""

from scipy.stats import binomtest

from scope.benchmarks.results import Metric


def share(hits: int, n: int) -> Metric:
    """Return `hits` of `n` as a share in [0, 1], with its Wilson 95 % interval."""
    interval = binomtest(hits, n).proportion_ci(method="wilson")
    return Metric(value=round(hits / n, 4), ci=(round(interval.low, 4), round(interval.high, 4)), n=n)
