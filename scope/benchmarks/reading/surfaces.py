"""Words to be read and what they stand on, in the lettering prompts of Flow-GRPO.

The words are those in double quotes. The surface is known where the prompt says it in so many words: the noun right
before "that reads", "displaying the text", "titled" ... and the quote.
"""

import re

from scope.parsing.english import singular
from scope.specification import Specification, Type

_SAYING = r"(?:(?:that|which) (?:reads|read|says|say)|reads|says|reading|saying|displaying|titled|labeled|labelled)"
_SURFACE = re.compile(
    rf"\b(?P<noun>[a-z]+)(?: (?:prominently|clearly|boldly))? {_SAYING}"
    r"(?: the (?:words?|text|phrase|message))?:? \""
)
#: What is written is on none of these.
_WRITING = frozenset("text word words phrase message letters lettering inscription slogan title it that and is".split())


def words(prompt: str) -> list[str]:
    """Return the words in quotes."""
    return re.findall(r'"([^"]*)"', prompt)


def surface(prompt: str) -> str | None:
    """Return the noun that the first quote stands on, in the singular; None: the prompt does not say it so."""
    match = _SURFACE.search(prompt)
    if match is None or '"' in prompt[: match.start()] or match["noun"] in _WRITING:
        return None
    return singular(match["noun"])


def is_read(spec: Specification, said: str) -> bool:
    """Return whether these are words to be read in the picture."""
    return any(_plain(str(c.value)) == _plain(said) and not c.denied for c in spec.of(Type.TEXT))


def is_on(spec: Specification, said: str, noun: str) -> bool:
    """Return whether these words stand on a thing whose last word is this noun."""
    surfaces = [
        spec[target] for c in spec.of(Type.TEXT) if _plain(str(c.value)) == _plain(said) for target in c.targets
    ]
    return any(singular(str(thing.value).lower().split()[-1]) == noun for thing in surfaces)


def _plain(said: str) -> str:
    return " ".join(said.replace("’", "'").strip(" .,;:!?").split())
