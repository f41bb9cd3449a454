"""Repair: names what a draft got wrong and chooses how the next one is to get it right.

Of the strategies, the one with the greatest expected gain per second is taken: what earlier repairs fixed less what
they broke, over all runs of this machine, and over this run.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from scope.protocols import Toolbox
from scope.runs.repair_stats import Gain
from scope.specification import (
    REGIONAL,
    Cause,
    ImageFile,
    Repairing,
    RepairResult,
    Specification,
    Status,
    Strategy,
    Type,
    faults,
    last_repair,
)
from scope.specification.placements import own_regions, regions
from scope.specification.repairs import Fault, was_tried

#: Families of failure, in the order in which they are repaired (SCOPE, arXiv 2605.08043: subject first).
FAMILIES = (
    Type.PRESENCE,
    Type.TEXT,
    Type.COUNT,
    Type.RELATION,
    Type.PLACE,
    Type.COMPARISON,
    Type.SETTING,
    Type.ATTRIBUTE,
    Type.STYLE,
)

#: Commitments fixed per try that are expected of a strategy before anything is known: words that were not understood
#: are missed from any noise, and a draft with the wrong things in it is no good start. Where it is known which
#: regions are at fault, all else is kept; where their place may be, that is changed.
PRIORS = {
    Strategy.REBIND: 0.5,
    Strategy.REGENERATE: 0.45,
    Strategy.RESAMPLE: 0.4,
    Strategy.REDRAW: 0.7,
    Strategy.MOVE: 0.75,
    Strategy.EDIT: 0.6,
}

#: Tries of a strategy on a family before what they did counts: a few say nothing.
ENOUGH = 8


@dataclass(frozen=True)
class Repair:
    """Acts on violated commitments, and on those that a violated entity blocks.

    An unjudged commitment is left alone: another draft would be judged no better. `gains` is by "strategy/family";
    `records` are the repairs of this run; `chosen` is a strategy that was chosen before; `mask` is what may change.
    """

    gains: Mapping[str, Gain] = field(default_factory=dict)
    records: Sequence[RepairResult] = ()
    chosen: str | None = None
    mask: ImageFile | None = None

    name = "repair"
    version = "1"

    def needed(self, spec: Specification) -> bool:
        """Return whether another draft could change a verdict."""
        return bool(spec.where(Status.VIOLATED, Status.BLOCKED))

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        """Return the specification with every such commitment moved to `repaired`."""
        last = last_repair(spec)
        number = last.number + 1 if last is not None else 1
        strategy = Strategy(self.chosen) if self.chosen else self.choose(spec, tools)
        cause = Cause.skill(self.name, self.version)
        evidence = Repairing(strategy=strategy, family=family(spec), round=number, mask=self.mask)
        for commitment in spec.where(Status.VIOLATED, Status.BLOCKED):
            spec = spec.move(commitment.id, Status.REPAIRED, cause, evidence=evidence)
        return spec

    def choose(self, spec: Specification, tools: Toolbox) -> Strategy:
        """Return the possible strategy with the greatest expected gain per second; of equals the first."""
        possible = [s for s in Strategy if _is_possible(s, spec, tools)]
        return max(possible, key=lambda strategy: self.expected(strategy, family(spec)))

    def expected(self, strategy: Strategy, of_family: str) -> float:
        """Return the commitments that a try is expected to fix, less what it breaks, per relative second."""
        known = self.gains.get(f"{strategy}/{of_family}", Gain())
        known = known if known.tries >= ENOUGH else Gain()
        mine = [r for r in self.records if r.strategy == strategy]
        fixed = known.fixed - known.broke + sum(len(r.fixed) - len(r.broke) for r in mine)
        tries = known.tries + len(mine)
        mean = (PRIORS[strategy] + max(0, fixed)) / (1 + tries)
        return mean / self._relative_seconds(strategy)

    def _relative_seconds(self, strategy: Strategy) -> float:
        """Return how long a try takes, against the mean of all; 1 where too little is known."""
        seconds = {s: [g for name, g in self.gains.items() if name.startswith(s + "/")] for s in Strategy}
        means = {s: sum(g.seconds for g in gs) / n for s, gs in seconds.items() if (n := sum(g.tries for g in gs)) > 0}
        if strategy not in means or min(means.values()) <= 0:
            return 1.0
        return means[strategy] / (sum(means.values()) / len(means))


def family(spec: Specification) -> str:
    """Return the family of the most pressing failure; blocked commitments fail as their entity does."""
    violated = {c.type for c in spec.where(Status.VIOLATED, Status.REPAIRED)}
    return next((f.value for f in FAMILIES if f in violated), "other")


def _is_possible(strategy: Strategy, spec: Specification, tools: Toolbox) -> bool:
    if strategy is Strategy.REBIND:  # who is told each region by itself reads no other words
        return not ("regions" in tools.generator.reads and regions(spec))
    if strategy is Strategy.RESAMPLE:
        return "edit" in tools.generator.reads
    if strategy is Strategy.EDIT:
        editor = tools.editor
        return editor is not None and any(editor.handles(c) for c in spec.where(Status.VIOLATED))
    if strategy in REGIONAL:
        reads = {"regions", "edit"} <= tools.generator.reads
        pressing = [fault for fault in faults(spec) if spec[fault.commitment].type == family(spec)]
        return reads and any(strategy is Strategy.REDRAW or _may_be_misplaced(spec, fault) for fault in pressing)
    return True


def _may_be_misplaced(spec: Specification, fault: Fault) -> bool:
    """Return whether another place may help: it was drawn anew in vain, or was seen elsewhere; and nobody put it there.

    What a person put somewhere stays.
    """
    own = {region.id for c in spec.commitments for region in own_regions(spec, c.id)}
    in_vain = was_tried(spec, Strategy.REDRAW, fault.commitment)
    return not own.issuperset(fault.regions) and (in_vain or bool(fault.strays))
