"""How well things are placed: GenEval's prompts as they are read, and drawn specifications with everything in them.

`placed`: share of prompts of which every thing has its box and every rule is kept, judged by `geometry.holds`: as many
boxes as are asked for, no two overlapping but what is asked to. `ms`: processor time of a prompt's layout, mean and
95th percentile, after the solver is loaded. `clashes_said`: share of impossible prompts whose clash is named exactly.
"""

import json
import random
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from importlib.resources import files
from itertools import combinations

import numpy as np

from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.results import Metric, Results, Row
from scope.parsing.grammar import Grammar
from scope.skills.layouts.rules import Rule, Thing, rules_of, things_of
from scope.skills.layouts.solver import Layout, solve
from scope.specification import Box, Cause, Commitment, Kind, Specification, Type
from scope.specification.geometry import COMPARISONS, OVERLAPPING, PLACES, RELATIONS, holds, overlap
from scope.specification.placements import MOST_REGIONS

GENEVAL_PROMPTS = 553
DRAWN = 200  # specifications of each kind
CANVASES = ((16, 9), (9, 16), (3, 1), (1, 3), (4, 5), (21, 9))
SQUARE = ((1, 1),)


@dataclass
class Draft:
    """A specification that is drawn up: a number of things each of several nouns, and what holds of them."""

    counts: Sequence[int]
    rules: Sequence[tuple[str, tuple[int, ...]]] = ()

    def specification(self) -> Specification:
        """Return it as a reader would: entities e1, e2, ..., their counts, then the rules in their order."""
        spec, cause, number = Specification(prompt="a drawn specification"), Cause(kind="world", name="bench"), 0
        for i, count in enumerate(self.counts, start=1):
            entity = Commitment(
                id=f"e{i}", kind=Kind.ENTITY, type=Type.PRESENCE, claim=f"there is a thing {i}", value=f"thing{i}"
            )
            spec = spec.declare(entity, cause)
            if count != 1:
                number += 1
                spec = spec.declare(_constraint(f"c{number}", Type.COUNT, count, (f"e{i}",)), cause)
        for name, of in self.rules:
            number += 1
            targets = tuple(f"e{i + 1}" for i in of)
            spec = spec.declare(_constraint(f"c{number}", _type_of(name), name, targets), cause)
        return spec


def measure() -> Results:
    """Return how well layouts are solved."""
    rng = random.Random(0)
    crowded = [_crowded(rng) for _ in range(DRAWN)]
    return Results(
        name="layout",
        command="scope bench layout",
        seeds=(0,),
        n_expected=GENEVAL_PROMPTS + 4 * DRAWN,
        rows=(
            _row("geneval", _geneval()),
            _row("crowded", crowded),
            _row("relations", [_related(rng) for _ in range(DRAWN)]),
            _clash_row([_impossible(rng) for _ in range(DRAWN)]),
            _row("free_canvas", crowded, CANVASES),
        ),
    )


def is_whole(things: Sequence[Thing], rules: Sequence[Rule], layout: Layout) -> bool:
    """Return whether a layout has a box for each thing, keeps every rule, and overlaps nothing but what is asked to."""
    if layout.clashes or len(layout.boxes) != len(things):
        return False
    kept = (holds(r.name, *([layout.boxes[i] for i in group] for group in r.groups)) for r in rules)
    return all(kept) and not any(forbidden(rules, layout.boxes))


def forbidden(rules: Sequence[Rule], boxes: Sequence[Box]) -> Iterator[tuple[int, int]]:
    """Yield the pairs that overlap though no chain of things on, in, before or behind each other joins them."""
    joined = {i: {i} for i in range(len(boxes))}
    for rule in (r for r in rules if r.name in OVERLAPPING):
        together = set().union(*(joined[i] for group in rule.groups for i in group))
        joined |= dict.fromkeys(together, together)
    for i, j in combinations(range(len(boxes)), 2):
        if overlap(boxes[i], boxes[j]) and j not in joined[i]:
            yield i, j


# -- rows ----------------------------------------------------------------------------------------


def _row(name: str, specs: Sequence[Specification], canvases: Sequence[tuple[int, int]] = SQUARE) -> Row:
    solve((), ())  # loads the solver
    whole, ms = [], []
    for seed, spec in enumerate(specs):
        width, height = canvases[seed % len(canvases)]
        things = things_of(spec)
        rules = rules_of(spec, things)
        began = time.process_time()
        layout = solve(things, rules, seed=seed, width=width, height=height)
        ms.append(1000 * (time.process_time() - began))
        whole.append(is_whole(things, rules, layout))
    return Row(name=name, metrics={"placed": share(sum(whole), len(whole)), **_milliseconds(ms)})


