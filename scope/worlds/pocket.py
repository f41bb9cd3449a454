"""The pocket world: scenes of real drawings with exact truth. A scene is a pure function of (plan, seed).

A `Plan` says what is in a picture; `compose` draws it and returns the truth; `caption` words it, with the
characters that carry each entity; `specification` is the promise that its prompt makes. Objects stand on a
16-px grid and never overlap.

Splits: a colour-and-noun pair or a pair of related nouns is held out by its hash (`held_out`). Training
draws only plans of which nothing is held out; evaluation draws plans of which something is.
"""

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np
from numpy.random import Generator as Random
from numpy.typing import NDArray

from scope.spec import Commitment, Kind, Span, Specification, Type, next_ids
from scope.worlds.catalogue import COLORS, CONCEPTS, FIRST, MAX_COUNT, NUMBERS, RELATIONS, SETTINGS
from scope.worlds.sprites import GRID, SIZE, background, sign, sprite

Split = Literal["train", "held_out"]

WORDS = tuple(
    (
        "FRESH OPEN SALE HELLO STOP CAFE ZOO EXIT HOTEL BEACH PIZZA BOOKS FARM PARK MUSIC TEA LOVE HOME MILK TAXI "
        "SCOPE ART BAKERY COOL DANGER EAT FLOWER GO HAPPY ICE JUMP KIDS LUNCH MAGIC NEWS OCEAN PARTY QUEEN RIVER SHOP"
    ).split(" ")
)
_CELLS = SIZE // GRID


@dataclass(frozen=True)
class Group:
    """`count` of the same thing in the same colour. `color` None: as it is drawn."""

    noun: str
    count: int = 1
    color: str | None = None


@dataclass(frozen=True)
class Plan:
    """What a picture holds. `relation` is between groups 0 and 1."""

    groups: tuple[Group, ...]
    relation: str | None = None
    setting: str = "plain"
    text: str | None = None


@dataclass(frozen=True)
class Object:
    """One thing that was drawn. Box is (x0, y0, x1, y1) in pixels."""

    noun: str
    color: str | None
    box: tuple[int, int, int, int]
    group: int


@dataclass(frozen=True)
class Scene:
    """A picture and its truth."""

    image: NDArray[np.uint8]  # (128, 128, 3)
    objects: tuple[Object, ...]
    plan: Plan


@dataclass(frozen=True)
class Caption:
    """Words for a plan. `spans` are (start, end, group) with groups 1, 2, ...; the sign is the last group."""

    text: str
    spans: tuple[tuple[int, int, int], ...]
    quoted: tuple[str, ...] = ()


# -- splits --------------------------------------------------------------------------------------


def _hashed(*key: str) -> int:
    return zlib.crc32("|".join(key).encode())


def held_out(plan: Plan) -> bool:
    """Return whether any pair in the plan is held out: one in eight colour-noun pairs, related pairs, words."""
    colors = any(g.color and _hashed(g.noun, g.color) % 8 == 0 for g in plan.groups)
    pairs = plan.relation is not None and _hashed(plan.groups[0].noun, plan.groups[1].noun) % 8 == 0
    words = plan.text is not None and _hashed(plan.text) % 8 == 0
    return colors or pairs or words


# -- plans ---------------------------------------------------------------------------------------


def _group(random: Random, nouns: list[str], count: int) -> Group:
    color = None if random.random() < 0.35 else str(random.choice(list(COLORS)))
    return Group(str(random.choice(nouns)), count, color)


def _plan(random: Random, nouns: list[str]) -> Plan:
    n_groups = int(random.choice([1, 2], p=[0.62, 0.38]))
    counts = random.choice([1, 2, 3, 4], p=[0.64, 0.16, 0.11, 0.09], size=n_groups)
    groups = tuple(_group(random, nouns, int(c)) for c in counts)
    relation = str(random.choice(list(RELATIONS))) if n_groups == 2 and random.random() < 0.6 else None
    setting = str(random.choice(list(SETTINGS))) if random.random() < 0.75 else "plain"
    has_text = random.random() < 0.08 and sum(g.count for g in groups) <= 3 and relation not in ("above", "below")
    return Plan(groups, relation, setting, str(random.choice(WORDS)) if has_text else None)


def sample(random: Random, split: Split = "train", nouns: tuple[str, ...] = tuple(FIRST)) -> Plan:
    """Draw a plan from a split. `nouns` is what may occur."""
    while True:
        plan = _plan(random, list(nouns))
        distinct = len({g.noun for g in plan.groups}) == len(plan.groups)
        if distinct and held_out(plan) == (split == "held_out"):
            return plan


def single_object(random: Random, split: Split, nouns: tuple[str, ...] = tuple(FIRST)) -> Plan:
    """Draw a plan of one coloured object, the simplest test of a generator."""
    while True:
        plan = Plan((Group(str(random.choice(list(nouns))), 1, str(random.choice(list(COLORS)))),))
        if held_out(plan) == (split == "held_out"):
            return plan


