"""The frames of a prompt: words that only say "make a picture of", and how they may say that it is to look."""

import re
from dataclasses import dataclass

from scope.parsing.cues import ONLY
from scope.specification import Span

#: What a picture is called.
PLAIN = r"(?:photo|photograph|picture|image|pic|snapshot|shot|scene|view|visual|close[\s-]?up|wallpaper|composition)"
_ART = (
    r"paintings?|drawings?|sketch(?:es)?|illustrations?|renders?|renderings?|cartoons?|watercolou?rs?|portraits?|"
    r"engravings?|etchings?|woodcuts?|lithographs?|collages?|mosaics?|comics?|artworks?|art|depictions?|doodles?|"
    r"screenshots?|selfies?|animations?|graphics?|infographics?"
)
MEDIUM = rf"(?:{PLAIN}s?|{_ART})"
#: Those that only say "this is a picture": they name no style.
PLAIN_MEDIUM = re.compile(rf"(?:{PLAIN}s?|artworks?|depictions?)", re.IGNORECASE)

# "please", "hi,"
_POLITE = r"(?:(?:please|kindly|hey|hi|hello|okay|ok|now|so)\b[,!.]?\s+)*"
_MAKE = (
    r"(?:create|generate|draw|make|paint|show|render|produce|imagine|depict|design|give|sketch|illustrate|visuali[sz]e|"
    r"picture|portray|craft|compose|provide|prepare)"
)
_FOR_ME = r"(?:(?:me|us|for\s+me|for\s+us)\b\s*)?"
# "can you draw", "I want you to make", "I'd like to see", "I need", "let's see", "draw me"
_REQUEST = (
    rf"(?:(?:can|could|would|will)\s+(?:you|i|we)\s+(?:please\s+|kindly\s+)?(?:{_MAKE}|see|have|get)\s+{_FOR_ME}"
    rf"|i(?:\s+would|[’']d)?\s+(?:really\s+)?(?:want|need|like|love|wish)\s+(?:you\s+)?(?:to\s+(?:{_MAKE}|see|have|get)\s+)?{_FOR_ME}"
    rf"|let(?:[’']s|\s+us|\s+me)\s+(?:see|{_MAKE})\s+|{_MAKE}\s+(?:me|us)\s+|imagine\s*[,:]\s*"
    r"|(?:this|it|that|here|there|below)(?:[’']s|\s+(?:is|are|should\s+be))\s+"
    rf"(?=(?:(?:an?|the|one)\s+)?(?:[\w-]+,?\s+){{0,5}}{MEDIUM}\s+(?:of|showing|that|with)\b)"
    r"|(?:this|it|here)(?:[’']s|\s+is)\s+(?=an?\s))"
)
# A bare order: "generate an image", "draw two cats"; but not "draw bridge".
_ORDER = (
    rf"(?:{_MAKE}|see)\s*:?\s+(?=(?:an?|the|one|two|three|four|five|six|seven|eight|nine|ten|some|several|many|no|exactly|\d+)\s)"
    rf"|(?:generate|imagine|visuali[sz]e|illustrate|depict|create|render)\s+(?!(?:of|by|in|on|as|{MEDIUM}\s+of)\b)(?=[a-z]+)"
)
# A word that may say how it looks: "a detailed, black and white".
_HOW = (
    r"(?:(?!(?:an?|the|of|in|on|at|with|by|to|for|from|is|are|was|be|i|it|this|that|you|me|my|we|and\s+an?|near|under)\b)"
    r"[\w’'-]+,?\s+)"
)
_SHOWS = (
    r"(?:of|showing|depicting|featuring|portraying|displaying|capturing|presenting|illustrating|showcasing|representing|"
    r"(?:that|which)\s+(?:shows?|depicts?|features?|captures?|displays?|portrays?|contains?|includes?|has|have)|"
    r"containing|including|consisting\s+of)"
)
_SENTENCE = r"(?:^|(?<=[.!?;:]\s)|(?<=[.!?;:]\s\s))"
_THE_PICTURE = (
    r"(?:(?:in|on|within|across|throughout|of|for)\s+)?(?:this|the|that|our|an?)\s+"
    rf"(?P<how>{_HOW}{{0,4}}?)(?P<shown>{MEDIUM})"
)
_DOES_SHOW = (
    r"(?:(?:also|clearly|vividly|further|beautifully|simply|should|must|can|will|then)\s+)?"
    r"(?:shows?|depicts?|features?|displays?|captures?|presents?|portrays?|illustrates?|contains?|includes?|showcases?|"
    r"represents?|reveals?|consists?\s+of|(?:is|are|should\s+be)\s+(?:of|showing)|(?:focus(?:es)?|cent(?:er|re)s)\s+on|"
    r"is\s+(?:focused|cent(?:er|re)d)\s+on|has|have)\b"
)
_FRAMES = (
    # At the start: "please draw me", "a watercolor painting of", or both.
    re.compile(
        rf"^[\s.,:;-]*(?:{_POLITE}(?:{_REQUEST}|{_ORDER})?)(?:(?:(?:an?|the|this|one|some)\s+)?(?P<style>{_HOW}{{0,6}}?)"
        rf"(?P<medium>{MEDIUM})\s+(?:{_SHOWS}\s+)"
        rf"|(?:(?:an?|the|this|one)\s+)?(?P<plain_style>{_HOW}{{0,6}}?)(?P<plain_medium>{PLAIN})\s+(?:with|in\s+which|where)\s+)?",
        re.IGNORECASE,
    ),
    # At the start of a sentence: "The black and white image shows", "It depicts".
    re.compile(rf"{_SENTENCE}{_THE_PICTURE}\s+{_DOES_SHOW}\s+(?!(?:been|to)\b)", re.IGNORECASE),
    re.compile(
        rf"{_SENTENCE}it\s+(?:also\s+)?(?:shows|depicts|features|captures|portrays|showcases)\s+", re.IGNORECASE
    ),
    # "The image is rendered in", before a style.
    re.compile(
        rf"{_SENTENCE}(?:the|this)\s+(?:\w+\s+)?(?:{MEDIUM})\s+(?:is|was|should\s+be)\s+(?=(?:(?:rendered|painted|drawn|created|done|"
        r"made|captured|presented|depicted|illustrated|designed|shot|taken)\s+)?(?:in|with|as|from)\b)",
        re.IGNORECASE,
    ),
    # Anywhere, "in this image"; "of the picture".
    re.compile(
        r"(?<![\w-])(?:in|on|within|of|across|throughout|to|into|over)\s+(?:this|the|that)\s+"
        r"(?:(?:entire|whole|overall)\s+)?(?:images?|pictures?|photos?|photographs?|scene|composition|artwork)(?![\w-])",
        re.IGNORECASE,
    ),
    # Anywhere, "nothing but".
    ONLY,
    # Anywhere, "we can also see".
    re.compile(r"\b(?:we|i|you|one) (?:can )?(?:also )?see\b", re.IGNORECASE),
    # At the end, "please", "for me".
    re.compile(r"(?<=\w)[,.]?\s+(?:please|thank\s+you|thanks|for\s+me)[\s.!?]*$", re.IGNORECASE),
)


