"""Words that nobody knows and that are one slip away from a thing of the world: "aple". They are read as they stand."""

import re
from collections.abc import Iterator
from functools import cache

from scope.parsing.english import is_adjective, is_adverb, is_noun, is_seen, verb_of
from scope.parsing.lexicon import COLOR_OF, FUNCTION_WORDS
from scope.parsing.names import compounds, nouns
from scope.parsing.prompt import Prompt
from scope.parsing.spans import SpanKind

_WORD = re.compile(r"(?<![\w'’-])[a-z]{4,}(?![\w'’-])")
_LONG = 7  # letters from which two slips are still a near miss


def misspelt(prompt: Prompt) -> Iterator[tuple[str, str]]:
    """Yield each word that is probably a slip, and the word of the world that it is nearest to.

    Words with a capital are names, and those in quotation marks are to be read as they stand.
    """
    skipped = [s for s in prompt.spans if s.kind not in {SpanKind.COUNT, SpanKind.VAGUE, SpanKind.NEGATION}]
    for match in _WORD.finditer(prompt.text):
        word = match.group()
        if any(s.start < match.end() and match.start() < s.end for s in skipped) or word in _listed():
            continue
        nearest = _nearest(word)
        if nearest and not _is_english(word, is_turned=sorted(nearest) == sorted(word)):
            yield word, nearest


@cache
def _ranked() -> dict[str, int]:
    """Return what a slip may have been, and its rank: names of the world's things in its order, then colours."""
    words = dict.fromkeys(word for word in (*nouns(), *COLOR_OF) if len(word) > 2 and word.isalpha())
    return {word: rank for rank, word in enumerate(words)}


@cache
def _listed() -> frozenset[str]:
    """Return the words that the reader itself knows."""
    parts = (part for name in compounds() for part in re.split(r"[ -]", name))
    return frozenset((*parts, *_ranked(), *FUNCTION_WORDS))


def _is_english(word: str, is_turned: bool) -> bool:
    """Return whether a word is English, or a name that texts have; these have slips, too, where letters are turned."""
    if word.endswith(("ly", "ing", "ed")) or any(of(word) for of in (is_noun, verb_of, is_adjective, is_adverb)):
        return True
    return is_seen(word) and not is_turned


@cache
def _nearest(word: str) -> str | None:
    """Return the word that is a slip away; of a long word two. The first letter is hardly ever the wrong one."""
    likely = [other for other in _ranked() if other[0] == word[0] and abs(len(other) - len(word)) <= 2]
    for slips in (1, 2) if len(word) >= _LONG else (1,):
        if near := [other for other in likely if _slips(word, other) == slips]:
            return min(near, key=_ranked().__getitem__)
    return None


def _slips(one: str, other: str) -> int:
    """Return how many letters more, less or other, or pairs turned, are between two words (Damerau, 1964)."""
    before, row = [0] * (len(other) + 1), list(range(len(other) + 1))
    for i, letter in enumerate(one, 1):
        earlier, before, row = before, row, [i]
        for j, wanted in enumerate(other, 1):
            row.append(min(before[j] + 1, row[j - 1] + 1, before[j - 1] + (letter != wanted)))
            if i > 1 and j > 1 and letter == other[j - 2] and one[i - 2] == wanted:
                row[j] = min(row[j], earlier[j - 2] + 1)
    return row[-1]
