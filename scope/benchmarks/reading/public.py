"""The packaged prompts of public sets: GenEval, DSG, DPG-Bench, and the lettering prompts of Flow-GRPO."""

import csv
import json
from collections.abc import Callable
from functools import cache
from importlib.resources import files
from io import StringIO
from typing import Any

from scope.errors import ScopeError

#: Set -> how many prompts it has.
SIZES = {"geneval": 553, "dsg": 1060, "dpg_bench": 1065, "flow_grpo_ocr": 1018}


@cache
def prompts(name: str) -> dict[str, str]:
    """Return the prompts of a set by their ids.

    Raises: ScopeError if the packaged set is not whole.
    """
    found = _PROMPTS[name]()
    if len(found) != SIZES[name]:
        raise ScopeError(
            f"the packaged prompts of {name} are damaged: {len(found)} of {SIZES[name]} are there; reinstall scope"
        )
    return found


def geneval() -> list[dict[str, Any]]:
    """Return GenEval's prompts with their metadata."""
    return [json.loads(line) for line in _lines("geneval/evaluation_metadata.jsonl")]


def dsg() -> list[dict[str, str]]:
    """Return DSG's annotations, one tuple a row."""
    return list(csv.DictReader(StringIO(_text("dsg/dsg-1k-anns.csv"))))


def _dpg() -> dict[str, str]:
    items = (json.loads(line) for line in _lines("dpg_bench/prompts.jsonl"))
    return {item["item_id"]: item["prompt"] for item in items}


_PROMPTS: dict[str, Callable[[], dict[str, str]]] = {
    "geneval": lambda: {str(i): item["prompt"] for i, item in enumerate(geneval())},
    "dsg": lambda: {line["item_id"]: line["text"] for line in dsg()},
    "dpg_bench": _dpg,
    "flow_grpo_ocr": lambda: {str(i): line for i, line in enumerate(_lines("flow_grpo_ocr/test.txt"))},
}


def _lines(path: str) -> list[str]:
    return [line for line in _text(path).split("\n") if line.strip()]


def _text(path: str) -> str:
    return (files("scope.benchmarks") / "data" / path).read_text(encoding="utf-8")
