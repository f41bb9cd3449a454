"""Where things stand on a draft, against where they were put: the verdicts of a draft, region by region.

What verifiers saw is matched to the regions of the request by its boxes, whoever saw it. So every verdict names the
regions that it speaks of, and one that is violated those at fault. Nothing else of a verdict changes, but where a
person put a thing: then it is met only if it stands there.
"""

from collections.abc import Mapping, Sequence

from scope.specification import Box, Commitment, Region, Specification, Verdict, grounded
from scope.specification.geometry import likeness, shared_area
from scope.specification.placements import own_regions

#: How much of a box and a region is shared where one stands in the other: of two equal boxes, half a side may be off.
STANDS = 1 / 3


def located(spec: Specification, verdicts: Sequence[Verdict], regions: Sequence[Region]) -> tuple[Verdict, ...]:
    """Return the verdicts on a draft with the regions that they speak of, and those at fault."""
    if not regions:
        return tuple(verdicts)
    asked = {c.id: c for c in (*spec.commitments, *grounded(spec).commitments)}
    seen = (_seen(verdict, regions) for verdict in verdicts)
    return tuple(_at_fault(_as_put(spec, verdict), asked[verdict.commitment], regions) for verdict in seen)


def strays(verdict: Verdict) -> tuple[Box, ...]:
    """Return where things were seen that stand in no region."""
    return tuple(seen.box for seen in verdict.evidence if seen.box is not None and seen.region is None)


def fit(box: Box, region: Region) -> float:
    """Return how well a thing that was seen stands in a region, in [0, 1]: what both share, of what either covers.

    Words are seen without the board that they stand on: what counts is how much of them lies on it.
    """
    return shared_area(box, region.box) / box.area if region.text else likeness(box, region.box)


def _seen(verdict: Verdict, regions: Sequence[Region]) -> Verdict:
    """Return a verdict whose observations name the regions in which they stand: each region once, the best first."""
    places = _matched([seen.box for seen in verdict.evidence], regions)
    evidence = tuple(o.model_copy(update={"region": places.get(i)}) for i, o in enumerate(verdict.evidence))
    return verdict.model_copy(update={"evidence": evidence})


def _matched(boxes: Sequence[Box | None], regions: Sequence[Region]) -> Mapping[int, str]:
    """Return which box stands in which region: {place in the list: region's id}."""
    fits = [(fit(box, r), i, r.id) for i, box in enumerate(boxes) if box is not None for r in regions]
    places: dict[int, str] = {}
    for share, i, name in sorted(fits, key=lambda found: -found[0]):
        if share >= STANDS and i not in places and name not in places.values():
            places[i] = name
    return places


def _as_put(spec: Specification, verdict: Verdict) -> Verdict:
    """Return a verdict that is met only if the thing stands where a person put it, if one did."""
    own = own_regions(spec, verdict.commitment)
    if verdict.outcome != "met" or not own:
        return verdict
    if not any(seen.box for seen in verdict.evidence):
        reason = f"{verdict.reason}; whether it stands where you put it, nobody saw"
        return verdict.model_copy(update={"outcome": None, "reason": reason})
    stands_in = {seen.region for seen in verdict.evidence}
    missed = [region for region in own if region.id not in stands_in]
    if not missed:
        return verdict
    reason = f"{verdict.reason}; none stands at {', '.join(str(region.box) for region in missed)}, where you put it"
    return verdict.model_copy(update={"outcome": "violated", "reason": reason})


def _at_fault(verdict: Verdict, commitment: Commitment, regions: Sequence[Region]) -> Verdict:
    """Return a violated verdict with the regions at fault.

    They are those of its things in which nothing stands that fits, or more than one; where there are none of these and
    nothing stands elsewhere, all of its things'.
    """
    if verdict.outcome != "violated":
        return verdict
    speaks_of = {commitment.id, *commitment.targets}
    mine, others = [region for region in regions if speaks_of.intersection(region.commitments)], strays(verdict)
    kept = {seen.region for seen in verdict.evidence if seen.fits}
    crowded = {region.id for region in mine if any(fit(box, region) >= STANDS for box in others)}
    missed = [region.id for region in mine if region.id not in kept - crowded]
    return verdict.model_copy(update={"regions": tuple(missed if missed or others else [r.id for r in mine])})
