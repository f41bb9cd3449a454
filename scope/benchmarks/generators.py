"""What the shipped generator draws right in one draft: held-out prompts of the pocket world, by kind of promise.

Each task draws plans of which a pair (colour and noun, or two related nouns) was never trained on, words them, and
reads them as any prompt is read. The loop's own verifier scores, so these are the figures of the loop and not of an
independent judge; its ceiling is in verifiers.json.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import cache

import numpy as np

from scope.benchmarks.parser import share
from scope.benchmarks.results import Metric, Results, Row
from scope.errors import ScopeError
from scope.generators import flow
from scope.language.grammar import Grammar
from scope.skills.bind import request_of
from scope.spec import Specification, Type
from scope.verifiers import objects
from scope.worlds.catalogue import COLORS, FIRST, FIRST_RELATIONS, FIRST_SETTINGS
from scope.worlds.pocket import Group, Plan, caption, held_out

PROMPTS = 100  # per task
SEED = 700_000
Random = np.random.Generator


def _group(random: Random, noun: str, count: int = 1, colored: bool = True) -> Group:
    return Group(noun, count, str(random.choice(list(COLORS))) if colored else None)


def _pair(random: Random) -> list[str]:
    return [str(noun) for noun in random.choice(list(FIRST), 2, replace=False)]


def single_object(random: Random) -> Plan:
    """One coloured thing: is it there?"""
    return Plan((_group(random, str(random.choice(list(FIRST)))),))


def two_object(random: Random) -> Plan:
    """Two things, one of them coloured: are both there?"""
    first, second = _pair(random)
    return Plan((_group(random, first), _group(random, second, colored=False)))


def counting(random: Random) -> Plan:
    """Two to four coloured things: as many as were asked for?"""
    return Plan((_group(random, str(random.choice(list(FIRST))), int(random.integers(2, 5))),))


def position(random: Random) -> Plan:
    """Two things in a relation: are they there, and in place?"""
    first, second = _pair(random)
    return Plan((Group(first), Group(second)), str(random.choice(list(FIRST_RELATIONS))))


def color_attribution(random: Random) -> Plan:
    """Two coloured things: does each have its own colour?"""
    first, second = _pair(random)
    return Plan((_group(random, first), _group(random, second)))


def setting(random: Random) -> Plan:
    """One coloured thing in a setting: is it that setting?"""
    place = str(random.choice([s for s in FIRST_SETTINGS if s != "plain"]))
    return replace(single_object(random), setting=place)


#: Task -> (plans, the types of commitment that its score asks for).
TASKS: dict[str, tuple[Callable[[Random], Plan], frozenset[Type]]] = {
    "single_object": (single_object, frozenset({Type.PRESENCE})),
    "colors": (single_object, frozenset({Type.PRESENCE, Type.ATTRIBUTE})),
    "two_object": (two_object, frozenset({Type.PRESENCE})),
    "counting": (counting, frozenset({Type.PRESENCE, Type.COUNT})),
    "position": (position, frozenset({Type.PRESENCE, Type.RELATION})),
    "color_attribution": (color_attribution, frozenset({Type.PRESENCE, Type.ATTRIBUTE})),
    "setting": (setting, frozenset({Type.LAYOUT})),
}


def prompts(task: Callable[[Random], Plan], count: int = PROMPTS) -> list[Specification]:
    """Return `count` held-out prompts of a task, read."""
    random, grammar = np.random.default_rng(SEED), Grammar()
    specs: list[Specification] = []
    while len(specs) < count:
        plan = task(random)
        if held_out(plan):
            specs.append(grammar.decompose(caption(plan, random).text))
    return specs


def measure() -> Results:
    """Return the share of prompts of each task that one draft meets.

    Raises: ScopeError if fewer prompts were scored than expected.
    """
    generator, verifier = flow.load(), objects.load()
    metrics: dict[str, Metric] = {}
    draw = cache(lambda request: generator.generate([request])[0].image)  # two tasks ask about the same pictures
    for name, (task, types) in TASKS.items():
        met = []
        for seed, spec in enumerate(prompts(task)):
            image = draw(request_of(spec, seed=SEED + seed))
            asked = [c for c in spec.commitments if c.type in types]
            met.append(all(v.outcome == "met" for v in verifier.check(image, asked, spec)))
        if len(met) != PROMPTS:
            raise ScopeError(f"{name}: {len(met)} of {PROMPTS} prompts were scored; the figures are not written")
        metrics[name] = share(sum(met), len(met))
    row = Row(name=f"flow_{flow.STEPS}", metrics=metrics, note="one draft, no repair; scored by the loop's verifier")
    return Results(
        name="generators", command="scope bench generators", seeds=(SEED,), judge=f"{verifier.name}@{verifier.version}",
        n_expected=PROMPTS * len(TASKS), rows=(row,),
    )  # fmt: skip
