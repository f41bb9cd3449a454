"""What the pocket world is made of: nouns, colours, settings and relations. Plain data, no numpy.

Drawings: Noto Emoji by Google (Apache-2.0), one icon a noun; see NOTICE.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Concept:
    """One drawable noun: its name, plural, icon in the Noto set, and other words for it."""

    noun: str
    plural: str
    icon: str
    aliases: tuple[str, ...] = ()


def _plural(noun: str) -> str:
    if noun.endswith(("s", "x", "ch", "sh")):
        return noun + "es"
    return noun[:-1] + "ies" if noun.endswith("y") and noun[-2] not in "aeou" else noun + "s"


def _concepts(rows: str) -> dict[str, Concept]:
    """Read 'noun = icon | plural | alias, alias' lines; an empty plural is the regular one."""
    table = {}
    for row in rows.strip().splitlines():
        noun, _, rest = (part.strip() for part in row.partition("="))
        icon, plural, aliases = (*[part.strip() for part in rest.split("|")], "", "")[:3]
        names = tuple(a.strip() for a in aliases.split(",") if a.strip())
        table[noun] = Concept(noun, plural or _plural(noun), icon, names)
    return table


#: The concepts that the first shipped weights were trained on.
FIRST = _concepts("""
apple = red-apple
banana = banana
strawberry = strawberry
carrot = carrot
broccoli = broccoli | broccolis
pizza = pizza
donut = doughnut | | doughnut
cake = birthday-cake | | birthday cake
dog = dog-face
cat = cat-face
horse = horse-face
cow = cow-face
elephant = elephant
bird = bird
fish = tropical-fish | fish
turtle = turtle
car = automobile | | automobile
bus = bus
airplane = airplane | | plane, aeroplane
boat = sailboat | | sailboat
bicycle = bicycle | | bike
umbrella = umbrella
chair = chair
clock = alarm-clock | | alarm clock
book = open-book
backpack = backpack
teddy bear = teddy-bear | | teddy
tree = deciduous-tree
flower = tulip | | tulip
house = house
balloon = balloon
star = star
""")

#: Drawn, verified and parsed, but not yet in the shipped generator's vocabulary.
MORE = _concepts("""
orange = tangerine
lemon = lemon
grapes = grapes | grapes
watermelon = watermelon
pear = pear
cherry = cherries | cherries
pineapple = pineapple
mushroom = mushroom
hamburger = hamburger | | burger
hot dog = hot-dog
sandwich = sandwich
cookie = cookie
bear = bear
zebra = zebra
giraffe = giraffe
frog = frog
butterfly = butterfly
octopus = octopus
owl = owl
rabbit = rabbit-face | | bunny
pig = pig-face
lion = lion
tiger = tiger-face
monkey = monkey-face
train = train
truck = delivery-truck
motorcycle = motorcycle | | motorbike
traffic light = vertical-traffic-light
stop sign = stop-sign
couch = couch-and-lamp | | sofa
bed = bed
tv = television | | television
laptop = laptop
cell phone = mobile-phone | | phone, mobile phone
scissors = scissors | scissors
handbag = handbag
tie = necktie | | necktie
suitcase = luggage
kite = kite
wine glass = wine-glass
cup = teacup-without-handle | | teacup
potted plant = potted-plant
cactus = cactus | cacti
rocket = rocket
bell = bell
key = key
guitar = guitar
drum = drum
crown = crown
candle = candle
gift = wrapped-gift | | present
robot = robot
ghost = ghost
snowman = snowman | snowmen
anchor = anchor
camera = camera
hammer = hammer
snail = snail
crab = crab
whale = whale
""")

CONCEPTS: dict[str, Concept] = FIRST | MORE

#: Every name that a noun may go by -> the noun.
NOUNS: dict[str, str] = {name: c.noun for c in CONCEPTS.values() for name in (c.noun, c.plural, *c.aliases)}

COLORS: dict[str, tuple[int, int, int]] = {
    "red": (220, 38, 38),
    "orange": (247, 132, 22),
    "yellow": (250, 214, 40),
    "green": (46, 160, 67),
    "blue": (38, 98, 226),
    "purple": (138, 56, 190),
    "pink": (252, 140, 188),
    "brown": (128, 78, 42),
    "black": (40, 40, 46),
    "white": (246, 246, 246),
    "gray": (142, 142, 148),
}

#: Setting -> the ways in which a caption says it. "plain" is what is drawn when none is asked for.
SETTINGS: dict[str, tuple[str, ...]] = {
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

#: Relation -> the ways in which a caption says it, subject first.
RELATIONS: dict[str, tuple[str, ...]] = {
    "left of": ("to the left of", "left of"),
    "right of": ("to the right of", "right of"),
    "above": ("above",),
    "below": ("below",),
}

NUMBERS = ("zero", "one", "two", "three", "four")
MAX_COUNT = 4
