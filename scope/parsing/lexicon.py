"""The closed lists that the grammar reads by. Nouns, verbs and adjectives are open: these are only its guards."""

import re
from collections.abc import Iterable

from scope.data.tables import table_of
from scope.text import COLORS, HUNDREDS, NUMBERS, TENS, number_of


def _words(text: str, separator: str | None = None) -> tuple[str, ...]:
    """Return the words of a plainly written list."""
    return tuple(text.split(separator))


#: Words that bind others together and ask for nothing alone.
FUNCTION_WORDS = frozenset(
    _words(
        "a an the this that these those its it he she they them him her his their theirs there here i we us you our "
        "your my me who whom whose which what where when while and or nor but so yet also as than then if is are "
        "was were be been being am has have had having do does did can could will would should may might must of in "
        "on at by to for from with into onto upon about during i'm we're they're s another except but"
    )
)

#: Names beside those of the world's tables (names.py): of more than one word, or whose singular a rule would get wrong.
#: Spelling in prompts -> the noun.
NOUN_OF: dict[str, str] = {
    name: name
    for name in _words(
        "street light|coffee table|hot air balloon|paper bag|glass bottle|high chair|rocking chair|red panda|"
        "blue whale|orange juice|black hole|golden hour|blue hour|living room|flower field|sports field|swimming pool",
        "|",
    )
} | {
    "hair dryer": "hair drier",
    "mobile phone": "cell phone",
    "cellphone": "cell phone",
    "remote control": "tv remote",
    "tennis racquet": "tennis racket",
    "traffic signal": "traffic light",
    "wineglass": "wine glass",
    "stoplight": "traffic light",
    "doughnut": "donut",
    "hotdog": "hot dog",
    "tv": "tv",
    "tv set": "tv",
    "television": "tv",
    "television set": "tv",
    "fridge": "refrigerator",
    "sofa": "couch",
    "motorbike": "motorcycle",
    "bike": "bicycle",
    "plane": "airplane",
    "burger": "hamburger",
    "necktie": "tie",
    "aeroplane": "airplane",
    "purse": "handbag",
    "skis": "skis",
    "ski": "skis",
    "scissors": "scissors",
    "pair of scissors": "scissors",
    "pair of skis": "skis",
    "pair of jeans": "jeans",
    "pair of pants": "pants",
    "pair of glasses": "glasses",
    "pair of sunglasses": "sunglasses",
    "jeans": "jeans",
    "pants": "pants",
    "sunglasses": "sunglasses",
    "binoculars": "binoculars",
    "headphones": "headphones",
    "outer space": "space",
    "grape": "grapes",
    "grapes": "grapes",
    "loaf of bread": "bread",
    "field of flowers": "flower field",
    "football field": "sports field",
    "soccer field": "sports field",
    "baseball field": "sports field",
}

#: Names of the world's table that mostly mean what each of their words says.
NO_NAMES = frozenset(
    _words(
        "open book|wilted flower|fallen leaf|fallen leaves|hot cake|golden cup|golden glow|golden buttons|flying boat|"
        "leafy green|cardboard box|shades",
        "|",
    )
)

#: Things with no singular: "a scissors" is plural too.
PLURAL_ONLY = frozenset(
    _words(
        "scissors skis jeans pants shorts glasses sunglasses binoculars headphones grapes chopsticks goggles fireworks"
    )
)

#: Words that a tagger often takes for a verb or an adjective, though prompts mean the thing.
GUARDED_NOUNS = frozenset(
    _words(
        "bear tie train bus boat bench bird cat dog horse sheep cow kite bat fork knife spoon bowl sink book clock "
        "vase cup bottle sandwich carrot pizza cake chair couch bed toilet laptop oven toaster surfboard snowboard "
        "skateboard frisbee umbrella backpack suitcase handbag donut broccoli banana apple truck car bicycle "
        "motorcycle airplane elephant zebra giraffe person refrigerator microwave toothbrush sign duck fish fly bee "
        "ring ball star dolphin koala watch hammer ladder swan"
    )
)

PEOPLE = {"people": "person", "persons": "person", "men": "man", "women": "woman", "children": "child", "kids": "kid"}

#: Any word for a colour -> the colour as it is spelled here. What the world paints it in is for the world to say.
COLOR_OF: dict[str, str] = {color: color for color in COLORS} | {"grey": "gray"}
COLOR_OF |= {row["word"]: row["word"] for row in table_of("shades.csv")}

