"""The notation of other tools in a prompt: weights, parameters, tags of quality. It says nothing that a picture shows.

What is notation is blanked before anything is read, so that every character keeps its place; a note says that it is
not supported (notes.py). What stands in quotation marks is left as it is. Loads no model.
"""

import re
from collections.abc import Iterator
from typing import NamedTuple

from scope.parsing import lexicon, style_words
from scope.specification import Span


class Plain(NamedTuple):
    """A prompt of the same length without notation, and where in it there was notation, in order."""

    text: str
    dropped: tuple[Span, ...]


_QUALITY = lexicon.alternatives(style_words.QUALITY_TAGS)
_WORDS = r"(?:raw|cute|scenic|expressive|relaxed|fast|turbo|original)\b"

#: Notation that is dropped, and said to be.
_DROPPED = (
    re.compile(r"<[a-z]\w*:[^<>]{1,100}>", re.IGNORECASE),  # "<lora:x:1>"
    # "--ar 16:9", "--style raw"; a dash that was made long
    re.compile(rf"(?<!\S)(?:--|[—–])(?!no\b)[a-z]+(?:[ =]+(?:\d[\d.:x/]*|{_WORDS})(?!\S))?", re.IGNORECASE),
    # "steps: 20", "cfg scale: 7", "sampler: euler a"
    re.compile(
        r"\b(?:(?:seed|steps|cfg(?:[ _]scale)?|guidance(?:[ _]scale)?|clip[ _]skip|denoising(?:[ _]strength)?)"
        r"\s*[:=]\s*\d[\d.]*|sampler\s*[:=]\s*[\w+]+(?: [a-z])?(?=[,;]|$)|size\s*[:=]\s*\d+x\d+)",
        re.IGNORECASE,
    ),
    re.compile(r"(?<=[\w)\]]):\d+(?:\.\d+)?(?=\s*[)\]])"),  # ":1.3" of "(red car:1.3)"
    re.compile(r"::-?\d+(?:\.\d+)?"),  # "cat::2"
    # ", best quality, masterpiece,"
    re.compile(
        rf"(?:^|(?<=[,.;|({{\[]))\s*(?:an?\s+)?{_QUALITY}(?:\s+{_QUALITY})*\s*(?=[,.;|)}}\]]|--no\b|$)", re.IGNORECASE
    ),
    # "in 8k resolution", "at high quality"
    re.compile(
        r"\b(?:in|at|with)\s+(?:an?\s+)?(?:[248]k|u?hd|full hd|(?:very |ultra[- ]?)?high)(?:\s+(?:resolution|quality|"
        r"definition))(?=[,.;]|$)|\bin\s+(?:[248]k|u?hd)(?=[,.;]|$)",
        re.IGNORECASE,
    ),
)
#: What only groups or parts words, and what is put in its place.
_GROUPING = (
    (re.compile(r"^\W*/?(?:imagine\s+)?(?:positive\s+)?prompt\s*:", re.IGNORECASE), ""),  # "/imagine prompt:"
    (re.compile(r"\bBREAK\b|::|\|"), ","),
    (re.compile(r"[\[\]{}*`]|\((?=\s*\()|(?<=\))\s*\)|(?<=\()\s*\("), ""),  # "[cat]", "((dog))", "**red**"
    (re.compile(r"(?<=[a-z])_(?=[a-z(])", re.IGNORECASE), ""),  # "long_hair"
)
_WEIGHTED = re.compile(r"\(([^()]*)(:\d+(?:\.\d+)?)\)")
_EMPTY = re.compile(r"\([\s,.]*\)")  # all that was in it is dropped
_QUOTED = re.compile(r'"[^"]*"|“[^“”]*”|«[^«»]*»')

#: What a prompt says must not be there: "--no people, cars", "negative prompt: blurry, dog".
_DENIED = re.compile(r"(?:(?<!\S)--no|\bnegative(?:[ _]prompt)?\s*:)\s+(?P<items>.+?)(?=\s+--|[.;]|$)", re.IGNORECASE)
_ITEM = re.compile(r"[^\s,](?:[^,]*[^\s,])?")

