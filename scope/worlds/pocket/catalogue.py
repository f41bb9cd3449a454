"""What the pocket world is made of: nouns, colours, settings and relations. Plain data, no numpy.

The core is what the first shipped weights were trained on. Networks name their classes by an index into `NOUNS`,
`COLOR_NAMES` and `SETTING_NAMES`, so these only ever grow, at their ends, and with each growth `VERSION` rises.
Nouns are rows of scope/data/world/nouns.csv; rows of a version above `VERSION` are drawn, and wait for weights.
Versions: 1 the first weights, 2 what emoji show best, 3 the rest of GenEval's 80, 4 shapes that 32 pixels can tell
apart, 5 whatever the art draws. Drawings: one of each vendor a noun, where the vendor has it (atlas.py); licences in
NOTICE.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from scope import text
from scope.data.tables import table_of

VERSION = 6


@dataclass(frozen=True)
class Concept:
    """One drawable noun: its name, plural, emoji name ("*": none, see scope/data/drawings), and other words for it.

    `version` is the first of the world that knows it. No generator is trained to draw one that is `held_out`.
    `senses` are its meanings in WordNet ("bat.1" is the first of bat), of whose kinds it is the wider word.
    """

    noun: str
    plural: str
    icon: str
    aliases: tuple[str, ...] = ()
    version: int = VERSION
    held_out: bool = False
    senses: tuple[str, ...] = ()


def _concept(row: dict[str, str]) -> Concept:
    return Concept(
        noun=row["noun"],
        plural=row["plural"] or text.plural(row["noun"]),
        icon=row["icon"],
        aliases=_several(row["names"]),
        version=int(row["version"]),
        held_out=row["held_out"] == "yes",
        senses=_several(row["senses"]),
    )


def _several(cell: str) -> tuple[str, ...]:
    return tuple(cell.split("; ")) if cell else ()


#: Every noun that the packaged art draws, in the order in which the world came to know them.
DRAWN: dict[str, Concept] = {row["noun"]: _concept(row) for row in table_of("nouns.csv")}

#: The nouns of today's world.
CONCEPTS: dict[str, Concept] = {noun: concept for noun, concept in DRAWN.items() if concept.version <= VERSION}
NOUNS = tuple(CONCEPTS)

#: The concepts that the first shipped weights were trained on.
CORE_NOUNS: dict[str, Concept] = {noun: concept for noun, concept in CONCEPTS.items() if concept.version == 1}

#: GenEval's object names (arXiv 2310.11513): the 80 of COCO.
COCO: tuple[str, ...] = tuple(
    name.replace("_", " ")
    for name in (
        "person bicycle car motorcycle airplane bus train truck boat traffic_light fire_hydrant stop_sign "
        "parking_meter bench bird cat dog horse sheep cow elephant bear zebra giraffe backpack umbrella handbag tie "
        "suitcase frisbee skis snowboard sports_ball kite baseball_bat baseball_glove skateboard surfboard "
        "tennis_racket bottle wine_glass cup fork knife spoon bowl banana apple sandwich orange broccoli carrot "
        "hot_dog pizza donut cake chair couch potted_plant bed dining_table toilet tv laptop computer_mouse tv_remote "
        "computer_keyboard cell_phone microwave oven toaster sink refrigerator book clock vase scissors teddy_bear "
        "hair_drier toothbrush"
    ).split(" ")
)

#: Who draws the world, which is also its styles: Noto Emoji, and Fluent Emoji flat and in 3-D.
VENDORS = ("noto", "flat", "3d")

#: Who draws for the judge and for tests alone: no generator, verifier of the loop or reward ever sees these.
HELD_OUT_VENDORS = ("twemoji", "fxemoji")
ALL_VENDORS = VENDORS + HELD_OUT_VENDORS

#: Nouns that are drawn in five skin tones (by Noto), from light to dark, beside the yellow of no tone.
TONED = ("person", "hand")
TONES = ("light", "medium-light", "medium", "medium-dark", "dark")


@cache
def drawings() -> dict[str, tuple[str, ...]]:
    """Return what each vendor's atlas holds, in its order: nouns, and "noun/tone" for skin tones."""
    index = json.loads(files("scope.data").joinpath("atlas", "index.json").read_text(encoding="utf-8"))
    return {vendor: tuple(names) for vendor, names in index.items()}


def drawn_by(vendor: str) -> tuple[str, ...]:
    """Return the nouns that this vendor draws, in the order of CONCEPTS; Noto's drawing stands in for the others."""
    return tuple(name for name in drawings()[vendor] if name in CONCEPTS)


