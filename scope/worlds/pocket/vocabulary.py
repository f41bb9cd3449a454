"""The words of the first world, on which the shipped generators are trained; recipes write them into the weights."""

from scope.protocols import Vocabulary
from scope.worlds.pocket.catalogue import COLORS, CORE_MAX_COUNT, CORE_NOUNS, CORE_SETTINGS, MAX_LETTERS

CORE_VOCABULARY = Vocabulary(
    nouns=frozenset(name for concept in CORE_NOUNS.values() for name in (concept.noun, *concept.aliases)) | {"sign"},
    colors=frozenset(COLORS),
    settings=frozenset(CORE_SETTINGS) - {"plain"},
    max_count=CORE_MAX_COUNT,
    max_letters=MAX_LETTERS,
)
