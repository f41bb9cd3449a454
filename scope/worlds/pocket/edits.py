"""Exact edit pairs: a scene, the same scene edited, the words for it. Pure functions of (family, seed, content).

A family is one kind of edit. Its parameter ("blue") comes from the seed alone, so that two contents of one seed show
one edit on two scenes: an exemplar, and what it shall be done to. What an edit does not touch is equal to the pixel.
"""

import zlib
from collections.abc import Callable
from dataclasses import dataclass, replace
from difflib import get_close_matches
from typing import Any

import numpy as np

from scope.errors import ScopeError, UsageError
from scope.worlds.pocket import looks, redrawn
from scope.worlds.pocket.catalogue import COLORS, CONCEPTS, SETTINGS, TONED, TONES, VENDORS
from scope.worlds.pocket.chance import Random, pick
from scope.worlds.pocket.looks import Area, Looked
from scope.worlds.pocket.plan import Group, Plan
from scope.worlds.pocket.redrawn import Redrawn
from scope.worlds.pocket.relations import OPPOSITE, Box
from scope.worlds.pocket.sampling import sample_whole
from scope.worlds.pocket.sampling import text as word
from scope.worlds.pocket.scene import Layout, Scene, arrange, draw
from scope.worlds.pocket.splits import Split, held_out
from scope.worlds.pocket.sprites import SIZE

#: Families that no editor is trained on. Each has a neighbour that is trained: scale and move, sepia and grayscale.
HELD_OUT_FAMILIES = ("scale", "restyle", "weather", "outline", "mirror", "sepia")

_TRIES = 10_000


@dataclass(frozen=True)
class EditPair:
    """A scene before and after an edit. Outside of `changed` (128, 128) the two pictures are equal to the pixel.

    The plan and the objects of `after` say what is in it and where. Of an edit that only changes how the picture looks
    (`LOOKS`) they still name the colours and the setting of before.
    """

    before: Scene
    after: Scene
    instruction: str
    family: str
    changed: Area


Apply = Callable[[Layout, Any, Random], tuple[Scene, str, Area] | None]


@dataclass(frozen=True)
class Family:
    """One kind of edit: how its parameter is drawn, what is done (None: not to this scene), and on what."""

    choose: Callable[[Random], Any]
    apply: Apply
    prepare: Callable[[Plan, Random], Plan] = lambda plan, random: plan


def pair(family: str, seed: int, content: int | None = None, split: Split = "train") -> EditPair:
    """Return one edit of a family. `content` None: `seed`; with another one the same edit is done to another scene.

    The scenes before are of the split; of "train" those after are too.

    Raises: UsageError if there is no such family.
    """
    known, code = _family(family), zlib.crc32(family.encode())
    parameter = known.choose(np.random.default_rng((code, seed)))
    random = np.random.default_rng((code, seed if content is None else content, 1))
    for _ in range(_TRIES):
        plan = known.prepare(sample_whole(random, split), random)
        if held_out(plan) != (split == "held_out"):
            continue
        layout = arrange(plan, int(random.integers(2**32)))
        edited = known.apply(layout, parameter, random)
        if edited is not None and not (split == "train" and held_out(edited[0].plan)):
            after, instruction, changed = edited
            return EditPair(draw(layout), after, instruction, family, changed)
    raise ScopeError(f"no scene suits the edit {family!r} with {parameter!r}; take another seed")


def families(names: str) -> tuple[str, ...]:
    """Return the families that "all", "trained", "held_out" or names with commas between them mean; "": none.

    Raises: UsageError if there is no such family.
    """
    known = {"all": tuple(FAMILIES), "trained": TRAINED_FAMILIES, "held_out": HELD_OUT_FAMILIES}
    if names in known:
        return known[names]
    chosen = tuple(name.strip() for name in names.split(",") if name.strip())
    for name in chosen:
        _family(name)
    return chosen


def _family(name: str) -> Family:
    if name not in FAMILIES:
        near = get_close_matches(name, FAMILIES, 1)
        hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(FAMILIES)}"
        raise UsageError(f"no edits named {name!r}; {hint}")
    return FAMILIES[name]


# -- parameters ----------------------------------------------------------------------------------


def _one_of(*options: Any) -> Callable[[Random], Any]:
    return lambda random: pick(random, options)


def _nothing(random: Random) -> None:
    """Return the parameter of an edit that has none."""


def _thing(random: Random) -> Group:
    """Draw one thing that training may see."""
    while True:
        group = Group(pick(random, tuple(CONCEPTS)), 1, pick(random, (None, *COLORS)))
        if not held_out(Plan((group,))):
            return group


def _word(random: Random) -> str:
    """Draw a word that training may see."""
    while held_out(Plan((), text=(said := word(random)))):
        pass
    return said


def _with_seed(draw_one: Callable[[Random], Any]) -> Callable[[Random], tuple[Any, int]]:
    return lambda random: (draw_one(random), int(random.integers(2**32)))


# -- contents ------------------------------------------------------------------------------------


def _with_skin(plan: Plan, random: Random) -> Plan:
    """Return the plan with a person or a hand in its first group."""
    first = replace(plan.groups[0], noun=pick(random, TONED), color=None, tone=pick(random, (None, *TONES)))
    others = tuple(group for group in plan.groups[1:] if group.noun not in TONED)
    return replace(plan, groups=(first, *others), relation=None, style=VENDORS[0], absent=())


def _with_sign(plan: Plan, random: Random) -> Plan:
    """Return the plan with a sign, of one thing only so that there is room."""
    return replace(plan, groups=(replace(plan.groups[0], count=1),), relation=None, text=word(random))


