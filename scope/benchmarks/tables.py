"""Tables of the documents, filled from results where a page marks a place for them.

<!-- results:NAME -->  <!-- /results:NAME -->   all of NAME.json
<!-- summary -->       <!-- /summary -->        a row for each of `SYSTEMS`, from several files
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from scope.benchmarks.reading import SETS
from scope.benchmarks.results import MEASURED_BY, Metric, Results, Row, load
from scope.errors import ScopeError

_MARKED = re.compile(r"<!-- (?P<what>summary|results:(?P<name>\w+)) -->.*?<!-- /(?P=what) -->", re.DOTALL)
_OPENED = re.compile(r"<!-- (?:summary|results:\w+) -->")


@dataclass(frozen=True)
class System:
    """One thing that ships. Its accuracy is the mean of `metrics` over `rows` of one file of results."""

    name: str
    results: str
    rows: tuple[str, ...] = ()  # (): all
    metrics: tuple[str, ...] = ()  # (): those for which the judge has a ceiling


SYSTEMS = (
    System("reads the prompt: grammar", "parser", rows=SETS, metrics=("recall",)),
    System("draws in 4 steps: `ntm`", "generators", rows=("ntm_4",)),
    System("draws in 50 steps: `flow`", "generators", rows=("flow_50",)),
    System("encodes and decodes true scenes: `lapped`", "reconstruction", rows=("lapped_world",), metrics=("kept",)),
    System("verifies in the loop: `objects`, `text`", "verifiers", metrics=("accuracy",)),
)


def pages(root: Path) -> list[Path]:
    """Return the Markdown pages of a repository that mark a place for a table: README.md, and those under docs/."""
    found = (path for path in (root / "README.md", *sorted((root / "docs").rglob("*.md"))) if path.is_file())
    return [path for path in found if _OPENED.search(path.read_text(encoding="utf-8"))]


def rendered(text: str, folder: Path) -> str:
    """Return `text` with a table in every marked place, from the results in `folder`.

    A table whose results are not there says which command measures them.

    Raises: ScopeError if a marker is not closed, or results are not of the schema.
    """

    def fill(match: "re.Match[str]") -> str:
        table = summary(folder) if match["name"] is None else _table_of(match["name"], folder)
        return f"<!-- {match['what']} -->\n{table}\n<!-- /{match['what']} -->"

    if len(_MARKED.findall(text)) != len(_OPENED.findall(text)):
        raise ScopeError("a <!-- results:NAME --> has no <!-- /results:NAME --> after it, or <!-- summary --> none")
    return _MARKED.sub(fill, text)


def _table_of(name: str, folder: Path) -> str:
    path = folder / f"{name}.json"
    return markdown(load(path)) if path.is_file() else f"Not measured yet: `scope bench {MEASURED_BY.get(name, name)}`."


def summary(folder: Path) -> str:
    """Return the table of `SYSTEMS`: accuracy, seconds a picture, who judged, and what true scenes score there.

    Raises: ScopeError if one of the files of results is missing, or is not of the schema.
    """
    rows = [_summary_row(system, load(folder / f"{system.results}.json")) for system in SYSTEMS]
    return _markdown(("system", "accuracy", "seconds", "judge", "ceiling", "measured by"), "lrrlrl", rows)


def _summary_row(system: System, results: Results) -> tuple[str, ...]:
    rows = [row for row in results.rows if row.name in (system.rows or (row.name,))]
    names = system.metrics or tuple(results.judge_ceiling)
    found = [row.metrics[name].value for row in rows for name in names if name in row.metrics]
    accuracy = number(fmean(found)) if found else "not measured"
    # Where no true scene was judged for comparison, the truth is known by construction: a perfect system has 1.
    ceiling = fmean(results.judge_ceiling.values()) if results.judge_ceiling else 1
    return system.name, accuracy, _seconds(rows[0]), results.judge or "exact truth", number(ceiling), _code(results)


def _seconds(row: Row) -> str:
    """Return the seconds of one picture: of a single request where these were taken, else of one among several."""
    if single := row.metrics.get("seconds"):
        return number(single.value)
    several = row.metrics.get("images_per_s")
    return number(1 / several.value) if several else ""


def markdown(results: Results) -> str:
    """Return the table, with a caption that says how it was made."""
    columns = list(dict.fromkeys(name for row in results.rows for name in row.metrics))
    notes = any(row.note for row in results.rows)
    header = [results.name, *(c.replace("_", " ") for c in columns), *(["note"] if notes else [])]
    rows = []
    for row in results.rows:
        cells = [_cell(row.metrics.get(column)) for column in columns]
        rows.append([row.name.replace("_", " "), *cells, *([row.note] if notes else [])])
    table = _markdown(header, "l" + "r" * len(columns) + "l" * notes, rows)
    return f"{table}\n\n{_caption(results)}"


def _markdown(header: Sequence[str], sides: str, rows: Iterable[Sequence[str]]) -> str:
    lines = [header, ["--:" if side == "r" else "---" for side in sides], *rows]
    return "\n".join("| " + " | ".join(cell.replace("|", r"\|") for cell in line) + " |" for line in lines)


def _cell(metric: Metric | None) -> str:
    if metric is None:
        return ""
    interval = f" ({number(metric.ci[0])}-{number(metric.ci[1])})" if metric.ci else ""
    return number(metric.value) + interval


def number(value: float) -> str:
    """Return a number as a reader wants it: three significant digits, and no exponent."""
    if value == 0 or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{float(f'{value:.3g}'):.12f}".rstrip("0").rstrip(".")


def _caption(results: Results) -> str:
    n = {m.n for row in results.rows for m in row.metrics.values() if m.n}
    parts = [_code(results)]
    if results.hardware:
        parts.append(results.hardware)
    if n:
        parts.append(f"n = {min(n):,}" if len(n) == 1 else f"n = {min(n):,} to {max(n):,}")
    if results.judge:
        parts.append(f"judge {results.judge}")
    return "; ".join(parts) + "."


def _code(results: Results) -> str:
    return f"`{results.command}`"
