"""The parts of a prompt that must be read as one word, and the placeholder that the parser reads in their place.

A small parser stumbles over "a hot dog left of a suitcase" or 'a sign that says "KEEP OUT"'. It reads
"a cat near a suitcase" and "a sign" without fault.
"""

import re
from collections.abc import Callable, Iterable, Iterator

from scope.parsing import lexicon
from scope.parsing.frames import Frame, style_name
from scope.parsing.names import find_names
from scope.parsing.referring import referring_expressions
from scope.parsing.spans import MultiwordSpan, SpanKind

# -- words to be read in the picture ---------------------------------------------------------------

# Anything between quotation marks: "straight", “curly”, «angle», ‘single curly’, 'single' (an apostrophe is none).
_QUOTED = r"""(?:"(?P<q1>[^"]+)"|“(?P<q2>[^“”]+)”|«(?P<q3>[^«»]+)»|‘(?P<q4>[^‘]+?)’(?!\w)"""
_QUOTED += r"""|(?<!\w)'(?P<q5>(?:[^']|(?<=\w)'(?=\w))+)'(?!\w))"""
# "the words", "a short bold slogan".
_WORDING = r"(?:words?|texts?|phrases?|letters?|numbers?|messages?|slogans?|captions?|titles?|inscriptions?|labels?)"
_THE_WORDING = rf"(?:(?:the|a|an)\s+)?(?:(?:short|bold|big|large)\s+)?{_WORDING}"
# "that says", "spelling out"; "which displays", "with"; "written", "is carved".
_SAY = r"(?:says?|saying|reads?|reading|spells?|spelling|states?|stating|labell?ed|titled|captioned|named|called)"
_SAY += r"(?:\s+out)?"
_SHOW = r"(?:displays?|displaying|shows?|showing|features?|featuring|bears?|bearing|with|and)"
_RELATIVE = r"(?:,?\s*(?:that|which)\s+)?"
_WRITTEN = r"(?:\s+(?:is\s+|are\s+)?(?:written|painted|printed|displayed|spelled|engraved|carved)(?:\s+out)?)?"

# 'that says: "KEEP OUT"', 'with the words "KEEP OUT" painted', or the quotation alone.
_TEXT_QUOTED = re.compile(
    rf"(?:(?i:{_RELATIVE}(?:{_SAY}|{_SHOW})\s*[:,]?\s*(?:{_THE_WORDING}\s*[:,]?\s*)?|{_THE_WORDING}\s*[:,]?\s*))?{_QUOTED}(?i:{_WRITTEN})"
)
# Without quotation marks: "KEEP OUT 24/7", "Keep Out", or up to six words before one that goes on with the sentence.
_CAPITALS = r"[A-Z0-9][A-Z0-9'’!?&-]*(?![a-z])(?:\s[A-Z0-9][A-Z0-9'’!?&-]*(?![\w]))*"
_TITLE = r"[A-Z][\w'’!?-]*(?:\s[A-Z][\w'’!?-]*)*"
_LOWER = (
    r"[^\s,.;:\"]+(?:\s[^\s,.;:\"]+){0,5}?"
    r"(?=\s(?:and|with|on|in|at|next|near|to|under|above|below|behind|left|right|beside|hanging|standing)\b|[,.;:]|$)"
)
# "that says KEEP OUT", "with the words Keep Out"; "saying keep out"; "the number 7".
_TEXT_PLAIN = re.compile(
    rf"(?:(?i:{_RELATIVE}{_SAY}\s*:?\s+(?:the\s+{_WORDING}\s+)?|(?:with\s+|bearing\s+)?the\s+(?:words?|text|number|letters?)\s+))"
    rf"(?P<plain>{_CAPITALS}|{_TITLE})(?i:{_WRITTEN})"
    rf"|(?i:{_RELATIVE}(?:says|saying)\s+|with\s+the\s+words?\s+)(?P<lower>{_LOWER})"
    rf"|(?i:\bthe\s+number)\s+(?P<number>\d+|{'|'.join(lexicon.COUNT_OF)})\b(?i:{_WRITTEN})"
)

# -- styles ----------------------------------------------------------------------------------------

_STYLE_NAMES = lexicon.alternatives(lexicon.STYLES)
# "in the style of Monet"; "in a flat style"; ", flat illustration style,"; ", pixel art" or "as a watercolor" at the
# end of a clause; "3-D" anywhere.
_STYLE = re.compile(
    r"\bin\s+(?:the\s+|an?\s+)?style\s+of\s+(?P<of>[^,.;]+)"
    r"|\bin\s+(?:the\s+|an?\s+)?(?P<named>(?:(?!(?:the|an?|of|on|in|with|and)\b)[\w-]+\s+){1,4})style\b"
    r"|(?:^|(?<=,\s))(?P<apposed>(?:(?!(?:the|an?|of|on|in|with)\b)[\w-]+\s+){1,4})style(?=[,.;]|$)"
    rf"|(?:(?<=,\s)(?:an?\s+|in\s+|as\s+an?\s+)?|\bin\s+|\bas\s+an?\s+)(?P<known>{_STYLE_NAMES})(?=[,.;]|$)"
    r"|(?<![\w-])(?P<solid>3-?d)(?![\w-])",
    re.IGNORECASE,
)

# -- everything else is found by a rule: a pattern, and what it makes of a match --------------------

_NUMBER = lexicon.NUMBER
_COLLECTIVE = r"(?:" + "|".join(lexicon.COLLECTIVE_NOUNS) + r")"


def _span(
    match: re.Match[str], kind: SpanKind, value: str | int, placeholder: str, *, plural: bool = False
) -> MultiwordSpan:
    return MultiwordSpan(match.start(), match.end(), kind, value, placeholder, plural)


