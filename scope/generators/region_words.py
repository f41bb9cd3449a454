"""What the bound generator hears of a request: its regions, the letters on them, its setting and its style."""

from scope import text
from scope.models.regions import BoxShares, Letter, RegionRequest, Thing
from scope.specification import Box, Region, Request
from scope.worlds.pocket.catalogue import COLORS, CONCEPTS, NOUN_OF, SETTING_NAMES
from scope.worlds.pocket.sign import letter_boxes
from scope.worlds.pocket.sprites import SIZE

SIGN, PLAIN = "sign", "plain"
#: Every name of a noun, of one or of many -> the noun.
_NAMES = {text.plural(name): noun for noun, concept in CONCEPTS.items() for name in concept.aliases} | NOUN_OF


def region_request(request: Request) -> RegionRequest:
    """Return what each part of the picture is to show, in the words that the weights were trained on.

    A sign is what words are written on; where no setting is asked for, the ground is plain.
    """
    things = tuple(Thing(_phrase(r), "" if r.text else request.style, _shares(r.box)) for r in request.regions)
    letters = tuple(letter for region in request.regions if region.text for letter in _letters(region))
    return RegionRequest(things, letters, _setting(request.setting))


def _setting(words: str) -> str:
    """Return the first setting that the world knows of several; what it does not know is left as it is."""
    known = (setting for setting in words.split(", ") if setting in SETTING_NAMES)
    return next(known, words or PLAIN)


def _phrase(region: Region) -> str:
    return SIGN if region.text else canonical(region.phrase)


def canonical(phrase: str) -> str:
    """Return a phrase as the world says it: a colour, if there is one, and the noun under its first name.

    What the world does not know is left as it is.
    """
    words = phrase.lower().split()
    start = next((i for i in range(len(words)) if " ".join(words[i:]) in _NAMES), None)
    if start is None:
        return phrase
    noun = _NAMES[" ".join(words[start:])]
    color = next((word for word in words[:start] if word in COLORS), None)
    return f"{color} {noun}" if color else noun


def _shares(box: Box) -> BoxShares:
    return box.x_min / 1000, box.y_min / 1000, box.x_max / 1000, box.y_max / 1000


def _letters(region: Region) -> list[Letter]:
    x0, y0, x1, y1 = (round(SIZE * share) for share in _shares(region.box))
    placed = letter_boxes(region.text, (x0, y0, x1, y1))
    return [Letter(character, (a / SIZE, b / SIZE, c / SIZE, d / SIZE)) for character, (a, b, c, d) in placed]
