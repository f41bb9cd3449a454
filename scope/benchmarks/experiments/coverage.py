"""How many of the things that people ask for the pocket world draws, before it had its names and after.

A thing is a word that a prompt of a public set names, once a prompt: GenEval's classes, the tuples "entity - whole" of
DSG, and of the other sets the entities that the grammar reads. It is drawn by its own name, by a synonym, by a wider
word ("golden retriever" as a dog), or as the likeliest meaning of a word of several; a word is what `noun_of` first
takes it for. What the grammar itself calls otherwise ("sofa", a couch) counts by that name. Nothing is drawn by its
last word alone: "bathroom shelf" is no shelf. DSG calls places entities as well: one that is a setting of the world
("beach") counts as drawn, as `setting`. What the grammar reads as a thing must be one.

`v4` is the world before its names: nouns, other names and settings of a version up to 4. `v5` is today's. Prompts are
read by today's grammar for both, and plurals are known in both.

The sets are not packaged: `--data` is the folder that holds them, each as its authors publish it. Of a set of more than
`MOST` prompts the first are read; one of several files gives as many of each.
"""

import csv
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from io import StringIO
from itertools import chain, zip_longest
from pathlib import Path
from typing import NamedTuple

from scope import text
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.results import Metric, Results, Row
from scope.data.tables import table_of
from scope.errors import PromptError, UsageError
from scope.generators.region_words import PLAIN, SIGN
from scope.parsing.grammar import Grammar
from scope.specification import Type
from scope.worlds.pocket.catalogue import DRAWN, SETTING_VERSIONS, SETTINGS_DRAWN, VERSION

BEFORE = 4
WAYS = ("own", "synonym", "wider", "several", "setting")
MOST = 1500
TOP = 10

_LITTLE = frozenset("a an the in on at by under".split())


class Thing(NamedTuple):
    """A word that a prompt names. `listed`: it is from the set's own list, where places are things as well."""

    word: str
    listed: bool

    def way(self, known: dict[str, str]) -> str | None:
        """Return the way in which a world draws it that knows these words; None: it does not."""
        way = known.get(self.word)
        return way if way != "setting" or self.listed else None


@dataclass(frozen=True)
class Asked:
    """What a set of prompts names: the things of each prompt that was read, each once. `unread`: it names nothing."""

    things: tuple[frozenset[Thing], ...]
    unread: int = 0
    left_out: int = 0


def measure(data: Path | None = None) -> Results:
    """Return what the world draws of each set of prompts in a folder, and of all together.

    Raises: UsageError if there is no folder, or one of the sets is not in it or not of its format.
    """
    if data is None:
        raise UsageError("the prompts are not packaged; say where they lie: scope bench coverage --data FOLDER")
    asked = {name: asked_of(name, data) for name in SETS}
    asked["all"] = Asked(
        tuple(chain.from_iterable(a.things for a in asked.values())),
        sum(a.unread for a in asked.values()),
        sum(a.left_out for a in asked.values()),
    )
    known = {version: ways(version) for version in (BEFORE, VERSION)}
    rows = tuple(
        row(f"coverage_{name}_v{version}", of, words) for name, of in asked.items() for version, words in known.items()
    )
    return Results(name="coverage", command="scope bench coverage --data FOLDER", rows=rows)


def ways(version: int) -> dict[str, str]:
    """Return every word for which a version of the world draws something -> the way, one of `WAYS`."""
    concepts = [c for c in DRAWN.values() if c.version <= version]
    names = [r for r in table_of("names.csv") if int(r["version"]) <= version]
    synonyms = [alias for c in concepts for alias in c.aliases] + [r["name"] for r in names if r["kind"] == "synonym"]
    own = [SIGN, *(word for c in concepts for word in (c.noun, c.plural))]
    of_way = {
        "own": [*own, text.plural(SIGN)],
        "synonym": _both_numbers(synonyms),
        "wider": _both_numbers(r["name"] for r in names if r["kind"] == "narrower"),
        "several": [r["name"] for r in table_of("ambiguous.csv") if int(r["version"]) <= version],
        "setting": _settings(version),
    }
    # The first way counts, so the last is written first.
    return {folded(word): way for way in reversed(WAYS) for word in of_way[way]}


def folded(word: str) -> str:
    """Return a word as it is looked up: lower case, without an article."""
    return re.sub(r"^(an?|the) ", "", " ".join(word.lower().split()))


