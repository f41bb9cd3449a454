"""Whether what others wrote can do harm: seven kinds of it, attacked in seeded ways. POSIX only.

`tried`: attacks. `failed`: those that bit: an exception that is no ScopeError, a key that is shown, a file that is
written over, a limit of time or memory that does not hold, a proof of other pixels. The note of a row tells the first.
"""

from collections.abc import Callable, Mapping
from random import Random

from scope.benchmarks.attacks import endpoint, images, knowledge, paths, records, specs
from scope.benchmarks.attacks.tally import Tally
from scope.benchmarks.results import Results

SEED = 0

#: Kind -> what attacks, and how often.
KINDS: Mapping[str, tuple[Callable[[int, Random], Tally], int]] = {
    "records": (records.attack_records, 300),
    "sidecars": (records.attack_sidecars, 200),
    "images": (images.attack, 5_000),
    "knowledge": (knowledge.attack, 100),
    "endpoint": (endpoint.attack, 440),
    "paths": (paths.attack, 540),
    "specs": (specs.attack, 10_000),
}


def measure(quick: bool = False) -> Results:
    """Try all attacks, or a twentieth of them; return a row for each kind."""
    rows = []
    for name, (attack, count) in KINDS.items():
        rows.append(attack(count // 20 if quick else count, Random(SEED)).row(name))
    tried = int(sum(row.metrics["tried"].value for row in rows))
    return Results(name="attack", command="scope bench attack", seeds=(SEED,), n_expected=tried, rows=tuple(rows))
