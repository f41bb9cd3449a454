"""The reward: how far pictures keep what was asked, by a detector that neither the loop nor a benchmark asks.

Checkpoints are chosen and policies are trained by it. Of each commitment it gives a share in [0, 1], which grows as the
picture comes nearer, and whether it is met:

    presence    probability of the likeliest thing of the noun        at least .3
    count       1 - |found - wanted| / the larger of the two          equal
    colour      probability of the colour, mean over things           the likeliest of each
    relation    of all pairs of things, those that stand so           all
    place       of all things, those that stand there                 all
    setting     probability                                           the likeliest
    style       probability, geometric mean over things               the likeliest
    absence     1 - probability of the likeliest thing of the noun    below .3
    text        1 - edits / the longer text, of the sign nearest      letter for letter

Things of one noun in two groups are told apart by their colours. What it knows nothing of it leaves out.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from jaxtyping import Float
from spacy.matcher.levenshtein import levenshtein
from torch import Tensor
from torch.nn import functional as F

from scope.models.reward_detector import RewardDetector, Seen, Thing, look
from scope.nn.boxes import xyxy
from scope.nn.weights import load_file, load_shipped
from scope.specification import Box, Commitment, Specification, Type, from_pixels, geometry
from scope.worlds.pocket.catalogue import COLOR_NAMES, SETTING_NAMES, STYLES, VENDORS, noun_of
from scope.worlds.pocket.drawn import drawn_for
from scope.worlds.pocket.settings import shows

SIDE = 128  # pixels: what the detector looks at
FOUND = 0.3  # probability of its noun from which a thing counts as there
_SURE = 0.9  # of a box's sides: so much of it is its thing's, wherever its edges are

_AXES = {"left of": (0, 1), "right of": (0, -1), "above": (1, 1), "below": (1, -1)}
_VENDOR_OF = {style.name: vendor for vendor, style in STYLES.items()}


@dataclass(frozen=True)
class Score:
    """How far one commitment is kept, and whether it is met."""

    share: float
    met: bool


Scores = dict[str, Score]


class Reward:
    """Looks at pictures, and scores them."""

    name, version = "reward", "4"

    def __init__(self, model: RewardDetector) -> None:
        self.model = model.eval()

    def score(self, images: Float[Tensor, "b 3 H W"], specs: Sequence[Specification]) -> list[Scores]:
        """Return the score of each commitment, by its id, of pictures in [-1, 1] of 128 or more pixels a side."""
        return [score(seen, spec) for seen, spec in zip(self.see(images), specs, strict=True)]

    def see(self, images: Float[Tensor, "b 3 H W"]) -> list[Seen]:
        """Return what is found in pictures. Things are looked for in 128 px, words in all pixels that there are."""
        small = images if images.shape[2:] == (SIDE, SIDE) else F.adaptive_avg_pool2d(images, SIDE)
        return look(self.model, small, images)


def load(path: Path | None = None) -> Reward:
    """Return the reward with the shipped weights, or with those of a file.

    Raises: WeightsError if they are missing or damaged.
    """
    model = RewardDetector()
    load_shipped(model, "reward") if path is None else load_file(model, path)
    return Reward(model)


def mean_share(scores: Scores) -> float:
    """Return the mean share of a picture's commitments; 1 where there are none."""
    return float(np.mean([s.share for s in scores.values()])) if scores else 1.0


def is_whole(scores: Scores) -> bool:
    """Return whether all commitments of a picture are met."""
    return all(s.met for s in scores.values())


def score(seen: Seen, spec: Specification) -> Scores:
    """Return the score of each commitment of which the reward knows something, by its id."""
    scores = ((c.id, _score(seen, c, spec)) for c in spec.commitments)
    return {id_: found for id_, found in scores if found is not None}


def _score(seen: Seen, c: Commitment, spec: Specification) -> Score | None:
    match c.type:
        case Type.PRESENCE | Type.ABSENCE | Type.COUNT | Type.ATTRIBUTE:
            return _of_things(seen, c, spec)
        case Type.RELATION | Type.PLACE | Type.COMPARISON:
            return _of_boxes(seen, c, spec)
        case Type.SETTING if c.targets and c.value in geometry.PLACES:
            return _of_boxes(seen, c, spec)
        case Type.SETTING if (wanted := drawn_for(c)) is not None:
            return _setting(seen.setting, wanted)
        case Type.STYLE if c.value in _VENDOR_OF:
            return _style(seen, _VENDOR_OF[str(c.value)])
        case Type.TEXT:
            return _text(seen, str(c.value))
    return None


def _setting(chances: Sequence[float], wanted: str) -> Score:
    """Return the score of all settings together that show what is wanted."""
    shown = [i for i, setting in enumerate(SETTING_NAMES) if shows(setting, wanted)]
    return Score(sum(chances[i] for i in shown), int(np.argmax(chances)) in shown)