# -- pictures ------------------------------------------------------------------------------------


def _in_order(relation: str | None, boxes: list[list[tuple[int, int, int, int]]]) -> bool:
    """Return whether every cell box of group 0 stands in `relation` to every one of group 1, without overlap."""
    if relation is None:
        return True
    first, second = boxes[:2]
    match relation:
        case "left of":
            return max(b[2] for b in first) <= min(b[0] for b in second)
        case "right of":
            return max(b[2] for b in second) <= min(b[0] for b in first)
        case "above":
            return max(b[3] for b in first) <= min(b[1] for b in second)
        case _:
            return max(b[3] for b in second) <= min(b[1] for b in first)


def _side(random: Random, total: int) -> int:
    """Return the size of objects in cells: large where there are few."""
    if total == 1:
        return int(random.choice([3, 4]))
    return 3 if total <= 3 else 2


def _place(random: Random, plan: Plan) -> tuple[list[list[tuple[int, int, int, int]]], int | None]:
    """Return the cell boxes of each group, and the first row of the sign's board."""
    total = sum(g.count for g in plan.groups)
    side = min(_side(random, total), 3 if plan.text else 4)
    while True:
        for _ in range(60):
            free = np.ones((_CELLS, _CELLS), bool)
            row = None
            if plan.text:
                row = int(random.choice([0, _CELLS - 2]))
                free[row : row + 2] = False
            boxes = _scatter(random, plan, side, free)
            if boxes is not None and _in_order(plan.relation, boxes):
                return boxes, row
        side = max(2, side - 1)


def _axis_range(relation: str | None, group: int, side: int) -> tuple[slice, slice]:
    """Return the (x, y) cells at which a group may start, so that most draws already obey the relation."""
    whole, low, high = slice(0, _CELLS - side + 1), slice(0, _CELLS - 2 * side + 1), slice(side, _CELLS - side + 1)
    first = (group == 0) == (relation in ("left of", "above"))
    if relation in ("left of", "right of"):
        return (low if first else high), whole
    if relation in ("above", "below"):
        return whole, (low if first else high)
    return whole, whole


def _scatter(
    random: Random, plan: Plan, side: int, free: NDArray[np.bool_]
) -> list[list[tuple[int, int, int, int]]] | None:
    boxes: list[list[tuple[int, int, int, int]]] = []
    for index, group in enumerate(plan.groups):
        xs, ys = _axis_range(plan.relation, index, side)
        placed: list[tuple[int, int, int, int]] = []
        for _ in range(group.count):
            starts = [
                (x, y)
                for y in range(ys.start, ys.stop)
                for x in range(xs.start, xs.stop)
                if free[y : y + side, x : x + side].all()
            ]
            if not starts:
                return None
            x, y = starts[int(random.integers(len(starts)))]
            free[y : y + side, x : x + side] = False
            placed.append((x, y, x + side, y + side))
        boxes.append(placed)
    return boxes


def compose(plan: Plan, seed: int | tuple[int, ...]) -> Scene:
    """Draw a plan. The same (plan, seed) gives the same picture."""
    random = np.random.default_rng(seed)
    boxes, row = _place(random, plan)
    canvas = background(plan.setting) * np.float32(random.uniform(0.94, 1.0))
    objects: list[Object] = []
    for index, (group, cells) in enumerate(zip(plan.groups, boxes, strict=True)):
        for cell in cells:
            x0, y0, x1, y1 = (GRID * c for c in cell)
            rgb, alpha = sprite(group.noun, group.color, x1 - x0)
            canvas[y0:y1, x0:x1] += alpha * (rgb - canvas[y0:y1, x0:x1])
            objects.append(Object(group.noun, group.color, (x0, y0, x1, y1), index))
    if plan.text is not None and row is not None:
        canvas[row * GRID : row * GRID + 32, 8:120] = sign(plan.text)
    return Scene((canvas * 255 + 0.5).clip(0, 255).astype(np.uint8), tuple(objects), plan)


# -- words ---------------------------------------------------------------------------------------


def noun_phrase(group: Group, random: Random | None = None) -> tuple[str, str]:
    """Return (article or "", words): ("a", "red apple"), ("", "two red apples"). A `random` may write digits."""
    noun = CONCEPTS[group.noun].noun if group.count == 1 else CONCEPTS[group.noun].plural
    words = f"{group.color} {noun}" if group.color else noun
    if group.count > 1:
        digits = random is not None and random.random() < 0.2
        return "", f"{group.count if digits else NUMBERS[group.count]} {words}"
    return ("an" if words[0] in "aeiou" else "a"), words


class _Writer:
    """Appends words and remembers which characters belong to which group."""

    def __init__(self) -> None:
        self.text = ""
        self.spans: list[tuple[int, int, int]] = []

    def add(self, words: str, group: int = 0) -> None:
        if words:
            self.text += " " if self.text and not words.startswith(",") else ""
            if group:
                self.spans.append((len(self.text), len(self.text) + len(words), group))
            self.text += words


