"""Finds the sentence that says what a clue stands for, and reads it as facts.

"The mascot of Team Zorvex is a green turtle" answers the clue "the mascot of Team Zorvex": all words of the clue are in
its subject (or in the title above it), and its subject has no others: "the mascot of Team Zorvex's rival" is another
thing. What follows is read by the same reader as a prompt, and only what is said of its first thing becomes a fact.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scope.errors import PromptError
from scope.protocols import Passage, Reader
from scope.specification import Commitment, Fact, Specification, Type
from scope.text import printable

MAX_SENTENCE = 500  # characters; longer ones are not read
MAX_WORDS = 160  # characters of an answer

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SEPARATOR = re.compile(r"\s+(?:is|are|looks like|shows|depicts)\s+|\s*[:–—]\s+")
_ANSWER_END = re.compile(r"[.!?;(]|,\s(?=(?:which|who|whose|that|but|and|so|because)\b)|\s(?:because|so that)\s")
_NOT = re.compile(r"(?:not|no|never|none|neither|nothing|unknown)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
#: Words that change nothing about what a clue names; a source may leave them out.
_IDLE = frozenset(
    "the a an of our its it he she they this that these those in for by s official team company club brand".split()
)
_BEFORE_HEAD = frozenset("a an the my our his her their one and of kind sort type pair".split())
_ARTICLE = re.compile(r"(?:an?|one|two|three|four|five|\d+)\s", re.IGNORECASE)


@dataclass(frozen=True)
class Clue:
    """What is looked for: its words as written, the entity that it speaks of, and the noun of that."""

    text: str
    target: str | None
    noun: str

    @property
    def words(self) -> frozenset[str]:
        """Return the words that a source must say."""
        return words(self.text)


@dataclass(frozen=True)
class Reading:
    """An answer as it was read: the sentence, its words that take the clue's place, and the facts that they say."""

    quote: str
    words: str
    facts: tuple[Fact, ...]
    explicit: bool  # the sentence itself names the clue; else the title above it does


def clue_of(spec: Specification, unknown: Commitment) -> Clue:
    """Return what an unknown looks for: its words, and the noun that it speaks of where they do not say it."""
    target = next((t for t in unknown.targets if spec[t].type is Type.PRESENCE), None)
    noun = str(spec[target].value) if target else ""
    said = str(unknown.value)
    return Clue(said if words(noun) <= words(said) else f"{said} {noun}", target, noun)


def words(text: str) -> frozenset[str]:
    """Return the words of a text that name something, without case, possessive or plural."""
    return frozenset(in_order(text))


def in_order(text: str) -> list[str]:
    """Return the same words as they follow each other."""
    found = (w for w in _WORD.findall(text.casefold()) if w not in _IDLE)
    return [w.removesuffix("s") if len(w) > 3 else w for w in found]


def readings(passage: Passage, clue: Clue, reader: Reader) -> Iterator[Reading]:
    """Yield every answer that a passage gives to a clue."""
    for sentence in _SENTENCE_END.split(passage.text):
        for answer, explicit in _answers(sentence, words(passage.source.title), clue):
            if facts := _facts(answer, clue, reader):
                yield Reading(sentence, answer, facts, explicit)
                break


def _answers(sentence: str, title: frozenset[str], clue: Clue) -> Iterator[tuple[str, bool]]:
    """Yield what a sentence may say of a clue, and whether it names the clue itself."""
    if len(sentence) > MAX_SENTENCE:
        return
    splits = [(sentence[: m.start()], sentence[m.end() :]) for m in _SEPARATOR.finditer(sentence)]
    for subject, rest in [*splits, ("", sentence)]:
        said = words(subject)
        if not (said <= clue.words | title and clue.words <= said | title):
            continue
        answer = printable(_ANSWER_END.split(rest, maxsplit=1)[0])
        fits = 0 < len(answer) <= MAX_WORDS and not _NOT.match(answer)
        if fits and (said or _ARTICLE.match(answer)):
            yield answer, clue.words <= said


# -- facts ---------------------------------------------------------------------------------------


def _facts(answer: str, clue: Clue, reader: Reader) -> tuple[Fact, ...]:
    """Return what an answer says of the clue; nothing if it cannot be read."""
    return _of_noun(answer, clue, reader) or _of_adjectives(answer, clue, reader)


def _of_noun(answer: str, clue: Clue, reader: Reader) -> tuple[Fact, ...]:
    """Read "a green turtle": the clue is one."""
    spec = _read(answer, reader)
    head = _head(spec, answer) if spec else None
    if spec is None or (clue.target and head is None):
        return ()
    whole = [c for c in spec.of(Type.SETTING, Type.STYLE) if not c.targets]
    facts = [Fact(type=c.type, value=c.value) for c in whole]
    if clue.target and head:
        facts = [Fact(type=Type.PRESENCE, value=head.value, target=clue.target), *_said_of(spec, head, clue), *facts]
    return tuple(facts)


def _of_adjectives(answer: str, clue: Clue, reader: Reader) -> tuple[Fact, ...]:
    """Read "purple" or "5": the thing that the clue speaks of is so."""
    if not clue.target or len(answer.split()) > 4:
        return ()
    spec = _read(f"{answer} {clue.noun}", reader)
    head = _head(spec, f"{answer} {clue.noun}") if spec else None
    if spec is None or head is None or words(str(head.value)) != words(clue.noun):
        return ()
    return tuple(_said_of(spec, head, clue))


def _read(phrase: str, reader: Reader) -> Specification | None:
    try:
        return reader.decompose(phrase)
    except PromptError:
        return None


def _head(spec: Specification, phrase: str) -> Commitment | None:
    """Return the first thing of a phrase that is no name, if nothing but its own attributes precedes it."""
    names = {t for c in spec.of(Type.EXTERNAL_REFERENCE) for t in c.targets}
    things = [c for c in spec.of(Type.PRESENCE) if c.span is not None]
    head = next((c for c in things if c.id not in names), None)
    if head is None or head.span is None:
        return None
    own = [c.span for c in (*spec.about(head.id), *(c for c in things if c.id in names)) if c.span is not None]
    before = _WORD.finditer(spec.prompt, 0, head.span.start)
    foreign = (m.group().lower() for m in before if not any(s.start <= m.start() and m.end() <= s.end for s in own))
    return head if set(foreign) <= _BEFORE_HEAD else None


def _said_of(spec: Specification, head: Commitment, clue: Clue) -> Iterator[Fact]:
    """Yield the colours, adjectives, number and writing of one thing."""
    for c in spec.of(Type.ATTRIBUTE, Type.COUNT, Type.TEXT):
        if c.targets == (head.id,) and _is_meant(c, head, spec.prompt):
            yield Fact(type=c.type, value=c.value, target=clue.target, aspect=c.aspect)


def _is_meant(c: Commitment, head: Commitment, phrase: str) -> bool:
    """Return whether it is an adjective before the thing, and no verb after it; writing stands in quotes."""
    if c.type is Type.ATTRIBUTE and c.aspect != "color":
        return bool(c.span and head.span and c.span.start < head.span.start)
    if c.type is Type.TEXT:  # "a rabbit called Snow" is read as one that says so
        return re.search(rf"[\"“'‘]{re.escape(str(c.value))}[\"”'’]", phrase) is not None
    return True