def _spectacles(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.NOUN, "glasses", "cat")


def _count(match: re.Match[str]) -> MultiwordSpan:
    words = match.group().lower()
    if "pair" in words or "couple" in words:
        return _span(match, SpanKind.COUNT, 2, "two", plural=True)
    if "dozen" in words:
        dozens = lexicon.count_of(words.split()[0]) or 1  # "a dozen"
        return _span(match, SpanKind.COUNT, 6 if words.startswith("half") else 12 * dozens, "twelve", plural=True)
    last = words.split()[-1]
    number = 1 if last == "single" else lexicon.count_of(last)
    return _span(match, SpanKind.COUNT, number, "one" if number == 1 else "two", plural=number > 1)


def _relation(match: re.Match[str]) -> MultiwordSpan:
    words = " ".join(match.group().lower().split())
    return _span(match, SpanKind.RELATION, lexicon.RELATION_OF[words], words if " " not in words else "near")


def _place(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.PLACE, lexicon.PLACE_OF[" ".join(match.group().lower().split())], "nearby")


def _negation(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.NEGATION, "no", "no" if match.group().lower() in {"no", "zero"} else "without")


def _absent(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.ABSENT, match.group(1).lower(), "plain")


def _color(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.COLOR, lexicon.COLOR_OF[match.group(1).lower()], "red")


def _vague(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.VAGUE, match.group().lower(), "several", plural=True)


def _and(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.AND, "and", "and")


def _hyphenated(match: re.Match[str]) -> MultiwordSpan:
    return _span(match, SpanKind.HYPHENATED, match.group().lower(), match.group().replace("-", ""))


_Make = Callable[[re.Match[str]], MultiwordSpan]

#: Earlier rules win over later ones where they overlap.
_RULES: tuple[tuple[re.Pattern[str], _Make], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), make)
    for pattern, make in (
        # "glasses" on a face; "glasses of milk" are none
        (r"\b(?:eye)?glasses\b(?!\s+of\b)", _spectacles),
        # "without any", "with no", "not a single", "free of", "zero"
        (r"\b(?:without|lacking)(?:\s+(?:any|an?|the))?\b|\bwith\s+no\b|\bno\b|\b(?:with\s+)?not\s+(?:an?\s+single|any)\b"
         r"|\b(?:free|devoid)\s+of(?:\s+any)?\b|\bzero\b", _negation),
        # "exactly two", "a single"
        (rf"\b(?:exactly|only|just)\s+{_NUMBER}\b|\b(?:a|one|only\s+one)\s+single\b", _count),
        # "a pair of", "half a dozen", "two dozen"
        (rf"\b(?:an?\s+|the\s+)?(?:pair|couple)\s+of\b|\b(?:half\s+a|a|{_NUMBER})\s+dozen(?:\s+of)?\b", _count),
        # "at least three", "about five"
        (r"\b(?:at\s+least|at\s+most|(?:more|less|fewer)\s+than|over|up\s+to|about|around|nearly|almost)\s+"
         rf"{_NUMBER}\b", _vague),
        # "two or three", "5-7"
        (rf"\b{_NUMBER}\s*(?:or|to|-)\s*{_NUMBER}\b", _vague),
        # "a large group of", "a few"
        (r"\b(?:an?\s+|the\s+)?(?:(?:large|small|big|huge|whole|little|great)\s+)?"
         rf"{_COLLECTIVE}\s+of\b|\ba\s+few\b", _vague),
        # "sugar-free"
        (r"(?<![\w-])(\w+)-free(?![\w-])", _absent),
        # "gold-colored", "red in color"
        (r"(?<![\w-])(" + "|".join(lexicon.COLOR_OF) + r")(?:[- ]colou?red\b|\s+in\s+colou?r\b)", _color),
        # "together with"
        (r"\b(?:along|together)\s+with\b|\bas\s+well\s+as\b|\baccompanied\s+by\b", _and),
        # "to the left of", then "on the left", then "above"
        (lexicon.alternatives([r for r in lexicon.RELATION_OF if " " in r]), _relation),
        (lexicon.alternatives(lexicon.PLACE_OF) + r"(?!\s+of\b)", _place),
        (lexicon.alternatives([r for r in lexicon.RELATION_OF if " " not in r]), _relation),
        # "black-and-white"
        (r"(?<![\w-])[^\W\d_]+(?:-[^\W\d_]+)+(?![\w-])", _hyphenated),
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
    for match in _TEXT_QUOTED.finditer(text):
        words = next(g for g in match.groupdict().values() if g is not None)
        yield (_text(match, words),)
    for match in _TEXT_PLAIN.finditer(text):
        yield (_text(match, match["plain"] or match["lower"] or match["number"]),)
    for frame in frames:
        style = text[frame.style.start : frame.style.end]
        yield (MultiwordSpan(frame.span.start, frame.span.end, SpanKind.FRAME, style, ""),)
    for match in _STYLE.finditer(text):
        words = next(g for g in match.groupdict().values() if g is not None)
        yield (_span(match, SpanKind.STYLE, style_name(words), ""),)
    yield from referring_expressions(text)
    for start, end, name in find_names(text):  # "traffic lights", "pair of scissors"
        placeholder = "cats" if name.plural else "cat"
        yield (MultiwordSpan(start, end, SpanKind.NOUN, name.singular, placeholder, name.plural),)
    for pattern, make in _RULES:
        for match in pattern.finditer(text):
            yield (make(match),)


def _text(match: re.Match[str], words: str) -> MultiwordSpan:
    lead = len(match.group()) - len(match.group().lstrip(", "))
    return MultiwordSpan(match.start() + lead, match.end(), SpanKind.TEXT, words, "")
