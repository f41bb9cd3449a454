"""What generators are asked to draw in benchmarks: held-out prompts of the pocket world, by task.

A task draws plans of which a pair (colour and noun, or two related nouns) was never trained on. Each is worded, and
read as any prompt is; one that is read otherwise than it was meant is left out, for reading has a benchmark of its own
(`parser`). Where things stand is laid out as for `scope generate`, or given by hand (`free_boxes`), and the true scene
of a prompt is drawn in those very boxes.
"""

import math
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import cached_property
from itertools import islice
from typing import Any

import numpy as np
from PIL import Image

from scope.errors import ScopeError
from scope.parsing.grammar import Grammar
from scope.protocols import Vocabulary
from scope.skills.bind import request_of
from scope.skills.layout import LayoutSkill
from scope.skills.layouts.own_boxes import with_own_boxes
from scope.skills.layouts.rules import things_of
from scope.specification import Kind, Request, Specification, Status, Type, from_pixels, to_pixels
from scope.specification.boxes import XyxyPx
from scope.testing import fake_toolbox
from scope.worlds.pocket import Group, Layout, Object, Plan, caption, draw, held_out, noun_phrase
from scope.worlds.pocket import specification as specification_of
from scope.worlds.pocket.catalogue import (
    COLOR_NAMES,
    CONCEPTS,
    CORE_RELATIONS,
    HELD_OUT_NOUNS,
    MAX_LETTERS,
    NOUN_OF,
    NOUNS,
    RELATIONS,
    SETTING_NAMES,
    SETTINGS,
    STYLES,
    drawn_by,
)
from scope.worlds.pocket.drawn import drawn_for
from scope.worlds.pocket.rng import Rng, pick
from scope.worlds.pocket.sprites import SIZE

SEED = 700_000
#: Words of signs, which no training has seen: none of them is among the world's own.
SIGNS = tuple(
    (
        "ACORN AMBER ATLAS BADGER BASIL BISTRO BOLD BRIDGE BRUNCH BUDGET CABIN CANYON CEDAR CHESS CIDER CLINIC COBALT "
        "COMET CRUISE DAIRY DAYLIGHT DEPOT DRAGON ECHO ELM EMBER FABRIC FERRY FOREST FOSSIL FRIDAY GALLERY GINGER "
        "GRAVEL GYM HARVEST HIKE HOSPITAL IVORY JAM JUNGLE KAYAK LAGOON LAVENDER LOBBY MANGO MARBLE METRO MONDAY "
        "MOUNTAIN NECTAR NOTEBOOK NUTMEG OAK ORCHID PAPER PEPPER PLATINUM PLAZA POLAR PUPPET QUARTZ RANCH RIBBON RYE "
        "SADDLE SALSA SPICE SUNDAY TANGO TEMPLE TREASURE TUNNEL TURBO UNIVERSE VALLEY VELVET WAFFLE WHARF YARN"
    ).split(" ")
)
_WIDER = 5  # the version of the world that draws whatever the art does; the 198 nouns before it are the `core` rows'
_LETTERS = 8  # on the longest of these signs
_APART = 10_000  # between the seeds of two tasks
_SIDES = (20, 100)  # pixels: of the boxes that are given by hand
_LONGEST = 2  # times its other side: no box is longer
_COVERED = 0.15  # of the smaller of two boxes: most that the other may cover


