"""Nouns that no picture shows: "contrast", "opportunity", "joy". By the files that WordNet sorts its meanings into.

A noun is one of these where its commonest meaning and most of its meanings that texts use are in such a file, and it
is no name of the world's. Which of these are drawn all the same ("a shadow") is for those who read to say
(scope/parsing/abstract.py).
"""

import csv
import io
from pathlib import Path

from scope.worlds.pocket import wordnet
from scope.worlds.pocket.catalogue import DRAWN
from scope.worlds.pocket.packages import WORDNET, opened
from scope.worlds.pocket.wordnet import WordNet

FILE = "abstract.csv"  # in scope/data/world
HEADER = ("noun",)
#: WordNet's lexicographer files (lexnames(5WN)) of what cannot be seen: attributes, cognition, feelings, motives,
#: processes, quantities, relations, states and times.
FILES = frozenset({7, 9, 12, 16, 22, 23, 24, 26, 28})


def table(art: Path) -> str:
    """Return the abstract nouns as CSV, a header first; plurals of others are left out.

    Raises: ScopeError if a package is missing or is not the pinned release.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(HEADER)
    net = wordnet.read(opened(WORDNET, art) / "dict")
    drawn = {word for noun in DRAWN for word in noun.split()}
    words = (word for word in sorted(net.senses) if word.isascii() and word.isalpha() and len(word) > 2)
    singulars = (word for word in words if not (word.endswith("s") and word[:-1] in net.senses))
    writer.writerows((word,) for word in singulars if word not in drawn and is_abstract(net, word))
    return out.getvalue()


def is_abstract(net: WordNet, word: str) -> bool:
    """Return whether the commonest meaning of a word, and more than half of those that texts use, cannot be seen."""
    used = [net.synsets[o].file for o in net.senses[word] if (word, o) in net.used]
    meant = used or _files(net, word)
    unseen = sum(file in FILES for file in meant)
    return _files(net, word)[0] in FILES and 2 * unseen > len(meant)


def _files(net: WordNet, word: str) -> list[int]:
    return [net.synsets[offset].file for offset in net.senses[word]]
