"""Layout: every thing of the prompt gets its place in the picture.

Where things stand is solved from what the prompt says of them (layouts/), once a run, by the run's seed. It is in the
ledger as evidence: each thing that is placed moves to `placed` with its regions; a commitment that no layout keeps
beside others is opened, with what it clashes with. Where a person put a thing, it stays.
"""

from collections.abc import Iterator

from scope.protocols import Toolbox
from scope.skills.layouts.rules import Thing, rules_of, things_of
from scope.skills.layouts.solver import Clash, Layout, solve
from scope.specification import Cause, Placing, Specification, Status, grounded
from scope.specification.placements import MOST_REGIONS, last_layout


class LayoutSkill:
    """Places things on a canvas of the shape of the picture."""

    name = "layout"
    version = "1"
    after = ("retrieve", "reason")  # what is drawn, and how many, has to be known
    serves = frozenset({"regions"})

    def needed(self, spec: Specification) -> bool:
        """Return whether there are things without a place, or what is to be drawn has changed since they got theirs."""
        if not things_of(spec):
            return False
        placed = last_layout(spec)
        if not placed:
            return True
        then = Specification(prompt=spec.prompt, events=spec.events[: placed[-1].sequence + 1])
        return grounded(then).commitments != grounded(spec).commitments

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        """Return the specification with every thing placed, and what cannot be kept opened."""
        things = things_of(spec)
        width, height = tools.canvas
        layout = solve(things, rules_of(spec, things), seed=tools.seed, width=width, height=height)
        cause = Cause.skill(self.name, self.version)
        for owner, status, evidence in (*_placed(things, layout), *_unplaced(spec, things, layout)):
            spec = spec.move(owner, status, cause, evidence=evidence)
        return spec


def _placed(things: tuple[Thing, ...], layout: Layout) -> Iterator[tuple[str, Status, Placing]]:
    """Yield what becomes of each commitment that has things in the layout."""
    for owner in dict.fromkeys(thing.owner for thing in things) if layout.boxes else ():
        both = zip(things, layout.boxes, strict=True)
        yield owner, Status.PLACED, Placing(regions=tuple(t.region(box) for t, box in both if t.owner == owner))


def _unplaced(spec: Specification, things: tuple[Thing, ...], layout: Layout) -> Iterator[tuple[str, Status, Placing]]:
    """Yield what becomes of each commitment that is left out of the layout: all things, where there is none."""
    for clash in layout.clashes:
        evidence = Placing(clash=clash.commitments, note=_said(spec, clash, len(things)))
        homeless = dict.fromkeys(thing.owner for thing in things if thing.box is None)
        for left_out in homeless if clash.left_out is None else (clash.left_out,):
            yield left_out, Status.OPEN, evidence


def _said(spec: Specification, clash: Clash, count: int) -> str:
    """Return a clash in a sentence."""
    claims = "; ".join(f"{name}: {spec[name].claim}" for name in clash.commitments)
    if count > MOST_REGIONS:
        return f"{count} things are more than the {MOST_REGIONS} that a layout has room for ({claims}); none is placed"
    if clash.left_out is None:
        return f"no layout was found that has room for all of this ({claims}); nothing is placed"
    names = list(clash.commitments)
    together = f"{', '.join(names[:-1])} and {names[-1]} together" if len(names) > 1 else f"{names[0]} beside the rest"
    return f"no layout was found that keeps {together} ({claims}); {clash.left_out} is left out of it"
