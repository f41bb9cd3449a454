"""Plans drawn at random: of the world that the first shipped weights know, and of the whole one."""

from collections.abc import Callable, Sequence
from functools import cache

from scope.worlds.pocket.catalogue import (  # fmt: skip
    COLORS,
    CONCEPTS,
    FIRST,
    FIRST_RELATIONS,
    FIRST_SETTINGS,
    MAX_COUNT,
    SETTINGS,
    TONED,
    TONES,
    VENDORS,
    drawn_by,
)
from scope.worlds.pocket.chance import Random, pick
from scope.worlds.pocket.plan import Group, Plan
from scope.worlds.pocket.sign import FONTS, NUMBER_FONTS
from scope.worlds.pocket.splits import Split, held_out

WORDS = tuple(
    (
        "FRESH OPEN SALE HELLO STOP CAFE ZOO EXIT HOTEL BEACH PIZZA BOOKS FARM PARK MUSIC TEA LOVE HOME MILK TAXI "
        "SCOPE ART BAKERY COOL DANGER EAT FLOWER GO HAPPY ICE JUMP KIDS LUNCH MAGIC NEWS OCEAN PARTY QUEEN RIVER SHOP"
    ).split(" ")
)
#: What else signs of the whole world say, besides numbers.
MORE_WORDS = tuple(
    (
        "AIRPORT BANK BIKES BREAD CINEMA CLOSED COFFEE CORN DANCE DENTIST DINNER DOGS DRINKS ENTER FIRE FISH FREE "
        "FRUIT GAMES GARDEN GIFTS HARBOR HONEY ISLAND JAZZ JUICE KITCHEN LEMON LIBRARY MARKET MENU MOTEL MUSEUM NORTH "
        "OFFICE PAINT PIANO POOL PRICE QUIET RADIO ROCKET SAFARI SCHOOL SILENCE SLOW SOUP STATION STUDIO SUMMER SUSHI "
        "THEATER TICKETS TODAY TOYS TRAINS VIOLIN WELCOME WINTER YOGA ZEBRA"
    ).split(" ")
)

# -- the first world -----------------------------------------------------------------------------


def sample(random: Random, split: Split = "train", nouns: tuple[str, ...] = tuple(FIRST)) -> Plan:
    """Draw a plan of the first world: its settings, four relations, up to four of a thing, Noto's drawings.

    `nouns` is what may occur. The figures of the shipped weights rest on the order of its draws.
    """
    return _of_split(lambda: _first(random, nouns), split)


def single_object(random: Random, split: Split, nouns: tuple[str, ...] = tuple(FIRST)) -> Plan:
    """Draw a plan of one coloured object, the simplest test of a generator."""
    return _of_split(lambda: Plan((Group(pick(random, nouns), 1, pick(random, tuple(COLORS))),)), split)


def _first(random: Random, nouns: Sequence[str]) -> Plan:
    n_groups = int(random.choice([1, 2], p=[0.62, 0.38]))
    counts = random.choice([1, 2, 3, 4], p=[0.64, 0.16, 0.11, 0.09], size=n_groups)
    groups = tuple(_first_group(random, nouns, int(c)) for c in counts)
    relation = pick(random, tuple(FIRST_RELATIONS)) if n_groups == 2 and random.random() < 0.6 else None
    setting = pick(random, tuple(FIRST_SETTINGS)) if random.random() < 0.75 else "plain"
    has_text = random.random() < 0.08 and sum(g.count for g in groups) <= 3 and relation not in ("above", "below")
    return Plan(groups, relation, setting, pick(random, WORDS) if has_text else None)


def _first_group(random: Random, nouns: Sequence[str], count: int) -> Group:
    color = None if random.random() < 0.35 else pick(random, tuple(COLORS))
    return Group(pick(random, nouns), count, color)


# -- the whole world -----------------------------------------------------------------------------


def sample_whole(
    random: Random,
    split: Split = "train",
    nouns: tuple[str, ...] = tuple(CONCEPTS),
    styles: tuple[str, ...] = VENDORS,
) -> Plan:
    """Draw a plan of the whole world, in one of `styles`. Of `nouns`, those occur that this style really draws."""
    drawable = _drawable(nouns, styles)
    return _of_split(lambda: _whole(random, drawable), split)


@cache
def _drawable(nouns: tuple[str, ...], styles: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return (style, the nouns that it draws) of each style."""
    return tuple((style, tuple(noun for noun in drawn_by(style) if noun in nouns)) for style in styles)


def _whole(random: Random, drawable: Sequence[tuple[str, tuple[str, ...]]]) -> Plan:
    style, nouns = pick(random, drawable)
    relation, groups = _things(random, nouns, style)
    total = sum(group.count for group in groups)
    sign = random.random() < 0.12 and total <= 3 and relation not in ("above", "below")
    setting = pick(random, tuple(SETTINGS)) if random.random() < 0.8 else "plain"
    said = text(random) if sign else None
    others = [noun for noun in nouns if noun not in {group.noun for group in groups}]
    return Plan(
        groups,
        relation,
        setting,
        said,
        style,
        (pick(random, others),) if others and random.random() < 0.1 else (),
        font_for(random, said) if said else FONTS[0],
    )


def _things(random: Random, nouns: Sequence[str], style: str) -> tuple[str | None, tuple[Group, ...]]:
    """Return a relation, or None, and the groups that it is of."""
    kind = random.random()
    if kind < 0.5:
        return None, (_group(random, nouns, style, _count(random)),)
    if kind < 0.62:
        return None, tuple(_group(random, nouns, style, _count(random)) for _ in range(2))
    if kind < 0.86:
        counts = (_count(random), _count(random))
        return pick(random, tuple(FIRST_RELATIONS)), tuple(_group(random, nouns, style, count) for count in counts)
    if kind < 0.93:
        return "on top of", tuple(_group(random, nouns, style, 1) for _ in range(2))
    others = (2,) if random.random() < 0.4 else (1, 1)
    return "between", tuple(_group(random, nouns, style, count) for count in (1, *others))


#: Colours that would name another animal.
_OTHER_ANIMALS = {("panda", "red"), ("whale", "blue")}


def _count(random: Random) -> int:
    return int(random.integers(2, MAX_COUNT + 1)) if random.random() < 0.4 else 1


def _group(random: Random, nouns: Sequence[str], style: str, count: int) -> Group:
    noun = pick(random, nouns)
    if random.random() < 0.65:
        color = pick(random, tuple(COLORS))
        return Group(noun, count, color if (noun, color) not in _OTHER_ANIMALS else None)
    toned = noun in TONED and style == VENDORS[0]
    return Group(noun, count, None, pick(random, (None, *TONES)) if toned else None)


def text(random: Random) -> str:
    """Draw a word or a number for a sign."""
    if random.random() < 0.25:
        return str(int(random.integers(10 ** int(random.integers(1, 5)))))
    return pick(random, WORDS + MORE_WORDS)


def font_for(random: Random, said: str) -> str:
    """Draw a font in which `said` can be read."""
    return pick(random, NUMBER_FONTS if said.isdecimal() else FONTS)


def _of_split(draw: Callable[[], Plan], split: Split) -> Plan:
    """Draw until a plan of different nouns is of the split."""
    while True:
        plan = draw()
        distinct = len({group.noun for group in plan.groups}) == len(plan.groups)
        if distinct and held_out(plan) == (split == "held_out"):
            return plan
