"""What the bound generator hears of a request: its regions, the letters on them, its setting and its style."""

from collections.abc import Mapping

from scope.generators.references import Reference, references_of
from scope.models.regions import BoxShares, Letter, RegionRequest, Thing
from scope.specification import Box, Region, Request, Type
from scope.worlds.pocket.catalogue import HELD_OUT_NOUNS, NOUNS, noun_of
from scope.worlds.pocket.drawn import drawn
from scope.worlds.pocket.settings import together
from scope.worlds.pocket.sign import letter_boxes
from scope.worlds.pocket.sprites import SIZE

SIGN, PLAIN = "sign", "plain"


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
    """Return the setting that shows all of several, or else the first that the world knows."""
    known = [setting for word in words.split(", ") if (setting := drawn(Type.SETTING, word))]
    return (together(known) or known[0]) if known else words or PLAIN


def named(phrase: str) -> tuple[str, str]:
    """Return the noun of a phrase, under the world's first name for it, and its colour, if there is one.

    What the world does not know is left as it is.
    """
    words = phrase.lower().split()
    names = ((noun_of(" ".join(words[i:])), words[:i]) for i in range(len(words)))
    for noun, before in names:
        if noun is not None:
            return noun, next((color for word in before if (color := drawn(Type.ATTRIBUTE, word))), "")
    return phrase, ""


def _shares(box: Box) -> BoxShares:
    return box.x_min / 1000, box.y_min / 1000, box.x_max / 1000, box.y_max / 1000


def _letters(region: Region) -> list[Letter]:
    x0, y0, x1, y1 = (round(SIZE * share) for share in _shares(region.box))
    placed = letter_boxes(region.text, (x0, y0, x1, y1))
    return [Letter(character, (a / SIZE, b / SIZE, c / SIZE, d / SIZE)) for character, (a, b, c, d) in placed]
