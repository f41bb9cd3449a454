"""Comparisons of two things: "bigger than", "as big as", "the same size as", "more colorful than".

They are read as relations are, with both ends. `geometry` has those that boxes can keep; others keep the user's words.
"""

import re
from collections.abc import Iterator

from scope.parsing.spans import MultiwordSpan, SpanKind

_BIG, _SMALL = "bigger|larger|greater|huger", "smaller|littler|tinier"
_NAMES = dict.fromkeys(_BIG.split("|"), "bigger than") | dict.fromkeys(_SMALL.split("|"), "smaller than")
#: What "not as big as" comes to.
_LESS = {"big": "smaller than", "large": "smaller than", "tall": "shorter than", "small": "bigger than"}

_DEGREE = r"(?:(?:much|slightly|far|way|even|visibly|noticeably|a\s+(?:bit|little|lot))\s+)?"
_TIMES = r"(?:(?:about|almost|nearly|exactly|roughly)\s+)?(?:twice|half|double|triple|\w+\s+times)\s+"
#: "other than", "rather than" and "under than" compare nothing.
_ER = r"(?!(?:other|rather|either|over|under|later|sooner|fewer|number)\b)[a-z]{2,}er"
_COMPARING = re.compile(
    rf"(?<![\w-])(?:{_DEGREE}(?P<more>{_ER}|(?:more|less)\s+[a-z]+)(?:\s+in\s+size)?\s+(?:than|compared\s+(?:to|with))"
    rf"|(?P<less>not\s+(?:quite\s+|nearly\s+)?as\s+(?:{'|'.join(_LESS)})\s+as)"
    rf"|(?P<times>{_TIMES}(?:as\s+[a-z]+\s+as|the\s+(?:size|height|length|width)\s+of))"
    r"|(?P<same>(?:(?:just|exactly|about)\s+)?(?:as\s+(?:big|large)\s+as|(?:of\s+)?the\s+(?:same\s+size\s+as|size\s+of)"
    r"|equal\s+in\s+size\s+(?:to|with)|similar\s+in\s+size\s+to))"
    r"|(?P<as>as\s+(?!many|much|few|well|soon|long\s+as\s+(?:it|he|she|they|you)|if|though)[a-z]+\s+as))(?=\s+\w)"
    rf"(?!\s+(?:\d|(?:two|three|four|five|six)\b\s*$|possible\b|before\b|usual\b))",
    re.IGNORECASE,
)


def find_comparisons(text: str) -> Iterator[MultiwordSpan]:
    """Yield what compares two things in a cleaned prompt; the value is the comparison's name."""
    for match in _COMPARING.finditer(text):
        words = " ".join(match.group().lower().split())
        if more := match["more"]:
            said = " ".join(more.lower().split())
            words = _NAMES.get(said, f"{said} than")
        elif match["less"]:
            words = _LESS[words.split()[-2]]
        elif match["same"]:
            words = "same size as"
        yield MultiwordSpan(match.start(), match.end(), SpanKind.COMPARISON, words, "near")


def is_comparison(name: str) -> bool:
    """Return whether the name of a relation compares two things."""
    return name.endswith((" than", " as", "the size of", "the height of", "the length of", "the width of"))
