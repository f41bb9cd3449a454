"""The words on which the shipped generators are trained; recipes write them into the weights."""

from scope.protocols import Vocabulary
from scope.worlds.pocket.catalogue import (
    COLORS,
    CONCEPTS,
    HELD_OUT_NOUNS,
    MAX_COUNT,
    MAX_LETTERS,
    SETTINGS,
)

#: Those of the world, but for the nouns that are drawn from references: what bound generators learn.
VOCABULARY = Vocabulary(
    nouns=frozenset(name for noun, c in CONCEPTS.items() if noun not in HELD_OUT_NOUNS for name in (c.noun, *c.aliases))
    | {"sign"},
    colors=frozenset(COLORS),
    settings=frozenset(SETTINGS) - {"plain"},
    max_count=MAX_COUNT,
    max_letters=MAX_LETTERS,
)
