"""Plans drawn at random: of the core world, which the first shipped weights know, and of the whole one."""

from collections.abc import Callable, Sequence
from functools import cache

from scope.worlds.pocket.catalogue import (  # fmt: skip
    COLOR_NAMES,
    CORE_NOUNS,
    CORE_RELATIONS,
    CORE_SETTINGS,
    MAX_COUNT,
    NOUNS,
    SETTING_NAMES,
    TONED,
    TONES,
    VENDORS,
    drawn_by,
)
from scope.worlds.pocket.plan import Group, Plan
from scope.worlds.pocket.rng import Rng, pick
from scope.worlds.pocket.sign import FONTS, NUMBER_FONTS
from scope.worlds.pocket.splits import Split, held_out

WORDS = tuple(
    (
        "FRESH OPEN SALE HELLO STOP CAFE ZOO EXIT HOTEL BEACH PIZZA BOOKS FARM PARK MUSIC TEA LOVE HOME MILK TAXI "
        "SCOPE ART BAKERY COOL DANGER EAT FLOWER GO HAPPY ICE JUMP KIDS LUNCH MAGIC NEWS OCEAN PARTY QUEEN RIVER SHOP"
    ).split(" ")
)
#: What else signs of the whole world read, besides numbers.
EXTRA_WORDS = tuple(
    (
        "AIRPORT BANK BIKES BREAD CINEMA CLOSED COFFEE CORN DANCE DENTIST DINNER DOGS DRINKS ENTER FIRE FISH FREE "
        "FRUIT GAMES GARDEN GIFTS HARBOR HONEY ISLAND JAZZ JUICE KITCHEN LEMON LIBRARY MARKET MENU MOTEL MUSEUM NORTH "
        "OFFICE PAINT PIANO POOL PRICE QUIET RADIO ROCKET SAFARI SCHOOL SILENCE SLOW SOUP STATION STUDIO SUMMER SUSHI "
        "THEATER TICKETS TODAY TOYS TRAINS VIOLIN WELCOME WINTER YOGA ZEBRA"
    ).split(" ")
)

# -- the core world ------------------------------------------------------------------------------


def sample(rng: Rng, split: Split = "train", nouns: tuple[str, ...] = tuple(CORE_NOUNS)) -> Plan:
    """Draw a plan of the core world: its settings, four relations, up to four of a thing, Noto's drawings.

    `nouns` is what may occur. The figures of the shipped weights rest on the order of its draws.
    """
    return _of_split(lambda: _core(rng, nouns), split)


def single_object(rng: Rng, split: Split, nouns: tuple[str, ...] = tuple(CORE_NOUNS)) -> Plan:
    """Draw a plan of one coloured object, the simplest test of a generator."""
    return _of_split(lambda: Plan((Group(pick(rng, nouns), 1, pick(rng, COLOR_NAMES)),)), split)


def _core(rng: Rng, nouns: Sequence[str]) -> Plan:
    n_groups = int(rng.choice([1, 2], p=[0.62, 0.38]))
    counts = rng.choice([1, 2, 3, 4], p=[0.64, 0.16, 0.11, 0.09], size=n_groups)
    groups = tuple(_core_group(rng, nouns, int(c)) for c in counts)
    relation = pick(rng, tuple(CORE_RELATIONS)) if n_groups == 2 and rng.random() < 0.6 else None
    setting = pick(rng, tuple(CORE_SETTINGS)) if rng.random() < 0.75 else "plain"
    has_text = rng.random() < 0.08 and sum(g.count for g in groups) <= 3 and relation not in ("above", "below")
    return Plan(groups, relation, setting, pick(rng, WORDS) if has_text else None)


def _core_group(rng: Rng, nouns: Sequence[str], count: int) -> Group:
    color = None if rng.random() < 0.35 else pick(rng, COLOR_NAMES)
    return Group(pick(rng, nouns), count, color)


# -- the whole world -----------------------------------------------------------------------------


