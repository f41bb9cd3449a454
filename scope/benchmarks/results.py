"""Results: one JSON file a comparison, written by the command that measured it; tables.py renders them.

A benchmark is a module of this package with `measure() -> Results`, or one that yields several, each saved and shown
by `scope bench` as it comes.
"""

import os
import platform
import subprocess
from pathlib import Path

from pydantic import ConfigDict, Field, ValidationError, model_validator

from scope.errors import ScopeError
from scope.files import write_atomic
from scope.specification import Model

#: Files that have another name than the benchmark which writes them.
MEASURED_BY = {"pae": "tokenizers"}


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
