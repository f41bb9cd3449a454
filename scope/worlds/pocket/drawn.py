"""What the pocket world draws for a word: the one place where what a user says gets coarser.

A specification keeps the user's words: a turquoise car, on a road. The world has eleven colours, some settings and the
nouns of its drawings: it paints the car blue and shows a street. Whoever draws or judges by its words asks here.
"""

from functools import cache

from scope.data.tables import table_of
from scope.specification import Commitment, Type
from scope.worlds.pocket.catalogue import COLORS, SETTINGS, STYLES, noun_of


def drawn(type_: Type, word: str | int) -> str | None:
    """Return what the world draws for a word that a commitment of a type has as its value; None: nothing."""
    said = str(word)
    match type_:
        case Type.PRESENCE | Type.ABSENCE:
            return noun_of(said)
        case Type.ATTRIBUTE:
            return said if said in COLORS else shades().get(said)
        case Type.SETTING:
            return said if said in SETTINGS else places().get(said)
        case Type.STYLE:
            return said if any(style.name == said for style in STYLES.values()) else None
    return None


def drawn_for(commitment: Commitment) -> str | None:
    """Return what the world draws for the value of a commitment; None: nothing."""
    return drawn(commitment.type, commitment.value)


def said_of(setting: str) -> frozenset[str]:
    """Return the words for which a setting is drawn."""
    return frozenset({setting, *(word for word, shown in places().items() if shown == setting)})


@cache
def shades() -> dict[str, str]:
    """Return the words for shades: word -> the colour that it is painted in."""
    return {row["word"]: row["color"] for row in table_of("shades.csv")}


@cache
def places() -> dict[str, str]:
    """Return the words for places and times: word -> the setting that is shown, where the world has it."""
    return {row["word"]: row["setting"] for row in table_of("places.csv") if row["setting"] in SETTINGS}