@dataclass(frozen=True)
class Words:
    """What may be asked for: what all generators that are compared know."""

    nouns: tuple[str, ...]
    settings: tuple[str, ...]  # without the plain one
    max_count: int
    max_letters: int

    @classmethod
    def of(cls, vocabularies: Iterable[Vocabulary | None]) -> "Words":
        """Return what is in the world and in all vocabularies; None has everything. Held-out nouns are in no prompt.

        Raises: ScopeError if hardly anything is.
        """
        known = [vocabulary for vocabulary in vocabularies if vocabulary is not None]
        nouns = [n for n in NOUNS if n not in HELD_OUT_NOUNS and all(n in v.nouns for v in known)]
        settings = [s for s in SETTING_NAMES if s != "plain" and all(s in v.settings for v in known)]
        if len(nouns) < 6 or not settings:
            raise ScopeError("the generators that are compared know too few nouns or settings in common to draw from")
        counts, letters = ([getattr(v, name) for v in known] for name in ("max_count", "max_letters"))
        return cls(tuple(nouns), tuple(settings), min([4, *counts]), min([_LETTERS, MAX_LETTERS, *letters]))

    @property
    def core(self) -> "Words":
        """Return the same with the nouns alone that the world had before it was widened."""
        return replace(self, nouns=tuple(noun for noun in self.nouns if CONCEPTS[noun].version < _WIDER))

    @property
    def signs(self) -> tuple[str, ...]:
        """Return the words of signs that are short enough."""
        return tuple(word for word in SIGNS if len(word) <= self.max_letters)


@dataclass(frozen=True)
class Case:
    """What is meant: a plan, further relations of its groups (subject, name, object), and boxes that are given."""

    plan: Plan
    relations: tuple[tuple[int, str, int], ...] = ()
    boxes: tuple[XyxyPx, ...] = ()

    @property
    def total(self) -> int:
        """Return how many things there are, with the sign."""
        return self.plan.total + (self.plan.text is not None)

    @property
    def is_held_out(self) -> bool:
        """Return whether a pair is held out, whatever a sign says."""
        groups = self.plan.groups
        pairs = (Plan((groups[a], groups[b]), name) for a, name, b in self.relations)
        return any(held_out(plan) for plan in (replace(self.plan, text=None), *pairs))


# -- tasks ---------------------------------------------------------------------------------------


def single_object(rng: Rng, words: Words) -> Case:
    """One coloured object."""
    return Case(Plan((_group(rng, pick(rng, words.nouns)),)))


def two_object(rng: Rng, words: Words) -> Case:
    """Two objects, one of them coloured."""
    first, second = _different(rng, words.nouns, 2)
    return Case(Plan((_group(rng, first), Group(second))))


def counting(rng: Rng, words: Words) -> Case:
    """Two to four coloured objects."""
    return Case(Plan((_group(rng, pick(rng, words.nouns), int(rng.integers(2, words.max_count + 1))),)))


def position(rng: Rng, words: Words) -> Case:
    """Two objects, one left or right of the other, above or below it."""
    first, second = _different(rng, words.nouns, 2)
    return Case(Plan((Group(first), Group(second)), pick(rng, tuple(CORE_RELATIONS))))


def color_attribution(rng: Rng, words: Words) -> Case:
    """Two coloured objects."""
    return Case(Plan(tuple(_group(rng, noun) for noun in _different(rng, words.nouns, 2))))


def setting(rng: Rng, words: Words) -> Case:
    """One coloured object in a setting."""
    return _with(single_object(rng, words), setting=pick(rng, words.settings))


def text(rng: Rng, words: Words) -> Case:
    """One coloured object and a sign with a word of up to eight letters."""
    return _with(single_object(rng, words), text=pick(rng, words.signs))


def style(rng: Rng, words: Words) -> Case:
    """One coloured object as one of the vendors draws it whose style has a name."""
    vendor = pick(rng, tuple(STYLES))
    drawn = set(drawn_by(vendor))
    return _with(single_object(rng, replace(words, nouns=tuple(n for n in words.nouns if n in drawn))), style=vendor)


def crowded(rng: Rng, words: Words) -> Case:
    """Four to six coloured objects in a setting, of which one or two pairs are related."""
    groups = tuple(_group(rng, noun) for noun in _different(rng, words.nouns, int(rng.integers(4, 7))))
    pairs = ((0, 1), (2, 3))[: int(rng.integers(1, 3))]
    relations = tuple((a, pick(rng, tuple(CORE_RELATIONS)), b) for a, b in pairs)
    return Case(Plan(groups, setting=pick(rng, ("plain", *words.settings))), relations)


