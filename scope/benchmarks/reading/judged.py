"""Three hundred prompts of DSG and DPG-Bench, half of each, drawn by seed; a person judged what the grammar promises.

data/judged/claims.jsonl holds a line a prompt: its id, and under each verdict the claims that were given it. Claims are
known by their words, so that a change of the grammar leaves open what it newly claims, and that alone; of several with
the same words the second is "... (2)".

    right       said by the prompt, and a picture can show it
    false       not said: wrong thing, wrong owner, wrong number, nonsense
    no_thing    true, but nothing that a picture can have or lack
    duplicate   said already by another claim
"""

import json
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

import numpy as np

from scope.benchmarks.reading import public
from scope.specification import Kind, Specification, Type

SETS, EACH, SEED = ("dsg", "dpg_bench"), 150, 0
VERDICTS = ("right", "false", "no_thing", "duplicate")
_RELATIONS = frozenset({Type.RELATION, Type.COMPARISON})


@dataclass(frozen=True)
class Judged:
    """One promise. `verdict` is None where nobody judged it yet."""

    prompt: str  # the id
    claim: str
    is_relation: bool
    verdict: str | None


def drawn() -> dict[str, str]:
    """Return the prompts that are judged, by "SET/ID"."""
    rng = np.random.default_rng(SEED)
    found = {}
    for name in SETS:
        prompts = public.prompts(name)
        for id_ in sorted(rng.choice(sorted(prompts), EACH, replace=False)):
            found[f"{name}/{id_}"] = prompts[id_]
    return found


def judge(prompt: str, spec: Specification) -> Iterator[Judged]:
    """Yield what a specification promises of one of the prompts, with what a person said of it."""
    known, seen = _judgements().get(prompt, {}), Counter[str]()
    for c in spec.commitments:
        if c.kind is not Kind.UNKNOWN:
            seen[c.claim] += 1
            claim = f"{c.claim} ({seen[c.claim]})" if seen[c.claim] > 1 else c.claim
            yield Judged(prompt, claim, c.type in _RELATIONS, known.get(claim))


@cache
def _judgements() -> dict[str, dict[str, str]]:
    """Return prompt -> claim -> verdict."""
    text = (files("scope.benchmarks") / "data" / "judged" / "claims.jsonl").read_text(encoding="utf-8")
    lines = [json.loads(line) for line in text.splitlines()]
    return {line["prompt"]: {c: verdict for verdict in VERDICTS for c in line.get(verdict, ())} for line in lines}
