"""When boxes stand as a commitment says: relations, places in the picture, comparisons of size, and their opposites.

    left of, right of, above, below    edges apart: the last of one side lies before the first of the other
    on                                 its foot in the upper half of the other, or .35 of its height above that; half
                                       of the narrower one's width shared
    inside                             wholly within
    in front of, behind                they share some width, and what is in front reaches lower
    next to                            side by side at one height, no further apart than half their mean width
    with                               they overlap, or lie no further apart than half their mean width and height
    between                            others at its height on both sides
    left, top, center, top left ...    the middle of the box lies in these thousandths of the picture
    bigger than, smaller than          area: at least 1.5 times
    taller than, shorter than          height: at least 1.2 times
    longer than                        width: at least 1.2 times
    same size as                       width and height: to a tenth

Shares are of the boxes' own sides, so that they say the same on a canvas of any shape. A relation of several things
holds when it holds of each.
"""

from collections.abc import Callable, Sequence

from scope.specification.boxes import Box

Boxes = Sequence[Box]

#: What other names of relations come to, where boxes are all that is looked at.
ALIASES = {
    "on top of": "on",
    "in": "inside",
    "under": "below",
    "near": "next to",
    "by": "next to",
    "at": "next to",
    "against": "next to",
    "wider than": "longer than",
}

#: Relations in which two boxes may overlap.
OVERLAPPING = frozenset({"on", "inside", "in front of", "behind"})

RELATIONS = frozenset({"left of", "right of", "above", "below", "next to", "with", "between"}) | OVERLAPPING

_LOW, _MIDDLE, _HIGH, _ANY = (0, 350), (350, 650), (650, 1000), (0, 1000)

#: Place in the picture -> in which thousandths the middle of a box lies: (of y, of x).
PLACES = {
    "left": (_ANY, _LOW),
    "right": (_ANY, _HIGH),
    "top": (_LOW, _ANY),
    "bottom": (_HIGH, _ANY),
    "center": (_MIDDLE, _MIDDLE),
    "top left": (_LOW, _LOW),
    "top right": (_LOW, _HIGH),
    "bottom left": (_HIGH, _LOW),
    "bottom right": (_HIGH, _HIGH),
}

COMPARISONS = frozenset({"bigger than", "smaller than", "taller than", "shorter than", "longer than", "same size as"})

#: The relation that holds of (b, a) where the first holds of (a, b).
CONVERSE = {
    "right of": "left of",
    "below": "above",
    "behind": "in front of",
    "smaller than": "bigger than",
    "shorter than": "taller than",
}


def canonical(name: str) -> str | None:
    """Return the name under which a relation, place or comparison is known here; None: boxes do not say it."""
    name = ALIASES.get(name, name)
    return name if name in RELATIONS or name in PLACES or name in COMPARISONS else None


def holds(name: str, *groups: Boxes) -> bool | None:
    """Return whether boxes stand so; None: it is nothing that boxes say, or of another number of groups.

    Args:
        name: of a relation, a place or a comparison.
        groups: the boxes of its subject, then those of each object; none is empty.
    """
    known = canonical(name)
    if known is None or (len(groups) == 1) is not (known in PLACES):
        return None
    subjects, others = groups[0], [box for group in groups[1:] for box in group]
    if known in PLACES:
        return all(_is_in_place(known, box) for box in subjects)
    if known == "between":
        return all(_is_between(box, groups[1:]) for box in subjects)
    if known == "next to":
        return _reach(subjects, others, _is_beside)
    if known == "with":
        return _reach(subjects, others, _are_together) and _reach(others, subjects, _are_together)
    if known in OVERLAPPING:
        return all(any(_pair_holds(known, box, other) for other in others) for box in subjects)
    return all(_pair_holds(known, box, other) for box in subjects for other in others)


def overlap(one: Box, other: Box) -> bool:
    """Return whether two boxes share more than an edge."""
    return shared_area(one, other) > 0


