"""Where things stand when no grid holds them: pixel boxes of any size and shape, which overlap a little or not at all.

Every box is drawn at random and kept if there is room for it; where a picture does not fill, it is begun again with
smaller things. What stands left or right of, above or below the others is parted from them by a line that is drawn
first; what stands on top of, or between, others is placed by them.
"""

import math
from collections.abc import Iterator

from scope.errors import UsageError
from scope.worlds.pocket.plan import Plan
from scope.worlds.pocket.relations import OPPOSITE, Xyxy, XyxyPx, holds
from scope.worlds.pocket.rng import Rng

SIDE = 128  # pixels of a scene
SMALLEST, LARGEST = 20, 100  # pixels of a thing's sides
OVERLAP = 0.15  # of the smaller of two boxes, at most

#: Usual sides of a thing in pixels, by how many there are in all; more are as small as six.
_SIDES = {1: (40, 100), 2: (34, 72), 3: (30, 60), 4: (28, 52), 5: (24, 46)}
_MANY = (20, 38)
_SHAPE = 0.2  # deviation of log(width / height)
_MOST_SHAPE = 0.45
_TRIES, _SPREAD_TRIES, _ROUNDS, _SMALLER = 40, 12, 60, 0.93

#: Pixels of a board: its sides, and what a character needs of its width.
_BOARD_WIDTH, _BOARD_HEIGHT, _CHARACTER, _FRAME = (56, 122), (22, 38), 9, 16


def place_freely(rng: Rng, plan: Plan) -> tuple[list[list[XyxyPx]], XyxyPx | None]:
    """Return the pixel boxes of each group, and that of the sign's board, if there is one.

    Raises: UsageError if so many things do not fit.
    """
    shrink = 1.0
    for _ in range(_ROUNDS):
        board = random_board(rng, len(plan.text)) if plan.text else None
        boxes = _Round(rng, plan, board, shrink).draw()
        if boxes is not None:
            return boxes, board
        shrink *= _SMALLER
    raise UsageError(f"the pocket world found no room for {plan.total} things so placed; ask for fewer")


def random_board(rng: Rng, letters: int) -> XyxyPx:
    """Draw the box of a board on which so many characters can be read."""
    least = max(_BOARD_WIDTH[0], _CHARACTER * letters + _FRAME)
    width = int(rng.integers(least, max(least, _BOARD_WIDTH[1]) + 1))
    return at_random(rng, width, int(rng.integers(_BOARD_HEIGHT[0], _BOARD_HEIGHT[1] + 1)))


def random_sides(rng: Rng, low: float, high: float) -> tuple[int, int]:
    """Draw width and height of a thing whose mean side lies between two numbers of pixels, each side in its limits."""
    side = math.exp(rng.uniform(math.log(low), math.log(high)))
    shape = min(_MOST_SHAPE, max(-_MOST_SHAPE, rng.normal(0, _SHAPE))) / 2
    width, height = (min(LARGEST, max(SMALLEST, round(side * math.exp(s)))) for s in (shape, -shape))
    return width, height


def at_random(rng: Rng, width: int, height: int, within: Xyxy = (0, 0, SIDE, SIDE)) -> XyxyPx:
    """Draw a box of these sides anywhere within another, which has room for it."""
    x0, y0, x1, y1 = within
    x, y = int(rng.integers(x0, x1 - width + 1)), int(rng.integers(y0, y1 - height + 1))
    return x, y, x + width, y + height


def shared(one: XyxyPx, other: XyxyPx) -> float:
    """Return what share of the smaller of two boxes lies in the other."""
    wide = min(one[2], other[2]) - max(one[0], other[0])
    high = min(one[3], other[3]) - max(one[1], other[1])
    return max(0, wide) * max(0, high) / min(_area(one), _area(other))


def _area(box: XyxyPx) -> int:
    return (box[2] - box[0]) * (box[3] - box[1])