MATERIALS = frozenset(
    _words(
        "wood metal glass plastic leather paper stone rubber fabric cotton brick marble concrete ceramic cardboard "
        "straw wool velvet steel bronze gold silver copper clay porcelain crystal denim silk"
    )
)

#: Adjectives that a tagger often takes for nouns.
SHAPES = frozenset(
    _words(
        "oval round square rectangular triangular circular spherical conical cubic cylindrical pyramidal hexagonal "
        "octagonal pentagonal oblong teardrop"
    )
)

#: Qualities that may stand for a thing named later: "a big and a small dog".
SIZES = frozenset(_words("big small large little tiny huge tall short long young old new"))

#: Qualities that a name may begin with, and that a prompt mostly means as such: "a broken heart", "a wooden shoe".
QUALITIES = frozenset(
    _words(
        "wooden left right bare whole entire simple broken dirty clean smooth rough soft hard wild female male single "
        "vintage plaid gingham paisley pastel double raw open closed straight dark light heavy flat fresh "
        "dry cold sour sweet glossy spotted striped bearded"
    )
)

#: Words that count things -> how many.
COUNT_OF: dict[str, int] = {word: n for n, word in enumerate(NUMBERS) if n} | TENS | {"both": 2, "dozen": 12}
_UNIT = "|".join(NUMBERS[1:10])
_TENS = rf"(?:{'|'.join(TENS)})(?:[\s-](?:{_UNIT})\b)?"
#: A pattern for one number: "1,000", "12", "two hundred and six", "twenty-one", "three".
NUMBER = (
    r"(?:\d{1,3}(?:,\d{3})+(?!\d)|\d+"
    rf"|(?:an?|{_UNIT}|ten)\s+(?:{'|'.join(HUNDREDS)})\b(?:\s+and\s+(?:{_TENS}|{_UNIT})\b)?"
    rf"|{_TENS}|{'|'.join(sorted(COUNT_OF, key=len, reverse=True))})"
)

#: Quantities that name no number.
VAGUE = frozenset(
    _words("several many some few numerous various multiple all every each most any enough dozens hundreds")
)

#: Canonical relation -> its other wordings. The order of a pattern's alternatives does not matter: the longest wins.
RELATIONS: dict[str, tuple[str, ...]] = {
    "left of": ("to the left of", "on the left of", "at the left of", "on the left side of", "to the left side of",
                "on left of", "at the left side of", "left of", "left to"),
    "right of": ("to the right of", "on the right of", "at the right of", "on the right side of",
                 "to the right side of", "on right of", "at the right side of", "right of", "right to"),
    "above": ("above", "over", "up above", "hovering over", "directly above", "directly over"),
    "below": ("below", "beneath", "directly below", "down below", "on the bottom of", "at the bottom of"),
    "on top of": ("on top of", "on the top of", "atop", "atop of", "at the top of"),
    "under": ("under", "underneath", "directly under"),
    "next to": ("next to", "beside", "adjacent to", "alongside", "side by side with", "right next to", "on side of",
                "on the side of", "by the side of", "at the side of", "to the side of", "to one side of"),
    "near": ("near", "close to", "near to", "in the vicinity of"),
    "behind": ("behind", "in back of", "at the back of", "directly behind", "right behind"),
    "in front of": ("in front of", "in the front of", "directly in front of", "right in front of"),
    "between": ("between", "in between"),
    "inside": ("inside", "inside of", "within"),
    "outside": ("outside", "outside of"),
    "on": ("on", "onto", "upon", "on the surface of", "on the edge of", "at the edge of", "on a patch of",
           "on a stretch of"),
    "in": ("in", "into", "in the middle of", "in the center of", "in the centre of", "in the midst of",
           "in the corner of"),
    "against": ("against",),
    "around": ("around",),
    "across": ("across", "across from"),
    "opposite": ("opposite", "opposite to"),
    "through": ("through",),
    "along": ("along",),
    "among": ("among", "amongst", "amid"),
    "at": ("at", "at the base of", "at the foot of", "at the end of", "at the center of", "at the centre of"),
    "by": ("by",),
}  # fmt: skip

#: How a relation is said of its subject and object, where "is <name>" would not be English.
RELATION_PHRASES = {"left of": "to the left of", "right of": "to the right of", "same size as": "the same size as"}

