"""The words of the first world, on which the shipped generators are trained; recipes write them into the weights."""

from scope.protocols import Vocabulary
from scope.worlds.pocket.catalogue import (
    COLORS,
    CONCEPTS,
    CORE_MAX_COUNT,
    CORE_NOUNS,
    CORE_SETTINGS,
    HELD_OUT_NOUNS,
    MAX_COUNT,
    MAX_LETTERS,
    SETTINGS,
)

CORE_VOCABULARY = Vocabulary(
    nouns=frozenset(name for concept in CORE_NOUNS.values() for name in (concept.noun, *concept.aliases)) | {"sign"},
    colors=frozenset(COLORS),
    settings=frozenset(CORE_SETTINGS) - {"plain"},
    max_count=CORE_MAX_COUNT,
    max_letters=8,
)

#: Those of the whole world, but for the nouns that are drawn from references: what bound generators learn.
VOCABULARY = Vocabulary(
    nouns=frozenset(name for noun, c in CONCEPTS.items() if noun not in HELD_OUT_NOUNS for name in (c.noun, *c.aliases))
    | {"sign"},
    colors=frozenset(COLORS),
    settings=frozenset(SETTINGS) - {"plain"},
    max_count=MAX_COUNT,
    max_letters=MAX_LETTERS,
)
