"""The pocket world: scenes of real drawings with exact truth. A scene is a pure function of (plan, seed).

A `Plan` says what is in a picture (plan.py) and is drawn at random (sampling.py), from a split (splits.py), or from
commitments (planning.py). `compose` draws it and returns the truth (scene.py); `caption` words it, with the characters
that carry each entity; `specification` gives the commitments of its prompt, and `counterfactual` a plan that violates
one of them (ground_truth.py). Objects stand on a 16-px grid and never overlap (placing.py). An edit changes what a
scene holds (content_edits.py) or how it looks (appearance_edits.py).
"""

from scope.worlds.pocket.captions import Caption, caption, noun_phrase
from scope.worlds.pocket.ground_truth import counterfactual, specification
from scope.worlds.pocket.plan import Group, Plan, check
from scope.worlds.pocket.planning import plan_of
from scope.worlds.pocket.relations import holds
from scope.worlds.pocket.sampling import WORDS, sample, sample_whole, single_object
from scope.worlds.pocket.scene import Layout, Object, Scene, arrange, compose, draw
from scope.worlds.pocket.splits import SPLITS, Split, held_out

__all__ = [
    "SPLITS",
    "WORDS",
    "Caption",
    "Group",
    "Layout",
    "Object",
    "Plan",
    "Scene",
    "Split",
    "arrange",
    "caption",
    "check",
    "compose",
    "counterfactual",
    "draw",
    "held_out",
    "holds",
    "noun_phrase",
    "plan_of",
    "sample",
    "sample_whole",
    "single_object",
    "specification",
]