def _in_the_dry(plan: Plan, random: Random) -> Plan:
    """Return the plan where it neither rains nor snows."""
    return replace(plan, setting="plain") if plan.setting in looks.WEATHERS else plan


# -- kinds ---------------------------------------------------------------------------------------


def _redraw(change: Callable[[Layout, Any, Random], Redrawn | None]) -> Apply:
    def apply(layout: Layout, parameter: Any, random: Random) -> tuple[Scene, str, Area] | None:
        done = change(layout, parameter, random)
        return None if done is None else (draw(done.layout), done.instruction, done.changed)

    return apply


def _look(change: Callable[[Scene, Any], Looked], words: Callable[[Any], str]) -> Apply:
    def apply(layout: Layout, parameter: Any, random: Random) -> tuple[Scene, str, Area]:
        before = draw(layout)
        picture, changed = change(before, parameter)
        return replace(before, image=picture), words(parameter), changed

    return apply


def _turn(axis: int, words: str) -> Apply:
    """Return the edit that turns a picture round: axis 1 left and right, 0 top and bottom. Signs are not turned."""
    turned = ("left of", "right of") if axis else ("above", "below", "on top of")

    def apply(layout: Layout, parameter: None, random: Random) -> tuple[Scene, str, Area] | None:
        if layout.board is not None:
            return None
        before = draw(layout)
        relation = before.plan.relation
        if relation is not None and relation in turned:
            relation = OPPOSITE.get(relation)  # nothing stands on top of a thing upside down
        after = Scene(
            np.flip(before.image, axis),
            tuple(replace(thing, box=_turned(thing.box, axis)) for thing in before.objects),
            replace(before.plan, relation=relation),
            np.flip(before.mask, axis),
        )
        return after, words, np.ones((SIZE, SIZE), bool)

    return apply


def _turned(box: Box, axis: int) -> Box:
    x0, y0, x1, y1 = box
    return (SIZE - x1, y0, SIZE - x0, y1) if axis else (x0, SIZE - y1, x1, SIZE - y0)


_WEATHER_WORDS = {"rain": "make it rain", "snow": "let it snow", "fog": "make it foggy"}

#: Edits of what is there.
REDRAWN: dict[str, Family] = {
    "recolour": Family(_one_of(*COLORS), _redraw(redrawn.recolour)),
    "skin-tone": Family(_one_of(*TONES), _redraw(redrawn.tone), _with_skin),
    "replace": Family(_thing, _redraw(redrawn.swap_noun)),
    "add": Family(_thing, _redraw(redrawn.add)),
    "count": Family(_nothing, _redraw(redrawn.add_one)),
    "remove": Family(_nothing, _redraw(redrawn.remove)),
    "move": Family(_one_of(*redrawn.DIRECTIONS), _redraw(redrawn.move)),
    "scale": Family(_one_of("larger", "smaller"), _redraw(redrawn.scale)),
    "swap": Family(_nothing, _redraw(redrawn.swap_places)),
    "restyle": Family(_one_of(*VENDORS), _redraw(redrawn.restyle)),
    "background": Family(_one_of(*SETTINGS), _redraw(redrawn.background)),
    "text": Family(_word, _redraw(redrawn.text), _with_sign),
    "mirror": Family(_nothing, _turn(1, "mirror it")),
    "flip": Family(_nothing, _turn(0, "turn it upside down")),
}

#: Edits of how it looks.
LOOKS: dict[str, Family] = {
    "time-of-day": Family(_one_of(*looks.TIMES), _look(looks.time_of_day, lambda time: f"make it {time}")),
    "weather": Family(
        _with_seed(_one_of(*looks.WEATHERS)), _look(looks.weather, lambda kind: _WEATHER_WORDS[kind[0]]), _in_the_dry
    ),
    "outline": Family(
        _one_of("white", "black", "yellow"), _look(looks.outline, lambda color: f"outline everything in {color}")
    ),
    "silhouette": Family(
        _one_of("black", "white"), _look(looks.silhouette, lambda color: f"turn everything into {color} silhouettes")
    ),
    "frame": Family(
        lambda random: (pick(random, tuple(COLORS)), int(random.integers(4, 9))),
        _look(looks.frame, lambda kind: f"put a {kind[0]} frame around it"),
    ),
    "blur": Family(_one_of(1.5, 2.0, 3.0), _look(looks.blur, lambda _: "blur it")),
    "pixelate": Family(_one_of(4, 8), _look(looks.pixelate, lambda block: f"pixelate it in blocks of {block}")),
    "noise": Family(_with_seed(_one_of(16.0, 28.0)), _look(looks.noise, lambda _: "add noise")),
    "grayscale": Family(_nothing, _look(looks.grayscale, lambda _: "make it black and white")),
    "sepia": Family(_nothing, _look(looks.sepia, lambda _: "make it sepia")),
    "invert": Family(_nothing, _look(looks.invert, lambda _: "invert the colours")),
    "posterise": Family(_one_of(2, 3, 4), _look(looks.posterise, lambda levels: f"posterise it to {levels} levels")),
    "brightness": Family(
        _one_of(0.55, 1.4), _look(looks.brightness, lambda factor: f"make it {'darker' if factor < 1 else 'brighter'}")
    ),
}

FAMILIES: dict[str, Family] = REDRAWN | LOOKS
TRAINED_FAMILIES = tuple(name for name in FAMILIES if name not in HELD_OUT_FAMILIES)
