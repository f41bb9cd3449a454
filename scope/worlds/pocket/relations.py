"""When a relation holds: exact statements about boxes, y growing downwards."""

from collections.abc import Sequence

#: Corners (x0, y0, x1, y1) of a box, the last ones exclusive, all in one unit.
Xyxy = tuple[int, int, int, int]
#: The same in pixels.
XyxyPx = Xyxy
Boxes = Sequence[Xyxy]

OPPOSITE = {"left of": "right of", "right of": "left of", "above": "below", "below": "above"}


def holds(relation: str, subjects: Boxes, *others: Boxes) -> bool:
    """Return whether every subject stands in a relation to all others; each of `others` is one group.

    Beside and above: no overlap along that axis. "between": the one subject has others on both sides, at its height;
    of two groups, one on each side. "on top of": the lower edge of the one subject is the upper edge of the other, and
    they share at least half of the narrower one's width; these are boxes of ink, since a drawing need not fill its
    square.

    Raises: KeyError for another relation.
    """
    rest = [box for boxes in others for box in boxes]
    match relation:
        case "left of":
            return max(b[2] for b in subjects) <= min(b[0] for b in rest)
        case "above":
            return max(b[3] for b in subjects) <= min(b[1] for b in rest)
        case "between":
            return len(subjects) == 1 and _between(subjects[0], others)
        case "on top of":
            return len(subjects) == len(rest) == 1 and _on_top(subjects[0], rest[0])
    return holds(OPPOSITE[relation], rest, subjects)


def _between(middle: Xyxy, others: Sequence[Boxes]) -> bool:
    sides = [_sides(middle, boxes) for boxes in others]
    if len(sides) == 1:
        return sides[0] == {"left", "right"}
    return sides in ([{"left"}, {"right"}], [{"right"}, {"left"}])


def _sides(middle: Xyxy, boxes: Boxes) -> set[str]:
    """Return on which sides of a box others stand at its height."""
    level = [b for b in boxes if max(middle[1], b[1]) < min(middle[3], b[3])]
    return {"left" for b in level if b[2] <= middle[0]} | {"right" for b in level if middle[2] <= b[0]}


def _on_top(upper: Xyxy, lower: Xyxy) -> bool:
    shared = min(upper[2], lower[2]) - max(upper[0], lower[0])
    return upper[3] == lower[1] and 2 * shared >= min(upper[2] - upper[0], lower[2] - lower[0])