_NAMES = [row for row in table_of("names.csv") if int(row["version"]) <= VERSION]


def _names_of(kind: str) -> dict[str, str]:
    return {
        form: row["noun"] for row in _NAMES if row["kind"] == kind for form in (row["name"], text.plural(row["name"]))
    }


#: Every name that a noun may go by -> the noun.
NOUN_OF: dict[str, str] = {
    name: c.noun for c in CONCEPTS.values() for name in (*c.aliases, *map(text.plural, c.aliases), c.plural, c.noun)
} | _names_of("synonym")

#: Words for kinds of nouns, as "golden retriever" -> "dog": who draws the wider word has to say so.
WIDER_OF: dict[str, str] = _names_of("narrower")

#: Words for several nouns -> those, the likeliest first: what is around such a word decides, or a question.
AMBIGUOUS: dict[str, tuple[str, ...]] = {
    row["name"]: _several(row["nouns"]) for row in table_of("ambiguous.csv") if int(row["version"]) <= VERSION
}


def noun_of(word: str) -> str | None:
    """Return the noun that is drawn for a word: its own, a wider one, the likeliest of several; None: there is none."""
    return NOUN_OF.get(word) or WIDER_OF.get(word) or next(iter(AMBIGUOUS.get(word, ())), None)


_PALETTE = (
    (220, 38, 38),  # red
    (247, 132, 22),  # orange
    (250, 214, 40),  # yellow
    (46, 160, 67),  # green
    (38, 98, 226),  # blue
    (138, 56, 190),  # purple
    (252, 140, 188),  # pink
    (128, 78, 42),  # brown
    (40, 40, 46),  # black
    (246, 246, 246),  # white
    (142, 142, 148),  # gray
)
#: Colour -> the (red, green, blue) of 0..255 that it is painted in.
COLORS: dict[str, tuple[int, int, int]] = dict(zip(text.COLORS, _PALETTE, strict=True))
COLOR_NAMES = text.COLORS

#: The settings that the first shipped weights saw -> the ways in which a caption says them. "plain" is what is drawn
#: when none is asked for.
CORE_SETTINGS: dict[str, tuple[str, ...]] = {
    "plain": ("",),
    "beach": ("on a beach", "at the beach"),
    "night": ("at night",),
    "snow": ("in the snow",),
    "grass": ("on grass", "in a meadow"),
    "desert": ("in the desert", "in a desert"),
    "sea": ("under the sea", "in the ocean"),
    "forest": ("in a forest", "in the forest"),
    "city": ("in a city", "in the city"),
    "sunset": ("at sunset",),
    "room": ("in a room",),
}


#: How the name of a setting of two parts ends -> its light or weather, and the words by which a caption says that.
LIGHTS = {
    " by night": ("night", "at night"),
    " at sunset": ("sunset", "at sunset"),
    " at sunrise": ("sunrise", "at sunrise"),
    " in the rain": ("rain", "in the rain"),
}


def _in_light(ending: str, *places: tuple[str, str]) -> dict[str, tuple[str, ...]]:
    """Return the settings of two parts whose names end so, of places with the words for each."""
    return {f"{place}{ending}": (f"{words} {LIGHTS[ending][1]}",) for place, words in places}


