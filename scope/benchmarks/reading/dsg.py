"""DSG's 1,060 prompts against its tuples: things, colours, numbers, and where things are.

A tuple is read where the specification says it of a thing of that noun, which is called by its value, by the words of
the prompt, or by its last word alone ("man's shorts" are the shorts). Where DSG names as a thing what the prompt is
about otherwise, a setting or words to be read will do. A number needs its count, or none where it is one; a colour all
its words; a relation both ends in their order and the same relation, or its converse the other way round.
A tuple that asks what the prompt does not say is missed, and counts.
"""

import re
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator

from scope.benchmarks.reading import public
from scope.parsing import lexicon
from scope.parsing.english import singular
from scope.specification import Commitment, Specification, Type
from scope.specification.geometry import ALIASES, CONVERSE

_TUPLE = re.compile(r"(?P<kind>[\w ]+ - [\w ]+?) \((?P<said>.+)\)$")
#: Relations that say the same of two things, beside those that boxes do not tell apart.
_ALIKE = {"over": "above", "beneath": "below", "hold": "holding", "wear": "wearing", "has": "with", "have": "with"}

Parts = tuple[str, ...]


def tuples() -> dict[str, list[tuple[str, Parts]]]:
    """Return the tuples of each prompt by its id: (kind, parts)."""
    found: dict[str, list[tuple[str, Parts]]] = defaultdict(list)
    for line in public.dsg():
        if match := _TUPLE.fullmatch(line["tuple"].strip()):
            parts = tuple(part.strip().lower() for part in match["said"].split(","))
            found[line["item_id"]].append((match["kind"], parts))
    return found


def read(spec: Specification, said: Iterable[tuple[str, Parts]]) -> dict[str, list[bool]]:
    """Return, by what is asked, whether each tuple of a prompt is read."""
    answers: dict[str, list[bool]] = defaultdict(list)
    for kind, parts in said:
        what, is_read = _ASKED.get(kind, ("", None))
        if is_read is not None and (kind != "other - count" or re.fullmatch(r"==\d+", parts[-1])):
            answers[what].append(is_read(spec, *parts))
    return answers


def _entity(spec: Specification, *words: str) -> bool:
    noun = ", ".join(words)
    return bool(_things(spec, noun)) or _is_elsewhere(spec, noun)


def _count(spec: Specification, *parts: str) -> bool:
    """Return whether one thing of the noun, or all of them together, are said to be so many."""
    number, things = int(parts[-1].removeprefix("==")), _things(spec, ", ".join(parts[:-1]))
    counts = [_number(spec, thing) for thing in things]
    return bool(things) and (number in counts or number == sum(counts))


def _number(spec: Specification, thing: Commitment) -> int:
    """Return how many a thing is said to be; 0 if that is not exact, and 1 of a singular of which nothing is said."""
    counts = [c for c in spec.about(thing.id) if c.type is Type.COUNT]
    exact = [int(c.value) for c in counts if c.comparator == "=="]
    return exact[0] if exact else int(not counts and not thing.claim.startswith("there are"))


def _color(spec: Specification, *parts: str) -> bool:
    """Return whether all words of the colour are said of things of the noun, or of the setting that it is."""
    noun = ", ".join(parts[:-1])
    wanted = {_color_word(word) for word in re.findall(r"\w+", parts[-1]) if word not in {"and", "color", "colors"}}
    for thing in _things(spec, noun):
        said = [str(thing.value), *(str(c.value) for c in spec.about(thing.id) if c.type is Type.ATTRIBUTE)]
        if wanted <= _color_words(said):
            return True
    return _is_elsewhere(spec, noun) and wanted <= _color_words(str(c.value) for c in spec.of(Type.SETTING))


def _spatial(spec: Specification, *parts: str) -> bool:
    """Return whether a relation, or a place in the picture, says where a thing is."""
    if len(parts) == 2:
        places = {c.value for t in _things(spec, parts[0]) for c in spec.about(t.id) if c.type is Type.PLACE}
        return lexicon.PLACE_OF.get(parts[1], parts[1]) in places
    if len(parts) != 3:
        return False
    subject, object_, said = parts
    a, b = ({thing.id for thing in _things(spec, noun)} for noun in (subject, object_))
    wanted = _relation(said)
    for c in spec.of(Type.RELATION):
        name, first, others = _relation(str(c.value)), c.targets[0], set(c.targets[1:])
        as_said = name == wanted and first in a and others & b
        turned = _CONVERSE.get(name) == wanted and first in b and others & a
        if not c.denied and (as_said or turned):
            return True
    return False


_ASKED: dict[str, tuple[str, Callable[..., bool]]] = {
    "entity - whole": ("entity", _entity),
    "attribute - color": ("color", _color),
    "other - count": ("count", _count),
    "relation - spatial": ("spatial", _spatial),
}
_CONVERSE = CONVERSE | {other: name for name, other in CONVERSE.items()}


def _things(spec: Specification, noun: str) -> list[Commitment]:
    """Return the things that a noun may mean: by all its words, or else by its last alone."""
    noun = re.sub(r"_\d+$", "", noun)  # "flowers_2" are the second ones
    things = [c for c in spec.of(Type.PRESENCE) if c.part_of is None]
    for forms in ({noun, singular(noun)}, {noun.split()[-1], singular(noun.split()[-1])}):
        whole = [c for c in things if forms & set(_names(spec, c))]
        last = [c for c in things if forms & {name.split()[-1] for name in _names(spec, c) if name}]
        if whole or last:
            return whole or last
    return []


def _names(spec: Specification, c: Commitment) -> Iterator[str]:
    yield str(c.value).lower()
    if c.said:
        yield c.said.lower()
    if c.span is not None:
        yield spec.prompt[c.span.start : c.span.end].lower()


def _is_elsewhere(spec: Specification, noun: str) -> bool:
    """Return whether a noun is a setting, or words to be read."""
    names = {name for c in spec.of(Type.SETTING, Type.TEXT) for name in _names(spec, c)}
    ends = {name.split()[-1] for name in names if name.split()}
    return any(form in names | ends for form in (noun, singular(noun), noun.split()[-1], singular(noun.split()[-1])))


def _color_words(values: Iterable[str]) -> set[str]:
    return {_color_word(word) for value in values for word in re.findall(r"\w+", value.lower())}


def _color_word(word: str) -> str:
    return "gray" if word == "grey" else word


def _relation(said: str) -> str:
    """Return the one name of relations that say the same."""
    words = said.split()
    known = lexicon.RELATION_OF.get(said) or lexicon.RELATION_OF.get(" ".join(words[1:])) or said
    name = ALIASES.get(known, known)
    return _ALIKE.get(name, name)
