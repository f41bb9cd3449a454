"""Units: the parts of a prompt that must be read as one word, and the plain word that the parser reads in their place.

A small parser stumbles over "a hot dog left of a suitcase" or 'a sign that says "KEEP OUT"'. It reads
"a cat near a suitcase" and "a sign" without fault, so every unit carries such a stand-in.
"""

import re
from collections.abc import Callable, Iterator

from scope import text
from scope.parsing import lexicon
from scope.parsing.clues import clues
from scope.parsing.prompt import frames
from scope.parsing.unit import Unit, UnitKind

_QUOTED = r"""(?:"(?P<q1>[^"]+)"|“(?P<q2>[^“”]+)”|«(?P<q3>[^«»]+)»|‘(?P<q4>[^‘]+?)’(?!\w)"""
_QUOTED += r"""|(?<!\w)'(?P<q5>(?:[^']|(?<=\w)'(?=\w))+)'(?!\w))"""
_WORDING = r"(?:words?|texts?|phrases?|letters?|numbers?|messages?|slogans?|captions?|titles?|inscriptions?|labels?)"
_THE_WORDING = rf"(?:(?:the|a|an)\s+)?(?:(?:short|bold|big|large)\s+)?{_WORDING}"
_SAY = r"(?:says?|saying|reads?|reading|spells?|spelling|states?|stating|labell?ed|titled|captioned|named|called)"
_SAY += r"(?:\s+out)?"
_SHOW = r"(?:displays?|displaying|shows?|showing|features?|featuring|bears?|bearing|with|and)"
_RELATIVE = r"(?:,?\s*(?:that|which)\s+)?"
_WRITTEN = r"(?:\s+(?:is\s+|are\s+)?(?:written|painted|printed|displayed|spelled|engraved|carved)(?:\s+out)?)?"

_TEXT_QUOTED = re.compile(
    rf"(?:(?i:{_RELATIVE}(?:{_SAY}|{_SHOW})\s*[:,]?\s*(?:{_THE_WORDING}\s*[:,]?\s*)?|{_THE_WORDING}\s*[:,]?\s*))?{_QUOTED}(?i:{_WRITTEN})"
)
_CAPITALS = r"[A-Z0-9][A-Z0-9'’!?&-]*(?![a-z])(?:\s[A-Z0-9][A-Z0-9'’!?&-]*(?![\w]))*"
_TITLE = r"[A-Z][\w'’!?-]*(?:\s[A-Z][\w'’!?-]*)*"
_LOWER = (
    r"[^\s,.;:\"]+(?:\s[^\s,.;:\"]+){0,5}?"
    r"(?=\s(?:and|with|on|in|at|next|near|to|under|above|below|behind|left|right|beside|hanging|standing)\b|[,.;:]|$)"
)
_TEXT_PLAIN = re.compile(
    rf"(?:(?i:{_RELATIVE}{_SAY}\s*:?\s+(?:the\s+{_WORDING}\s+)?|(?:with\s+|bearing\s+)?the\s+(?:words?|text|number|letters?)\s+))"
    rf"(?P<plain>{_CAPITALS}|{_TITLE})(?i:{_WRITTEN})"
    rf"|(?i:{_RELATIVE}(?:says|saying)\s+|with\s+the\s+words?\s+)(?P<lower>{_LOWER})"
    rf"|(?i:\bthe\s+number)\s+(?P<number>\d+|{'|'.join(lexicon.COUNT_OF)})\b(?i:{_WRITTEN})"
)

_STYLE_NAMES = lexicon.alternatives(lexicon.STYLES)
_STYLE = re.compile(
    r"\bin\s+(?:the\s+|an?\s+)?style\s+of\s+(?P<of>[^,.;]+)"
    r"|\bin\s+(?:the\s+|an?\s+)?(?P<named>(?:(?!(?:the|an?|of|on|in|with|and)\b)[\w-]+\s+){1,4})style\b"
    r"|(?:^|(?<=,\s))(?P<apposed>(?:(?!(?:the|an?|of|on|in|with)\b)[\w-]+\s+){1,4})style(?=[,.;]|$)"
    rf"|(?:(?<=,\s)(?:an?\s+|in\s+|as\s+an?\s+)?|\bin\s+|\bas\s+an?\s+)(?P<known>{_STYLE_NAMES})(?=[,.;]|$)"
    r"|(?<![\w-])(?P<solid>3-?d)(?![\w-])",
    re.IGNORECASE,
)

