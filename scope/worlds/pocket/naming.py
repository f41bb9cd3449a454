"""What else things are called: synonyms and narrower words of the world's nouns, from WordNet and emojibase.

A synonym is a noun by another name. A narrower word is a kind of a noun ("golden retriever" is a kind of dog): what
draws the wider one has to say so. Each row of scope/data/world/names.csv says by way of which words it was found.
Tags of emojibase say what goes with a picture ("stop" with a hand), so only its labels are taken.
"""

import csv
import io
import json
from collections import deque
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import NamedTuple

from scope import text
from scope.data.tables import table_of
from scope.parsing import lexicon
from scope.worlds.pocket import wordnet
from scope.worlds.pocket.catalogue import DRAWN, SETTINGS_DRAWN, Concept
from scope.worlds.pocket.packages import EMOJIBASE, WORDNET, opened
from scope.worlds.pocket.wordnet import PEOPLE, Synset, WordNet

FILE = "names.csv"  # in scope/data/world
VERSION = 5  # the first of the world that goes by these names

#: Words that mostly mean something else, whatever WordNet counts, or that nobody should be called.
REFUSED = frozenset(
    "sinker|mill|chute|orbiter|mitt|manus|flake|cruiser|lounge|imp|lifter|murphy|passenger vehicle|trunks|fencing|"
    "polecat|aerial tramway|cable tramway|ropeway|paprika|foliage|plumage|coffin nail|wood pussy|crapper|whitey|boy|"
    "tramway|forte-piano|red hot|bird of night|island dispenser|asphyxiator|information processing system|sour|mike|"
    "stable companion|stay|cooking|construction|collision|bowling|ice hockey|ping pong|performing arts|high voltage|"
    "horse racing|wood|locked|bug|charger|high stepper|hack|nag|scrub|single-leaf|split end|member|associate|domestic|"
    "specs|beacon light|tympan|membranophone|down|entire|electric|lower|upper|plum|grapefruit|apricot|mount|major|"
    "minor|private|orderly|professional|pop|official|technical|fuji|hind|babe|batter|conveyor|bank|drone|sweet|balance|"
    "monochrome|miniature|gate|drawers|tablet|trunk|board|shades|shade|blade|light|foam|pad|safe|stick|ben".split("|")
)
#: Synonyms by WordNet that are kinds to whoever draws.
KINDS = frozenset(
    "tangerine|amphora|ewe|tropical fish|kitchen knife|baby bottle|running shoe|desert island|toad|double-decker|"
    "jitney|charabanc|cayenne|cayenne pepper|jalapeno|cornet|palace|corsage|popsicle|pimento|pimiento|white clover|"
    "dutch clover|electric light|incandescent lamp|kerosene lamp|kerosine lamp|opera hat".split("|")
)
#: What prompts often say, and neither source has.
EVERYDAY = {
    "kitten": "cat", "pony": "horse", "foal": "horse", "calf": "cow", "lamb": "sheep", "cub": "bear", "oak": "tree",
    "maple": "tree", "duckling": "duck", "smartphone": "cell phone", "building": "office building",
    "bag": "handbag", "sculpture": "moai", "shelf": "bookshelf", "tea": "cup", "vehicle": "car",
    "poster": "painting", "picture": "painting", "portrait": "painting", "ostrich": "bird", "swallow": "bird",
    "child": "person", "kid": "person", "teenager": "person", "guy": "person", "gentleman": "person",
    "soldier": "person", "knight": "person", "pirate": "person", "cowboy": "person", "skateboarder": "person",
    "waiter": "person", "nun": "person", "cabin": "hut", "sneakers": "shoe", "submarine": "ship", "yacht": "boat",
    "spaceship": "ufo", "bush": "tree", "stool": "chair", "sock puppet": "sock",
}  # fmt: skip


class Name(NamedTuple):
    """A row: a name, its noun, "synonym" or "narrower", where it is from, and the words between, narrowest first."""

    name: str
    noun: str
    kind: str
    version: int
    source: str
    via: str


