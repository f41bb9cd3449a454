"""Where things stand: cells of a grid of 8 x 8, in which no two overlap and the relation of the plan holds.

What is free is one number of 64 bits, so that a place is looked up and not searched for.
"""

from functools import cache
from typing import NamedTuple

from scope.errors import UsageError
from scope.worlds.pocket.plan import Plan
from scope.worlds.pocket.relations import Xyxy, holds
from scope.worlds.pocket.rng import Rng, pick

CELLS = 8  # of a scene's side
_BOARD = 2  # rows of a sign
_TRIES, _LAST_TRIES = 60, 1000
_MANY = 8  # things


class Place(NamedTuple):
    """A square of cells: its corner, and the bits that it covers."""

    x: int
    y: int
    bits: int


@cache
def squares(side: int, xs: range, ys: range) -> tuple[Place, ...]:
    """Return every square of `side` cells that starts in these columns and rows."""
    return tuple(Place(x, y, covered((x, y, x + side, y + side))) for y in ys for x in xs)


@cache
def covered(box: Xyxy) -> int:
    """Return the bits of a box of cells."""
    x0, y0, x1, y1 = box
    return sum(1 << (CELLS * y + x) for y in range(y0, y1) for x in range(x0, x1))


def place(rng: Rng, plan: Plan) -> tuple[list[list[Xyxy]], int | None]:
    """Return the cell boxes of each group, and the first row of the sign's board.

    Raises: UsageError if so many things do not fit.
    """
    side = _side(rng, plan)
    while True:
        for _ in range(_TRIES if side > 2 else _LAST_TRIES):
            row = pick(rng, (0, CELLS - _BOARD)) if plan.text else None
            taken = covered((0, row, CELLS, row + _BOARD)) if row is not None else 0
            boxes = _draw(rng, plan, side, taken)
            if boxes is not None and (plan.relation is None or holds(plan.relation, *boxes)):
                return boxes, row
        if side == 2:
            raise UsageError(f"the pocket world found no room for {plan.total} things so placed; ask for fewer")
        side -= 1


def _side(rng: Rng, plan: Plan) -> int:
    """Return the size of things in cells: large where there are few."""
    if plan.relation == "between":
        return 2
    side = pick(rng, (3, 4)) if plan.total == 1 else 3 if plan.total <= 3 else 2
    return min(side, 3) if plan.text or plan.relation == "on top of" else side


def _draw(rng: Rng, plan: Plan, side: int, taken: int) -> list[list[Xyxy]] | None:
    """Return boxes that do not overlap, and mostly obey the relation; None: what was drawn left no room."""
    boxes: list[list[Xyxy]] = []
    # Many things stand in order only if a line that parts the two sides is drawn first.
    cut = int(rng.integers(side, CELLS - side + 1)) if plan.total > _MANY else None
    for index, group in enumerate(plan.groups):
        xs, ys = _starts(plan.relation, index, side, cut)
        if plan.relation == "on top of" and index == 1:  # right below the first
            x, y = boxes[0][0][0], boxes[0][0][3]
            xs, ys = range(x, x + 1), range(y, y + 1)
        places = squares(side, xs, ys)
        boxes.append([])
        for _ in range(group.count):
            free = [p for p in places if not p.bits & taken]
            if not free:
                return None
            x, y, bits = pick(rng, free)
            taken |= bits
            boxes[-1].append((x, y, x + side, y + side))
    return boxes


def _starts(relation: str | None, group: int, side: int, cut: int | None) -> tuple[range, range]:
    """Return the (x, y) cells at which a group may start, before and from `cut` where two sides are parted there."""
    whole = range(CELLS - side + 1)
    low = range((CELLS - side if cut is None else cut) - side + 1)
    high = range(side if cut is None else cut, CELLS - side + 1)
    first = (group == 0) == (relation in ("left of", "above", "on top of"))
    if relation in ("left of", "right of"):
        return (low if first else high), whole
    if relation in ("above", "below", "on top of"):
        return whole, (low if first else high)
    if relation == "between" and group == 0:
        return range(side, CELLS - 2 * side + 1), whole
    return whole, whole