# -- a prompt in quotation marks -------------------------------------------------------------------

_WHOLE = re.compile(r"""^\s*(?:"(?P<a>[^\s"].*)"|“(?P<b>.+)”|«(?P<c>.+)»|‘(?P<d>.+)’|'(?P<e>[^\s'].*)')[.!?]*\s*$""")
_SCARE = re.compile(
    r"""(?:\b(?:an?|the|this|that|its|his|her|their|my|so-called)\s+)(?:"([a-z-]+)"|“([a-z-]+)”|'([a-z-]+)'|‘([a-z-]+)’)"""
    r"\s+(?P<noun>[a-z-]+)"
)


def without_notation(text: str) -> Plain:
    """Return a cleaned prompt without the notation of other tools, at the same length, and what was dropped."""
    text = _unquoted(text)
    quoted = [m.span() for m in _QUOTED.finditer(text)]
    dropped: list[Span] = []
    while match := next(_outside(quoted, _WEIGHTED.finditer(text)), None):
        dropped.append(Span(start=match.start(2), end=match.end(2)))
        text = _put(text, match, f" {match[1]}")
    for pattern in _DROPPED:
        for match in list(_outside(quoted, pattern.finditer(text))):
            dropped.append(_stripped(match))
            text = _put(text, match)
    for pattern, instead in _GROUPING:
        for match in list(_outside(quoted, pattern.finditer(text))):
            text = _put(text, match, instead)
    for match in list(_outside(quoted, _EMPTY.finditer(text))):
        text = _put(text, match)
    return Plain(text, tuple(sorted(dropped, key=lambda span: span.start)))


def denied_items(text: str) -> Iterator[tuple[int, int, str]]:
    """Yield where a prompt lists what must not be there, and what: "--no people, cars". The mark is the first's."""
    for match in _DENIED.finditer(text):
        start = match.start()
        for item in _ITEM.finditer(text, match.start("items"), match.end("items")):
            yield min(start, item.start()), item.end(), item.group().lower()
            start = match.end()


def _unquoted(text: str) -> str:
    """Blank the quotation marks around a whole prompt, and those that only raise an eyebrow: 'a "happy" cat'."""
    if (whole := _WHOLE.match(text)) and _is_prompt(whole, text):
        start, end = next(whole.span(name) for name in "abcde" if whole[name] is not None)
        text = f"{text[: start - 1]} {text[start:end]} {text[end + 1 :]}"
    for match in _SCARE.finditer(text):
        if match["noun"] not in lexicon.SURFACES:
            start, end = next(match.span(group) for group in (1, 2, 3, 4) if match[group] is not None)
            text = f"{text[: start - 1]} {text[start:end]} {text[end + 1 :]}"
    return text


def _is_prompt(whole: re.Match[str], text: str) -> bool:
    """Return whether the quotation marks hold a prompt ("a cat on a mat") and not words to be read ("Keep Out")."""
    inside = next(whole[name] for name in "abcde" if whole[name] is not None)
    words = re.findall(r"[^\W\d_][\w'’-]*", inside)
    if len(words) < 2 or all(word[0].isupper() for word in words):
        return False
    mark = text.lstrip()[0]
    closing = inside.find(mark) if mark in "\"'" else -1  # '"HELLO" and "BYE"' begins and ends with a mark, too
    return closing <= 0 or not inside[closing - 1].isalnum() or inside[closing + 1 : closing + 2].isalnum()


def _outside(quoted: list[tuple[int, int]], matches: Iterator[re.Match[str]]) -> Iterator[re.Match[str]]:
    """Yield the matches that touch no quotation."""
    return (m for m in matches if all(end <= m.start() or m.end() <= start for start, end in quoted))


def _stripped(match: re.Match[str]) -> Span:
    words = match.group()
    return Span(start=match.end() - len(words.lstrip()), end=match.start() + len(words.rstrip()))


def _put(text: str, match: re.Match[str], instead: str = "") -> str:
    """Return the text with a match replaced, filled up with spaces."""
    return text[: match.start()] + instead.ljust(len(match.group())) + text[match.end() :]