def caption(plan: Plan, random: Random) -> Caption:
    """Word a plan in one of several ways."""
    writer = _Writer()

    def pick(options: Sequence[str]) -> str:
        return str(random.choice(list(options)))

    setting, setting_first = pick(SETTINGS[plan.setting]), random.random() < 0.15
    writer.add("a photo of" if random.random() < 0.15 else "")
    if setting_first and not writer.text:
        writer.add(setting)
        writer.add("," if setting else "")
    for index, group in enumerate(plan.groups):
        if index == 1:
            writer.add(pick(RELATIONS[plan.relation]) if plan.relation else "and")
        article, words = noun_phrase(group, random)
        writer.add(article)
        writer.add(words, index + 1)
    if setting and setting not in writer.text:
        writer.add(setting)
    if plan.text is not None:
        writer.add(pick((", with a", "and a")))
        writer.add(pick((f'sign that says "{plan.text}"', f'sign with the word "{plan.text}"')), len(plan.groups) + 1)
    return Caption(writer.text, tuple(writer.spans), (plan.text,) if plan.text else ())


# -- promises ------------------------------------------------------------------------------------


def specification(plan: Plan) -> Specification:
    """Return the commitments of a plan, worded plainly: the truth that parsers and verifiers are scored on."""
    words = caption(plan, np.random.default_rng(0))
    spec, constraint, cause = Specification(prompt=words.text), next_ids("c"), "world:pocket"
    for index, group in enumerate(plan.groups):
        start, end, _ = words.spans[index]
        eid, span = f"e{index + 1}", Span(start=start, end=end)
        claims: list[tuple[Type, str, str | int, str | None]] = []
        if group.count > 1:
            claims.append((Type.COUNT, f"the number of {group.noun} is {group.count}", group.count, None))
        if group.color:
            claims.append((Type.ATTRIBUTE, f"the {group.noun} is {group.color}", group.color, "color"))
        entity = Commitment(
            id=eid, kind=Kind.ENTITY, type=Type.PRESENCE, claim=f"there is a {group.noun}", value=group.noun, span=span
        )
        spec = spec.declare(entity, cause)
        for type_, claim, value, aspect in claims:
            spec = spec.declare(
                Commitment(
                    id=next(constraint), kind=Kind.CONSTRAINT, type=type_, claim=claim, value=value, aspect=aspect,
                    targets=(eid,), depends_on=(eid,), span=span,
                ),
                cause,
            )  # fmt: skip
    return _scene_commitments(spec, plan, constraint)


def _scene_commitments(spec: Specification, plan: Plan, ids: Iterator[str]) -> Specification:
    def add(spec: Specification, type_: Type, claim: str, value: str, targets: tuple[str, ...] = ()) -> Specification:
        commitment = Commitment(
            id=next(ids), kind=Kind.CONSTRAINT, type=type_, claim=claim, value=value,
            targets=targets, depends_on=targets,
        )  # fmt: skip
        return spec.declare(commitment, "world:pocket")

    if plan.relation:
        subject, other = plan.groups[0].noun, plan.groups[1].noun
        spec = add(spec, Type.RELATION, f"the {subject} is {plan.relation} the {other}", plan.relation, ("e1", "e2"))
    if plan.setting != "plain":
        spec = add(spec, Type.LAYOUT, f"the setting is {plan.setting}", plan.setting)
    if plan.text:
        spec = add(spec, Type.TEXT, f'the words "{plan.text}" can be read', plan.text)
    return spec


# -- broken scenes -------------------------------------------------------------------------------


def broken(plan: Plan, commitment: Commitment, random: Random, nouns: tuple[str, ...]) -> Plan:
    """Return a plan in which this commitment is false and as little else as possible has changed."""
    groups = list(plan.groups)
    which = int(commitment.targets[0][1:]) - 1 if commitment.targets else 0

    def other(options: Sequence[str], *but: str | None) -> str:
        return str(random.choice([o for o in options if o not in but]))

    match commitment.type:
        case Type.PRESENCE:
            which = int(commitment.id[1:]) - 1
            groups[which] = replace(groups[which], noun=other(list(nouns), *(g.noun for g in groups)))
        case Type.COUNT:
            near = [c for c in (groups[which].count - 1, groups[which].count + 1) if 1 <= c <= MAX_COUNT]
            groups[which] = replace(groups[which], count=int(random.choice(near)))
        case Type.ATTRIBUTE:
            groups[which] = replace(groups[which], color=other(list(COLORS), groups[which].color))
        case Type.RELATION:
            opposite = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}
            return replace(plan, relation=opposite[str(plan.relation)])
        case Type.LAYOUT:
            return replace(plan, setting=other(list(SETTINGS), plan.setting))
        case Type.TEXT:
            return replace(plan, text=other(WORDS, plan.text))
        case _:
            raise ValueError(f"{commitment.type} is not a commitment of this world")
    return replace(plan, groups=tuple(groups))
