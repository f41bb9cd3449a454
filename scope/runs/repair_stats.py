"""What repairs did, over all runs of this machine: the index from which the next one is chosen.

One SQLite file beside the runs. It is a memory and no record: if it cannot be read, it is begun anew.
"""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager

from scope.config import home
from scope.specification import Model, RepairResult


class Gain(Model):
    """What is known of one strategy for one family of failure: sums over its tries."""

    tries: int = 0
    fixed: int = 0
    broke: int = 0
    seconds: float = 0.0


def known(generator: str) -> dict[str, Gain]:
    """Return "strategy/family" -> what repairs with this generator did; empty if nothing can be read."""
    query = """SELECT strategy || '/' || family, COUNT(*), SUM(fixed), SUM(broke), SUM(seconds)
               FROM repairs WHERE generator = ? GROUP BY strategy, family"""
    try:
        with _index() as connection:
            rows = connection.execute(query, (generator,)).fetchall()
        return {name: Gain(tries=n, fixed=f, broke=b, seconds=s) for name, n, f, b, s in rows}
    except (sqlite3.Error, OSError, ValueError):
        return {}


def learn(run: str, generator: str, records: Sequence[RepairResult]) -> None:
    """Remember the repairs of a run. Saying it twice changes nothing; what cannot be written is not remembered."""
    rows = [
        (run, number, generator, r.strategy, r.family, len(r.fixed), len(r.broke), r.seconds)
        for number, r in enumerate(records)
    ]
    try:
        with _index() as connection, connection:
            connection.executemany("INSERT OR REPLACE INTO repairs VALUES (?, ?, ?, ?, ?, ?, ?, ?)", rows)
    except (sqlite3.Error, OSError):
        return


@contextmanager
def _index() -> Iterator[sqlite3.Connection]:
    with closing(sqlite3.connect(home() / "repair_stats.sqlite", timeout=5)) as connection:
        connection.execute(
            """CREATE TABLE IF NOT EXISTS repairs (
                   run TEXT, round INTEGER, generator TEXT, strategy TEXT, family TEXT,
                   fixed INTEGER, broke INTEGER, seconds REAL, PRIMARY KEY (run, round))"""
        )
        yield connection