def free_boxes(rng: Rng, words: Words) -> Case:
    """One to four coloured objects in a setting, each in a box of any shape that is given by hand."""
    nouns = _different(rng, words.nouns, int(rng.integers(1, 5)))
    plan = Plan(tuple(_group(rng, noun) for noun in nouns), setting=pick(rng, ("plain", *words.settings)))
    return Case(plan, boxes=_boxes(rng, len(nouns)))


TASKS: dict[str, Callable[[Rng, Words], Case]] = {
    task.__name__: task
    for task in (
        single_object, two_object, counting, position, color_attribution, setting, text, style, crowded, free_boxes,
    )
}  # fmt: skip


def _group(rng: Rng, noun: str, count: int = 1) -> Group:
    return Group(noun, count, pick(rng, COLOR_NAMES))


def _different(rng: Rng, nouns: tuple[str, ...], count: int) -> list[str]:
    return [nouns[int(i)] for i in rng.choice(len(nouns), count, replace=False)]


def _with(case: Case, **changes: Any) -> Case:
    return replace(case, plan=replace(case.plan, **changes))


def _boxes(rng: Rng, count: int) -> tuple[XyxyPx, ...]:
    """Draw boxes that cover little of each other, none of them a square: the more, the smaller."""
    largest = min(_SIDES[1], int(1.2 * SIZE / math.sqrt(count)))
    while True:
        boxes = tuple(free_box(rng, largest) for _ in range(count))
        if all(covered(a, b) <= _COVERED for i, a in enumerate(boxes) for b in boxes[:i]):
            return boxes


def free_box(rng: Rng, largest: int = _SIDES[1]) -> XyxyPx:
    """Draw a box of 20 to `largest` px a side, no square, anywhere."""
    while True:
        width, height = (int(side) for side in rng.integers(_SIDES[0], largest + 1, 2))
        if width != height and max(width, height) <= _LONGEST * min(width, height):
            x, y = int(rng.integers(SIZE - width + 1)), int(rng.integers(SIZE - height + 1))
            return x, y, x + width, y + height


