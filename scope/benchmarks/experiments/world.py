"""How fast one core draws the pocket world: scenes with their truth, edit pairs, samples as they are exported.

`per_s` is of processor time, so that a busy machine gives nearly the same results. In `first`, the core world, and
`whole_cold` each drawing is recoloured and scaled once, and cached; `whole` finds them. `peak_mb` is the memory of the
process by then.
"""

import resource
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np

from scope.benchmarks.results import Metric, Results, Row
from scope.worlds.pocket import Plan, compose, sample, sample_whole
from scope.worlds.pocket.catalogue import CORE_NOUNS, NOUNS
from scope.worlds.pocket.edits import FAMILIES, pair
from scope.worlds.pocket.samples import Selection
from scope.worlds.pocket.shards import tar_of

SCENES = 2000
PAIRS = 270
EXPORTED = 200


def measure() -> Results:
    """Return the speeds and the memory."""
    core = [sample(np.random.default_rng((0, i))) for i in range(SCENES)]
    whole = [sample_whole(np.random.default_rng((0, i))) for i in range(SCENES)]
    families = tuple(FAMILIES)
    rows = (
        _row("first", SCENES, lambda: _compose(core), f"{len(CORE_NOUNS)} nouns, one vendor"),
        _row("whole_cold", SCENES, lambda: _compose(whole), f"{len(NOUNS)} nouns, three vendors"),
        _row("whole", SCENES, lambda: _compose(whole), "the same scenes again"),
        _row("edits", PAIRS, lambda: [pair(families[i % len(families)], i) for i in range(PAIRS)], "of all families"),
        _row("export", EXPORTED, lambda: tar_of(Selection(), 0, EXPORTED), "with PNG files, captions and truth"),
    )
    return Results(name="world", command="scope bench world", seeds=(0,), rows=rows)


def _compose(plans: list[Plan]) -> None:
    for number, plan in enumerate(plans):
        compose(plan, number)


def _row(name: str, count: int, work: Callable[[], Any], note: str) -> Row:
    began = time.process_time()
    work()
    seconds = time.process_time() - began
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024) / 1e6
    metrics = {"per_s": Metric(value=round(count / seconds, 1), n=count), "peak_mb": Metric(value=round(peak))}
    return Row(name=name, metrics=metrics, note=note)
