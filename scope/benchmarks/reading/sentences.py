"""Sentences drawn from templates, with the truth that each says.

A template is a line of data/reading/NAME.txt, its text and its statements (notation.py) on both sides of "=>":

    [A:n] and [B.person:1c], {relation1} [C]  =>  B -{relation1}- C

    [A]               a thing in a random form: "three red pigs", "a metal kite"; its statements are added
    [A:1c] [A.person] in the form of these letters; of another class of nouns
    [A=B:1]           another of the same noun
    [a:1]             one that is not there: nothing is stated of it
    {A} {As} {A.c}    its noun, its plural, what its form drew
    {relation1}       a word of a class; in statements, what the word is read as

Letters of a form: 1 "a", t "the", n a number and the plural, p the plural alone, 0 the noun alone; then c a colour,
m a material, q another quality, z a size. A file has two halves, `# dev` and `# test`: of other templates and, by
words.toml, of other words. Rules are tuned on the first alone.
"""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Literal

import numpy as np

from scope.benchmarks.reading import SETS
from scope.benchmarks.reading.atoms import Atom
from scope.benchmarks.reading.notation import atoms
from scope.errors import ScopeError
from scope.text import NUMBERS, article, plural

Half = Literal["dev", "test"]
HALVES: tuple[Half, ...] = ("dev", "test")

_SLOT = re.compile(r"\[(?P<name>[A-Za-z])(?:=(?P<like>[A-Z]))?(?:\.(?P<kind>\w+))?(?::(?P<form>\w+))?\]")
_WORD = re.compile(r"\{(?P<key>(?P<kind>[a-z]{2,})\d?|[A-Za-z](?:\.\w)?)(?P<plural>s?)\}")
_QUALITIES = {"c": "color", "m": "material", "q": "quality", "z": "size"}
_FORMS = ("1", "1c", "1m", "1q", "n", "nc", "nm", "nq")


@dataclass(frozen=True)
class Sentence:
    """A prompt and what it says."""

    text: str
    truth: tuple[Atom, ...]


def sentences(name: str, half: Half, count: int, seed: int = 0) -> list[Sentence]:
    """Return sentences of a half of a set: its templates in turn, with other words each time.

    Raises: ScopeError if a template is not of the notation.
    """
    templates = _templates(name)[half]
    rng = np.random.default_rng((seed, SETS.index(name), HALVES.index(half)))
    return [_Draw(rng, half).sentence(templates[i % len(templates)]) for i in range(count)]


@dataclass
class _Draw:
    """One sentence in the making: the words drawn for it, each once."""

    rng: np.random.Generator
    half: Half
    said: dict[str, str] = field(default_factory=dict)  # name of a slot or of a part of one -> as it is written
    meant: dict[str, str] = field(default_factory=dict)  # ... -> as it is read
    used: set[str] = field(default_factory=set)
    statements: list[str] = field(default_factory=list)

    def sentence(self, template: str) -> Sentence:
        text, _, statements = template.partition("=>")
        text = _SLOT.sub(self._thing, text.strip())
        text = _WORD.sub(lambda m: self._word(m, self.said), text)
        self.statements.append(_WORD.sub(lambda m: self._word(m, self.meant), statements))
        text = re.sub(r"\b([Aa]) (?=[\w'-]+)", lambda m: _article(m, text), text)
        return Sentence(text, tuple(atoms(";".join(self.statements))))

    def _thing(self, m: re.Match[str]) -> str:
        name, form = m["name"], m["form"] or str(self.rng.choice(_FORMS))
        noun = self.meant[m["like"]] if m["like"] else self._draw(m["kind"] or "noun")[1]
        self.said[name] = self.meant[name] = noun
        self._state(name, f"{name}: {noun}")
        if form[0] == "n":
            number = int(self.rng.integers(2, 8))
            self.said[f"{name}.n"], self.meant[f"{name}.n"] = NUMBERS[number], str(number)
            self._state(name, f"{name} = {number}")
        elif form[0] == "1":
            self._state(name, f"?{name} = 1")
        qualities = [self._quality(name, letter) for letter in form[1:]]
        lead = {"1": "a", "t": "the", "n": self.said.get(f"{name}.n", "")}.get(form[0], "")
        return " ".join(filter(None, (lead, *qualities, plural(noun) if form[0] in "np" else noun)))

    def _quality(self, name: str, letter: str) -> str:
        said, meant = self._draw(_QUALITIES[letter])
        self.said[f"{name}.{letter}"], self.meant[f"{name}.{letter}"] = said, meant
        self._state(name, f"{name} is {meant}")
        return said

    def _state(self, name: str, statement: str) -> None:
        """Keep a statement of a thing; a small letter names one that is not there."""
        if name.isupper():
            self.statements.append(statement)

    def _word(self, m: re.Match[str], words: dict[str, str]) -> str:
        """Return what was drawn for a name, drawing it where nothing was yet."""
        if m["key"] not in words:
            if m["kind"] not in _words(self.half):
                raise ScopeError(f"a template asks for {m[0]}, which is neither one of its things nor a class of words")
            self.said[m["key"]], self.meant[m["key"]] = self._draw(m["kind"])
        is_text = words is self.said
        return plural(words[m["key"]]) if m["plural"] and is_text else words[m["key"]]

    def _draw(self, kind: str) -> tuple[str, str]:
        """Return a word of a class that this sentence has not yet: (as it is written, as it is read)."""
        left = [word for word in _words(self.half)[kind] if word not in self.used]
        word = left[int(self.rng.integers(len(left)))]
        self.used.add(word)
        said, _, meant = word.partition("=")
        return said, meant or said


def _article(m: re.Match[str], text: str) -> str:
    return m[0] if article(text[m.end() :]) == "a" else f"{m[1]}n "


@cache
def _templates(name: str) -> dict[Half, list[str]]:
    """Return the templates of a set, by half."""
    halves: dict[Half, list[str]] = {half: [] for half in HALVES}
    here: Half = "dev"
    for line in _data(f"{name}.txt").splitlines():
        if line.startswith("# "):
            here = next(half for half in HALVES if line == f"# {half}")
        elif line.strip():
            halves[here].append(line)
    return halves


@cache
def _words(half: Half) -> dict[str, tuple[str, ...]]:
    """Return the classes of words of a half; "said=meant" where a word is read as another."""
    return {kind: tuple(_split(words)) for kind, words in tomllib.loads(_data("words.toml"))[half].items()}


def _split(words: str) -> Iterator[str]:
    return (word.strip() for word in words.split(","))


def _data(name: str) -> str:
    return (files("scope.benchmarks") / "data" / "reading" / name).read_text(encoding="utf-8")
