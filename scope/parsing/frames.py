"""The frames of a prompt: words that only say "make a picture of", and the style that they may name."""

import re
from dataclasses import dataclass

from scope.specification import Span

_MEDIUM = (
    r"photos?|photographs?|pictures?|images?|pics?|snapshots?|shots?|scenes?|"
    r"paintings?|drawings?|sketch(?:es)?|illustrations?|renders?|renderings?|cartoons?|watercolou?rs?|portraits?|"
    r"engravings?|etchings?|woodcuts?|lithographs?|collages?|mosaics?|comics?"
)
#: Mediums that only say "this is a picture": they name no style.
_PLAIN_MEDIUM = re.compile(r"(?:photo|photograph|picture|image|pic|snapshot|shot|scene)s?", re.IGNORECASE)

_FRAMES = (
    # At the start, "please draw me"; "a watercolor painting of"; or both.
    re.compile(
        r"^(?:please\s+)?(?:(?:create|generate|draw|make|paint|show|render|produce|imagine|depict|design|give)\s+"
        r"(?:(?:me|us)\s+)?(?=(?:an?|the|one|two|three|some)\s))?"
        r"(?:(?:(?:an?|the|this|one)\s+)?(?P<style>(?:[\w-]+,?\s+){0,4}?)(?P<medium>" + _MEDIUM + r")\s+"
        r"(?:of|showing|depicting|featuring)\s+)?",
        re.IGNORECASE,
    ),
    # Anywhere, "in this image" before a comma, "we", "there" or "is".
    re.compile(
        r"\b(?:in|on) (?:this|the|that) (?:image|picture|photo|photograph|scene)\b(?=,| (?:we|i|you|there|is|are)\b)",
        re.IGNORECASE,
    ),
    # Anywhere, "we can also see".
    re.compile(r"\b(?:we|i|you|one) (?:can )?(?:also )?see\b", re.IGNORECASE),
)


@dataclass(frozen=True)
class Frame:
    """Words that say "make a picture of", and the words among them that name a style (an empty span: none)."""

    span: Span
    style: Span


def find_frames(text: str) -> tuple[Frame, ...]:
    """Return the parts of a cleaned prompt that only introduce the picture, such as "a photo of"."""
    matches = (match for pattern in _FRAMES for match in pattern.finditer(text))
    return tuple(Frame(Span(start=m.start(), end=m.end()), _style(m)) for m in matches if m.end() > m.start())


def _style(match: re.Match[str]) -> Span:
    """Return where a frame names a style: "a watercolor painting of", but not "a photo of"."""
    groups = match.groupdict()
    if not groups.get("medium"):
        return Span(start=match.end(), end=match.end())
    end = match.start("medium") if _PLAIN_MEDIUM.fullmatch(groups["medium"]) else match.end("medium")
    return Span(start=match.start("style"), end=max(match.start("style"), end))


def style_name(words: str) -> str:
    """Return the name of a style; "3d" and "flat" art have one name however they are worded."""
    style = " ".join(words.lower().split())
    if re.match(r"3-?d\b", style):
        return "3-D"
    return "flat" if re.match(r"flat\b", style) else style
