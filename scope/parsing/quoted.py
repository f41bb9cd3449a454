"""Words to be read in the picture: in quotation marks, or after words that announce them. Loads no model."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from scope.parsing import lexicon

# Anything between quotation marks: "straight", “curly”, «angle», ‘single curly’, 'single'. An apostrophe is none,
# nor are those of 'Rock 'n' Roll'.
_APART = r"['‘’]n['‘’](?=\s)"
_QUOTED = rf"""(?:"(?P<q1>[^"]+)"|“(?P<q2>[^“”]+)”|«(?P<q3>[^«»]+)»|‘(?P<q4>(?:{_APART}|[^‘])+?)’(?!\w)"""
_QUOTED += rf"""|(?<!\w)'(?P<q5>(?:{_APART}|[^']|(?<=\w)'(?=\w))+)'(?!\w))"""
# "the words", "a short bold slogan".
_WORDING = (
    r"(?:words?|texts?|phrases?|letters?|numbers?|messages?|slogans?|captions?|titles?|inscriptions?|labels?|quotes?|"
    r"mottos?|headlines?|equations?|logos?)"
)
_THE_WORDING = rf"(?:(?:the|a|an)\s+)?(?:(?:short|bold|big|large)\s+)?{_WORDING}"
# "that says", "spelling out"; "which displays", "with"; "written", "is carved".
_SAY = r"(?:says?|saying|reads?|reading|spells?|spelling|states?|stating|labell?ed|titled|captioned|inscribed|marked)"
_SAY += r"(?:\s+out|\s+with|\s+as)?"
_SHOW = r"(?:displays?|displaying|shows?|showing|features?|featuring|bears?|bearing|with|and)"
_NAMED = r"(?:named|called)"
_RELATIVE = r"(?:,?\s*(?:that|which)\s+)?"
_WRITTEN = (
    r"(?:\s+(?:is\s+|are\s+)?(?:written|painted|printed|displayed|spelled|engraved|carved|embroidered|stitched|emblazoned)"
    r"(?:\s+out)?)?"
)

# 'that says: "KEEP OUT"', 'with the words "KEEP OUT" painted', or the quotation alone.
_IN_QUOTES = re.compile(
    rf"(?:(?i:(?P<named>\s*{_NAMED}\s+)|{_RELATIVE}(?:{_SAY}|{_SHOW})\s*[:,]?\s*(?:{_THE_WORDING}\s*[:,]?\s*)?"
    rf"|{_THE_WORDING}\s*[:,]?\s*))?{_QUOTED}(?i:{_WRITTEN})"
)
# Without quotation marks: "KEEP OUT 24/7", "Keep Out", or up to six words before one that goes on with the sentence.
_CAPITALS = r"[A-Z0-9][A-Z0-9'’!?&-]*(?![a-z])(?:\s[A-Z0-9][A-Z0-9'’!?&-]*(?![\w]))*"
_TITLE = r"[A-Z][\w'’!?-]*(?:\s[A-Z][\w'’!?-]*)*"
_ON = r"(?:and|with|on|in|at|next|near|to|under|above|below|behind|left|right|beside|hanging|standing)"
_LOWER = rf"[^\s,.;:\"]+(?:\s[^\s,.;:\"]+){{0,5}}?(?=\s{_ON}\b|[,.;:]|$)"
# "that says KEEP OUT", "with the words Keep Out"; "saying keep out"; "labeled honey"; "the text: Keep Out"; "the number
# 7"; "the word hello on a mug".
_PLAIN = re.compile(
    rf"(?:(?i:{_RELATIVE}{_SAY}\s*:?\s+(?:the\s+{_WORDING}\s+)?|(?:with\s+|bearing\s+)?the\s+(?:words?|text|number|letters?)\s*:?\s+))"
    rf"(?P<plain>{_CAPITALS}|{_TITLE})(?i:{_WRITTEN})"
    rf"|(?i:{_RELATIVE}(?:says|saying|labell?ed|captioned|inscribed)\s*:?\s+(?:as\s+)?(?!by\b|with\b|in\b|on\b)|with\s+the\s+words?\s*:?\s+)"
    rf"(?P<lower>{_LOWER})"
    rf"|(?i:(?:with\s+)?the\s+(?:text|words?|message|slogan|caption)\s*:\s*)(?P<after>{_LOWER})"
    rf"|(?i:\bthe\s+word\s+)(?!(?:{_ON}|of|is|that)\b)(?P<word>[a-z]+)(?=\s+{_ON}\b|[,.;]|$)(?i:{_WRITTEN})"
    rf"|(?i:\bthe\s+number)\s+(?P<number>\d+|{'|'.join(lexicon.COUNT_OF)})\b(?i:{_WRITTEN})"
)
#: "a cat named Tom": a name is not to be read, except on what carries one ("a boat named Hope").
_CALLED = re.compile(rf"(?P<who>[\w-]+)\s+{_NAMED}\s+(?P<name>{_TITLE})")


class Quotation(NamedTuple):
    """Characters [start, end) that give words, the words, and whether they only name what stands before them."""

    start: int
    end: int
    words: str
    named: bool = False


def find_quotations(text: str) -> Iterator[Quotation]:
    """Yield the words to be read of a cleaned prompt, and the names that are not; earlier ones win over later ones."""
    for match in _IN_QUOTES.finditer(text):
        words = next(match[q] for q in ("q1", "q2", "q3", "q4", "q5") if match[q] is not None)
        named = match["named"] is not None and not _carries(text[: match.start()])
        yield _quotation(match, words, named=named)
    for match in _CALLED.finditer(text):
        lead = len(match["who"]) + 1
        yield Quotation(match.start() + lead, match.end(), match["name"], named=not _carries(match["who"]))
    for match in _PLAIN.finditer(text):
        words = next(match[group] for group in ("plain", "lower", "after", "word", "number") if match[group])
        yield _quotation(match, words)


def _quotation(match: re.Match[str], words: str, *, named: bool = False) -> Quotation:
    lead = len(match.group()) - len(match.group().lstrip(", "))
    return Quotation(match.start() + lead, match.end(), words, named)


def _carries(before: str) -> bool:
    """Return whether the last word is a thing that its name is written on."""
    words = re.findall(r"[\w-]+", before)
    return bool(words) and words[-1].lower() in lexicon.NAME_BEARERS
