"""What the shipped generator's weights were trained to draw, known without loading them."""

from scope.protocols import Vocabulary
from scope.worlds.pocket.catalogue import COLORS, CORE_MAX_COUNT, CORE_NOUNS, CORE_SETTINGS, MAX_LETTERS

EMBEDDED = ("flow", "ntm")  # the generators whose weights, where they ship, are of the same name

SHIPPED = Vocabulary(
    nouns=frozenset(name for concept in CORE_NOUNS.values() for name in (concept.noun, *concept.aliases)) | {"sign"},
    colors=frozenset(COLORS),
    settings=frozenset(CORE_SETTINGS) - {"plain"},
    max_count=CORE_MAX_COUNT,
    max_letters=MAX_LETTERS,
)
