"""Multiword spans: characters of the prompt that are read as one word, whatever the parser would make of them."""

from dataclasses import dataclass
from enum import StrEnum


class SpanKind(StrEnum):
    """What a multiword span says."""

    TEXT = "text"  # words to be read in the picture; value: the exact characters
    FRAME = "frame"  # "a photo of"
    STYLE = "style"
    CAMERA = "camera"  # "85mm"
    CALLED = "called"  # "named Tom"; value: the name
    EMOJI = "emoji"  # value: the singular of what it shows
    NOUN = "noun"  # value: the singular
    COLOR = "color"
    COUNT = "count"  # "at least three", "a pair of"
    NUMERAL = "numeral"  # "8k", "3:15": a number that counts nothing
    VAGUE = "vague"  # "a herd of", "about three", "as many"
    THAN = "than"  # "as", "than the number of": the next entity is compared with the one before
    MEASURE = "measure"  # "as a spider has legs": what a quantity is measured by, and is not itself to be drawn
    SHADE = "shade"  # "in the color of the sky"
    NEGATION = "negation"  # "without any"
    ABSENT = "absent"  # "sugar-free"; value: the noun
    RELATION = "relation"
    COMPARISON = "comparison"  # "bigger than"
    WHOSE = "whose"  # "its left" in "to its left"; value: the pronoun
    PLACE = "place"  # "in the background"
    AND = "and"  # "along with"
    QUALIFYING = "qualifying"  # "made of", "covered in": what follows is a quality; value: of which kind
    HYPHENATED = "hyphenated"


@dataclass(frozen=True)
class MultiwordSpan:
    """Characters [start, end) of the prompt. The parser reads `placeholder` in their place; empty: nothing."""

    start: int
    end: int
    kind: SpanKind
    value: str | int
    placeholder: str
    plural: bool = False
