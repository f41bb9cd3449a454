"""What the pocket world is made of: nouns, colours, settings and relations. Plain data, no numpy.

The core is what the first shipped weights were trained on. Networks name their classes by an index into `NOUNS`,
`COLOR_NAMES` and `SETTING_NAMES`, so these only ever grow, at their ends, and with each growth `VERSION` rises.
Drawings: one of each vendor a noun, where the vendor has it (atlas.py); licences in NOTICE.
"""

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from scope import text

VERSION = 4


@dataclass(frozen=True)
class Concept:
    """One drawable noun: its name, plural, emoji name ("*": none, see scope/data/drawings), and other words for it."""

    noun: str
    plural: str
    icon: str
    aliases: tuple[str, ...] = ()


def _concepts(rows: str) -> dict[str, Concept]:
    """Read 'noun = icon | plural | alias, alias' lines; an empty plural is the regular one."""
    table = {}
    for row in rows.strip().splitlines():
        noun, _, rest = (part.strip() for part in row.partition("="))
        icon, irregular, aliases = (*[part.strip() for part in rest.split("|")], "", "")[:3]
        names = tuple(a.strip() for a in aliases.split(",") if a.strip())
        table[noun] = Concept(noun, irregular or text.plural(noun), icon, names)
    return table


#: Version 1: the concepts that the first shipped weights were trained on.
CORE_NOUNS = _concepts("""
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

#: Version 2: what emoji show best.
COMMON_NOUNS = _concepts("""
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

#: Version 3: the rest of GenEval's 80 names. "*": no emoji shows it, so this project drew it (scope/data/drawings).
COCO_NOUNS = _concepts("""
person = person | people | human
sheep = ewe | sheep
skateboard = skateboard
skis = skis | skis
frisbee = flying-disc
sports ball = soccer-ball | | soccer ball, football
bottle = baby-bottle
bowl = bowl-with-spoon
knife = kitchen-knife | knives
spoon = spoon
toothbrush = toothbrush | | tooth brush
toilet = toilet
vase = amphora
computer mouse = computer-mouse | computer mice
computer keyboard = keyboard | | keyboard
baseball bat = *
baseball glove = * | | baseball mitt
bench = * | benches
dining table = * | | table
fire hydrant = * | | hydrant
fork = *
hair drier = * | | hair dryer, hairdryer
microwave = *
oven = * | | stove
parking meter = *
refrigerator = * | | fridge
sink = *
snowboard = *
surfboard = *
tennis racket = * | | tennis racquet, racket
toaster = *
tv remote = * | | remote control
""")

#: Version 4: names beyond GenEval's, shapes that 32 pixels can tell apart.
EXTRA_NOUNS = _concepts("""
eggplant = eggplant | | aubergine
corn = ear-of-corn | corn
avocado = avocado
peach = peach
tomato = tomato | tomatoes
chili pepper = hot-pepper | | hot pepper
cheese = cheese-wedge | cheeses
bread = bread | loaves of bread | loaf of bread
croissant = croissant
pretzel = pretzel
ice cream = soft-ice-cream
lollipop = lollipop
penguin = penguin
duck = duck
rooster = rooster
swan = swan
parrot = parrot
fox = fox
panda = panda
koala = koala
hedgehog = hedgehog
shark = shark
dolphin = dolphin
squid = squid | squid
lobster = lobster
bee = honeybee | | honeybee
ladybug = lady-beetle | | ladybird
spider = spider
scorpion = scorpion
snake = snake
crocodile = crocodile
camel = camel
squirrel = chipmunk | | chipmunk
deer = deer | deer
tractor = tractor
taxi = taxi | | taxicab
ambulance = ambulance
fire truck = fire-engine | | fire engine
helicopter = helicopter
scooter = kick-scooter
trumpet = trumpet
violin = violin
saxophone = saxophone
microphone = microphone
headphones = headphone | headphones
light bulb = light-bulb | | bulb
top hat = top-hat
shirt = t-shirt | | t-shirt
dress = dress
shoe = running-shoe | | sneaker
scarf = scarf | scarves
glasses = glasses | glasses | eyeglasses
ring = ring
trophy = trophy | trophies
die = game-die | dice
wrench = wrench
axe = axe | axes
ladder = ladder
magnet = magnet
telescope = telescope
hourglass = hourglass-done
watch = watch | | wristwatch
broom = broom
bucket = bucket | | pail
cloud = cloud
rainbow = rainbow
snowflake = snowflake
castle = castle
tent = tent
palm tree = palm-tree | | palm
sunflower = sunflower
rose = rose
heart = red-heart
hand = raised-hand
""")

CONCEPTS: dict[str, Concept] = CORE_NOUNS | COMMON_NOUNS | COCO_NOUNS | EXTRA_NOUNS
NOUNS = tuple(CONCEPTS)

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
    return tuple(name for name in drawings()[vendor] if "/" not in name)


#: Every name that a noun may go by -> the noun.
NOUN_OF: dict[str, str] = {name: c.noun for c in CONCEPTS.values() for name in (c.noun, c.plural, *c.aliases)}

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
SETTINGS: dict[str, tuple[str, ...]] = CORE_SETTINGS | {
    "space": ("in space", "in outer space"),
    "sky": ("in the sky",),
    "mountain": ("in the mountains", "on a mountain"),
    "farm": ("on a farm",),
    "kitchen": ("in a kitchen", "in the kitchen"),
    "rain": ("in the rain",),
    "river": ("by a river", "at a river"),
    "cave": ("in a cave",),
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
HELD_OUT_NOUNS = frozenset(
    {
        "axe", "croissant", "hedgehog", "hourglass", "koala", "lollipop", "magnet", "pretzel", "saxophone", "scorpion",
        "snail", "squid", "swan", "telescope", "trumpet", "wrench",
    }
)  # fmt: skip