_NUMBER = lexicon.NUMBER
_GATHERING = r"(?:" + "|".join(lexicon.GATHERINGS) + r")"


def _unit(match: re.Match[str], kind: UnitKind, value: str | int, stand_in: str, *, plural: bool = False) -> Unit:
    return Unit(match.start(), match.end(), kind, value, stand_in, plural)


def _known_noun(match: re.Match[str]) -> Unit:
    said = " ".join(match.group().lower().split())
    for name in (said, said.removesuffix("s"), said.removesuffix("es")):
        if name in lexicon.OBJECTS:
            plural = name != said or said in lexicon.PLURALS
            return _unit(match, UnitKind.NOUN, lexicon.OBJECTS[name], "cats" if plural else "cat", plural=plural)
    raise AssertionError(f"{said!r} matched the list of names but is not in it")


def _spectacles(match: re.Match[str]) -> Unit:
    return _unit(match, UnitKind.NOUN, "glasses", "cat")


def _count(match: re.Match[str]) -> Unit:
    said = match.group().lower()
    if "pair" in said or "couple" in said:
        return _unit(match, UnitKind.COUNT, 2, "two", plural=True)
    if "dozen" in said:
        dozens = number_of(said.split()[0]) or 1  # "a dozen"
        return _unit(match, UnitKind.COUNT, 6 if said.startswith("half") else 12 * dozens, "twelve", plural=True)
    last = said.split()[-1]
    number = 1 if last == "single" else number_of(last)
    return _unit(match, UnitKind.COUNT, number, "one" if number == 1 else "two", plural=number > 1)


def _relation(match: re.Match[str]) -> Unit:
    said = " ".join(match.group().lower().split())
    return _unit(match, UnitKind.RELATION, lexicon.RELATION_OF[said], said if " " not in said else "near")


def _place(match: re.Match[str]) -> Unit:
    return _unit(match, UnitKind.PLACE, lexicon.PLACE_OF[" ".join(match.group().lower().split())], "nearby")


def _negation(match: re.Match[str]) -> Unit:
    return _unit(match, UnitKind.NEGATION, "no", "no" if match.group().lower() in {"no", "zero"} else "without")


def _absent(match: re.Match[str]) -> Unit:
    return _unit(match, UnitKind.ABSENT, match.group(1).lower(), "plain")


def _color(match: re.Match[str]) -> Unit:
    return _unit(match, UnitKind.COLOR, lexicon.COLOR_OF[match.group(1).lower()], "red")


def _vague(match: re.Match[str]) -> Unit:
    return _unit(match, UnitKind.VAGUE, match.group().lower(), "several", plural=True)


def _and(match: re.Match[str]) -> Unit:
    return _unit(match, UnitKind.AND, "and", "and")


def _hyphenated(match: re.Match[str]) -> Unit:
    return _unit(match, UnitKind.HYPHENATED, match.group().lower(), match.group().replace("-", ""))


_Make = Callable[[re.Match[str]], Unit]

