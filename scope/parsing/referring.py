"""Referring expressions: words that name a number or a colour without saying it, as spans that stand or fall together.

"as many | red stars | as a spider has legs": a quantity, what it counts, and what that is measured by. The spider is
not to be drawn, so the parser never sees it. In "more | apples | than | dogs" the dogs are.
"""

import re
from collections.abc import Iterator

from scope.parsing import lexicon
from scope.parsing.spans import MultiwordSpan, SpanKind

# "two", "half a dozen"; "twice", "three times", "a third".
_N = rf"(?:(?:(?:half\s+a|an?|{lexicon.NUMBER})\s+dozen|{lexicon.NUMBER})(?![\w-]))"
_TIMES = rf"(?:twice|thrice|double|triple|half|{_N}\s+times|(?:a|one)\s+(?:third|quarter|half))"

# -- numbers that are worked out: "two plus three" -------------------------------------------------

# " + ", " divided by "; "second largest".
_SIGN = r"(?:\s*[+−×÷]\s*|\s+(?:plus|minus|times|x|\*|multiplied\s+by|divided\s+by)\s+)"
_RANK = r"(?:(?:second|third|fourth)[\s-]+)?(?:largest|biggest|greatest|highest|larger|bigger|greater|smallest|lowest|"
_RANK += r"smaller|lower)"
# "the square root of nine", "the sum of two and three", "the second largest of 2, 3 and 4", "half of six", "twice two",
# "two more than three", "three squared".
_TERM = (
    rf"(?:(?:the\s+)?(?:square|cube)\s+root\s+of\s+{_N}"
    rf"|the\s+(?:sum|product|difference)\s+(?:of|between)\s+{_N}\s+and\s+{_N}"
    rf"|the\s+{_RANK}\s+(?:number\s+)?(?:of|among)\s+{_N}(?:\s*,\s*(?:(?:and|or)\s+)?{_N}|\s+(?:and|or)\s+{_N})+"
    rf"|(?:half|an?\s+third|an?\s+quarter)\s+of\s+{_N}|(?:twice|thrice|double|triple)\s+{_N}"
    rf"|(?:{_N}|an?)\s+(?:more|fewer|less)\s+than\s+{_N}|{_N}\s+(?:squared|cubed))"
)
#: "a 3 x 3 grid" and "a 5 x 7 inch photo" are sizes.
_SIZED = r"(?:inch(?:es)?|cm|mm|m|ft|feet|foot|pixels?|px|grid|matrix|array|board|collage|mosaic)"
# A term alone, or "two plus three times four".
_WORKED_OUT = re.compile(
    rf"(?<![\w-])(?<!\ba\s)(?<!\ban\s)(?:{_TERM}(?:{_SIGN}(?:{_TERM}|{_N}))*|{_N}(?:{_SIGN}(?:{_TERM}|{_N}))+)",
    re.IGNORECASE,
)
# What is worked out must count something.
_COUNTED = re.compile(rf"\s+(?!{_SIZED}\b)[^\W\d_]", re.IGNORECASE)

# -- numbers that are compared: "as many stars as a spider has legs" -------------------------------

