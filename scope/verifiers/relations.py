"""Relations between detected boxes (x0, y0, x1, y1) in pixels, whose edges are known to some pixels only.

Those that have no rule of their own here, places in the picture and comparisons hold where `geometry` says so.
"""

from collections.abc import Sequence

from scope.specification import from_pixels
from scope.specification.geometry import holds

XyxyPx = tuple[float, float, float, float]
Boxes = Sequence[XyxyPx]

SLACK = 0.35  # of a side: how far an edge may be from where it should be
DRAWN_IN = 0.1  # of a side: by how much the edges of a subject may lie inside of where they were seen


def relation_holds(relation: str, groups: Sequence[Boxes], side: int = 128) -> bool | None:
    """Return whether the first group stands in a relation to the others; None: boxes do not say it.

    Each group holds at least one box, in pixels of a picture of `side` x `side`. One group alone: its place in the
    picture.
    """
    subjects, others = groups[0], [box for group in groups[1:] for box in group]
    match relation, len(groups):
        case "left of" | "right of" | "above" | "below", 2:
            axis = 0 if relation in ("left of", "right of") else 1
            first, second = ([center(box)[axis] for box in group] for group in (subjects, others))
            return max(first) < min(second) if relation in ("left of", "above") else min(first) > max(second)
        case "between", 2 | 3:
            sides = [{side_of(subjects[0], box) for box in group} for group in groups[1:]]
            if len(groups) == 2:
                return len(subjects) == 1 and {"left", "right"} <= sides[0]
            return len(subjects) == 1 and sides in ([{"left"}, {"right"}], [{"right"}, {"left"}])
        case "on top of", 2:
            return len(subjects) == len(others) == 1 and is_on_top(subjects[0], others[0])
    return _stand(relation, groups, side)


def _stand(name: str, groups: Sequence[Boxes], side: int) -> bool | None:
    """Return whether boxes stand so by `geometry`, as they were seen or with the edges of the subjects drawn in."""
    subjects, *others = ([from_pixels(box, side, side) for box in group] for group in groups)
    drawn_in = [from_pixels(_drawn_in(box), side, side) for box in groups[0]]
    return holds(name, subjects, *others) or holds(name, drawn_in, *others)


def _drawn_in(box: XyxyPx) -> XyxyPx:
    x, y = DRAWN_IN * (box[2] - box[0]), DRAWN_IN * (box[3] - box[1])
    return box[0] + x, box[1] + y, box[2] - x, box[3] - y


def center(box: XyxyPx) -> tuple[float, float]:
    """Return the centre (x, y) of a box."""
    return (box[0] + box[2]) / 2, (box[1] + box[3]) / 2


def side_of(box: XyxyPx, other: XyxyPx) -> str:
    """Return on which side of a box another one stands at its height: "left", "right", or "" for neither."""
    (x, y), (other_x, other_y) = center(box), center(other)
    level = abs(y - other_y) < (box[3] - box[1] + other[3] - other[1]) / 2
    return ("left" if other_x < x else "right") if level and x != other_x else ""


def is_on_top(upper: XyxyPx, lower: XyxyPx) -> bool:
    """Return whether a box stands on another: edges meet, and they share at least half of the narrower width."""
    shared = min(upper[2], lower[2]) - max(upper[0], lower[0])
    near = abs(upper[3] - lower[1]) <= SLACK * (upper[3] - upper[1])
    return near and center(upper)[1] < center(lower)[1] and 2 * shared >= min(upper[2] - upper[0], lower[2] - lower[0])
