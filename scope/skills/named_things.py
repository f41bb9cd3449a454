"""Which thing of a prompt a person means who gives a box or a picture for it: "a red apple"."""

import re

from scope.errors import UsageError
from scope.specification import Commitment, Specification, Status, Type
from scope.text import is_same_noun, number_of


def thing_named(spec: Specification, phrase: str, option: str) -> Commitment:
    """Return the one thing that a phrase means.

    Args:
        spec: what was read.
        phrase: the thing's noun, or the prompt's own words for it, with as much of its qualities as tells it apart.
        option: where the phrase was given, for the error: "--region".

    Raises: UsageError if it is none, or several.
    """
    owners = [c for c in _things(spec) if _means(spec, phrase, c)]
    if len(owners) == 1:
        return owners[0]
    there = ", ".join(_name(spec, c) for c in (owners or _things(spec))) or "nothing"
    if owners:
        raise UsageError(f"{option} {phrase!r} may be any of: {there}; say more of it")
    raise UsageError(f"{option} {phrase!r}: the prompt has no such thing; there is: {there}")


def _things(spec: Specification) -> list[Commitment]:
    live = [c for c in spec.of(Type.PRESENCE, Type.TEXT) if spec.statuses()[c.id] is not Status.WAIVED]
    return [c for c in live if c.type is Type.PRESENCE or not c.targets]


def _name(spec: Specification, thing: Commitment) -> str:
    return " ".join((*_qualities(spec, thing), str(thing.value)))


def _qualities(spec: Specification, thing: Commitment) -> list[str]:
    about = [c for c in spec.about(thing.id) if c.targets == (thing.id,) and not c.denied]
    return [str(c.value) for c in about if c.type is Type.ATTRIBUTE]


def _means(spec: Specification, phrase: str, thing: Commitment) -> bool:
    """Return whether a phrase is a name of a thing, with nothing before it but what is said of the thing."""
    words = re.findall(r"\w[\w'-]*", phrase.lower())
    allowed = {word for quality in _qualities(spec, thing) for word in quality.lower().split()} | {"a", "an", "the"}
    span = thing.span
    named = {str(thing.value), thing.said or "", spec.prompt[span.start : span.end] if span else ""}
    names = {" ".join(re.findall(r"\w[\w'-]*", name.lower())) for name in named} - {""}
    for start in range(len(words)):
        before, name = words[:start], " ".join(words[start:])
        fits = all(word in allowed or number_of(word) is not None for word in before)
        if fits and any(is_same_noun(name, known) for known in names):
            return True
    return False
