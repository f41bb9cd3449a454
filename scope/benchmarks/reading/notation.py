"""The notation in which a template says what is true: statements between semicolons.

    A: pig | A: pig of W        a thing; one of several that are W
    A = 3 | A >= 3 | A <= 3 | A = 3-5
    A is red | A isn't red      a quality; red/crimson: either will do
    A -left of- B | A !-touching- B | A -between- B, C
    A <bigger than> B           a comparison
    A at top left               a place in the picture
    A says STOP | A !says STOP  words on it; says STOP: words on nothing that is known
    no dog | or a cat/a dog     an absence; a choice
    setting beach | style oil painting | camera close-up

A statement after "?" may be promised, and need not be.
"""

import re
from collections.abc import Callable
from dataclasses import replace

from scope.benchmarks.reading.atoms import CHOICE, Atom, choice, folded
from scope.errors import ScopeError
from scope.specification import Type
from scope.specification.commitments import Comparator


def atoms(statements: str) -> list[Atom]:
    """Return the atoms that statements say.

    Raises: ScopeError if one is not of the notation.
    """
    return [_statement(part.strip()) for part in statements.split(";") if part.strip()]


def _statement(said: str) -> Atom:
    demanded, rest = not said.startswith("?"), said.removeprefix("?").strip()
    for pattern, make in _STATEMENTS:
        if match := pattern.fullmatch(rest):
            return replace(make(match), demanded=demanded)
    raise ScopeError(f"a template says {said!r}, which is no statement")


def _values(said: str) -> frozenset[str]:
    return frozenset(folded(value) for value in said.split("/"))


def _thing(m: re.Match[str]) -> Atom:
    return Atom(Type.PRESENCE, _values(m["value"]), tuple(filter(None, (m["a"], m["whole"]))))


def _count(m: re.Match[str]) -> Atom:
    if m["upto"]:
        return Atom(Type.COUNT, _values(m["n"]), (m["a"],), comparator="between", upto=int(m["upto"]))
    return Atom(Type.COUNT, _values(m["n"]), (m["a"],), comparator=_COMPARATORS[m["sign"]])


def _quality(m: re.Match[str]) -> Atom:
    return Atom(Type.ATTRIBUTE, _values(m["value"]), (m["a"],), denied=bool(m["not"]))


def _relation(m: re.Match[str]) -> Atom:
    things = (m["a"], *re.split(r",\s*", m["b"]))
    return Atom(Type.RELATION, _values(m["value"]), things, denied=bool(m["not"]))


def _comparison(m: re.Match[str]) -> Atom:
    return Atom(Type.COMPARISON, _values(m["value"]), (m["a"], m["b"]), denied=bool(m["not"]))


def _words(m: re.Match[str]) -> Atom:
    return Atom(Type.TEXT, frozenset({folded(m["value"])}), (m["a"],) if m["a"] else (), denied=bool(m["not"]))


def _place(m: re.Match[str]) -> Atom:
    return Atom(Type.PLACE, _values(m["value"]), (m["a"],))


def _of_scene(m: re.Match[str]) -> Atom:
    return Atom(_SCENE[m["what"]], _values(m["value"]))


def _choice(m: re.Match[str]) -> Atom:
    return Atom(CHOICE, frozenset({choice(m["value"].split("/"))}))


_COMPARATORS: dict[str, Comparator] = {"=": "==", ">=": ">=", "<=": "<="}
_SCENE = {"no": Type.ABSENCE, "setting": Type.SETTING, "style": Type.STYLE, "camera": Type.CAMERA}
_STATEMENTS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Atom]], ...] = tuple(
    (re.compile(pattern), make)
    for pattern, make in (
        (r"(?P<a>[A-Z]): (?P<value>[^;]+?)(?: of (?P<whole>[A-Z]))?", _thing),
        (r"(?P<a>[A-Z]) (?P<sign>=|>=|<=) (?P<n>\d+)(?:-(?P<upto>\d+))?", _count),
        (r"(?P<a>[A-Z]) is(?P<not>n't)? (?P<value>.+)", _quality),
        (r"(?P<a>[A-Z]) (?P<not>!)?-(?P<value>.+)- (?P<b>[A-Z](?:, [A-Z])*)", _relation),
        (r"(?P<a>[A-Z]) (?P<not>!)?<(?P<value>.+)> (?P<b>[A-Z])", _comparison),
        (r"(?:(?P<a>[A-Z]) )?(?P<not>!)?says (?P<value>.+)", _words),
        (r"(?P<a>[A-Z]) at (?P<value>.+)", _place),
        (r"(?P<what>no|setting|style|camera) (?P<value>.+)", _of_scene),
        (r"or (?P<value>.+)", _choice),
    )
)