def sample_whole(
    rng: Rng,
    split: Split = "train",
    nouns: tuple[str, ...] = NOUNS,
    styles: tuple[str, ...] = VENDORS,
) -> Plan:
    """Draw a plan of the whole world, in one of `styles`. Of `nouns`, those occur that this style really draws."""
    drawable = _drawable(nouns, styles)
    return _of_split(lambda: _whole(rng, drawable), split)


@cache
def _drawable(nouns: tuple[str, ...], styles: tuple[str, ...]) -> tuple[tuple[str, tuple[str, ...]], ...]:
    """Return (style, the nouns that it draws) of each style."""
    return tuple((style, tuple(noun for noun in drawn_by(style) if noun in nouns)) for style in styles)


def _whole(rng: Rng, drawable: Sequence[tuple[str, tuple[str, ...]]]) -> Plan:
    style, nouns = pick(rng, drawable)
    relation, groups = _things(rng, nouns, style)
    total = sum(group.count for group in groups)
    sign = rng.random() < 0.12 and total <= 3 and relation not in ("above", "below")
    setting = pick(rng, SETTING_NAMES) if rng.random() < 0.8 else "plain"
    words = text(rng) if sign else None
    others = [noun for noun in nouns if noun not in {group.noun for group in groups}]
    return Plan(
        groups,
        relation,
        setting,
        words,
        style,
        (pick(rng, others),) if others and rng.random() < 0.1 else (),
        font_for(rng, words) if words else FONTS[0],
    )


def _things(rng: Rng, nouns: Sequence[str], style: str) -> tuple[str | None, tuple[Group, ...]]:
    """Return a relation, or None, and the groups that it is of."""
    kind = rng.random()
    if kind < 0.5:
        return None, (_group(rng, nouns, style, _count(rng)),)
    if kind < 0.62:
        return None, tuple(_group(rng, nouns, style, _count(rng)) for _ in range(2))
    if kind < 0.86:
        counts = (_count(rng), _count(rng))
        return pick(rng, tuple(CORE_RELATIONS)), tuple(_group(rng, nouns, style, count) for count in counts)
    if kind < 0.93:
        return "on top of", tuple(_group(rng, nouns, style, 1) for _ in range(2))
    others = (2,) if rng.random() < 0.4 else (1, 1)
    return "between", tuple(_group(rng, nouns, style, count) for count in (1, *others))


#: Colours that would name another animal.
_OTHER_ANIMALS = {("panda", "red"), ("whale", "blue")}


def _count(rng: Rng) -> int:
    return int(rng.integers(2, MAX_COUNT + 1)) if rng.random() < 0.4 else 1


def _group(rng: Rng, nouns: Sequence[str], style: str, count: int) -> Group:
    noun = pick(rng, nouns)
    if rng.random() < 0.65:
        color = pick(rng, COLOR_NAMES)
        return Group(noun, count, color if (noun, color) not in _OTHER_ANIMALS else None)
    toned = noun in TONED and style == VENDORS[0]
    return Group(noun, count, None, pick(rng, (None, *TONES)) if toned else None)


def text(rng: Rng) -> str:
    """Draw a word or a number for a sign."""
    if rng.random() < 0.25:
        return str(int(rng.integers(10 ** int(rng.integers(1, 5)))))
    return pick(rng, WORDS + EXTRA_WORDS)


def font_for(rng: Rng, words: str, fonts: tuple[str, ...] = FONTS) -> str:
    """Draw one of some fonts in which `words` can be read."""
    return pick(rng, [font for font in fonts if font in NUMBER_FONTS or not words.isdecimal()])


def _of_split(draw: Callable[[], Plan], split: Split) -> Plan:
    """Draw until a plan of different nouns is of the split."""
    while True:
        plan = draw()
        distinct = len({group.noun for group in plan.groups}) == len(plan.groups)
        if distinct and held_out(plan) == (split == "held_out"):
            return plan
