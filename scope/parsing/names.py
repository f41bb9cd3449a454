"""Names of things: which words of a prompt are one name, and which singular a known word has.

They are those of the lexicon and of the world's tables (scope/data/world), read with the first prompt. Of the tables
only the words are taken: what is drawn for a "golden retriever" is for the world to say.
"""

import re
from collections.abc import Iterable, Iterator
from functools import cache
from typing import NamedTuple

from scope.data.tables import table_of
from scope.parsing import lexicon
from scope.text import COLORS, plural


class Name(NamedTuple):
    """What a spelling stands for: the singular, whether it is spelled as a plural, and whether capitals matter.

    What is `common` is a name in any case; of others, "Eiffel Tower" is a proper name, and what it is has to be found.
    """

    singular: str
    plural: bool
    common: bool = True


_TOKEN = re.compile(r"[\w-]+|['’]s\b")
_MAX_TOKENS = 5  # "bowl of ice cream"

#: Beginnings that a prompt says as a quality or as a number: "a metal saw", "a small boat", "six pack".
_QUALITIES = frozenset(
    {
        *(*COLORS, "grey"),
        *(*lexicon.SIZES, *lexicon.MATERIALS, *lexicon.SHAPES, *lexicon.QUALITIES),
        *(*lexicon.COUNT_OF, *lexicon.VAGUE),
    }
)
#: Words that join two things, which are then both there: "a man in a suit", "a bowl with a spoon".
_JOINTS = frozenset("and in on with without at it the".split())


def find_names(text: str) -> Iterator[tuple[int, int, Name]]:
    """Yield where a cleaned prompt has a name of several words, or one that a parser must not see; the longest win."""
    folded = _folded(text)
    tokens = [(m.start(), m.end()) for m in _TOKEN.finditer(folded)]
    mixed = any(c.islower() for c in text)
    names, at = compounds(), 0
    while at < len(tokens):
        start = tokens[at][0]
        for last in range(min(at + _MAX_TOKENS, len(tokens)) - 1, at - 1, -1):
            end = tokens[last][1]
            name = names.get(folded[start:end])
            if name is not None and (name.common or not mixed or not _is_proper(text[start:end])):
                yield start, end, name
                at = last
                break
        at += 1


def _folded(text: str) -> str:
    """Return the text as the names are written, at the same length."""
    return "".join(c.lower() if len(c.lower()) == 1 else c for c in text).replace("’", "'")


def _is_proper(said: str) -> bool:
    """Return whether a word after the first has a capital: "Eiffel Tower", but not "Golden retriever"."""
    return any(word[0].isupper() for word in said.split()[1:])


@cache
def compounds() -> dict[str, Name]:
    """Return what must be read as one: spelling -> name. The lexicon's word counts before the tables'."""
    names = dict[str, Name]()
    for row in table_of("nouns.csv"):
        _spell(names, row["noun"], row["plural"])
        for alias in set(_aliases(row)) - lexicon.NO_NAMES:
            _spell(names, alias, common=False)
    for row in table_of("names.csv"):
        if not _is_read_word_by_word(row["name"], row["noun"]):
            _spell(names, row["name"], common=False)
    names = {said: name for said, name in names.items() if {" ", "-"} & set(said) and not _joins(said, name)}
    for spelling, noun in lexicon.NOUN_OF.items():
        names[plural(spelling)] = Name(noun, plural=True)
    return names | {spelling: Name(noun, plural=False) for spelling, noun in lexicon.NOUN_OF.items()}


@cache
def nouns() -> dict[str, Name]:
    """Return the single words that the world has a noun for: spelling -> name."""
    names = dict[str, Name]()
    rows = table_of("nouns.csv")
    for row in rows:
        _spell(names, row["noun"], row["plural"])
    for alias in (alias for row in rows for alias in _aliases(row) if alias not in lexicon.NO_NAMES):
        _spell(names, alias)
    return {spelling: name for spelling, name in names.items() if " " not in spelling}


def _spell(names: dict[str, Name], singular: str, plural_form: str = "", *, common: bool = True) -> None:
    """Add both numbers of a name, unless the spelling is taken."""
    names.setdefault(singular, Name(singular, singular in lexicon.PLURAL_ONLY, common))
    names.setdefault(plural_form or plural(singular), Name(singular, plural=True, common=common))


def _aliases(row: dict[str, str]) -> Iterable[str]:
    return row["names"].split("; ") if row["names"] else ()


def _joins(spelling: str, name: Name) -> bool:
    """Return whether a name that is no noun of the world tells of two things."""
    return not name.common and not _JOINTS.isdisjoint(spelling.split())


def _is_read_word_by_word(name: str, noun: str) -> bool:
    """Return whether the words of a name mostly mean what each says: "a metal saw", "a flying bird"."""
    first = name.partition(" ")[0]
    is_deed = first.endswith(("ing", "ed")) and name.endswith(f" {noun}")
    return first in _QUALITIES or is_deed or name in lexicon.NO_NAMES
