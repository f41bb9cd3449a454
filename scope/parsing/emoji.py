"""Emoji that show a thing which the world draws are read as that thing: 🍎 is an apple. Loads no model."""

import re
from collections.abc import Iterator
from functools import cache

from scope.data.tables import table_of

#: What only chooses how an emoji looks: its coloured form, a skin.
_LOOK = "[\ufe0f\U0001f3fb-\U0001f3ff]"


def find_emoji(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where a cleaned prompt shows a thing instead of saying it, and its noun."""
    if not text.isascii():
        for match in _pattern().finditer(text):
            yield match.start(), match.end(), _noun_of()[re.sub(_LOOK, "", match[1])]


@cache
def _noun_of() -> dict[str, str]:
    return {re.sub(_LOOK, "", row["emoji"]): row["noun"] for row in table_of("emoji.csv")}


@cache
def _pattern() -> re.Pattern[str]:
    """Return a pattern of all of them, the longest first: a sequence that is joined is one emoji, and not its parts."""
    known = "|".join(f"{_LOOK}*".join(map(re.escape, emoji)) for emoji in sorted(_noun_of(), key=len, reverse=True))
    return re.compile(f"(?<!\u200d)({known}){_LOOK}*(?!{_LOOK}*\u200d)")
