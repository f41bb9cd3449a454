"""Boxes for things, so that every rule holds: solved, not guessed.

A layout begins as a proposal: the caller's, or things of sensible sizes strewn by the seed. The solver moves and
resizes them as little as it can until all rules hold, all lies on the canvas, and nothing overlaps but what is asked
to. A box that a person gave stays. What cannot be kept together is found as a minimal clash: without any one of its
rules the others could be kept. The last of them that matters least is left out, until a layout is found.
"""

import math
import random
from bisect import bisect_left
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from itertools import combinations

from scope.skills.layouts.boxes_model import LARGEST, LYING, BoxModel, Canvas, pairs
from scope.skills.layouts.rules import Rule, Thing
from scope.specification import Box
from scope.specification.boxes import THOUSANDTHS
from scope.specification.geometry import OVERLAPPING, holds
from scope.specification.placements import MOST_REGIONS

_COVERED = 0.38  # of the canvas: how much of it things are to cover together
#: Work of one search, in CP-SAT's deterministic seconds: for the nearest boxes, and for any boxes.
_NEAREST, _ANY = 0.006, 0.05


@dataclass(frozen=True)
class Clash:
    """Commitments that no layout keeps together, and which of them is left out; None: there is no layout at all."""

    commitments: tuple[str, ...]
    left_out: str | None = None


@dataclass(frozen=True)
class Layout:
    """A box for each thing, in their order (none: there is no layout), and what could not be kept."""

    boxes: tuple[Box, ...]
    clashes: tuple[Clash, ...] = ()


def solve(
    things: Sequence[Thing],
    rules: Sequence[Rule],
    *,
    seed: int = 0,
    width: int = 1,
    height: int = 1,
    proposal: Mapping[str, Box] | None = None,
) -> Layout:
    """Return boxes that keep the rules: a pure function of its arguments.

    Args:
        things: what is to be placed.
        rules: what the boxes have to keep.
        seed: decides where things are strewn, 31 bits.
        width: of the canvas, in any unit.
        height: of the canvas, in the same.
        proposal: thing id -> a box to start from, such as a language model's; it is mended where it has to be.
    """
    if len(things) > MOST_REGIONS:
        return Layout((), (Clash(_too_many(things)),))
    canvas = Canvas.of(width, height)
    start = _strewn(things, rules, canvas, random.Random(seed)) | dict(proposal or {})
    task = _Task(things, canvas, seed, tuple(start[thing.id] for thing in things), around_given=True)
    kept = [rule for rule in rules if not _is_given(rule, things)]
    clashes: list[Clash] = []
    while (boxes := task.place(kept)) is None:
        clash = task.clash(kept)
        if not clash and task.around_given and any(thing.box is not None for thing in things):
            task = replace(task, around_given=False)
            continue
        if not clash:
            return Layout((), (*clashes, Clash(tuple(dict.fromkeys(thing.owner for thing in things)))))
        last = max(clash, key=lambda rule: (rule.priority, kept.index(rule)))
        clashes.append(Clash(tuple(dict.fromkeys(rule.commitment for rule in clash)), last.commitment))
        kept.remove(last)
    return Layout(task.mend(kept, boxes), tuple(clashes))


def _too_many(things: Sequence[Thing]) -> tuple[str, ...]:
    """Return owners whose things are too many together, and would not be without those of any one of them."""
    owners = list(dict.fromkeys(thing.owner for thing in things))
    for owner in tuple(owners):
        rest = [other for other in owners if other != owner]
        if sum(thing.owner in rest for thing in things) > MOST_REGIONS:
            owners = rest
    return tuple(owners)


def _is_given(rule: Rule, things: Sequence[Thing]) -> bool:
    """Return whether a rule holds of boxes that a person gave."""
    groups = [[box for i in group if (box := things[i].box) is not None] for group in rule.groups]
    return list(map(len, groups)) == list(map(len, rule.groups)) and holds(rule.name, *groups) is True