def shared_area(one: Box, other: Box) -> int:
    """Return the area that two boxes share, in square thousandths."""
    wide = min(one.x_max, other.x_max) - max(one.x_min, other.x_min)
    high = min(one.y_max, other.y_max) - max(one.y_min, other.y_min)
    return max(0, wide) * max(0, high)


def likeness(one: Box, other: Box) -> float:
    """Return how nearly two boxes are one, in [0, 1]: what they share, of what either covers."""
    shared = shared_area(one, other)
    return shared / (one.area + other.area - shared)


def _pair_holds(name: str, a: Box, b: Box) -> bool:
    match name:
        case "left of":
            return a.x_max <= b.x_min
        case "above":
            return a.y_max <= b.y_min
        case "on":
            shared = min(a.x_max, b.x_max) - max(a.x_min, b.x_min)
            stands = b.y_min - 0.35 * _height(a) <= a.y_max <= _middle(b)[0]
            return stands and 2 * shared >= min(_width(a), _width(b))
        case "inside":
            return b.x_min <= a.x_min and a.x_max <= b.x_max and b.y_min <= a.y_min and a.y_max <= b.y_max
        case "in front of":
            return a.y_max > b.y_max and min(a.x_max, b.x_max) > max(a.x_min, b.x_min)
        case "bigger than":
            return _width(a) * _height(a) >= 1.5 * _width(b) * _height(b)
        case "taller than":
            return _height(a) >= 1.2 * _height(b)
        case "longer than":
            return _width(a) >= 1.2 * _width(b)
        case "same size as":
            sides = ((_width(a), _width(b)), (_height(a), _height(b)))
            return all(abs(one - other) <= 0.1 * max(one, other) for one, other in sides)
    return _pair_holds(CONVERSE[name], b, a)


def _is_in_place(name: str, box: Box) -> bool:
    return all(low <= at <= high for at, (low, high) in zip(_middle(box), PLACES[name], strict=True))


def _is_between(box: Box, groups: Sequence[Boxes]) -> bool:
    sides = [{_side(box, other) for other in group} for group in groups]
    if len(sides) == 1:
        return {"left", "right"} <= sides[0]
    return sides in ([{"left"}, {"right"}], [{"right"}, {"left"}])


def _side(box: Box, other: Box) -> str:
    """Return on which side of a box another stands at its height; "": on neither."""
    if not _are_level(box, other):
        return ""
    return "left" if other.x_max <= box.x_min else "right" if box.x_max <= other.x_min else ""


def _reach(subjects: Boxes, others: Boxes, near: Callable[[Box, Box], bool]) -> bool:
    """Return whether each subject is near one of the others, or near a subject that is."""
    reached, left = list(others), list(subjects)
    while found := [box for box in left if any(near(box, other) for other in reached)]:
        reached += found
        left = [box for box in left if box not in found]
    return not left


def _is_beside(a: Box, b: Box) -> bool:
    apart = max(a.x_min, b.x_min) - min(a.x_max, b.x_max)
    return _are_level(a, b) and 0 <= 4 * apart <= _width(a) + _width(b)


def _are_together(a: Box, b: Box) -> bool:
    across = max(a.x_min, b.x_min) - min(a.x_max, b.x_max)
    down = max(a.y_min, b.y_min) - min(a.y_max, b.y_max)
    return 4 * across <= _width(a) + _width(b) and 4 * down <= _height(a) + _height(b)


def _are_level(a: Box, b: Box) -> bool:
    return min(a.y_max, b.y_max) > max(a.y_min, b.y_min)


def _middle(box: Box) -> tuple[float, float]:
    """Return the middle of a box: (y, x)."""
    return (box.y_min + box.y_max) / 2, (box.x_min + box.x_max) / 2


def _width(box: Box) -> int:
    return box.x_max - box.x_min


def _height(box: Box) -> int:
    return box.y_max - box.y_min
