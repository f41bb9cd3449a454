"""In what style a picture is: "in the style of Monet", "The style of the image is photorealism". Loads no model."""

import re
from collections.abc import Iterator
from typing import NamedTuple

from scope.parsing import lexicon, style_words
from scope.parsing.camera import find_camera
from scope.parsing.frames import MEDIUM, PLAIN_MEDIUM, style_name
from scope.specification import Span, Type

_NAMES = lexicon.alternatives(style_words.STYLES)
_ARTIST = lexicon.alternatives(style_words.ARTISTS)
_WITH_STYLE = "|".join(map(re.escape, style_words.STYLES_WITH_STYLE))
_BEFORE_NOUNS = lexicon.alternatives(style_words.STYLES_BEFORE_NOUNS)
_MEDIA = lexicon.alternatives(style_words.MEDIA)
_NOUNS = "|".join(style_words.NAMED_AFTER_STYLES)
# Up to four words that name a style: "flat vector".
_WORDS = r"(?:(?!(?:the|an?|of|on|in|with|and|that|style)\b)[\w’'-]+\s+){1,4}"
_DONE = r"(?:(?:drawn|painted|rendered|sketched|made|done|depicted|illustrated|shown|shot|created|presented)\s+)?"
_MADE = r"(?:(?:painted|drawn|illustrated|artwork|art|photographed|photo(?:graph)?)\s+)"
_THE = r"(?:the\s+|an?\s+)?"
_KIND = r"(?:(?:art(?:istic)?|visual|overall|painting|illustration|drawing|graphic)\s+)*"

#: "The art style of the image is photorealism", "style: watercolor".
_STATED = re.compile(
    rf"(?:\b(?:with|in|and)\s+)?{_THE}(?<![’'\w-]){_KIND}\bstyle(?:\s+of\s+(?:the|this)\s+{MEDIUM})?\s*"
    rf"(?:\s(?:is|should\s+be|being)|:)\s*(?:that\s+of\s+|in\s+)?{_THE}(?P<said>[^,.;:]+?)(?:\s+style)?(?=[,.;]|$)",
    re.IGNORECASE,
)
_STYLE = re.compile(
    # "in the style of Monet", "inspired by Moebius"
    rf"(?<!\w){_DONE}in\s+{_THE}{_KIND}(?:style|manner|vein)\s+of\s+(?P<of>[^,.;]+)"
    r"|,?\s*\b(?:inspired|influenced)\s+by\s+(?P<after>[^,.;]+)"
    # "in a flat style", "has a vintage style", ", flat illustration style,"
    rf"|(?:\b{_DONE}(?:in|with)\s+|(?<=\bhas\s)|(?<=\bhave\s)){_THE}(?P<named>{_WORDS})style\b"
    r"|(?:^|(?<=,\s))(?:an?\s+)?(?P<apposed>(?:(?!(?:the|an?|of|on|in|with)\b)[\w-]+\s+){1,4})style(?=[,.;]|$)"
    # ", pixel art"; "as a watercolor" or "in oil" at the end of a clause; "painted with oils"
    rf"|(?:(?<=,\s)(?:an?\s+|in\s+|as\s+an?\s+)?|\b{_DONE}in\s+|\b{_DONE}as\s+an?\s+)(?P<known>{_NAMES})(?=[,.;]|$)"
    rf"|\b{_DONE}in\s+(?P<medium>{_MEDIA})(?=[,.;]|$)"
    rf"|(?<=\w\s)(?:drawn|painted|rendered|sketched)\s+(?:in|with|using)\s+{_THE}(?P<using>{_MEDIA}|{_NAMES})"
    # "anime-style cat", "pixel art cat", "3d-rendered"
    rf"|(?<![\w-])(?P<styled>{_WITH_STYLE})[\s-]styled?(?=\s+[a-z])"
    rf"|(?P<before>{_BEFORE_NOUNS})(?=\s+(?!(?:{_NOUNS}|{MEDIUM})\b)[a-z])"
    r"|(?<![\w-])(?P<solid>3-?d)(?:[\s-]rendered)?(?![\w-])"
    # "by Picasso", "painted by Claude Monet", ", by greg rutkowski"
    rf"|(?:,\s*)?\b{_MADE}?by\s+(?:the\s+artist\s+)?(?P<artist>{_ARTIST})"
    rf"|\b{_MADE}by\s+(?P<maker>(?-i:[A-Z][\w.’'-]*(?:\s(?:van|von|de|da|[A-Z][\w.’'-]*))*))",
    re.IGNORECASE,
)
#: Words about a picture that name no style: "a beautiful photo of"; and what it is called, where that is the last word.
_PRAISE = "beautiful stunning nice amazing great good gorgeous lovely simple new single cool".split()
_SAYS_NOTHING = re.compile(
    rf"{lexicon.alternatives((*style_words.QUALITY_TAGS, *_PRAISE))},?|\b{PLAIN_MEDIUM.pattern}$", re.IGNORECASE
)


class Style(NamedTuple):
    """Characters [start, end) that name a style, and its name."""

    start: int
    end: int
    name: str


def find_stated(text: str) -> Iterator[Style]:
    """Yield what whole sentences or labels of a cleaned prompt say of its style."""
    return (_style(match, match["said"]) for match in _STATED.finditer(text))


def find_styles(text: str) -> Iterator[Style]:
    """Yield what else a cleaned prompt says of its style outside of frames."""
    for match in _STYLE.finditer(text):
        yield _style(match, next(g for g in match.groupdict().values() if g is not None))


def looks(text: str, look: Span) -> Iterator[tuple[Type, str, Span]]:
    """Yield what the words of a frame say of camera and style: those of "a grainy close-up photo of"."""
    kept = text[look.start : look.end]
    for shot in find_camera(text, look.start, look.end):
        yield Type.CAMERA, shot.name, Span(start=shot.start, end=shot.end)
        kept = kept.replace(text[shot.start : shot.end], " " * (shot.end - shot.start))
    kept = _SAYS_NOTHING.sub(lambda match: " " * len(match.group()), kept)
    start, end = len(kept) - len(kept.lstrip(" ,")), len(kept.rstrip(" ,"))
    if start < end:
        yield Type.STYLE, style_name(kept[start:end]), Span(start=look.start + start, end=look.start + end)


def _style(match: re.Match[str], words: str) -> Style:
    lead = len(match.group()) - len(match.group().lstrip(", "))
    return Style(match.start() + lead, match.end(), style_name(words))