@dataclass(frozen=True)
class _Task:
    """What is to be placed, and where it stands in the proposal."""

    things: Sequence[Thing]
    canvas: Canvas
    seed: int
    start: tuple[Box, ...]
    around_given: bool  # whether nothing may stand on a box that a person gave

    def place(self, rules: Sequence[Rule]) -> tuple[Box, ...] | None:
        """Return boxes that keep all rules; None: none were found."""
        return self._model(rules, self.start).solve(self.seed, _ANY)

    def mend(self, rules: Sequence[Rule], boxes: tuple[Box, ...]) -> tuple[Box, ...]:
        """Return boxes that keep all rules and are nearer to the proposal than these."""
        model = self._model(rules, boxes)
        model.wish(self.start)
        return model.solve(self.seed, _NEAREST) or boxes

    def clash(self, rules: Sequence[Rule]) -> list[Rule]:
        """Return rules that cannot be kept together, though without any one of them the others can."""
        few = bisect_left(range(len(rules)), True, key=lambda count: self.place(rules[:count]) is None)
        clash = list(rules[:few])  # the shortest beginning of the rules that cannot be kept
        for rule in rules[:few]:
            rest = [other for other in clash if other is not rule]
            if self.place(rest) is None:
                clash = rest
        return clash

    def _model(self, rules: Sequence[Rule], begin: Sequence[Box]) -> BoxModel:
        model = BoxModel(self.things, self.canvas)
        for rule in rules:
            model.keep(rule)
        model.keep_apart(_may_overlap(rules), self.around_given)
        model.begin(begin)
        return model


def _may_overlap(rules: Sequence[Rule]) -> set[frozenset[int]]:
    """Return the pairs that rules let overlap.

    A thing overlaps what it is on, what that is in, and so on; and two that hold the same thing may overlap each other.
    """
    holders: dict[int, set[int]] = {}
    for rule in rules:
        for thing, holder in pairs(rule) if rule.name in OVERLAPPING else ():
            holders.setdefault(thing, set()).add(holder)
    for _ in range(len(holders)):  # as often as the longest chain is long
        for thing, found in holders.items():
            holders[thing] = found.union(*(holders.get(holder, ()) for holder in found))
    held = {frozenset((thing, holder)) for thing, found in holders.items() for holder in found}
    return held | {frozenset(pair) for found in holders.values() for pair in combinations(found, 2)}


# -- where things are strewn ---------------------------------------------------------------------


def _strewn(things: Sequence[Thing], rules: Sequence[Rule], canvas: Canvas, rng: random.Random) -> dict[str, Box]:
    """Return a box for each thing, by its id: the fewer the larger, each about a cell of its own of a grid."""
    columns = max(1, round(math.sqrt(len(things) * canvas.width / canvas.height)))
    rows = math.ceil(len(things) / columns)
    cells = rng.sample([(row, column) for row in range(rows) for column in range(columns)], len(things))
    mean = math.sqrt(_COVERED * canvas.width * canvas.height / max(1, len(things)))
    boxes = {}
    for i, (thing, (row, column)) in enumerate(zip(things, cells, strict=True)):
        side = min(LARGEST * canvas.shorter, mean * rng.uniform(0.85, 1.2) * _relative_size(i, rules))
        shape = min(LYING, max(1, thing.letters / 2)) if thing.letters else rng.uniform(0.85, 1.2)
        top, bottom = _strew(rng, row, rows, canvas.down(side / math.sqrt(shape)))
        left, right = _strew(rng, column, columns, canvas.across(side * math.sqrt(shape)))
        boxes[thing.id] = Box.of(top, left, bottom, right)
    return boxes


def _relative_size(thing: int, rules: Sequence[Rule]) -> float:
    """Return how large a thing is beside others: what holds another is larger, what is held smaller."""
    size = 1.0
    for rule in rules:
        if rule.name in ("on", "inside"):
            size *= 0.7 if thing in rule.groups[0] else 1.5 if thing in rule.groups[1] else 1.0
    return size


def _strew(rng: random.Random, cell: int, cells: int, length: int) -> tuple[int, int]:
    """Return the ends of a length somewhere in a cell of a side (about it, if it is longer), on the canvas."""
    room = THOUSANDTHS // cells - length
    start = cell * THOUSANDTHS // cells + (rng.randint(0, room) if room > 0 else room // 2)
    start = min(max(0, start), THOUSANDTHS - length)
    return start, start + length