def _chosen(chances: Sequence[float], index: int) -> Score:
    return Score(chances[index], int(np.argmax(chances)) == index)


# -- things --------------------------------------------------------------------------------------


def _of_things(seen: Seen, c: Commitment, spec: Specification) -> Score | None:
    if c.type is Type.ABSENCE:
        noun = noun_of(str(c.value))
        chance = max((t.score for t in seen.things if t.noun == noun), default=0.0)
        return Score(1 - chance, chance < FOUND) if noun else None
    things = things_of(seen, c.targets[0] if c.targets else c.id, spec)
    if things is None:
        return None
    if c.type is Type.PRESENCE:
        chance = max((t.score for t in things), default=0.0)
        return Score(chance, chance >= FOUND)
    found = [t for t in things if t.score >= FOUND]
    if c.type is Type.COUNT:
        wanted = _nearest(len(found), c)
        return Score(1 - abs(len(found) - wanted) / max(len(found), wanted, 1), c.allows(len(found)))
    return _color(found, c)


def _nearest(number: int, count: Commitment) -> int:
    """Return the number nearest to this one that a count allows."""
    fewest, most = count.bounds
    return max(fewest, number if most is None else min(number, most))


def _color(things: list[Thing], c: Commitment) -> Score | None:
    color = drawn_for(c)
    if color is None:
        return None
    index = COLOR_NAMES.index(color)
    parts = [_chosen(t.color, index) for t in things]
    shares = [1 - part.share if c.denied else part.share for part in parts]
    return Score(_mean(shares), bool(parts) and all(part.met is not c.denied for part in parts))


def things_of(seen: Seen, entity_id: str, spec: Specification) -> list[Thing] | None:
    """Return what is found of an entity, however unlikely; None: its noun is not of the world, or nothing tells it."""
    entity, color = spec[entity_id], _color_of(entity_id, spec)
    noun = noun_of(str(entity.value))
    if noun is None or (entity.part_of is not None and color is None):
        return None
    siblings = [e for e in spec.of(Type.PRESENCE) if noun_of(str(e.value)) == noun]
    things = [t for t in seen.things if t.noun == noun]
    if color is None or len(siblings) == 1 or any(e.part_of == entity_id for e in siblings):
        return things
    return [t for t in things if COLOR_NAMES[int(np.argmax(t.color))] == color]


def _color_of(entity_id: str, spec: Specification) -> str | None:
    colors = (drawn_for(c) for c in spec.about(entity_id) if c.type is Type.ATTRIBUTE and not c.denied)
    return next(filter(None, colors), None)


# -- where they stand ----------------------------------------------------------------------------


def _of_boxes(seen: Seen, c: Commitment, spec: Specification) -> Score | None:
    found = [things_of(seen, target, spec) for target in c.targets]
    groups = [[t for t in things if t.score >= FOUND] for things in found if things is not None]
    if len(groups) < len(found) or geometry.canonical(str(c.value)) is None:
        return None
    if not groups or not all(groups):
        return Score(0.0, False)
    holds = [held is not c.denied for held in _pairs(str(c.value), groups)]
    return Score(_mean(holds), all(holds))


def _pairs(name: str, groups: list[list[Thing]]) -> Iterator[bool]:
    """Yield of each subject, and each other thing, whether they stand so; edges are known to some pixels only."""
    if name in _AXES:
        axis, sign = _AXES[name]
        yield from (sign * (o.box[axis] - s.box[axis]) > 0 for s in groups[0] for o in groups[1])
        return
    boxes = [[_box(t) for t in group] for group in groups]
    yield from (bool(geometry.holds(name, [box], *boxes[1:])) for box in boxes[0])


def _box(thing: Thing) -> Box:
    x, y, width, height = thing.box
    return from_pixels(xyxy((x, y, _SURE * width, _SURE * height)), SIDE, SIDE)


# -- the whole -----------------------------------------------------------------------------------


def _style(seen: Seen, vendor: str) -> Score:
    found = [np.log(np.clip(t.style, 1e-6, 1)) for t in seen.things if t.score >= FOUND]
    if not found:
        return Score(0.0, False)
    mean = np.exp(np.mean(found, 0))
    return _chosen((mean / mean.sum()).tolist(), VENDORS.index(vendor))


def _text(seen: Seen, wanted: str) -> Score:
    wanted = "".join(ch for ch in wanted.upper() if ch.isalnum())
    texts = (*seen.words, "".join(seen.words))
    shares = [1 - int(levenshtein(text, wanted)) / max(len(text), len(wanted), 1) for text in texts]
    return Score(max(shares), wanted in texts)


def _mean(values: Sequence[float]) -> float:
    return float(np.mean(values)) if len(values) else 0.0
