"""Plain facts that prompts of the pocket world rest on: the parts of things and their numbers, colours, kinds.

One typed fact a line of scope/data/facts.jsonl, written for this project; a sentence for search, and the same thing as
subject, relation and value for reasoning.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

LICENCE = "Apache-2.0"


@dataclass(frozen=True)
class Fact:
    """One fact, such as "spider", "legs", 8 and the sentence that says it.

    Subjects are singular and lower case. A relation is the plural of a part, then the value is its number, or "color"
    or "kind", then the value is a word.
    """

    subject: str
    relation: str
    value: int | str
    text: str


@cache
def load_facts() -> tuple[Fact, ...]:
    """Return all facts, in the order of the file."""
    lines = files("scope.data").joinpath("facts.jsonl").read_text(encoding="utf-8").splitlines()
    return tuple(Fact(**json.loads(line)) for line in lines)