def intersection(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Return the area that two boxes (x0, y0, x1, y1) share."""
    width, height = (min(a[i + 2], b[i + 2]) - max(a[i], b[i]) for i in (0, 1))
    return max(0, width) * max(0, height)


def area(box: tuple[float, ...]) -> float:
    """Return the area of a box (x0, y0, x1, y1)."""
    return (box[2] - box[0]) * (box[3] - box[1])


def covered(a: tuple[float, ...], b: tuple[float, ...]) -> float:
    """Return the share of the smaller of two boxes that the other covers."""
    return intersection(a, b) / min(area(a), area(b))


# -- prompts -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Prompt:
    """One prompt of a task: what it means, and how it was read."""

    case: Case
    spec: Specification
    seed: int

    @property
    def request(self) -> Request:
        """Return the request of the prompt alone, in the generator's own number of steps."""
        return request_of(self.spec, seed=self.seed)

    @cached_property
    def bound_request(self) -> Request:
        """Return the request with a region for each thing: laid out, or given by hand.

        Raises: ScopeError if no layout keeps all that the prompt says.
        """
        return bound(with_own_boxes(self.spec, self._own_boxes()), self.seed)

    def _own_boxes(self) -> list[str]:
        boxes = zip(self.case.plan.groups, self.case.boxes, strict=False)
        return [f"{group.color} {group.noun}={str(from_pixels(box, SIZE, SIZE))[1:-1]}" for group, box in boxes]

    def true_scene(self, scale: int = 1) -> Image.Image:
        """Return the picture that keeps all that is meant, every thing in its region, `scale` times 128 px a side."""
        return Image.fromarray(draw(self.layout(), scale).image)

    def layout(self) -> Layout:
        """Return where each thing stands in the world's own terms."""
        plan, objects, board = self.case.plan, [], None
        for region in self.bound_request.regions:
            box = to_pixels(region.box, SIZE, SIZE)
            noun = NOUN_OF.get(str(self.spec[region.commitments[0]].value))
            index = next((i for i, group in enumerate(plan.groups) if group.noun == noun), None)
            if index is None:
                board = box  # what is no thing of the plan is its sign
            else:
                objects.append(Object(plan.groups[index].noun, plan.groups[index].color, box, index, plan.style))
        return Layout(plan, tuple(objects), board, float(np.random.default_rng(self.seed).uniform(0.94, 1)))


def bound(spec: Specification, seed: int) -> Request:
    """Return the request of what was read, with a region for each thing, laid out as for `scope generate`.

    Raises: ScopeError if no layout keeps all that the prompt says.
    """
    laid_out = LayoutSkill().run(spec, replace(fake_toolbox(), seed=seed))
    if laid_out.where(Status.OPEN):
        raise ScopeError(f"no layout was found for {spec.prompt!r}, which a benchmark asks for")
    return request_of(laid_out, seed=seed)


def prompts(task: str, words: Words, count: int, seed: int = SEED) -> list[Prompt]:
    """Return `count` held-out prompts of a task; the same words and seed give the same."""
    first = seed + _APART * list(TASKS).index(task)  # so that no two tasks ask for the same
    read = enumerate(islice(_read(TASKS[task], words, first), count))
    return [Prompt(case, spec, first + number) for number, (case, spec) in read]


def _read(task: Callable[[Rng, Words], Case], words: Words, seed: int) -> Iterator[tuple[Case, Specification]]:
    """Yield held-out cases of a task, each as its wording is read, where that is as it was meant."""
    rng, wording, grammar = np.random.default_rng(seed), np.random.default_rng((seed, 1)), Grammar()
    while True:
        case = task(rng, words)
        if case.is_held_out:
            spec = grammar.decompose(worded(case, wording))
            if facts(spec) == meant(case) and len(things_of(spec)) == case.total:
                yield case, spec


def worded(case: Case, rng: Rng) -> str:
    """Return a case in words: "a red apple to the left of a blue car, a green cat and a pink umbrella on a beach"."""
    if not (case.relations or case.boxes):
        return caption(case.plan, rng).text
    things = [" ".join(filter(None, noun_phrase(group))) for group in case.plan.groups]
    for subject, name, other in case.relations:
        things[subject] += f" {pick(rng, RELATIONS[name])} {things[other]}"
    others = {other for _, _, other in case.relations}
    parts = [thing for i, thing in enumerate(things) if i not in others]
    listed = ", ".join((*parts[:-1], f"and {parts[-1]}")) if len(parts) > 1 else parts[0]
    return " ".join(filter(None, (listed, pick(rng, SETTINGS[case.plan.setting]))))


def facts(spec: Specification) -> Counter[tuple[Any, ...]]:
    """Return what a specification says, by nouns instead of ids; a sign is said by its text."""
    nouns = {c.id: NOUN_OF.get(str(c.value), str(c.value)) for c in spec.of(Type.PRESENCE)}
    said: Counter[tuple[Any, ...]] = Counter()
    for c in spec.commitments:
        targets = () if c.type is Type.TEXT else tuple(nouns.get(target, target) for target in c.targets)
        value = nouns.get(c.id) or (drawn_for(c) if c.type in (Type.ATTRIBUTE, Type.SETTING) else None) or c.value
        if "sign" not in (value, *targets):
            said[c.kind, c.type, value, c.comparator, c.denied, *targets] += 1
    return said


def meant(case: Case) -> Counter[tuple[Any, ...]]:
    """Return what the specification of a case has to say."""
    said, nouns = facts(specification_of(case.plan)), [group.noun for group in case.plan.groups]
    for subject, name, other in case.relations:
        said[Kind.CONSTRAINT, Type.RELATION, name, "==", False, nouns[subject], nouns[other]] += 1
    return said
