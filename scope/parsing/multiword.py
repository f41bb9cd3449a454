"""The parts of a prompt that must be read as one word, and the placeholder that the parser reads in their place.

A small parser stumbles over "a hot dog left of a suitcase" or 'a sign that says "KEEP OUT"'. It reads
"a cat near a suitcase" and "a sign" without fault.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from scope.parsing import cues, lexicon
from scope.parsing.camera import find_camera
from scope.parsing.comparing import find_comparisons
from scope.parsing.emoji import find_emoji
from scope.parsing.frames import MEDIUM, Frame
from scope.parsing.names import find_names, nouns
from scope.parsing.notation import denied_items
from scope.parsing.numbers import find_counts, find_numerals
from scope.parsing.openings import find_openings
from scope.parsing.quoted import find_quotations
from scope.parsing.referring import referring_expressions
from scope.parsing.spans import MultiwordSpan, SpanKind
from scope.parsing.styles import find_stated, find_styles

# -- everything else is found by a rule: a pattern, and what it makes of a match --------------------

_NUMBER = lexicon.NUMBER
_COLOR = r"(?:" + "|".join(lexicon.COLOR_OF) + r")"
#: People as tags count them: "1girl".
_TAGGED = re.compile(r"(?<![\w.-])\d{1,3}(?=(?:girls?|boys?|wom[ae]n|m[ae]n|people)\b)", re.IGNORECASE)
_COLLECTIVE = r"(?:" + "|".join(lexicon.COLLECTIVE_NOUNS) + r")"


# "to its left", "on her right side": the side of whom a pronoun means
_SIDE = re.compile(
    r"\b(?P<to>to|on|at)\s+(?P<whose>its|his|her|their)\s+(?:immediate\s+)?(?P<side>left|right)"
    r"(?:[\s-]+(?:hand\s+)?side)?(?!\s+(?:hand|arm|leg|foot|eye|ear|shoulder|wing|paw|side|knee|hip|cheek)\b)(?![\w-])",
    re.IGNORECASE,
)
_PRONOUN = {"its": "it", "his": "him", "her": "her", "their": "them"}


def _span(
    match: re.Match[str], kind: SpanKind, value: str | int, placeholder: str, *, plural: bool = False
) -> MultiwordSpan:
    return MultiwordSpan(match.start(), match.end(), kind, value, placeholder, plural)


def _spectacles(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.NOUN, "glasses", "cat")


def _tagged(match: re.Match[str]) -> MultiwordSpan:
    number = int(match.group())
    return _span(match, SpanKind.COUNT, number, "one " if number == 1 else "two ", plural=number != 1)


def _relation(match: re.Match[str]) -> MultiwordSpan:
    words = " ".join(match.group().lower().split())
    return _span(match, SpanKind.RELATION, lexicon.RELATION_OF[words], words if " " not in words else "near")


def _place(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.PLACE, lexicon.PLACE_OF[" ".join(match[1].lower().split())], "nearby")


def _negation(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.NEGATION, "no", "no" if match.group().lower() in {"no", "zero"} else "without")


def _except(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.NEGATION, "except", "without")


def _not(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.NEGATION, "not", "not")


def _hardly(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.NEGATION, "hardly", "without")


def _nobody(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.ABSENT, "person", "nobody")


def _absent(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.ABSENT, match.group(1).lower(), "plain")


def _color(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.COLOR, lexicon.COLOR_OF[match.group(1).lower()], "red")


def _vague(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.VAGUE, match.group().lower(), "several", plural=True)


def _and(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.AND, "and", " and ")


def _hyphenated(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.HYPHENATED, match.group().lower(), match.group().replace("-", ""))


# "in the top left corner of the image"
_PLACE_IN_PICTURE = re.compile(
    rf"({lexicon.alternatives(lexicon.PLACE_OF)})\s+of\s+(?:the|this)\s+(?:{MEDIUM}|frame)(?![\w-])", re.IGNORECASE
)


def _singular(said: str) -> str:
    """Return the singular of a noun that is said to be absent, where one is known."""
    known = nouns().get(said)
    return known.singular if known else lexicon.PEOPLE.get(said, said)


_Make = Callable[[re.Match[str]], MultiwordSpan]

#: Earlier rules win over later ones where they overlap.
_RULES: tuple[tuple[re.Pattern[str], _Make], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), make)
    for pattern, make in (
        # "glasses" on a face; "glasses of milk" are none
        (r"\b(?:eye)?glasses\b(?!\s+of\b)", _spectacles),
        # "nobody", "except for", "no longer", "without any", "do not draw"
        (cues.NO_PERSON, _nobody),
        (cues.EXCEPT, _except),
        (cues.NOT_SO, _not),
        (cues.HARDLY, _hardly),
        (cues.NO_THING, _negation),
        # "about five"
        (rf"\b(?:about|around|nearly|almost|approximately|roughly|some)\s+{_NUMBER}\b", _vague),
        # "a large group of", "a few"
        (r"\b(?:an?\s+|the\s+)?(?:(?:large|small|big|huge|whole|little|great)\s+)?"
         rf"{_COLLECTIVE}\s+of\b|\ba\s+few\b", _vague),
        # "sugar-free"
        (r"(?<![\w-])(\w+)-free(?![\w-])", _absent),
        # "rainbow colored", "brightly coloured"
        (r"(?<![\w-])(?!(?:is|are|was|were|and|or|the|an?|of|with|in|be|" + _COLOR + r")[ -])"
         r"[^\W\d_]+[ -]colou?red(?![\w-])", _hyphenated),
        # "black-and-white": two colours
        (rf"(?<![\w-])({_COLOR})(?=-and-{_COLOR}(?![\w-]))", _color),
        (rf"(?<=\w)-and-(?={_COLOR}(?![\w-]))", _and),
        (rf"(?<=-and-)({_COLOR})(?![\w-])", _color),
        # "gold-colored", "red in color"
        (rf"(?<![\w-])({_COLOR})(?:[- ]colou?red\b|\s+in\s+colou?r\b)", _color),
        # "together with"
        (r"\b(?:along|together)\s+with\b|\bas\s+well\s+as\b|\baccompanied\s+by\b", _and),
        # "to the left of", then "on the left", then "above"
        (lexicon.alternatives([r for r in lexicon.RELATION_OF if " " in r]), _relation),
        ("(" + lexicon.alternatives(lexicon.PLACE_OF) + r")(?!\s+of\b)", _place),
        (lexicon.alternatives([r for r in lexicon.RELATION_OF if " " not in r]), _relation),
        # "well-lit", "5-year-old", "10 foot tall"
        (r"(?<![\w-])(?:\d+|[^\W\d_]+)(?:-[^\W\d_]+)+(?![\w-])", _hyphenated),
        (rf"(?<![\w-]){_NUMBER}[ -](?:foot|feet|ft|inch|inches|meters?|metres?|cm|years?|months?|storey|story)[ -]"
         r"(?:tall|high|long|wide|deep|thick|old)(?![\w-])", _hyphenated),
    )
)  # fmt: skip


def find_spans(text: str, frames: Iterable[Frame]) -> tuple[MultiwordSpan, ...]:
    """Return the multiword spans of a cleaned prompt in order; they do not overlap."""
    found: list[MultiwordSpan] = []
    for group in _candidates(text, frames):
        if all(span.end <= other.start or other.end <= span.start for span in group for other in found):
            found += group
    return tuple(sorted(found, key=lambda span: span.start))


def _candidates(text: str, frames: Iterable[Frame]) -> Iterator[tuple[MultiwordSpan, ...]]:
    """Yield spans, and groups of them that stand or fall together; earlier ones win over later ones."""
    for said in find_quotations(text):
        yield (MultiwordSpan(said.start, said.end, SpanKind.CALLED if said.named else SpanKind.TEXT, said.words, ""),)
    for start, end, item in denied_items(text):
        yield (MultiwordSpan(start, end, SpanKind.ABSENT, _singular(item), "plain"),)
    for stated in find_stated(text):
        yield (MultiwordSpan(stated.start, stated.end, SpanKind.STYLE, stated.name, ""),)
    for match in _SIDE.finditer(text):  # "to its left"
        yield (
            MultiwordSpan(match.start(), match.end("to"), SpanKind.RELATION, f"{match['side'].lower()} of", "near"),
            MultiwordSpan(match.start("whose"), match.end(), SpanKind.WHOSE, _PRONOUN[match["whose"].lower()], "it"),
        )
    for match in _PLACE_IN_PICTURE.finditer(text):
        yield (_place(match),)
    for frame in frames:
        yield (MultiwordSpan(frame.span.start, frame.span.end, SpanKind.FRAME, "", ""),)
    for shot in find_camera(text):
        yield (MultiwordSpan(shot.start, shot.end, SpanKind.CAMERA, shot.name, ""),)
    for style in find_styles(text):
        yield (MultiwordSpan(style.start, style.end, SpanKind.STYLE, style.name, ""),)
    for start, end, noun in find_emoji(text):
        yield (MultiwordSpan(start, end, SpanKind.EMOJI, noun, "cat "),)
    for match in _TAGGED.finditer(text):
        yield (_tagged(match),)
    yield from referring_expressions(text)
    yield from ((span,) for span in find_comparisons(text))
    for start, end, name in find_names(text):  # "traffic lights", "pair of scissors"
        placeholder = "cats" if name.plural else "cat"
        yield (MultiwordSpan(start, end, SpanKind.NOUN, name.singular, placeholder, name.plural),)
    for opening in find_openings(text):
        yield (opening,)
    yield from ((span,) for span in (*find_counts(text), *find_numerals(text)))
    for pattern, make in _RULES:
        for match in pattern.finditer(text):
            yield (make(match),)