#: Where one thing is in the picture, said of that thing alone.
PLACES_IN_PICTURE: dict[str, tuple[str, ...]] = {
    "left": ("on the left", "on the left side", "to the left", "at left", "on the left hand side"),
    "right": ("on the right", "on the right side", "to the right", "at right", "on the right hand side"),
    "top": ("at the top", "on the top", "in the upper part"),
    "bottom": ("at the bottom", "on the bottom", "in the lower part"),
    "center": ("in the center", "in the centre", "in the middle", "at the center", "at the centre"),
    "background": ("in the background", "in the distance", "in the far background"),
    "foreground": ("in the foreground", "in the lower foreground", "in the near foreground"),
    "midground": ("in the midground", "in the middle ground"),
    "top left": ("in the top left corner", "in the upper left corner", "at the top left", "in the top left"),
    "top right": ("in the top right corner", "in the upper right corner", "at the top right", "in the top right"),
    "bottom left": ("in the bottom left corner", "in the lower left corner", "at the bottom left",
                    "in the bottom left"),
    "bottom right": ("in the bottom right corner", "in the lower right corner", "at the bottom right",
                     "in the bottom right"),
}  # fmt: skip


#: Words that name a setting even where a prompt only opens with them: "a beach".
SETTINGS = frozenset(
    _words(
        "beach|seaside|shore|seashore|coast|night|nighttime|midnight|snow|grass|meadow|lawn|field|pasture|desert|dune|sea|"
        "ocean|underwater|water|forest|wood|jungle|rainforest|city|town|downtown|street|sidewalk|park|room|indoors|"
        "bedroom|living room|flower field|golden hour|blue hour|sports field|sunset|dusk|sundown|space|sky",
        "|",
    )
)

#: Words that name a place or a time where a preposition says so, and a thing elsewhere: "a castle".
PLACES = frozenset(
    _words(
        "kitchen bathroom office library station museum airport store shop cave mountain garden yard farm classroom "
        "garage hallway stadium zoo island river lake valley swamp market supermarket church temple castle hospital "
        "school gym harbor harbour pond hill village countryside playground backyard studio theater theatre bar cafe "
        "café restaurant rain fog mist storm thunderstorm sunlight sunshine sun moonlight darkness dark sunrise dawn "
        "daybreak noon day daytime daylight evening morning afternoon winter summer spring autumn arctic outdoors road"
    )
)

_BESIDE = frozenset({"by", "near", "beside", "next to"})

#: Things that are a setting after some prepositions only: "a goat on a volcano", but "smoke in a volcano". "By the sea"
#: is beside it. Word -> the prepositions, and the setting.
SETTING_AFTER: dict[str, tuple[frozenset[str], str]] = {
    "fall": (frozenset({"in"}), "fall"),
    "ice": (frozenset({"on"}), "ice"),
    "pier": (frozenset({"on", "at"}), "pier"),
    "pool": (frozenset({"by", "at"}), "pool"),
    "ocean": (_BESIDE, "seaside"),
    "sea": (_BESIDE, "seaside"),
    "stage": (frozenset({"on"}), "stage"),
    "swimming pool": (frozenset({"by", "at"}), "swimming pool"),
    "volcano": (frozenset({"by", "at", "on"}), "volcano"),
}
#: Prepositions that put a whole scene in a setting.
SETTING_PREPOSITIONS = frozenset({"in", "on", "at", "under", "by", "during", "through", "across", "along", "against"})
#: Settings that are said in one word, without a preposition.
BARE_SETTINGS = frozenset({"underwater", "indoors", "outdoors", "outside"})

#: Words that open a clause of its own.
SUBORDINATORS = frozenset(_words("while whereas although though because if unless when where"))

#: What passes over a thing, rather than being above it.
LEAPING = frozenset(_words("jump leap hop vault bound skip hurdle climb step"))
#: What goes from one to another: "gives a girl an apple", "gives an apple to a girl".
GIVING = frozenset(_words("give hand offer feed bring pass throw toss send serve show lend sell teach deliver present"))
#: Says no more than the preposition after it: "is positioned above".
LOCATING = frozenset(_words("positioned placed located situated set seen shown found arranged visible depicted"))

COLORING = frozenset(_words("colored coloured painted dyed tinted"))
#: What is in stuff or in clothes is in no place: "dressed in snow white".
CLOTHED = frozenset(_words("covered dressed clothed clad wrapped draped filled bathed"))
#: What one may do to several things at once: "holding a cup and a book".
HOLDING = frozenset(_words("hold carry wear have contain feature eat include display"))