def table(art: Path) -> str:
    """Return the table of names as CSV, a header first.

    Raises: ScopeError if a package is missing or is not the pinned release.
    """
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(Name._fields)
    writer.writerows(_rows(wordnet.read(opened(WORDNET, art) / "dict"), _labels(opened(EMOJIBASE, art))))
    return out.getvalue()


def _rows(net: WordNet, labels: Mapping[str, str]) -> Iterator[Name]:
    taken = {name for concept in DRAWN.values() for name in _with_plurals((concept.noun, *concept.aliases))}
    taken |= {concept.plural for concept in DRAWN.values()} | _other_words()
    for row in (*_labelled(DRAWN.values(), labels), *_merged(), *_everyday(), *_meant(net)):
        if row.name not in taken and not set(row.name.split()) & set(text.COLORS):
            taken |= _with_plurals((row.name,))
            yield row._replace(kind="narrower") if row.name in KINDS else row


def _merged() -> Iterator[Name]:
    """Yield the drawings that look like another noun's, which is drawn for them."""
    for row in table_of("lookalikes.csv"):
        if row["noun"]:
            yield Name(row["drawing"], row["noun"], "narrower", VERSION, "lookalikes.csv", "")


def _everyday() -> Iterator[Name]:
    for name, noun in EVERYDAY.items():
        yield Name(name, noun, "narrower", VERSION, "scope", "")


def _with_plurals(names: Iterable[str]) -> set[str]:
    return {form for name in names for form in (name, text.plural(name))}


def _other_words() -> set[str]:
    """Return the words that prompts mean otherwise: colours, settings, what binds other words, and what is refused."""
    settings = {word for phrases in SETTINGS_DRAWN.values() for phrase in phrases for word in phrase.split()}
    return settings | set(lexicon.COLOR_OF) | set(lexicon.FUNCTION_WORDS) | REFUSED


def _labels(package: Path) -> dict[str, str]:
    """Return code point -> label of emojibase."""
    emoji = json.loads((package / "en" / "data.json").read_text(encoding="utf-8"))
    return {one["hexcode"].lower(): one["label"].lower() for one in emoji}


def _labelled(concepts: Iterable[Concept], labels: Mapping[str, str]) -> Iterator[Name]:
    of_icon = {label.replace(" ", "-"): label for label in labels.values() if label.replace(" ", "").isalpha()}
    for concept in concepts:
        if concept.icon in of_icon:
            yield Name(of_icon[concept.icon], concept.noun, "synonym", VERSION, EMOJIBASE.package, "")


def _meant(net: WordNet) -> Iterator[Name]:
    """Yield the words of each noun's meanings, then, level by level, of the kinds of them: the nearest noun has it."""
    queue: deque[tuple[str, str, tuple[str, ...]]] = deque(
        (net.offset(sense), concept.noun, ()) for concept in DRAWN.values() for sense in concept.senses
    )
    seen = {offset for offset, _, _ in queue}
    while queue:
        offset, noun, via = queue.popleft()
        synset = net.synsets[offset]
        for word in _words(net, offset, synset):
            kind = "narrower" if via or len(DRAWN[noun].senses) > 1 else "synonym"
            yield Name(word, noun, kind, VERSION, WORDNET.package, " < ".join(via))
        for below in synset.kinds:
            if below not in seen:
                seen.add(below)
                queue.append((below, noun, (synset.words[0], *via)))


def _words(net: WordNet, offset: str, synset: Synset) -> Iterator[str]:
    """Yield the words that mostly mean this; of people, those that texts use."""
    for word in synset.words:
        plain = word == word.lower() and len(word) > 2 and not any(letter.isdigit() or letter == "." for letter in word)
        if plain and net.senses[word][0] == offset and (synset.file != PEOPLE or (word, offset) in net.used):
            yield word