_SETTINGS: dict[int, dict[str, tuple[str, ...]]] = {
    1: CORE_SETTINGS,
    4: {
        "space": ("in space", "in outer space"),
        "sky": ("in the sky",),
        "mountain": ("in the mountains", "on a mountain"),
        "farm": ("on a farm",),
        "kitchen": ("in a kitchen", "in the kitchen"),
        "rain": ("in the rain",),
        "river": ("by a river", "at a river"),
        "cave": ("in a cave",),
    },
    5: {
        "street": ("on a street", "in the street", "on the street"),
        "garden": ("in a garden", "in the garden"),
        "park": ("in a park", "in the park"),
        "playground": ("on a playground", "in a playground", "at a playground"),
        "bedroom": ("in a bedroom", "in the bedroom"),
        "bathroom": ("in a bathroom", "in the bathroom"),
        "living room": ("in a living room", "in the living room"),
        "library": ("in a library", "in the library"),
        "classroom": ("in a classroom", "in the classroom"),
        "office": ("in an office", "in the office"),
        "cafe": ("in a cafe", "in a restaurant"),
        "stage": ("on a stage", "on stage"),
        "lake": ("by a lake", "at a lake", "on a lake"),
        "volcano": ("by a volcano", "at a volcano", "on a volcano"),
        "jungle": ("in a jungle", "in the jungle"),
        "swamp": ("in a swamp",),
        "arctic": ("in the arctic", "on the ice", "on ice"),
        "harbor": ("in a harbor", "at the harbor", "on a pier"),
        "pool": ("by a pool", "by a swimming pool"),
        "sunrise": ("at sunrise", "at dawn"),
        "storm": ("in a storm", "in a thunderstorm"),
        "fog": ("in the fog", "in the mist"),
        "autumn": ("in autumn", "in the fall"),
        "flower field": ("in a field of flowers", "in a flower field"),
        "sports field": ("on a sports field", "on a football field"),
        "city by night": ("in a city at night", "in the city at night"),
        "street by night": ("on a street at night",),
        "beach by night": ("on a beach at night", "at the beach at night"),
        "forest by night": ("in a forest at night", "in the forest at night"),
        "snow by night": ("in the snow at night",),
        "garden by night": ("in a garden at night",),
        "park by night": ("in a park at night",),
        "lake by night": ("by a lake at night",),
    },
    6: {
        "seaside": ("by the sea", "by the ocean", "on the coast", "at the seaside"),
        **_in_light(
            " by night",
            ("seaside", "by the sea"),
            ("desert", "in the desert"),
            ("mountain", "in the mountains"),
            ("harbor", "in a harbor"),
            ("farm", "on a farm"),
            ("grass", "in a meadow"),
        ),
        **_in_light(
            " at sunset",
            ("seaside", "by the sea"),
            ("beach", "on a beach"),
            ("city", "in the city"),
            ("street", "on a street"),
            ("desert", "in the desert"),
            ("mountain", "in the mountains"),
            ("lake", "by a lake"),
            ("grass", "in a meadow"),
            ("snow", "in the snow"),
            ("forest", "in a forest"),
            ("harbor", "in a harbor"),
            ("park", "in a park"),
            ("farm", "on a farm"),
            ("garden", "in a garden"),
        ),
        **_in_light(
            " at sunrise",
            ("seaside", "by the sea"),
            ("beach", "on a beach"),
            ("lake", "by a lake"),
            ("mountain", "in the mountains"),
            ("city", "in the city"),
        ),
        **_in_light(
            " in the rain",
            ("city", "in the city"),
            ("street", "on a street"),
            ("park", "in a park"),
            ("forest", "in a forest"),
            ("garden", "in a garden"),
        ),
    },
}

#: Every setting that the world can draw, in the order in which it came to know them.
SETTINGS_DRAWN: dict[str, tuple[str, ...]] = {name: said for of in _SETTINGS.values() for name, said in of.items()}

#: Setting -> the first version of the world that draws it.
SETTING_VERSIONS: dict[str, int] = {name: version for version, of in _SETTINGS.items() for name in of}

#: The settings of today's world.
SETTINGS: dict[str, tuple[str, ...]] = {
    name: said for version, of in _SETTINGS.items() if version <= VERSION for name, said in of.items()
}
SETTING_NAMES = tuple(SETTINGS)

#: The relations that the first shipped weights saw -> the ways in which a caption says them, subject first.
CORE_RELATIONS: dict[str, tuple[str, ...]] = {
    "left of": ("to the left of", "left of"),
    "right of": ("to the right of", "right of"),
    "above": ("above",),
    "below": ("below",),
}
#: "between" is one thing between others; "on top of" is touching.
RELATIONS: dict[str, tuple[str, ...]] = CORE_RELATIONS | {
    "between": ("between", "in between"),
    "on top of": ("on top of", "atop"),
}


@dataclass(frozen=True)
class Style:
    """A way of drawing: what a commitment calls it, and the words that open or end a caption."""

    name: str
    openings: tuple[str, ...]
    endings: tuple[str, ...]


#: Vendor -> its style. Nothing is said of Noto's drawings, which are the usual ones.
STYLES: dict[str, Style] = {
    "flat": Style("flat", ("a flat illustration of",), ("in flat style", ", flat illustration")),
    "3d": Style("3-D", ("a 3-D render of", "a 3D render of"), ("in 3-D style", ", 3-D render")),
}

MAX_COUNT = 5
CORE_MAX_COUNT = 4
MAX_LETTERS = 10  # characters on a sign

#: Nouns that no generator is trained to draw: they are drawn from a reference, a picture of one. Judges know them.
HELD_OUT_NOUNS = frozenset(noun for noun, concept in CONCEPTS.items() if concept.held_out)