#: What things do without another: "the boat sails under" is no boat's sails.
MOTIONS = frozenset(
    _words(
        "stand sit lie sleep rest lean hang float fly swim run walk jump leap hop move sail drift glide burn glow "
        "shine rise fall hover soar perch climb crawl coil roll spin wait play dance sing bloom flow kneel "
        "pose stare smile"
    )
)
#: Things whose name ends as a participle does.
THINGS_IN_ING = frozenset(
    _words(
        "building painting drawing ceiling railing clothing wedding evening morning opening crossing landing lighting "
        "icing topping filling covering carving engraving etching lettering writing stuffing dwelling awning earring "
        "ring king string spring wing ceiling rigging scaffolding flooring furnishing bedding seating"
    )
)

#: Nouns that gather others: "a herd of cows" is cows, in no exact number.
COLLECTIVE_NOUNS = _words(
    "group bunch herd flock crowd pile stack row lot lots number couple handful collection set school pack swarm "
    "heap cluster variety plenty array series line dozens hundreds thousands"
)

#: What a whole is known to have in a fixed number: "as many stars as days in a week" has no days to draw.
COUNTED_PARTS = frozenset(
    _words(
        "legs arms wings eyes ears fingers toes teeth feet hands horns tentacles limbs sides corners edges faces "
        "vertices angles wheels strings vowels syllables players members points petals stripes planets moons states "
        "countries pips digits tires pedals hooves paws humps antennae"
    )
)
#: Parts that are never drawn, whatever they belong to: "as many candles as there are months".
PERIODS = frozenset(_words("days weeks weekdays months hours minutes seasons continents oceans"))

#: What is there in any amount, and is not counted: "the water", "a thick fog".
MASS_NOUNS = frozenset(
    _words(
        "water milk juice wine beer tea coffee soup oil blood ink paint sand dirt mud soil dust grass snow ice rain "
        "fog mist smoke steam fire light lighting sunlight shade air wind sky weather food fruit rice pasta bread "
        "butter cheese meat sugar salt flour honey chocolate cream hair fur skin wool cotton silk leather wood metal "
        "plastic paper stone concrete gold silver furniture luggage traffic money music water foliage vegetation "
        "clothing jewelry scenery ground floor background foreground surface"
    )
)
#: Of something: "a piece of cake" and "a part of a wall" count neither.
PORTIONS = frozenset(
    _words("piece part slice bit lump chunk drop pinch bite portion half kind type sort side top bottom edge end rest")
)

#: Nouns that say little until it is known of what: "the mascot of our school" is one thing, known by its owner.
RELATIONAL_NOUNS = frozenset(_words("mascot logo emblem crest symbol flag founder mayor president captain anthem"))
#: Things that show or hold another: "the statue of Abraham Lincoln" has him in it.
DEPICTIONS_AND_VESSELS = frozenset(
    _words(
        "statue bust portrait painting poster picture photo photograph image drawing sculpture figurine figure bottle "
        "glass cup can box bowl jar bag pack plate slice piece map model replica style work shape form"
    )
)

#: Things that carry words.
SURFACES = frozenset(
    _words(
        "sign board billboard banner poster label shirt t-shirt tshirt cap mug book screen flag wall paper card "
        "ticket tag plaque notice chalkboard blackboard whiteboard cake box door note bag storefront logo "
        "newspaper bubble neon display license plate badge sticker scroll marquee hoodie sweater sweatshirt "
        "jersey jacket apron tote menu envelope postcard calendar certificate monitor placard tombstone "
        "gravestone scoreboard invitation cover stamp receipt magazine letter crate headstone signpost"
    )
)


#: Things that a name is written on: "a boat named Hope".
NAME_BEARERS = SURFACES | frozenset(
    _words(
        "boat ship yacht sailboat vessel store shop cafe café restaurant bakery bar pub hotel diner bookstore market "
        "magazine album movie film game novel brochure menu truck van train locomotive spaceship spacecraft rocket app "
        "website company brand perfume cereal painting can bottle jar"
    )
)


def count_of(word: str) -> int:
    """Return the number that digits or a counting word name; 0 if they name none."""
    return number_of(word) or COUNT_OF.get(word.lower(), 0)


def alternatives(words: Iterable[str], suffix: str = "") -> str:
    """Return a pattern that matches any of these phrases as whole words, the longest first."""
    longest = sorted(words, key=lambda w: (-len(w), w))
    return r"(?<![\w-])(?:" + "|".join(re.escape(w).replace(r"\ ", r"\s") for w in longest) + rf"){suffix}(?![\w-])"


#: Any wording of a relation -> its canonical name.
RELATION_OF = {wording: name for name, wordings in RELATIONS.items() for wording in wordings}
PLACE_OF = {wording: name for name, wordings in PLACES_IN_PICTURE.items() for wording in wordings}
