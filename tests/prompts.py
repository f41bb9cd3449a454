"""Prompts that `FakeReader` reads, what a language model would read in one, and runs of them."""

from typing import Any

from scope.config import Options
from scope.runs import store
from scope.runs.store import Run

PROMPT = "2 red apple left of 1 blue car on beach"
PROMPT_WITH_TEXT = f"{PROMPT} saying FRESH"
PROMPT_WITH_UNKNOWN = f"{PROMPT_WITH_TEXT} ?sleepy"

#: What a model would read in `PROMPT`, all of it.
READING: dict[str, Any] = {
    "entities": [{"words": "apple", "noun": "apple"}, {"words": "car", "noun": "car"}],
    "constraints": [
        {"type": "count", "words": "2", "value": 2, "of": [1]},
        {"type": "attribute", "words": "red", "value": "red", "of": [1]},
        {"type": "relation", "words": "left of", "value": "left of", "of": [1, 2]},
        {"type": "count", "words": "1", "value": 1, "of": [2]},
        {"type": "attribute", "words": "blue", "value": "blue", "of": [2]},
        {"type": "setting", "words": "on beach", "value": "beach", "of": []},
    ],
    "unknowns": [],
    "left_out": [],
}


def start(prompt: str = PROMPT, **options: object) -> Run:
    """Return a new run, kept in the `home` of the test."""
    return store.create(prompt, Options.model_validate(options))
