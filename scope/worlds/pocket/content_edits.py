"""Edits of what a scene holds: each changes a layout, which is drawn again, and says which part of it is touched.

An edit is handed its parameter ("blue"), which is the same for every scene that it is shown on, and chooses what it
is done to. None: this scene does not suit it.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from scope.worlds.pocket.captions import noun_phrase
from scope.worlds.pocket.catalogue import CONCEPTS, MAX_COUNT, SETTINGS, TONED, VENDORS, drawn_by
from scope.worlds.pocket.placing import CELLS, Place, covered, squares
from scope.worlds.pocket.plan import Group, Plan
from scope.worlds.pocket.relations import XyxyPx
from scope.worlds.pocket.rng import Rng, pick
from scope.worlds.pocket.scene import Layout, Object
from scope.worlds.pocket.sprites import GRID, SIZE, sprite

Area = NDArray[np.bool_]
_STEPS = {"left": (-1, 0), "right": (1, 0), "up": (0, -1), "down": (0, 1)}
DIRECTIONS = tuple(_STEPS)
_STYLE_WORDS = {"noto": "as an emoji", "flat": "in flat style", "3d": "in 3-D"}


@dataclass(frozen=True)
class ContentEdit:
    """A changed layout, the words for the change, and the area (128, 128) outside of which no pixel differs."""

    layout: Layout
    instruction: str
    changed: Area


# -- single objects ------------------------------------------------------------------------------


def recolour(layout: Layout, color: str, rng: Rng) -> ContentEdit | None:
    """Paint the objects of one group in another colour."""
    which = pick(rng, range(len(layout.plan.groups)))
    if layout.plan.groups[which].color == color:
        return None
    after = _with_group(layout, which, color=color, tone=None)
    return _edit(after, f"make {_the(layout.plan, which)} {color}", _boxes(layout, which))


def tone(layout: Layout, shade: str, rng: Rng) -> ContentEdit | None:
    """Give people or hands another tone of skin."""
    groups = layout.plan.groups
    toned = [i for i, group in enumerate(groups) if group.noun in TONED and group.color is None]
    if layout.plan.style != VENDORS[0] or not toned or groups[toned[0]].tone == shade:
        return None
    words = f"give {_the(layout.plan, toned[0])} {shade.replace('-', ' ')} skin"
    return _edit(_with_group(layout, toned[0], tone=shade), words, _boxes(layout, toned[0]))


def swap_noun(layout: Layout, new: Group, rng: Rng) -> ContentEdit | None:
    """Put other objects in the places of one group."""
    plan, which = layout.plan, pick(rng, range(len(layout.plan.groups)))
    if plan.relation == "on top of" or not _is_new(plan, new.noun):
        return None
    after = _with_group(layout, which, noun=new.noun, color=new.color, tone=None)
    words = " ".join(noun_phrase(replace(new, count=plan.groups[which].count))).strip()
    return _edit(after, f"replace {_the(plan, which)} with {words}", _boxes(layout, which))


def add(layout: Layout, new: Group, rng: Rng) -> ContentEdit | None:
    """Put one object where there is room."""
    plan = layout.plan
    if plan.relation is not None or not _is_new(plan, new.noun):
        return None
    side = _side(layout.objects[0])
    if not (free := _free(layout, side)):
        return None
    obj = Object(new.noun, new.color, _xyxy_px(pick(rng, free), side), len(plan.groups), plan.style)
    after = replace(layout, plan=replace(plan, groups=(*plan.groups, new)), objects=(*layout.objects, obj))
    return _edit(after, f"add {' '.join(noun_phrase(new))}", [obj.xyxy_px])


def add_one(layout: Layout, parameter: None, rng: Rng) -> ContentEdit | None:
    """Put one more of what is there."""
    plan, which = layout.plan, pick(rng, range(len(layout.plan.groups)))
    group, example = plan.groups[which], next(o for o in layout.objects if o.group == which)
    free = _free(layout, _side(example))
    if plan.relation is not None or group.count == MAX_COUNT or not free:
        return None
    obj = replace(example, xyxy_px=_xyxy_px(pick(rng, free), _side(example)))
    after = replace(_with_group(layout, which, count=group.count + 1), objects=(*layout.objects, obj))
    return _edit(after, f"add one more {CONCEPTS[group.noun].noun}", [obj.xyxy_px])


def remove(layout: Layout, parameter: None, rng: Rng) -> ContentEdit | None:
    """Take one group away and leave the others."""
    plan, which = layout.plan, pick(rng, range(len(layout.plan.groups)))
    if len(plan.groups) < 2:
        return None
    groups = tuple(group for i, group in enumerate(plan.groups) if i != which)
    left = (replace(o, group=o.group - (o.group > which)) for o in layout.objects if o.group != which)
    after = replace(layout, plan=replace(plan, groups=groups, relation=None), objects=tuple(left))
    return _edit(after, f"remove {_the(plan, which)}", _boxes(layout, which))


# -- places --------------------------------------------------------------------------------------


def move(layout: Layout, direction: str, rng: Rng) -> ContentEdit | None:
    """Move the only one of a kind by two cells or more, and at most one to a side."""
    if (which := _single(layout, rng)) is None:
        return None
    obj, (dx, dy) = layout.objects[which], _STEPS[direction]
    x, y = obj.xyxy_px[0] // GRID, obj.xyxy_px[1] // GRID

    def is_there(place: Place) -> bool:
        along, across = (place.x - x) * dx + (place.y - y) * dy, (place.x - x) * dy + (place.y - y) * dx
        return along >= 2 and abs(across) <= 1

    places = [place for place in _free(layout, _side(obj), without=which) if is_there(place)]
    if not places:
        return None
    after = _with_box(layout, which, _xyxy_px(pick(rng, places), _side(obj)))
    words = direction if direction in ("up", "down") else f"to the {direction}"
    return _edit(after, f"move {_the(layout.plan, obj.group)} {words}", [obj.xyxy_px, after.objects[which].xyxy_px])


def scale(layout: Layout, size: str, rng: Rng) -> ContentEdit | None:
    """Draw the only one of a kind one cell larger or smaller, around or within where it stood."""
    if (which := _single(layout, rng)) is None:
        return None
    obj = layout.objects[which]
    side = _side(obj) + (1 if size == "larger" else -1)
    x0, y0, x1, y1 = (v // GRID for v in obj.xyxy_px)
    if size == "larger":
        free = _free(layout, side, without=which) if side <= 4 else []
        places = [p for p in free if p.x <= x0 and p.y <= y0 and p.x + side >= x1 and p.y + side >= y1]
    else:
        places = list(squares(side, range(x0, x0 + 2), range(y0, y0 + 2))) if side >= 2 else []
    if not places:
        return None
    after = _with_box(layout, which, _xyxy_px(pick(rng, places), side))
    return _edit(after, f"make {_the(layout.plan, obj.group)} {size}", [obj.xyxy_px, after.objects[which].xyxy_px])


def swap_places(layout: Layout, parameter: None, rng: Rng) -> ContentEdit | None:
    """Let two objects change places."""
    plan = layout.plan
    if plan.relation is not None or [group.count for group in plan.groups] != [1, 1]:
        return None
    first, second = layout.objects
    after = replace(layout, objects=(replace(first, xyxy_px=second.xyxy_px), replace(second, xyxy_px=first.xyxy_px)))
    return _edit(after, f"swap {_the(plan, 0)} and {_the(plan, 1)}", [first.xyxy_px, second.xyxy_px])


# -- the whole -----------------------------------------------------------------------------------


def restyle(layout: Layout, style: str, rng: Rng) -> ContentEdit | None:
    """Draw the same objects as another vendor draws them."""
    plan, styles = layout.plan, (layout.plan.style, style)
    drawable = all(group.noun in drawn_by(s) and group.tone is None for group in plan.groups for s in styles)
    if plan.style == style or plan.relation == "on top of" or not drawable:
        return None
    objects = tuple(replace(obj, style=style) for obj in layout.objects)
    after = replace(layout, plan=replace(plan, style=style), objects=objects)
    return _edit(after, f"draw it {_STYLE_WORDS[style]}", [obj.xyxy_px for obj in objects])


def background(layout: Layout, setting: str, rng: Rng) -> ContentEdit | None:
    """Bring the objects to another setting."""
    plan = layout.plan
    if plan.setting == setting:
        return None
    words = "remove the background" if setting == "plain" else f"show it {SETTINGS[setting][0]}"
    return ContentEdit(replace(layout, plan=replace(plan, setting=setting)), words, ~_solid(layout))


def text(layout: Layout, words: str, rng: Rng) -> ContentEdit | None:
    """Letter the sign anew."""
    if layout.board is None or layout.plan.text == words:
        return None
    after = replace(layout, plan=replace(layout.plan, text=words))
    return _edit(after, f'change the sign to "{words}"', [layout.board])


# -- parts ---------------------------------------------------------------------------------------


def _edit(layout: Layout, instruction: str, boxes: Iterable[XyxyPx]) -> ContentEdit:
    changed = np.zeros((SIZE, SIZE), bool)
    for x0, y0, x1, y1 in boxes:
        changed[y0:y1, x0:x1] = True
    return ContentEdit(layout, instruction, changed)


def _the(plan: Plan, which: int) -> str:
    """Return how an instruction names a group; no two are of one noun."""
    concept = CONCEPTS[plan.groups[which].noun]
    return f"the {concept.noun if plan.groups[which].count == 1 else concept.plural}"


def _is_new(plan: Plan, noun: str) -> bool:
    """Return whether a noun is not in the plan, need not be absent, and is drawn in its style."""
    return noun not in {*(group.noun for group in plan.groups), *plan.absent} and noun in drawn_by(plan.style)


def _single(layout: Layout, rng: Rng) -> int | None:
    """Return the index of an object that is the only one of its group, where no relation ties it to its place."""
    single = [i for i, obj in enumerate(layout.objects) if layout.plan.groups[obj.group].count == 1]
    return pick(rng, single) if single and layout.plan.relation is None else None


def _with_group(layout: Layout, which: int, **change: Any) -> Layout:
    """Return the layout with a group changed, and all that its objects share with it."""
    groups = tuple(replace(g, **change) if i == which else g for i, g in enumerate(layout.plan.groups))
    shared = {name: value for name, value in change.items() if name != "count"}
    objects = tuple(replace(o, **shared) if o.group == which else o for o in layout.objects)
    return replace(layout, plan=replace(layout.plan, groups=groups), objects=objects)


def _with_box(layout: Layout, which: int, box: XyxyPx) -> Layout:
    objects = tuple(replace(o, xyxy_px=box) if i == which else o for i, o in enumerate(layout.objects))
    return replace(layout, objects=objects)


def _boxes(layout: Layout, which: int) -> list[XyxyPx]:
    return [obj.xyxy_px for obj in layout.objects if obj.group == which]


def _side(obj: Object) -> int:
    """Return the size of an object in cells."""
    return obj.width_px // GRID


def _xyxy_px(place: Place, side: int) -> XyxyPx:
    x, y = place.x * GRID, place.y * GRID
    return x, y, x + side * GRID, y + side * GRID


def _free(layout: Layout, side: int, without: int | None = None) -> list[Place]:
    """Return the places for a square of this side, as if object `without` were not there."""
    boxes = [obj.xyxy_px for i, obj in enumerate(layout.objects) if i != without]
    taken = 0
    for x0, y0, x1, y1 in [*boxes, *([layout.board] if layout.board else [])]:
        taken |= covered((x0 // GRID, y0 // GRID, -(-x1 // GRID), -(-y1 // GRID)))
    starts = range(CELLS - side + 1)
    return [place for place in squares(side, starts, starts) if not place.bits & taken]


def _solid(layout: Layout) -> Area:
    """Return where nothing of the background is seen: under what is wholly opaque, and under the sign."""
    solid = np.zeros((SIZE, SIZE), bool)
    for obj in layout.objects:
        x0, y0, x1, y1 = obj.xyxy_px
        solid[y0:y1, x0:x1] |= sprite(obj.drawing, obj.color, (obj.width_px, obj.height_px), obj.style)[1][..., 0] == 1
    if layout.board is not None:
        x0, y0, x1, y1 = layout.board
        solid[y0:y1, x0:x1] = True
    return solid
