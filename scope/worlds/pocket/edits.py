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
from scope.worlds.pocket import appearance_edits as appearance
from scope.worlds.pocket import content_edits
from scope.worlds.pocket.appearance_edits import AppearanceEdit, Area
from scope.worlds.pocket.catalogue import COLOR_NAMES, COLORS, NOUNS, SETTINGS, TONED, TONES, VENDORS
from scope.worlds.pocket.content_edits import ContentEdit
from scope.worlds.pocket.plan import Group, Plan
from scope.worlds.pocket.relations import OPPOSITE, XyxyPx
from scope.worlds.pocket.rng import Rng, pick
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
    (`APPEARANCE_EDITS`) they still name the colours and the setting of before.
    """

    before: Scene
    after: Scene
    instruction: str
    family: str
    changed: Area


Apply = Callable[[Layout, Any, Rng], tuple[Scene, str, Area] | None]


@dataclass(frozen=True)
class Family:
    """One kind of edit: how its parameter is drawn, what is done (None: not to this scene), and on what."""

    choose: Callable[[Rng], Any]
    apply: Apply
    prepare: Callable[[Plan, Rng], Plan] = lambda plan, rng: plan


def pair(family: str, seed: int, content: int | None = None, split: Split = "train") -> EditPair:
    """Return one edit of a family. `content` None: `seed`; with another one the same edit is done to another scene.

    The scenes before are of the split; of "train" those after are too.

    Raises: UsageError if there is no such family.
    """
    kind, code = _family(family), zlib.crc32(family.encode())
    parameter = kind.choose(np.random.default_rng((code, seed)))
    rng = np.random.default_rng((code, seed if content is None else content, 1))
    for _ in range(_TRIES):
        plan = kind.prepare(sample_whole(rng, split), rng)
        if held_out(plan) != (split == "held_out"):
            continue
        layout = arrange(plan, int(rng.integers(2**32)), grid=True)
        edited = kind.apply(layout, parameter, rng)
        if edited is not None and not (split == "train" and held_out(edited[0].plan)):
            after, instruction, changed = edited
            return EditPair(draw(layout), after, instruction, family, changed)
    raise ScopeError(f"no scene suits the edit {family!r} with {parameter!r}; take another seed")


def families(names: str) -> tuple[str, ...]:
    """Return the families that "all", "trained", "held_out" or names with commas between them mean; "": none.

    Raises: UsageError if there is no such family.
    """
    sets = {"all": tuple(FAMILIES), "trained": TRAINED_FAMILIES, "held_out": HELD_OUT_FAMILIES}
    if names in sets:
        return sets[names]
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


def _any_of(*options: Any) -> Callable[[Rng], Any]:
    return lambda rng: pick(rng, options)


def _no_parameter(rng: Rng) -> None:
    """Return the parameter of an edit that has none."""


def _object(rng: Rng) -> Group:
    """Draw one object that training may see."""
    while True:
        group = Group(pick(rng, NOUNS), 1, pick(rng, (None, *COLORS)))
        if not held_out(Plan((group,))):
            return group


def _word(rng: Rng) -> str:
    """Draw a word that training may see."""
    while held_out(Plan((), text=(words := word(rng)))):
        pass
    return words


def _with_seed(draw_one: Callable[[Rng], Any]) -> Callable[[Rng], tuple[Any, int]]:
    return lambda rng: (draw_one(rng), int(rng.integers(2**32)))


# -- contents ------------------------------------------------------------------------------------


def _with_skin(plan: Plan, rng: Rng) -> Plan:
    """Return the plan with a person or a hand in its first group."""
    first = replace(plan.groups[0], noun=pick(rng, TONED), color=None, tone=pick(rng, (None, *TONES)))
    others = tuple(group for group in plan.groups[1:] if group.noun not in TONED)
    return replace(plan, groups=(first, *others), relation=None, style=VENDORS[0], absent=())


def _with_sign(plan: Plan, rng: Rng) -> Plan:
    """Return the plan with a sign, of one thing only so that there is room."""
    return replace(plan, groups=(replace(plan.groups[0], count=1),), relation=None, text=word(rng))


def _in_the_dry(plan: Plan, rng: Rng) -> Plan:
    """Return the plan where it neither rains nor snows."""
    return replace(plan, setting="plain") if plan.setting in appearance.WEATHERS else plan


# -- kinds ---------------------------------------------------------------------------------------


def _by_content(change: Callable[[Layout, Any, Rng], ContentEdit | None]) -> Apply:
    def apply(layout: Layout, parameter: Any, rng: Rng) -> tuple[Scene, str, Area] | None:
        edit = change(layout, parameter, rng)
        return None if edit is None else (draw(edit.layout), edit.instruction, edit.changed)

    return apply


def _by_appearance(change: Callable[[Scene, Any], AppearanceEdit], words: Callable[[Any], str]) -> Apply:
    def apply(layout: Layout, parameter: Any, rng: Rng) -> tuple[Scene, str, Area]:
        before = draw(layout)
        picture, changed = change(before, parameter)
        return replace(before, image=picture), words(parameter), changed

    return apply


def _mirror(axis: int, words: str) -> Apply:
    """Return the edit that turns a picture round: axis 1 left and right, 0 top and bottom. Signs are not turned."""
    reversed_relations = ("left of", "right of") if axis else ("above", "below", "on top of")

    def apply(layout: Layout, parameter: None, rng: Rng) -> tuple[Scene, str, Area] | None:
        if layout.board is not None:
            return None
        before = draw(layout)
        relation = before.plan.relation
        if relation is not None and relation in reversed_relations:
            relation = OPPOSITE.get(relation)  # nothing stands on top of a thing upside down
        after = Scene(
            np.flip(before.image, axis),
            tuple(replace(obj, xyxy_px=_mirrored(obj.xyxy_px, axis)) for obj in before.objects),
            replace(before.plan, relation=relation),
            np.flip(before.mask, axis),
        )
        return after, words, np.ones((SIZE, SIZE), bool)

    return apply


def _mirrored(box: XyxyPx, axis: int) -> XyxyPx:
    x0, y0, x1, y1 = box
    return (SIZE - x1, y0, SIZE - x0, y1) if axis else (x0, SIZE - y1, x1, SIZE - y0)


_WEATHER_WORDS = {"rain": "make it rain", "snow": "let it snow", "fog": "make it foggy"}

#: Edits of what is there.
CONTENT_EDITS: dict[str, Family] = {
    "recolour": Family(_any_of(*COLORS), _by_content(content_edits.recolour)),
    "skin-tone": Family(_any_of(*TONES), _by_content(content_edits.tone), _with_skin),
    "replace": Family(_object, _by_content(content_edits.swap_noun)),
    "add": Family(_object, _by_content(content_edits.add)),
    "count": Family(_no_parameter, _by_content(content_edits.add_one)),
    "remove": Family(_no_parameter, _by_content(content_edits.remove)),
    "move": Family(_any_of(*content_edits.DIRECTIONS), _by_content(content_edits.move)),
    "scale": Family(_any_of("larger", "smaller"), _by_content(content_edits.scale)),
    "swap": Family(_no_parameter, _by_content(content_edits.swap_places)),
    "restyle": Family(_any_of(*VENDORS), _by_content(content_edits.restyle)),
    "background": Family(_any_of(*SETTINGS), _by_content(content_edits.background)),
    "text": Family(_word, _by_content(content_edits.text), _with_sign),
    "mirror": Family(_no_parameter, _mirror(1, "mirror it")),
    "flip": Family(_no_parameter, _mirror(0, "turn it upside down")),
}

#: Edits of how it looks.
APPEARANCE_EDITS: dict[str, Family] = {
    "time-of-day": Family(
        _any_of(*appearance.TIMES), _by_appearance(appearance.time_of_day, lambda time: f"make it {time}")
    ),
    "weather": Family(
        _with_seed(_any_of(*appearance.WEATHERS)),
        _by_appearance(appearance.weather, lambda kind: _WEATHER_WORDS[kind[0]]),
        _in_the_dry,
    ),
    "outline": Family(
        _any_of("white", "black", "yellow"),
        _by_appearance(appearance.outline, lambda color: f"outline everything in {color}"),
    ),
    "silhouette": Family(
        _any_of("black", "white"),
        _by_appearance(appearance.silhouette, lambda color: f"turn everything into {color} silhouettes"),
    ),
    "frame": Family(
        lambda rng: (pick(rng, COLOR_NAMES), int(rng.integers(4, 9))),
        _by_appearance(appearance.frame, lambda kind: f"put a {kind[0]} frame around it"),
    ),
    "blur": Family(_any_of(1.5, 2.0, 3.0), _by_appearance(appearance.blur, lambda _: "blur it")),
    "pixelate": Family(
        _any_of(4, 8), _by_appearance(appearance.pixelate, lambda block: f"pixelate it in blocks of {block}")
    ),
    "noise": Family(_with_seed(_any_of(16.0, 28.0)), _by_appearance(appearance.noise, lambda _: "add noise")),
    "grayscale": Family(_no_parameter, _by_appearance(appearance.grayscale, lambda _: "make it black and white")),
    "sepia": Family(_no_parameter, _by_appearance(appearance.sepia, lambda _: "make it sepia")),
    "invert": Family(_no_parameter, _by_appearance(appearance.invert, lambda _: "invert the colours")),
    "posterise": Family(
        _any_of(2, 3, 4), _by_appearance(appearance.posterise, lambda levels: f"posterise it to {levels} levels")
    ),
    "brightness": Family(
        _any_of(0.55, 1.4),
        _by_appearance(appearance.brightness, lambda factor: f"make it {'darker' if factor < 1 else 'brighter'}"),
    ),
}

FAMILIES: dict[str, Family] = CONTENT_EDITS | APPEARANCE_EDITS
TRAINED_FAMILIES = tuple(name for name in FAMILIES if name not in HELD_OUT_FAMILIES)
