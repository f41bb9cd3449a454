"""Another place for some things, where all others stay: the layout solved again around them."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from scope.skills.layouts.rules import rules_of, things_of
from scope.skills.layouts.solver import solve
from scope.specification import Box, Region, Specification
from scope.specification.geometry import likeness

_TRIES = 4  # seeds, until each thing has another place
_MOVED = 1 / 3  # of `likeness`, at most: the same as that of what stands elsewhere


def moved(
    spec: Specification,
    regions: Sequence[Region],
    names: Collection[str],
    *,
    seed: int,
    width: int = 1,
    height: int = 1,
) -> tuple[Region, ...]:
    """Return the regions with other boxes for these; as they are, where no layout has room elsewhere.

    Args:
        spec: what is drawn, and what boxes have to keep.
        regions: where all things are.
        names: ids of the regions that are to move; where a person put a thing, it stays.
        seed: decides where to.
        width: of the canvas, in any unit.
        height: of the canvas, in the same.
    """
    now = {region.id: region.box for region in regions}
    free = {thing.id for thing in things_of(spec) if thing.id in names and thing.box is None}
    things = tuple(replace(t, box=t.box or (None if t.id in free else now.get(t.id))) for t in things_of(spec))
    rules = rules_of(spec, things)
    for attempt in range(_TRIES):
        layout = solve(things, rules, seed=seed + attempt, width=width, height=height)
        boxes = {thing.id: box for thing, box in zip(things, layout.boxes, strict=False) if thing.id in free}
        if boxes and all(_is_elsewhere(box, now.get(name)) for name, box in boxes.items()):
            return tuple(r.model_copy(update={"box": boxes.get(r.id, r.box)}) for r in regions)
    return tuple(regions)


def _is_elsewhere(box: Box, before: Box | None) -> bool:
    return before is None or likeness(box, before) < _MOVED