#: Earlier rules win over later ones where they overlap.
_RULES: tuple[tuple[re.Pattern[str], _Make], ...] = tuple(
    (re.compile(pattern, re.IGNORECASE), make)
    for pattern, make in (
        (lexicon.alternatives(lexicon.OBJECTS, "(?:e?s)?"), _known_noun),
        (r"\b(?:eye)?glasses\b(?!\s+of\b)", _spectacles),  # "glasses of milk" are none
        (r"\b(?:without|lacking)(?:\s+(?:any|an?|the))?\b|\bwith\s+no\b|\bno\b|\b(?:with\s+)?not\s+(?:an?\s+single|any)\b"
         r"|\b(?:free|devoid)\s+of(?:\s+any)?\b|\bzero\b", _negation),
        (rf"\b(?:exactly|only|just)\s+{_NUMBER}\b|\b(?:a|one|only\s+one)\s+single\b", _count),
        (rf"\b(?:an?\s+|the\s+)?(?:pair|couple)\s+of\b|\b(?:half\s+a|a|{_NUMBER})\s+dozen(?:\s+of)?\b", _count),
        (r"\b(?:at\s+least|at\s+most|(?:more|less|fewer)\s+than|over|up\s+to|about|around|nearly|almost)\s+"
         rf"{_NUMBER}\b", _vague),
        (rf"\b{_NUMBER}\s*(?:or|to|-)\s*{_NUMBER}\b", _vague),
        (r"\b(?:an?\s+|the\s+)?(?:(?:large|small|big|huge|whole|little|great)\s+)?"
         rf"{_GATHERING}\s+of\b|\ba\s+few\b", _vague),
        (r"(?<![\w-])(\w+)-free(?![\w-])", _absent),
        (r"(?<![\w-])(" + "|".join(lexicon.COLOR_OF) + r")(?:[- ]colou?red\b|\s+in\s+colou?r\b)", _color),
        (r"\b(?:along|together)\s+with\b|\bas\s+well\s+as\b|\baccompanied\s+by\b", _and),
        (lexicon.alternatives([r for r in lexicon.RELATION_OF if " " in r]), _relation),
        (lexicon.alternatives(lexicon.PLACE_OF) + r"(?!\s+of\b)", _place),
        (lexicon.alternatives([r for r in lexicon.RELATION_OF if " " not in r]), _relation),
        (r"(?<![\w-])[^\W\d_]+(?:-[^\W\d_]+)+(?![\w-])", _hyphenated),
    )
)  # fmt: skip


def number_of(word: str) -> int:
    """Return the number that digits or a word up to twenty name; 0 if they name none."""
    return text.number_of(word) or lexicon.COUNT_OF.get(word.lower(), 0)


def style_value(style: str) -> str:
    """Return the name of a style; "3d" and "flat" art have one name however they are worded."""
    style = " ".join(style.lower().split())
    if re.match(r"3-?d\b", style):
        return "3-D"
    return "flat" if re.match(r"flat\b", style) else style


def units(prompt: str) -> list[Unit]:
    """Return the units of a cleaned prompt in order; they do not overlap."""
    found: list[Unit] = []
    for together in _candidates(prompt):
        if all(unit.end <= other.start or other.end <= unit.start for unit in together for other in found):
            found += together
    return sorted(found, key=lambda u: u.start)


def _text(match: re.Match[str], words: str) -> Unit:
    lead = len(match.group()) - len(match.group().lstrip(", "))
    return Unit(match.start() + lead, match.end(), UnitKind.TEXT, words, "")


def _candidates(prompt: str) -> Iterator[tuple[Unit, ...]]:
    """Yield units, and groups of them that stand or fall together; earlier ones win over later ones."""
    for match in _TEXT_QUOTED.finditer(prompt):
        words = next(g for name, g in match.groupdict().items() if g is not None)
        yield (_text(match, words),)
    for match in _TEXT_PLAIN.finditer(prompt):
        words = match["plain"] or match["lower"] or match["number"]
        yield (_text(match, words),)
    for frame in frames(prompt):
        style = prompt[frame.style.start : frame.style.end]
        yield (Unit(frame.span.start, frame.span.end, UnitKind.FRAME, style, ""),)
    for match in _STYLE.finditer(prompt):
        name = next(g for g in match.groupdict().values() if g is not None)
        yield (Unit(match.start(), match.end(), UnitKind.STYLE, style_value(name), ""),)
    yield from clues(prompt)
    for pattern, make in _RULES:
        for match in pattern.finditer(prompt):
            yield (make(match),)