def row(name: str, asked: Asked, known: dict[str, str]) -> Row:
    """Return which share of the things is drawn, and in which way; the note has what is most often not.

    Raises: UsageError if the prompts name nothing.
    """
    things = [thing for of_prompt in asked.things for thing in of_prompt]
    if not things:
        raise UsageError(f"the prompts of {name} name nothing")
    by_way = Counter(thing.way(known) for thing in things)
    shares = {way: Metric(value=round(by_way[way] / len(things), 4), n=len(things)) for way in WAYS}
    missing = Counter(thing.word for thing in things if thing.way(known) is None)
    drawn = share(len(things) - missing.total(), len(things))
    return Row(name=name, metrics={"drawn": drawn, **shares}, note=_note(asked, missing))


def _note(asked: Asked, missing: Counter[str]) -> str:
    # Sorted by name where as frequent, as the order of a set is another in every process.
    top = sorted(missing.items(), key=lambda counted: (-counted[1], counted[0]))[:TOP]
    parts = [
        f"{len(asked.things):,} prompts",
        f"{asked.unread} more name nothing" if asked.unread else "",
        f"{asked.left_out:,} more left out" if asked.left_out else "",
        "not drawn: " + ", ".join(f"{word} {n}" for word, n in top) if top else "",
    ]
    return "; ".join(part for part in parts if part)


def _both_numbers(words: Iterable[str]) -> list[str]:
    return [form for word in words for form in (word, text.plural(word))]


def _settings(version: int) -> list[str]:
    """Return the names of settings and the words by which captions say them: "beach", "ocean"."""
    settings = [name for name, since in SETTING_VERSIONS.items() if since <= version and name != PLAIN]
    said = [" ".join(w for w in way.split() if w not in _LITTLE) for name in settings for way in SETTINGS_DRAWN[name]]
    return [*settings, *said]


# -- sets of prompts -----------------------------------------------------------------------------


def asked_of(name: str, data: Path) -> Asked:
    """Return what the set in the folder of its name asks for.

    Raises: UsageError if it is not there, or not of its format.
    """
    try:
        return SETS[name](data / name)
    except OSError as error:
        raise UsageError(f"the prompts of {name} cannot be read: {error}; --data is the folder of all sets") from error
    except (ValueError, KeyError, TypeError, AttributeError, csv.Error) as error:
        raise UsageError(f"the prompts in {data / name} are damaged: {error!r}") from error


def _geneval(folder: Path) -> Asked:
    items = [json.loads(line) for line in _lines(folder / "evaluation_metadata.jsonl")]
    return _of_lists([[thing["class"] for thing in item["include"]] for item in items])


def _dsg(folder: Path) -> Asked:
    prompts: dict[str, list[str]] = {}
    for line in csv.DictReader(StringIO((folder / "dsg-1k-anns.csv").read_text(encoding="utf-8"))):
        entities = prompts.setdefault(line["item_id"], [])
        if entity := re.match(r"entity - whole \((.+)\)$", line["tuple"].strip()):
            entities.append(entity[1])
    return _of_lists(list(prompts.values()))


def _json_prompts(folder: Path) -> Asked:
    return _of_texts([json.loads(line)["prompt"] for line in _lines(folder / "prompts.jsonl")])


def _compbench(folder: Path) -> Asked:
    files = sorted(folder.glob("*_val.txt"))
    if not files:
        raise FileNotFoundError(f"no *_val.txt in {folder}")
    # A line of each file in turn: the first of the set are of all its tasks.
    turns = zip_longest(*(_lines(file) for file in files))
    return _of_texts([line for turn in turns for line in turn if line is not None])


#: The sets, by the folder that holds each.
SETS: dict[str, Callable[[Path], Asked]] = {
    "geneval": _geneval,
    "dsg": _dsg,
    "dpg_bench": _json_prompts,
    "t2i_compbench": _compbench,
    "gen_arena_samples": _json_prompts,
}


def _lines(file: Path) -> list[str]:
    return [line for line in file.read_text(encoding="utf-8").split("\n") if line.strip()]


def _of_lists(prompts: list[list[str]]) -> Asked:
    things = [frozenset(Thing(folded(word), listed=True) for word in of_prompt) for of_prompt in prompts[:MOST]]
    return Asked(tuple(things), left_out=len(prompts) - len(things))


def _of_texts(prompts: list[str]) -> Asked:
    grammar = Grammar()
    read = [_read(grammar, prompt) for prompt in prompts[:MOST]]
    things = tuple(of_prompt for of_prompt in read if of_prompt is not None)
    return Asked(things, len(read) - len(things), len(prompts) - len(read))


def _read(grammar: Grammar, prompt: str) -> frozenset[Thing] | None:
    """Return the things of a prompt; None: the grammar finds nothing to draw."""
    try:
        found = grammar.decompose(prompt).of(Type.PRESENCE)
    except PromptError:
        return None
    return frozenset(Thing(folded(c.said or str(c.value)), listed=False) for c in found if not c.denied)
