"""What the shipped generator's weights were trained to draw, known without loading them."""

from scope.protocols import Vocabulary
from scope.worlds.catalogue import COLORS, FIRST, MAX_COUNT, SETTINGS

SHIPPED = Vocabulary(
    nouns=frozenset(name for concept in FIRST.values() for name in (concept.noun, *concept.aliases)),
    colors=frozenset(COLORS),
    settings=frozenset(SETTINGS) - {"plain"},
    max_count=MAX_COUNT,
)
