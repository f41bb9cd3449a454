"""Plain sentences of fact, read word by word.

"A spider has 8 legs." "There are 7 days in a week." "The sky is blue."

Nothing but a number or one of the known colours can come out of a sentence, whatever else it says.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from scope.errors import ScopeError
from scope.protocols import Knowledge, Passage
from scope.specification import Source
from scope.text import COLORS, is_same_noun, number_of, printable

#: Passages that are read of each source of knowledge.
COUNT = 20

_SENTENCE_END = re.compile(r"(?<=[.!?;])\s+|\n")
_LEAD = re.compile(r"^(?:an?|the|one|every|each|all|most)\s+")
_HAS = re.compile(r"(?P<subject>.+?) (?:has|have) (?P<parts>.+)")
_THERE = re.compile(r"there (?:are|is) (?P<parts>.+?) (?:in|on|of) (?P<subject>.+)")
_IS = re.compile(r"(?P<subject>.+?) (?:is|are) (?:usually |mostly |always )?(?P<color>" + "|".join(COLORS) + r"|grey)")
_PART = re.compile(r"(?:exactly |about )?(?P<number>\w+) (?P<part>.+)")


@dataclass(frozen=True)
class FactSentence:
    """What a sentence says, and who says it; `alternatives` counts the sources that say something else."""

    value: int | str
    source: Source
    alternatives: int = 0


def part_in(sentence: str, subject: str, part: str) -> int | None:
    """Return how many of a part a sentence says that a subject has; None: it does not say. Nouns may be plural."""
    text = _plain(sentence)
    match = _THERE.fullmatch(text) or _HAS.fullmatch(text)
    if match is None or not _is_subject(match["subject"], subject):
        return None
    for item in re.split(r", (?:and )?| and ", match["parts"]):
        counted = _PART.fullmatch(item)
        if counted and is_same_noun(counted["part"], part):
            return {"no": 0, "a": 1, "an": 1}.get(counted["number"], number_of(counted["number"]))
    return None


def color_in(sentence: str, subject: str) -> str | None:
    """Return the colour that a sentence says a subject has; None: it does not say."""
    match = _IS.fullmatch(_plain(sentence))
    if match is None or not _is_subject(match["subject"], subject):
        return None
    return "gray" if match["color"] == "grey" else match["color"]


def look_up(
    query: str, read: Callable[[str], int | str | None], knowledge: Sequence[Knowledge], skip: frozenset[str]
) -> FactSentence | None:
    """Return what the nearest sentence that can be read says; None: there is none.

    Args:
        query: what to search for.
        read: reads one sentence.
        knowledge: where to search, the most trusted first.
        skip: locators of sources that are not to be read.
    """
    found = [
        FactSentence(value, _cited(passage, sentence))
        for passage in _passages(query, knowledge)
        if passage.source.locator not in skip
        for sentence in _SENTENCE_END.split(passage.text)
        if (value := read(sentence)) is not None
    ]
    if not found:
        return None
    first = found[0]
    alternatives = {other.source.locator for other in found if other.value != first.value}
    return FactSentence(first.value, first.source, len(alternatives))


def _passages(query: str, knowledge: Sequence[Knowledge]) -> list[Passage]:
    passages: list[Passage] = []
    for place in knowledge:
        try:
            passages += (p for p in place.search(query, COUNT) if not p.by_sight)
        except ScopeError:  # a source that fails says nothing; the others may
            continue
    return passages


def _cited(passage: Passage, sentence: str) -> Source:
    return passage.source.model_copy(update={"quote": printable(sentence.strip())[:500]})


def _plain(sentence: str) -> str:
    return " ".join(sentence.lower().strip(" .!?;").split())


def _is_subject(phrase: str, noun: str) -> bool:
    return is_same_noun(_LEAD.sub("", phrase, count=1), noun)