@dataclass(frozen=True)
class Frame:
    """Words that say "make a picture of", and where among them they say what picture ("a grainy photo", or nothing)."""

    span: Span
    look: Span


def find_frames(text: str) -> tuple[Frame, ...]:
    """Return the parts of a cleaned prompt that only introduce the picture, such as "a photo of"."""
    frames: list[Frame] = []
    for match in (match for pattern in _FRAMES for match in pattern.finditer(text)):
        start = match.end() - len(match.group().lstrip(" .,:;-"))
        if start < match.end() and all(f.span.end <= start or match.end() <= f.span.start for f in frames):
            frames.append(Frame(Span(start=start, end=match.end()), _look(match)))
    return tuple(frames)


def _look(match: re.Match[str]) -> Span:
    """Return where a frame says what picture it introduces: "a watercolor painting" of "a watercolor painting of"."""
    for how, medium in (("style", "medium"), ("plain_style", "plain_medium"), ("how", "shown")):
        if match.groupdict().get(medium):
            return Span(start=match.start(how), end=match.end(medium))
    return Span(start=match.end(), end=match.end())


def style_name(words: str) -> str:
    """Return the name of a style; "3d" and "flat" art have one name however they are worded."""
    style = " ".join(words.lower().split()).strip(",")
    if re.match(r"3-?d\b", style):
        return "3-D"
    return "flat" if re.match(r"flat\b", style) else style
