"""What opens a quality that is said after its noun: "made of", "covered in", "shaped like"."""

import re

from scope.parsing.spans import MultiwordSpan, SpanKind

_MADE = r"(?:made|built|constructed|crafted|carved|fashioned|sculpted|formed|woven|knitted|knit|sewn|cast|forged)"
_COVERED = r"(?:covered|coated|dusted|smothered|drenched|soaked|caked|encased|blanketed|cloaked|shrouded|glazed)"
_WHOLLY = r"(?:\s+(?:entirely|completely|wholly|fully|mostly|purely|solely|only|all|lightly|partially|partly|thickly))?"
#: "made entirely out of"; "covered in"; "shaped like". What follows is what something is like.
_OPENINGS = re.compile(
    rf"\b(?:(?P<made>{_MADE}{_WHOLLY}(?:\s+up|\s+out)?\s+(?:of|from))"
    rf"|(?P<covered>{_COVERED}{_WHOLLY}\s+(?:in|with|by))"
    r"|(?P<like>(?:shaped|formed)\s+like|in\s+the\s+(?:shape|form)\s+of))(?=\s)",
    re.IGNORECASE,
)


def find_openings(text: str) -> list[MultiwordSpan]:
    """Return what opens a quality in a cleaned prompt: "made of", "covered in", "in the shape of"."""
    found = _OPENINGS.finditer(text)
    return [MultiwordSpan(m.start(), m.end(), SpanKind.QUALIFYING, str(m.lastgroup), "with") for m in found]
