"""How a picture is taken: "a close-up of", "aerial view", "85mm", "shallow depth of field". Loads no model."""

import re
from collections.abc import Iterator
from typing import NamedTuple

# "close-up", "extreme close up"
_CLOSE_UP = (
    r"(?:(?:(?:extreme|medium|tight|macro|detailed)\s+)?close[\s-]?ups?|zoomed\s+in(?=\s+on\b)|"
    r"cross[\s-]?sections?(?=\s+of\b))"
)
# "aerial", "bird's-eye", "low angle"
_KINDS = (
    r"aerial|drone|satellite|overhead|top[\s-]down|top|bird[’']?s?[’']?[\s-]eye|worm[’']?s?[’']?[\s-]eye|side|front|"
    r"frontal|rear|back|profile|(?:three|3)[\s-]quarters?|panoramic|isometric|(?:first|third)[\s-]person|pov|"
    r"(?:high|low|eye)[\s-](?:angle|level)|(?:ultra[\s-]?)?wide(?:[\s-]angle)?|macro|telephoto|fish[\s-]?eye|"
    r"tilt[\s-]shift|full[\s-](?:body|length)|half[\s-]body|upper[\s-]body|cowboy|establishing|medium|long|"
    r"over[\s-]the[\s-]shoulder|dutch[\s-]angle|long[\s-]exposure|double[\s-]exposure|cut[\s-]?away|cross[\s-]?section(?:al)?|"
    r"interior|exterior|zoomed[\s-](?:in|out)|distant|split[\s-]screen|360[\s-]degree|action|candid|wide[\s-]field"
)
_SHOT = r"(?:views?|shots?|angles?|perspectives?|lens|lenses)"
_PHOTO = r"(?:photos?|photographs?|photography|pictures?|images?|portraits?)"
# A photo of some kinds is no more than a photo: "a front photo", but not "a side picture".
_PHOTO_KINDS = (
    r"aerial|drone|satellite|macro|telephoto|fish[\s-]?eye|tilt[\s-]shift|wide[\s-]angle|panoramic|long[\s-]exposure|"
    r"double[\s-]exposure|full[\s-](?:body|length)|(?:high|low)[\s-]angle|overhead|top[\s-]down|infrared"
)
_VIEW = rf"(?:{_KINDS})\s+(?:(?:camera|lens|angle)\s+)?{_SHOT}|(?:{_PHOTO_KINDS})\s+(?:(?:lens|camera)\s+)?{_PHOTO}"
#: Words that only say how it is taken, with or without a noun of the camera.
_ALONE = (
    r"bokeh(?:\s+(?:effects?|lights?|backgrounds?|balls))?|(?:(?:very\s+)?(?:shallow|deep|narrow|small|large|wide)\s+)?"
    r"(?:depth\s+of\s+field|dof)(?:\s+effects?)?|fish[\s-]?eye(?:\s+lens)?|tilt[\s-]shift|wide[\s-]angle|long\s+exposure|"
    r"double\s+exposure|motion\s+blur|lens\s+flares?|rule\s+of\s+thirds|film\s+grain|"
    r"(?:\d{1,4}\s?-\s?)?\d{1,4}\s?mm(?:\s+(?:lens|film|focal\s+length|photography))?(?:\s+f/?\d+(?:\.\d+)?)?|"
    r"[fƒ]/\s?\d+(?:\.\d+)?|iso\s?\d{2,5}|1/\d{2,4}\s?s(?:ec)?|(?:macro|aerial|drone|telephoto|wide[\s-]angle)\s+photography|"
    r"(?:sharp|soft|shallow)\s+focus(?=[,.;]|$)"
)
_LEAD = (
    r"(?:(?:with|in|at|using|from|through|(?:shot|taken)\s+(?:with|on|at|in))\s+)?(?:(?:an?|the)\s+)?"
    r"(?:(?:beautiful|soft|strong|nice|slight)\s+)?"
)
# "seen from above", "viewed from a low angle"; alone, "from behind" at the end of a clause, but not "shining from
# above"
_SEEN = r"(?:as\s+)?(?:seen|viewed|shot|taken|photographed|pictured|captured|depicted)\s+(?:directly\s+)?from"
_FROM = (
    rf"(?:{_SEEN}|(?<!ing\s)(?<!light\s)from)\s+(?:(?:high|far|directly|slightly)\s+)?(?:above|below|behind|overhead|afar)"
    rf"(?=[,.;]|$)|{_SEEN}\s+(?:the\s+(?:side|front|back|air|top|ground|rear)|an?\s+(?:[\w-]+\s+)?(?:angle|perspective|"
    r"viewpoint|distance))(?=[,.;]|$)|from\s+an?\s+(?:low|high|wide|aerial|oblique|overhead|dutch)\s+(?:angle|perspective|"
    r"viewpoint)"
)
_FILMED = (
    r"(?:shot|taken|captured|photographed|filmed)\s+(?:on|with)\s+(?:an?\s+)?(?:[\w.-]+\s+){0,4}?"
    r"(?:cameras?|lens|film|dslr|iphone|polaroid|leica)\b"
)

_CAMERA = re.compile(
    rf"(?<![\w-])(?:{_LEAD}(?P<shot>{_CLOSE_UP}(?:\s+(?:{_SHOT}|{_PHOTO}))?|{_VIEW})(?P<of>\s+(?:of|on|showing)\b)?"
    rf"|{_LEAD}(?P<alone>{_ALONE})|(?P<from>{_FROM}|{_FILMED}))(?![\w-])(?!\s+(?:mirrors?|doors?))",
    re.IGNORECASE,
)


class Shot(NamedTuple):
    """Characters [start, end) that say how the picture is taken, and how that is called."""

    start: int
    end: int
    name: str


def find_camera(text: str, start: int = 0, end: int | None = None) -> Iterator[Shot]:
    """Yield what a cleaned prompt says of the camera, between two places of it."""
    for match in _CAMERA.finditer(text, start, len(text) if end is None else end):
        said = match["shot"] or match["alone"] or match["from"]
        yield Shot(match.start(), match.end(), " ".join(said.lower().split()))
