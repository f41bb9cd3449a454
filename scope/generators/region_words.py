"""What the bound generator hears of a request: its regions, the letters on them, its setting and its style."""

from collections.abc import Mapping

from scope import text
from scope.generators.references import Reference, references_of
from scope.models.regions import BoxShares, Letter, RegionRequest, Thing
from scope.specification import Box, Region, Request
from scope.worlds.pocket.catalogue import COLORS, CONCEPTS, HELD_OUT_NOUNS, NOUN_OF, NOUNS, SETTING_NAMES
from scope.worlds.pocket.sign import letter_boxes
from scope.worlds.pocket.sprites import SIZE

SIGN, PLAIN = "sign", "plain"
#: Every name of a noun, of one or of many -> the noun.
_NAMES = {text.plural(name): noun for noun, concept in CONCEPTS.items() for name in concept.aliases} | NOUN_OF


def region_request(request: Request) -> RegionRequest:
    """Return what each part of the picture is to show, in the words that the weights were trained on.

    A sign is what words are written on; where no setting is asked for, the ground is plain.

    Raises: UsageError if a reference is no picture.
    """
    shown = references_of(request)
    things = tuple(_thing(region, request.style, shown) for region in request.regions)
    letters = tuple(letter for region in request.regions if region.text for letter in _letters(region))
    return RegionRequest(things, letters, _setting(request.setting))


def _thing(region: Region, style: str, shown: Mapping[str, Reference]) -> Thing:
    """Return what a region is to show. Of a noun that the weights were not trained on only a picture says anything."""
    box, reference = _shares(region.box), next((shown[c] for c in region.commitments if c in shown), None)
    if region.text:
        return Thing(SIGN, box)
    phrase, look = named(region.phrase)
    known = phrase in NOUNS and phrase not in HELD_OUT_NOUNS
    return Thing(phrase if known else "", box, look, style, reference)


def _setting(words: str) -> str:
    """Return the first setting that the world knows of several; what it does not know is left as it is."""
    known = (setting for setting in words.split(", ") if setting in SETTING_NAMES)
    return next(known, words or PLAIN)


def named(phrase: str) -> tuple[str, str]:
    """Return the noun of a phrase, under the world's first name for it, and its colour, if there is one.

    What the world does not know is left as it is.
    """
    words = phrase.lower().split()
    start = next((i for i in range(len(words)) if " ".join(words[i:]) in _NAMES), None)
    if start is None:
        return phrase, ""
    return _NAMES[" ".join(words[start:])], next((word for word in words[:start] if word in COLORS), "")


def _shares(box: Box) -> BoxShares:
    return box.x_min / 1000, box.y_min / 1000, box.x_max / 1000, box.y_max / 1000


def _letters(region: Region) -> list[Letter]:
    x0, y0, x1, y1 = (round(SIZE * share) for share in _shares(region.box))
    placed = letter_boxes(region.text, (x0, y0, x1, y1))
    return [Letter(character, (a / SIZE, b / SIZE, c / SIZE, d / SIZE)) for character, (a, b, c, d) in placed]