class _Round:
    """One try to place all things of a plan, each as large as `shrink` lets it be."""

    def __init__(self, rng: Rng, plan: Plan, board: XyxyPx | None, shrink: float) -> None:
        self.rng, self.plan, self.board = rng, plan, board
        low, high = _SIDES.get(plan.total + (2 if board else 0), _MANY)
        self.low, self.high = max(SMALLEST, low * shrink), max(SMALLEST + 2, high * shrink)
        self.boxes: list[XyxyPx] = []
        self.cut = int(rng.integers(round(0.3 * SIDE), round(0.7 * SIDE)))  # between the two sides of a relation

    def draw(self) -> list[list[XyxyPx]] | None:
        """Return the boxes of each group; None: there was no room, or the relation does not hold."""
        groups = []
        for index, group in enumerate(self.plan.groups):
            sides = random_sides(self.rng, self.low, self.high)
            placed = [self._place(index, sides, number) for number in range(group.count)]
            if None in placed:
                return None
            groups.append([box for box in placed if box is not None])
        relation = self.plan.relation
        return groups if relation is None or holds(relation, *groups) else None

    def _place(self, group: int, sides: tuple[int, int], number: int) -> XyxyPx | None:
        """Return a box for one thing, and remember it; None: there is no room."""
        width, height = (min(LARGEST, max(SMALLEST, round(s * self.rng.uniform(0.9, 1.1)))) for s in sides)
        for _ in range(_TRIES):
            box = self._candidate(group, width, height, number)
            if box is not None and self._is_free(box):
                self.boxes.append(box)
                return box
        return None

    def _is_free(self, box: XyxyPx) -> bool:
        inside = min(box[:2]) >= 0 and max(box[2:]) <= SIDE
        clear = self.board is None or shared(self._taken(box), self.board) == 0
        return inside and clear and all(shared(box, other) <= OVERLAP for other in self.boxes)

    def _taken(self, box: XyxyPx) -> XyxyPx:
        """Return what a box takes of the picture: of what something stands on, the way that it is let down, too."""
        if self.plan.relation != "on top of" or not self.boxes:
            return box
        upper = self.boxes[0]
        return min(upper[0], box[0]), upper[1], max(upper[2], box[2]), box[3]

    def _candidate(self, group: int, width: int, height: int, number: int) -> XyxyPx | None:
        """Return a place where the relation may hold; None: there is none for a thing so large."""
        relation = self.plan.relation
        if relation == "on top of" and group == 1:
            return self._below(self.boxes[0], width, height)
        if relation == "between" and group > 0:
            return self._beside(self.boxes[0], width, height, left=(group + number) % 2 == 1)
        area = self._area(group) if relation in OPPOSITE else (0, 0, SIDE, SIDE)
        if area[2] - area[0] < width or area[3] - area[1] < height:
            return None
        return at_random(self.rng, width, height, area)

    def _area(self, group: int) -> Xyxy:
        """Return the part of the picture that a group of a relation has."""
        low = (group == 0) == (self.plan.relation in ("left of", "above"))
        start, end = (0, self.cut) if low else (self.cut, SIDE)
        across = self.plan.relation in ("left of", "right of")
        return (start, 0, end, SIDE) if across else (0, start, SIDE, end)

    def _below(self, upper: XyxyPx, width: int, height: int) -> XyxyPx:
        """Return a box right below another, whose middle is not far from its own."""
        narrow = min(width, upper[2] - upper[0])
        middle = (upper[0] + upper[2]) / 2 + self.rng.uniform(-0.3, 0.3) * narrow
        x = round(middle - width / 2)
        return x, upper[3], x + width, upper[3] + height

    def _beside(self, middle: XyxyPx, width: int, height: int, left: bool) -> XyxyPx | None:
        """Return a box on one side of another, at its height."""
        start, end = (0, middle[0]) if left else (middle[2], SIDE)
        if end - start < width:
            return None
        level = (middle[1] + middle[3] - height) / 2 + self.rng.uniform(-0.3, 0.3) * height
        x, y = int(self.rng.integers(start, end - width + 1)), round(level)
        return x, y, x + width, y + height


def spread(rng: Rng, wanted: int, low: float, high: float, taken: list[XyxyPx]) -> Iterator[XyxyPx]:
    """Yield up to `wanted` boxes wherever there is room beside those `taken`, to which they are added."""
    for _ in range(_SPREAD_TRIES * wanted):
        if not wanted:
            return
        box = at_random(rng, *random_sides(rng, low, high))
        if all(shared(box, other) <= OVERLAP for other in taken):
            taken.append(box)
            wanted -= 1
            yield box
