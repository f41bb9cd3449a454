"""The truth of prompts that come with it: GenEval's metadata, and the plans behind the captions of the pocket world."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from scope.benchmarks.reading.atoms import Atom, folded
from scope.specification import Type
from scope.worlds.pocket import Plan
from scope.worlds.pocket.catalogue import STYLES
from scope.worlds.pocket.drawn import said_of
from scope.worlds.pocket.settings import parts

_Relation = tuple[str, tuple[int, ...]]  # name, and the places of its subject and its objects


def of_geneval(include: list[dict[str, Any]]) -> list[Atom]:
    """Return what the metadata of a prompt of GenEval say: `include` are its things."""
    things = [(i["class"], i["count"], i.get("color")) for i in include]
    placed = ((at, item["position"]) for at, item in enumerate(include) if "position" in item)
    return _atoms(things, [(name, (at, other)) for at, (name, other) in placed])


def of_plan(plan: Plan) -> list[Atom]:
    """Return what a caption of a plan says."""
    things: list[tuple[str, int, str | None]] = [(g.noun, g.count, g.color) for g in plan.groups]
    found = _atoms(things, [(plan.relation, tuple(range(len(things))))] if plan.relation else [])
    if plan.setting != "plain":
        found += [Atom(Type.SETTING, frozenset(map(folded, said_of(part)))) for part in parts(plan.setting)]
    found += [_atom(Type.ABSENCE, noun) for noun in plan.absent]
    if plan.style in STYLES:
        found.append(_atom(Type.STYLE, STYLES[plan.style].name))
    if plan.text:
        found += [*_thing("sign", "sign", 1, None), _atom(Type.TEXT, plan.text, "sign")]
        beside = (_atom(Type.RELATION, "with", str(at), "sign") for at in range(len(things)))  # "a cat, with a sign"
        found += [replace(atom, demanded=False) for atom in beside]
    return found


def _atoms(things: list[tuple[str, int, str | None]], relations: Iterable[_Relation]) -> list[Atom]:
    said = [atom for at, (noun, count, color) in enumerate(things) for atom in _thing(str(at), noun, count, color)]
    return said + [_atom(Type.RELATION, name, *map(str, places)) for name, places in relations]


def _thing(name: str, noun: str, count: int, color: str | None) -> list[Atom]:
    """Return the atoms of a thing; that "a" is one may be said, and need not be."""
    number = Atom(Type.COUNT, frozenset({str(count)}), (name,), demanded=count > 1)
    colored = [_atom(Type.ATTRIBUTE, color, name)] if color else []
    return [_atom(Type.PRESENCE, noun, name), number, *colored]


def _atom(type_: Type, value: str, *things: str) -> Atom:
    return Atom(type_, frozenset({folded(value)}), things)
