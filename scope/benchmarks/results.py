"""Results: one JSON file a comparison, written by the command that measured it, rendered into the README's tables.

A benchmark is a module of this package with `measure() -> Results`, or one that yields several, each saved and shown
by `scope bench` as it comes.
"""

import os
import platform
import re
import subprocess
from pathlib import Path

from pydantic import ConfigDict, Field, ValidationError, model_validator

from scope.errors import ScopeError
from scope.files import write_atomic
from scope.specification import Model

#: Files that have another name than the benchmark which writes them.
MEASURED_BY = {"pae": "tokenizers"}

_GRAPH = re.compile(r"<!-- graph -->.*?<!-- /graph -->", re.DOTALL)


class Metric(Model):
    """One number. `ci` is its 95 % confidence interval, `n` how many samples it is the mean of."""

    value: float
    ci: tuple[float, float] | None = None
    n: int | None = Field(default=None, ge=1)


class Row(Model):
    """One thing that was compared. One that could not be run has a note and no metrics."""

    name: str
    metrics: dict[str, Metric] = {}
    note: str = ""


class Results(Model):
    """One comparison. `n_expected` is how many samples there are to score: fewer scored is an error."""

    model_config = ConfigDict(validate_by_name=True, validate_by_alias=True, serialize_by_alias=True)

    schema_number: int = Field(default=1, alias="schema", ge=1, le=1)
    name: str = Field(pattern=r"^[a-z_]+$")
    command: str
    commit: str = ""
    hardware: str = ""
    hours: float | None = None
    seeds: tuple[int, ...] = ()
    judge: str | None = None
    judge_ceiling: dict[str, float] = {}
    n_expected: int | None = None
    rows: tuple[Row, ...]

    @model_validator(mode="after")
    def _each_row_says_something(self) -> "Results":
        names = [row.name for row in self.rows]
        if len(set(names)) < len(names):
            raise ValueError("two rows have one name")
        silent = [row.name for row in self.rows if not row.metrics and not row.note]
        if silent:
            raise ValueError(f"{', '.join(silent)}: neither a metric nor a note")
        return self

    def save(self, folder: Path) -> Path:
        """Write the file into `folder`, with this commit and hardware where it names none; return its path."""
        whole = self.model_copy(update={"commit": self.commit or commit(), "hardware": self.hardware or hardware()})
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / f"{self.name}.json"
        write_atomic(path, (whole.model_dump_json(indent=1, exclude_none=True) + "\n").encode())
        return path


def load(path: Path) -> Results:
    """Return the results in a file.

    Raises: ScopeError if the file is not of the schema.
    """
    try:
        results = Results.model_validate_json(path.read_bytes())
    except (OSError, ValidationError) as error:
        raise ScopeError(f"{path} cannot be used: {error}") from error
    if results.name != path.stem:
        raise ScopeError(f"{path} holds the results of {results.name!r}; rename it")
    return results


def rendered(text: str, folder: Path) -> str:
    """Return `text` with the table of NAME.json between `<!-- results:NAME -->` and `<!-- /results:NAME -->`.

    A table whose results are not there says which command measures them.

    Raises: ScopeError if a marker is not closed, or results are not of the schema.
    """

    def fill(match: "re.Match[str]") -> str:
        name = match["name"]
        path = folder / f"{name}.json"
        missing = f"Not measured yet: `scope bench {MEASURED_BY.get(name, name)}`."
        table = markdown(load(path)) if path.is_file() else missing
        return f"<!-- results:{name} -->\n{table}\n<!-- /results:{name} -->"

    text = _GRAPH.sub(lambda match: f"<!-- graph -->\n```mermaid\n{_diagram()}```\n<!-- /graph -->", text)
    marked = re.compile(r"<!-- results:(?P<name>\w+) -->.*?<!-- /results:(?P=name) -->", re.DOTALL)
    if len(marked.findall(text)) != text.count("<!-- results:"):
        raise ScopeError("a <!-- results:NAME --> has no <!-- /results:NAME --> after it")
    return marked.sub(fill, text)


def _diagram() -> str:
    """Return the state machine in Mermaid's language, without its style sheet."""
    from scope.engine.graph import mermaid

    lines = mermaid().removeprefix("---").partition("---\n")[2].splitlines()
    return "".join(f"{line}\n" for line in lines if "classDef" not in line)


def markdown(results: Results) -> str:
    """Return the table, with a caption that says how it was made."""
    columns = list(dict.fromkeys(name for row in results.rows for name in row.metrics))
    notes = any(row.note for row in results.rows)
    header = [results.name, *(c.replace("_", " ") for c in columns), *(["note"] if notes else [])]
    lines = [header, ["---", *("--:" for _ in columns), *(["---"] if notes else [])]]
    for row in results.rows:
        cells = [_cell(row.metrics.get(column)) for column in columns]
        lines.append([row.name.replace("_", " "), *cells, *([row.note] if notes else [])])
    table = "\n".join("| " + " | ".join(line) + " |" for line in lines)
    return f"{table}\n\n{_caption(results)}"


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
    parts = [f"`{results.command}`"]
    if results.hardware:
        parts.append(results.hardware)
    if n:
        parts.append(f"n = {min(n):,}" if len(n) == 1 else f"n = {min(n):,} to {max(n):,}")
    if results.judge:
        parts.append(f"judge {results.judge}")
    return "; ".join(parts) + "."


def commit() -> str:
    """Return the commit of the checkout; "": there is none, or no git."""
    here = Path(__file__).parent
    try:
        answer = subprocess.run(
            ["git", "-C", str(here), "rev-parse", "--short", "HEAD"], capture_output=True, text=True, check=True
        )
    except (OSError, subprocess.CalledProcessError):
        return ""
    return answer.stdout.strip()


def hardware() -> str:
    """Return this machine in words."""
    import torch

    gpus = [torch.cuda.get_device_name(i) for i in range(torch.cuda.device_count())]
    return ", ".join([f"{os.cpu_count()} CPU cores ({platform.machine()})", *gpus])