# Words that end a noun phrase; one word, or up to four, without them.
_STOP = (
    r"(?:and|or|nor|but|with|without|than|as|that|which|who|is|are|was|were|has|have|had|while|from|to|of|for|left|right|"
    r"next|close|there|" + "|".join(sorted(r for r in lexicon.RELATION_OF if " " not in r)) + r")\b"
)
_WORD = rf"(?!{_STOP})[^\W\d_][\w'’-]*"
_THINGS = rf"(?:{_WORD}\s+){{0,3}}?{_WORD}"
#: A plural: "more apples than", but not "more red than".
_SEVERAL = rf"(?:{_WORD}\s+){{0,3}}?(?!{_STOP})(?:[\w-]*[^\Wsu]s|people|children|men|women|sheep|fish|mice|geese)\b"
# What may follow a noun phrase; a noun phrase of up to five words: "the solar system".
_END = rf"(?=\s+(?:{_STOP}|\w+ing\b)|\s*[^\w\s'’-]|\s*$)"
_NP = (
    rf"(?:(?:an?|the|one|each|every|its|their|his|her)\s+)?(?:(?!\w+ing\b){_WORD}\s+){{0,3}}?(?!\w+ing\b){_WORD}{_END}"
)
# "there are", "the number of"; "legs"; "days"; "a beach"; whatever has something: "the big spider".
_NUMBER_OF = r"(?:(?:there\s+(?:are|is)|the\s+(?:number|amount)\s+of)\s+)?"
_PART = rf"(?:{'|'.join(sorted(lexicon.COUNTED_PARTS))})"
_PERIOD = rf"(?:{'|'.join(sorted(lexicon.PERIODS))})"
_PLACE = rf"(?:(?:an?|the)\s+)?(?:{'|'.join(sorted({*lexicon.SETTINGS, *lexicon.PLACES}))})\b"
_SUBJECT = r"(?:(?!(?:and|or|with|than|as|that|is|are|there)\b)[\w'’-]+\s+){1,6}?"
# "a spider has legs"; "legs of a spider", "days in a week"; "a spider's legs"; "days"; "three"; "possible".
_MEASURES = (
    rf"{_SUBJECT}(?:has|have|had)\s+(?:\w+\s+{_PART}\b|{_WORD})(?:\s+(?:on|in)\s+(?:one|each|every|its|their)\s+\w+)?",
    rf"{_NUMBER_OF}(?:the\s+)?(?:\w+\s+)?(?:{_PART}\s+(?:of|in|on|per)|{_PERIOD}\s+(?:of|in|per))\s+(?!{_PLACE}){_NP}",
    rf"{_NUMBER_OF}(?:(?:an?|the)\s+)?{_WORD}(?:\s+{_WORD})?['’]s?\s+(?:{_PART}|{_PERIOD})\b",
    rf"{_NUMBER_OF}{_PERIOD}(?:\s+on\s+(?:the\s+)?earth)?\b",
    rf"{_N}{_END}",
    r"(?:possible|usual|ever)\b",
)
_MEASURE = "|".join(_MEASURES)


def _comparison(quantity: str, things: str, word: str) -> re.Pattern[str]:
    """Return the pattern of a quantity, what it counts, and what it is compared with."""
    return re.compile(
        rf"(?<![\w-])(?P<quantity>{quantity})\s+{things}\s+"
        rf"(?:(?P<measure>(?:{word})\s+(?:{_MEASURE}))|(?P<than>(?:{word})\s+{_NUMBER_OF.rstrip('?')}?)(?=\w))",
        re.IGNORECASE,
    )


# "exactly twice as many ... as", "two more ... than", "no more ... than", "the same number of ... as",
# "a number of ... that is equal to".
_COMPARISONS = (
    _comparison(rf"(?:(?:exactly|just|not)\s+)*(?:{_TIMES}\s+)?as\s+(?:many|few)", _THINGS, "as"),
    _comparison(rf"(?:(?:exactly|just)\s+)?(?:{_N}|an?|{_TIMES})\s+(?:more|fewer|less)", _THINGS, "than"),
    _comparison(r"(?:(?:no|not)\s+)?(?:more|fewer|less)", _SEVERAL, "than"),
    _comparison(rf"(?:the\s+same|an\s+equal|{_TIMES}\s+the)\s+number\s+of", _THINGS, "as"),
    _comparison(r"(?:an?|the)\s+number\s+of", _THINGS, r"(?:(?:that|which)\s+is\s+)?equal\s+to"),
)

# -- colours ---------------------------------------------------------------------------------------

# "in the same color as the sky".
_SHADE = re.compile(
    rf"(?<=\w\s)(?:(?:in|of|is|are)\s+)?the\s+(?:(?:same|exact)\s+)?colou?r\s+(?:of|as)\s+{_NP}", re.IGNORECASE
)


def referring_expressions(text: str) -> Iterator[tuple[MultiwordSpan, ...]]:
    """Yield the spans of each referring expression of a cleaned prompt."""
    for match in (m for pattern in _COMPARISONS for m in pattern.finditer(text)):
        yield tuple(_span(match, name) for name in ("quantity", "measure", "than") if match[name])
    for match in _WORKED_OUT.finditer(text):
        if _COUNTED.match(text, match.end()):
            yield (_span(match, 0),)
    for match in _SHADE.finditer(text):
        words = re.sub(r"^(?:is|are)\s+", "", match.group(), flags=re.IGNORECASE)
        yield (MultiwordSpan(match.end() - len(words), match.end(), SpanKind.SHADE, words, ""),)


_READ_AS = {
    "measure": (SpanKind.MEASURE, ""),
    "than": (SpanKind.THAN, "and"),
}


def _span(match: re.Match[str], name: str | int) -> MultiwordSpan:
    kind, placeholder = _READ_AS.get(str(name), (SpanKind.VAGUE, "several"))
    said = match[name].rstrip()
    return MultiwordSpan(match.start(name), match.start(name) + len(said), kind, said.lower(), placeholder, plural=True)
