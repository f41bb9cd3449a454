"""The words on which the shipped generators are trained; recipes write them into the weights. Other names for them."""

from dataclasses import replace

from scope.protocols import Vocabulary
from scope.worlds.pocket.catalogue import (
    AMBIGUOUS,
    COLORS,
    CONCEPTS,
    HELD_OUT_NOUNS,
    MAX_COUNT,
    MAX_LETTERS,
    NOUN_OF,
    SETTINGS,
    WIDER_OF,
)
from scope.worlds.pocket.drawn import places, shades
from scope.worlds.pocket.settings import ways

#: Those of the world, but for the nouns that are drawn from references: what bound generators learn.
VOCABULARY = Vocabulary(
    nouns=frozenset(name for noun, c in CONCEPTS.items() if noun not in HELD_OUT_NOUNS for name in (c.noun, *c.aliases))
    | {"sign"},
    colors=frozenset(COLORS),
    settings=frozenset(SETTINGS) - {"plain"},
    max_count=MAX_COUNT,
    max_letters=MAX_LETTERS,
)


def with_names(vocabulary: Vocabulary) -> Vocabulary:
    """Return a vocabulary with the world's other names for its nouns, and the words for which it draws one of them.

    And with shades and places that it draws as coarser ones, and the settings that may be asked for together.
    """
    known, seen = vocabulary.nouns, vocabulary.colors | vocabulary.settings
    meant = {word: (noun,) for word, noun in WIDER_OF.items()} | AMBIGUOUS
    drawn_as = {word: tuple(noun for noun in nouns if noun in known) for word, nouns in meant.items()}
    return replace(
        vocabulary,
        nouns=known | {name for name, noun in NOUN_OF.items() if noun in known},
        drawn_as={word: nouns for word, nouns in drawn_as.items() if nouns not in ((), (word,))},
        coarser={word: drawn for word, drawn in (shades() | places()).items() if drawn in seen},
        together=frozenset(way for setting in vocabulary.settings for way in ways(setting)),
    )
