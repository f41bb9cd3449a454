"""Boxes as a model of integers: what each rule asks of their sides, in thousandths of the canvas.

Each rule is asked for a little more strictly than `geometry.holds` judges it, so that it is kept by a margin.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from scope.skills.layouts.cp_sat import Model, Sum, negated
from scope.skills.layouts.rules import Rule, Thing
from scope.specification import Box
from scope.specification.boxes import THOUSANDTHS
from scope.specification.geometry import CONVERSE, OVERLAPPING, PLACES

#: Sides of a thing, as a share of the shorter side of the canvas: 20 to 100 pixels of 128.
SMALLEST, LARGEST = 20 / 128, 100 / 128
#: Longer side to shorter, in pixels, at most: of a thing, as a fraction, and of one with words on it, which lies.
SLENDER, LYING = (3, 2), 5

_GAP = 10  # thousandths, at least, between things that do not overlap
_CROWD = 3  # things that stand on one thing, or in front of it: more are spread
_BACKDROP = 0.5  # of the canvas: a box that a person made so large is one that others may stand on

#: One side, or two that bound a length (the lower first), as variables of the model.
Side = int
Sides = tuple[Side, Side]


@dataclass(frozen=True)
class Canvas:
    """The shape of a canvas, in units that do not matter: its longer side has a hundred."""

    width: int
    height: int

    @classmethod
    def of(cls, width: int, height: int) -> "Canvas":
        """Return the canvas of a picture of this size in pixels."""
        longer = max(width, height)
        return cls(max(1, round(100 * width / longer)), max(1, round(100 * height / longer)))

    def across(self, length: float) -> int:
        """Return a length along x in thousandths of the canvas: at least one, and no more than it has."""
        return min(THOUSANDTHS, max(1, math.floor(length * THOUSANDTHS / self.width)))

    def down(self, length: float) -> int:
        """Return a length along y in thousandths of the canvas: at least one, and no more than it has."""
        return min(THOUSANDTHS, max(1, math.floor(length * THOUSANDTHS / self.height)))

    @property
    def shorter(self) -> int:
        """Return its shorter side."""
        return min(self.width, self.height)


@dataclass(frozen=True)
class _Box:
    """The sides of a box as variables."""

    y: Sides
    x: Sides


class BoxModel:
    """The boxes of things, with what is to hold of them."""

    def __init__(self, things: Sequence[Thing], canvas: Canvas) -> None:
        self._model, self._things, self._canvas = Model(), things, canvas
        self._boxes = [self._box(thing) for thing in things]

    def solve(self, seed: int, limit: float) -> tuple[Box, ...] | None:
        """Return the best boxes that are found within `limit` (see `cp_sat`); None: none are."""
        values = self._model.solve(seed, limit)
        if values is None:
            return None
        ordered = ((box.y[0], box.x[0], box.y[1], box.x[1]) for box in self._boxes)
        return tuple(Box.of(*(values[side] for side in sides)) for sides in ordered)

    def begin(self, boxes: Sequence[Box]) -> None:
        """Have the search look about these boxes first."""
        for box, sides in zip(boxes, self._boxes, strict=True):
            for variable, value in zip((*sides.y, *sides.x), (box.y_min, box.y_max, box.x_min, box.x_max), strict=True):
                self._model.hint(variable, value)

    def wish(self, boxes: Sequence[Box]) -> None:
        """Ask for boxes as near to these as can be, in their middles and in their sizes."""
        for thing, asked, box in zip(self._things, boxes, self._boxes, strict=True):
            if thing.box is None:
                for (low, high), start, end in ((box.y, asked.y_min, asked.y_max), (box.x, asked.x_min, asked.x_max)):
                    self._model.wish([(1, low), (1, high)], start + end)
                    self._model.wish([(2, high), (-2, low)], 2 * (end - start))

    def keep_apart(self, may_overlap: set[frozenset[int]], around_given: bool) -> None:
        """Have no two boxes overlap, but for these pairs; those that a person gave, only if `around_given`."""
        for i, j in combinations(range(len(self._things)), 2):
            given = [box for box in (self._things[i].box, self._things[j].box) if box is not None]
            free = not given or (around_given and len(given) == 1 and not _is_backdrop(given[0]))
            if free and frozenset((i, j)) not in may_overlap:
                self._part(self._boxes[i], self._boxes[j])

    def keep(self, rule: Rule) -> None:
        """Have a rule hold."""
        groups = [[self._boxes[i] for i in group] for group in rule.groups]
        if rule.name in PLACES:
            for box in groups[0]:
                self._in_place(rule.name, box)
        elif rule.name == "between":
            for box in groups[0]:
                self._between(box, groups[1:])
        else:
            is_crowd = len(groups[0]) > _CROWD * sum(map(len, groups[1:]))
            for a, b in pairs(rule):
                self._keep_pair(rule.name, self._boxes[a], self._boxes[b], is_crowd)

    # -- one box ---------------------------------------------------------------------------------

    def _box(self, thing: Thing) -> _Box:
        if thing.box is not None:
            y0, x0, y1, x1 = (self._model.integer(side, side) for side in thing.box.root)
            return _Box((y0, y1), (x0, x1))
        y0, x0, y1, x1 = (self._model.integer(0, THOUSANDTHS) for _ in range(4))
        self._size(_Box((y0, y1), (x0, x1)), lies=thing.letters > 0)
        return _Box((y0, y1), (x0, x1))

    def _size(self, box: _Box, lies: bool) -> None:
        """Have a box be of a sensible size; what `lies` is wider than high, and may be as wide as the canvas."""
        canvas = self._canvas
        low, high = SMALLEST * canvas.shorter, LARGEST * canvas.shorter
        self._model.hold(_length(box.x), canvas.across(low), canvas.across(high * (LYING if lies else 1)))
        self._model.hold(_length(box.y), canvas.down(low), canvas.down(high))
        (more, less), width, height = (LYING, 1) if lies else SLENDER, canvas.width, canvas.height
        self._at_most(_length(box.x, less * width), _length(box.y, more * height))
        upright, narrow = (1, 1) if lies else SLENDER
        self._at_most(_length(box.y, narrow * height), _length(box.x, upright * width))

    def _in_place(self, name: str, box: _Box) -> None:
        for sides, (low, high) in zip((box.y, box.x), PLACES[name], strict=True):
            self._model.hold(_middle(sides), 2 * low + 1, 2 * high - 1)

    # -- two boxes -------------------------------------------------------------------------------

    def _keep_pair(self, name: str, a: _Box, b: _Box, is_crowd: bool) -> None:
        match name:
            case "left of":
                self._before(a.x, b.x)
            case "above":
                self._before(a.y, b.y)
            case "on":
                self._on(a, b, spread=is_crowd)
            case "inside":
                self._within(a.x, b.x)
                self._within(a.y, b.y)
            case "in front of":
                self._in_front(a, b, spread=is_crowd)
            case "next to":
                self._next_to(a, b)
            case "with":
                self._near(a, b)
            case "bigger than":
                self._longer(a.x, b.x)
                self._longer(a.y, b.y)
            case "taller than":
                self._longer(a.y, b.y)
            case "longer than":
                self._longer(a.x, b.x)
            case "same size as":
                for one, other in ((a.x, b.x), (a.y, b.y)):
                    self._model.hold([*_length(one), *_length(other, -1)], 0, 0)
            case "apart":
                self._far_apart(a, b)
            case _:
                self._keep_pair(CONVERSE[name], b, a, is_crowd)

    def _on(self, a: _Box, b: _Box, spread: bool) -> None:
        """Have a stand on the upper edge of b, its middle over b, and no wider; what is `spread`, on its upper half."""
        (_, foot), (top, _) = a.y, b.y
        self._at_most([(1, top)], [(1, foot)])
        self._at_most([(2, foot)], _middle(b.y))
        if not spread:
            self._at_most([(3, foot), (-3, top)], _length(a.y))
            self._at_most([(4, foot), (-4, top)], _length(b.y))
        self._at_most([(2, b.x[0])], _middle(a.x))
        self._at_most(_middle(a.x), [(2, b.x[1])])
        self._at_most(_length(a.x), _length(b.x))

    def _in_front(self, a: _Box, b: _Box, spread: bool) -> None:
        """Have a hide some of the lower half of b, and reach lower; what is `spread` may stand below it as well."""
        (top, foot), (_, foot_behind) = a.y, b.y
        self._before_side(foot_behind, foot)
        self._at_most(_middle(b.y), [(2, top)])
        if not spread:
            self._before_side(top, foot_behind)
        self._before_side(a.x[0], b.x[1])
        self._before_side(b.x[0], a.x[1])

    def _next_to(self, a: _Box, b: _Box) -> None:
        """Have a and b side by side at one height, at most a quarter of their widths together apart."""
        self._level(a, b)
        left = self._model.boolean()
        for when, first, second in ((left, a.x, b.x), (negated(left), b.x, a.x)):
            self._before(first, second, when=when)
            gap = [(4, second[0]), (-4, first[1])]
            self._at_most(gap, [*_length(a.x), *_length(b.x)], when=when)

    def _near(self, a: _Box, b: _Box) -> None:
        """Have a and b at most a fifth of their lengths together apart, each way."""
        for one, other in ((a.x, b.x), (a.y, b.y)):
            for first, second in ((one, other), (other, one)):
                self._at_most([(5, second[0]), (-5, first[1])], [*_length(one), *_length(other)])

    def _between(self, box: _Box, groups: Sequence[Sequence[_Box]]) -> None:
        """Have one group on each side of a box, at its height; of a single group the first two."""
        ones, others = (groups[0], groups[1]) if len(groups) == 2 else (groups[0][:1], groups[0][1:2])
        flipped = self._model.boolean()
        for when, left, right in ((negated(flipped), ones, others), (flipped, others, ones)):
            for beside in left:
                self._before(beside.x, box.x, when=when)
            for beside in right:
                self._before(box.x, beside.x, when=when)
        for beside in (*ones, *others):
            self._level(box, beside)

    def _far_apart(self, a: _Box, b: _Box) -> None:
        """Have a and b so far apart that they are in no relation of near things: by half their lengths together."""
        ways = []
        for one, other in ((a.x, b.x), (a.y, b.y)):
            for first, second in ((one, other), (other, one)):
                way = self._model.boolean()
                gap = [(2, second[0]), (-2, first[1])]
                self._at_most([*_length(one), *_length(other)], gap, when=way)
                ways.append(way)
        self._model.hold_any(ways)

    def _part(self, a: _Box, b: _Box) -> None:
        """Have a and b lie beside or above each other."""
        ways = [(a.x, b.x), (b.x, a.x), (a.y, b.y), (b.y, a.y)]
        booleans = [self._model.boolean() for _ in ways]
        for boolean, (first, second) in zip(booleans, ways, strict=True):
            self._before(first, second, when=boolean)
        self._model.hold_any(booleans)

    def _level(self, a: _Box, b: _Box) -> None:
        """Have the middles of a and b at about one height: within a quarter of their heights together."""
        room = [*_length(a.y), *_length(b.y)]
        self._at_most([*_middle(a.y, 2), *_middle(b.y, -2)], room)
        self._at_most([*_middle(b.y, 2), *_middle(a.y, -2)], room)

    # -- lengths ---------------------------------------------------------------------------------

    def _before(self, first: Sides, second: Sides, when: int | None = None) -> None:
        """Have one length end before another begins."""
        self._before_side(first[1], second[0], when)

    def _before_side(self, first: Side, second: Side, when: int | None = None) -> None:
        self._model.hold([(1, first), (-1, second)], high=-_GAP, when=when)

    def _within(self, inner: Sides, outer: Sides) -> None:
        """Have one length lie in another, and be two thirds of it at most."""
        self._at_most([(1, outer[0])], [(1, inner[0])])
        self._at_most([(1, inner[1])], [(1, outer[1])])
        self._at_most(_length(inner, 3), _length(outer, 2))

    def _longer(self, one: Sides, other: Sides) -> None:
        """Have one length be at least a third longer than another: what is drawn in a box need not fill it."""
        self._at_most(_length(other, 4), _length(one, 3))

    def _at_most(self, less: Sum, more: Sum, when: int | None = None) -> None:
        self._model.hold([*less, *((-factor, variable) for factor, variable in more)], high=0, when=when)


def pairs(rule: Rule) -> list[tuple[int, int]]:
    """Return the pairs of things of which a rule is kept.

    What overlaps has one object each; beside one object, things stand in a row, and so do those that are with it; all
    else is of each with each.
    """
    subjects, others = rule.groups[0], [i for group in rule.groups[1:] for i in group]
    if rule.name in OVERLAPPING:
        return [(s, others[n % len(others)]) for n, s in enumerate(subjects)]
    if rule.name == "with" and len(others) > len(subjects):
        return [
            (subjects[n % len(subjects)] if n < 2 * len(subjects) else others[n - 2], o) for n, o in enumerate(others)
        ]
    if rule.name in ("next to", "with"):
        return [(s, others[n % len(others)] if n < 2 else subjects[n - 2]) for n, s in enumerate(subjects)]
    return [(s, other) for s in subjects for other in others]


def _length(sides: Sides, times: int = 1) -> list[tuple[int, int]]:
    return [(times, sides[1]), (-times, sides[0])]


def _middle(sides: Sides, times: int = 1) -> list[tuple[int, int]]:
    """Return twice the middle of two sides."""
    return [(times, sides[0]), (times, sides[1])]


def _is_backdrop(box: Box) -> bool:
    area = (box.y_max - box.y_min) * (box.x_max - box.x_min)
    return area > _BACKDROP * THOUSANDTHS**2
