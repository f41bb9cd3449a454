"""How many: the numbers that a prompt counts things by, with their bounds, and those that count nothing.

"at least three", "two or three", "a trio of" and "twenty-one" are counts; "about five" and "several" name no number,
and stay open. "8k", "3:15", "2x2", "16 pt" and "3-legged" say something else than how many.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scope.parsing import lexicon
from scope.parsing.spans import MultiwordSpan, SpanKind
from scope.specification import Comparator

_N = lexicon.NUMBER


@dataclass(frozen=True)
class Count:
    """How many there are to be: `value`, compared as a commitment compares it."""

    value: int
    comparator: Comparator = "=="
    upto: int | None = None

    @property
    def words(self) -> str:
        """Return it as a claim says it: "at least 3"."""
        between = f"between {self.value} and {self.upto}"
        return {"==": f"exactly {self.value}", ">=": f"at least {self.value}", "<=": f"at most {self.value}"}.get(
            self.comparator, between
        )


_SIZES = r"(?:(?:large|small|big|huge|whole|little|great)\s+)?"
_GATHERED = rf"(?:an?|the)\s+{_SIZES}(?:{'|'.join(lexicon.COLLECTIVE_NOUNS)})\s+of\s+"
_ENSEMBLES = {"pair": 2, "couple": 2, "duo": 2, "trio": 3, "threesome": 3, "quartet": 4, "quintet": 5, "sextet": 6}

#: Pattern of one number -> how it is compared, and by how much what it allows differs from it.
_WORDINGS: tuple[tuple[str, Comparator, int], ...] = (
    (rf"(?:exactly|precisely|only|just|a\s+total\s+of|{_GATHERED})\s*(?P<n>{_N})", "==", 0),
    (rf"(?:at\s+least|(?:no|not)\s+(?:fewer|less)\s+than|an?\s+minimum\s+of)\s+(?P<n>{_N})", ">=", 0),
    (rf"(?P<n>{_N})\s+or\s+more", ">=", 0),
    (rf"more\s+than\s+(?P<n>{_N})", ">=", 1),
    # "over 20 birds", but neither "a kite over two trees" nor "flying over 20 houses"
    (rf"(?:^|(?<=,\s)|(?<=\bof\s)|(?<=\band\s)|(?<=\bwith\s)|(?<=\bare\s))over\s+(?P<n>{_N})", ">=", 1),
    (rf"(?:at\s+most|(?:no|not)\s+more\s+than|up\s+to|an?\s+maximum\s+of)\s+(?P<n>{_N})", "<=", 0),
    (rf"(?P<n>{_N})\s+or\s+(?:fewer|less)", "<=", 0),
    (rf"(?:fewer|less)\s+than\s+(?P<n>{_N})", "<=", -1),
    (rf"(?P<n>{_N})", "==", 0),
)
_BOUNDS = tuple((re.compile(pattern, re.IGNORECASE), comparator, step) for pattern, comparator, step in _WORDINGS)
_RANGE = re.compile(
    rf"(?:between\s+(?P<a>{_N})\s+and\s+(?P<b>{_N})|(?:from\s+|either\s+)?(?P<c>{_N})(?:\s+(?:or|to)\s+|\s*[-–]\s*)(?P<d>{_N}))",
    re.IGNORECASE,
)
_ENSEMBLE = re.compile(rf"(?:an?\s+|the\s+)?(?P<n>{'|'.join(_ENSEMBLES)})\s+of", re.IGNORECASE)
_DOZENS = re.compile(rf"(?P<n>half\s+an?|an?|{_N})\s+dozen(?:\s+of)?", re.IGNORECASE)
_SINGLE = re.compile(r"(?<!not\s)(?:an?|one|only\s+one)\s+single", re.IGNORECASE)
#: All of these, where what follows is counted.
_FORMS = (_RANGE, _ENSEMBLE, _DOZENS, _SINGLE, *(pattern for pattern, _, _ in _BOUNDS))
_COUNTED = re.compile(
    rf"(?<![\w:.,/-])(?:{'|'.join(re.sub('[?]P<.>', '?:', form.pattern) for form in _FORMS)})(?![\w:/%°-]|[.,]\d)",
    re.IGNORECASE,
)

_UNITS = r"(?:pt|px|mm|cm|km|kg|dpi|fps|mp|k|g|inch(?:es)?|feet|foot|ft|percent|degrees?|[ap]m|o[’']clock"
_UNITS += r"|years?|hours?|minutes?)"
# "f/1.8"; "2x2"; "3:15", "1.5"; "8k", "16pt", "1girl"; "16 pt"; "3-legged", "5-year-old".
_NUMERAL = re.compile(
    r"(?<![\w.,:/-])(?:f/\d[\d.]*|\d+\s?[x×]\s?\d+|\d+(?:[:./]\d+)+|\d+(?:[^\W\d_]|[%°])\w*"
    rf"|\d+\s{_UNITS}|\d+(?:-[^\W\d_]+)+)(?![\w-])",
    re.IGNORECASE,
)


def count_said(words: str) -> Count | None:
    """Return how many words say that there are: "at least three"; None: they say no number, or an impossible one."""
    if match := _SINGLE.fullmatch(words):
        return Count(1)
    if match := _ENSEMBLE.fullmatch(words):
        return Count(_ENSEMBLES[match["n"].lower()])
    if match := _DOZENS.fullmatch(words):
        dozens = match["n"].lower()
        return Count(6 if dozens.startswith("half") else 12 * (lexicon.count_of(dozens) or 1))
    if match := _RANGE.fullmatch(words):
        low, high = (lexicon.count_of(match[one] or match[other]) for one, other in ("ac", "bd"))
        if low < high:
            return Count(low, "between", high)
    for pattern, comparator, step in _BOUNDS:
        if (match := pattern.fullmatch(words)) and (number := lexicon.count_of(match["n"])):
            return Count(number + step, comparator) if number + step > 0 else None
    return None


def find_counts(text: str) -> Iterator[MultiwordSpan]:
    """Yield the numbers of several words of a cleaned prompt that count things."""
    for match in _COUNTED.finditer(text):
        count = count_said(match.group())
        if count is not None and re.search(r"\w[\s–-]+\w", match.group()):
            one = count.value == 1 and count.upto is None
            placeholder = "one" if one else "two"
            yield MultiwordSpan(match.start(), match.end(), SpanKind.COUNT, count.value, placeholder, plural=not one)


def find_numerals(text: str) -> Iterator[MultiwordSpan]:
    """Yield the numbers of a cleaned prompt that count nothing: "an 8k photo", "a 3-legged chair"."""
    for match in _NUMERAL.finditer(text):
        yield MultiwordSpan(match.start(), match.end(), SpanKind.NUMERAL, match.group().lower(), "plain")