def _clash_row(cases: Sequence[tuple[Specification, tuple[str, ...]]]) -> Row:
    """Return how often the clash of an impossible specification is found, and nothing else."""
    said, ms = [], []
    for seed, (spec, clash) in enumerate(cases):
        things = things_of(spec)
        rules = rules_of(spec, things)
        began = time.process_time()
        layout = solve(things, rules, seed=seed)
        ms.append(1000 * (time.process_time() - began))
        said.append([set(found.commitments) for found in layout.clashes] == [set(clash)])
    return Row(name="clash", metrics={"clashes_said": share(sum(said), len(said)), **_milliseconds(ms)})


def _milliseconds(ms: Sequence[float]) -> dict[str, Metric]:
    return {
        "ms": Metric(value=round(float(np.mean(ms)), 1), n=len(ms)),
        "ms_p95": Metric(value=round(float(np.percentile(ms, 95)), 1), n=len(ms)),
    }


# -- what is placed ------------------------------------------------------------------------------


def _geneval() -> list[Specification]:
    path = files("scope.benchmarks") / "data" / "geneval" / "evaluation_metadata.jsonl"
    grammar = Grammar()
    return [grammar.decompose(json.loads(line)["prompt"]) for line in path.read_text(encoding="utf-8").splitlines()]


def _crowded(rng: random.Random) -> Specification:
    """Return four to six things in a chain, some of whose links are rules: such a chain can be kept."""
    count = rng.randint(4, 6)
    pairs = rng.sample([(i, i + 1) for i in range(count - 1)], rng.randint(1, 3))
    names = ("left of", "right of", "above", "below", "next to", "on", "in front of", "behind", "bigger than")
    chosen = [rng.choice(names) for _ in pairs]
    while sum(name in OVERLAPPING for name in chosen) > 1:  # a tower of them is no crowd
        chosen = [rng.choice(names[:5]) for _ in pairs]
    return Draft([1] * count, list(zip(chosen, pairs, strict=True))).specification()


def _related(rng: random.Random) -> Specification:
    """Return one relation, place or comparison of one to three things with one to three others, and a bystander."""
    name = rng.choice(sorted(RELATIONS | set(PLACES) | COMPARISONS))
    others = 0 if name in PLACES else 2 if name == "between" else 1
    counts = [rng.randint(1, 3), *(rng.randint(1, 3) if name != "between" else 1 for _ in range(others)), 1]
    return Draft(counts, [(name, tuple(range(1 + others)))]).specification()


def _impossible(rng: random.Random) -> tuple[Specification, tuple[str, ...]]:
    """Return a specification that no layout keeps, and its only clash."""
    match rng.choice(("ring", "opposites", "place", "many")):
        case "ring":
            count, name = rng.randint(2, 4), rng.choice(("left of", "above", "bigger than", "inside"))
            ring = [(name, (i, (i + 1) % count)) for i in range(count)]
            return Draft([1] * (count + 1), ring).specification(), tuple(f"c{i + 1}" for i in range(count))
        case "opposites":
            one, other = rng.choice((("left of", "right of"), ("above", "below"), ("taller than", "shorter than")))
            rules = [(one, (0, 1)), ("next to", (2, 3)), (other, (0, 1))]
            return Draft([1] * 4, rules).specification(), ("c1", "c3")
        case "place":
            placed: list[tuple[str, tuple[int, ...]]] = [
                ("left", (0,)),
                ("right of", (0, 1)),
                ("right", (1,)),
                ("top", (2,)),
            ]
            return Draft([1] * 3, placed).specification(), ("c1", "c2", "c3")
    count = rng.randint(MOST_REGIONS + 1, 2 * MOST_REGIONS)
    return Draft([count]).specification(), ("e1",)


def _constraint(identity: str, type_: Type, value: str | int, targets: tuple[str, ...]) -> Commitment:
    claim = f"{' '.join(targets)}: {value}"
    return Commitment(
        id=identity, kind=Kind.CONSTRAINT, type=type_, claim=claim, value=value, targets=targets, depends_on=targets
    )


def _type_of(name: str) -> Type:
    return Type.PLACE if name in PLACES else Type.COMPARISON if name in COMPARISONS else Type.RELATION
