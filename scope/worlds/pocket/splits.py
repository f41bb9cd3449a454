"""What training never sees, told by a hash of what a plan says, so that no list of it has to be kept.

A pair of colour and noun, a pair of related nouns, and a word on a sign are held out, one in eight of each. Training
draws only plans of which nothing is held out; evaluation draws plans of which something is. The drawings of
`catalogue.HELD_OUT_VENDORS` are held out besides, all of them: they are no style of any plan that is sampled.
"""

import zlib
from typing import Literal, get_args

from scope.worlds.pocket.plan import Plan

Split = Literal["train", "held_out"]
SPLITS: tuple[str, ...] = get_args(Split)


def held_out(plan: Plan) -> bool:
    """Return whether something in the plan is held out."""
    colors = any(g.color and _one_in_eight(g.noun, g.color) for g in plan.groups)
    others = plan.groups[1 : 3 if plan.relation == "between" else 2] if plan.relation else ()
    pairs = any(_one_in_eight(plan.groups[0].noun, other.noun) for other in others)
    words = plan.text is not None and _one_in_eight(plan.text)
    return colors or pairs or words


def _one_in_eight(*key: str) -> bool:
    return zlib.crc32("|".join(key).encode()) % 8 == 0
