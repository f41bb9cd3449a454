"""Finds the sentence that defines a referring expression, and reads it as facts.

"The mascot of Team Zorvex is a green turtle" defines "the mascot of Team Zorvex": all words of the expression are in
its subject (or in the title above it), and its subject has no others: "the mascot of Team Zorvex's rival" is another
entity. What follows is read by the same reader as a prompt, and only what is said of its first entity becomes a fact.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from scope.errors import PromptError
from scope.protocols import Passage, Reader
from scope.specification import Commitment, Fact, Kind, Specification, Type
from scope.text import ARTICLES, printable

MAX_SENTENCE = 500  # characters; longer ones are not read
MAX_PREDICATE = 160  # characters

_SENTENCE_END = re.compile(r"(?<=[.!?])\s+")
_SEPARATOR = re.compile(r"\s+(?:is|are|looks like|shows|depicts)\s+|\s*[:–—]\s+")
_PREDICATE_END = re.compile(r"[.!?;(]|,\s(?=(?:which|who|whose|that|but|and|so|because)\b)|\s(?:because|so that)\s")
_NOT = re.compile(r"(?:not|no|never|none|neither|nothing|unknown)\b", re.IGNORECASE)
_WORD = re.compile(r"[^\W_]+")
#: Words that change nothing about what an expression names; a source may leave them out.
_STOP_WORDS = frozenset(
    "the a an of our its it he she they this that these those in for by s official team company club brand".split()
)
_BEFORE_HEAD = frozenset("a an the my our his her their one and of kind sort type pair".split())
_ARTICLE = re.compile(r"(?:an?|one|two|three|four|five|\d+)\s", re.IGNORECASE)


@dataclass(frozen=True)
class Query:
    """A referring expression that is looked up: its words, the entity that it speaks of, and the noun of that."""

    text: str
    target: str | None
    noun: str

    @property
    def words(self) -> frozenset[str]:
        """Return the words that a source must say."""
        return content_words(self.text)


@dataclass(frozen=True)
class Definition:
    """A definition as it was read: the sentence, its words that take the query's place, and the facts that they say."""

    quote: str
    words: str
    facts: tuple[Fact, ...]
    explicit: bool  # the sentence itself names what is looked up; else the title above it does


def query_of(spec: Specification, unknown: Commitment) -> Query:
    """Return what is looked up for an unknown: its words, and the noun that it speaks of where they do not say it."""
    target = next((t for t in unknown.targets if spec[t].type is Type.PRESENCE), None)
    noun = str(spec[target].value) if target else ""
    text = str(unknown.value)
    return Query(text if content_words(noun) <= content_words(text) else f"{text} {noun}", target, noun)


def content_words(text: str) -> frozenset[str]:
    """Return the words of a text that name something, without case, possessive or plural."""
    return frozenset(stems(text))


def stems(text: str) -> list[str]:
    """Return the same words as they follow each other."""
    found = (w for w in _WORD.findall(text.casefold()) if w not in _STOP_WORDS)
    return [w.removesuffix("s") if len(w) > 3 else w for w in found]


def find_definitions(passage: Passage, query: Query, reader: Reader) -> Iterator[Definition]:
    """Yield what the sentences of a passage say that a query stands for."""
    for sentence in _SENTENCE_END.split(passage.text):
        for predicate, explicit in _predicates(sentence, content_words(passage.source.title), query):
            if facts := _facts(predicate, query, reader):
                yield Definition(sentence, predicate, facts, explicit)
                break


def _predicates(sentence: str, title: frozenset[str], query: Query) -> Iterator[tuple[str, bool]]:
    """Yield what a sentence may say that a query is, and whether it names the query itself."""
    if len(sentence) > MAX_SENTENCE:
        return
    splits = [(sentence[: m.start()], sentence[m.end() :]) for m in _SEPARATOR.finditer(sentence)]
    for subject, rest in [*splits, ("", sentence)]:
        named = content_words(subject)
        if not (named <= query.words | title and query.words <= named | title):
            continue
        predicate = printable(_PREDICATE_END.split(rest, maxsplit=1)[0])
        fits = 0 < len(predicate) <= MAX_PREDICATE and not _NOT.match(predicate)
        if fits and (named or _ARTICLE.match(predicate)):
            yield predicate, query.words <= named


# -- facts ---------------------------------------------------------------------------------------


def _facts(predicate: str, query: Query, reader: Reader) -> tuple[Fact, ...]:
    """Return what a predicate says of the query; nothing if it cannot be read."""
    return _facts_of_noun(predicate, query, reader) or _facts_of_adjectives(predicate, query, reader)


def _facts_of_noun(predicate: str, query: Query, reader: Reader) -> tuple[Fact, ...]:
    """Read "a green turtle": the query is one."""
    spec = _parse(predicate, reader)
    head = _head(spec) if spec else None
    if spec is None or (query.target and head is None):
        return ()
    whole = [c for c in spec.of(Type.SETTING, Type.STYLE) if not c.targets]
    facts = [Fact(type=c.type, value=c.value) for c in whole]
    if query.target and head:
        presence = Fact(type=Type.PRESENCE, value=head.value, target=query.target)
        facts = [presence, *_facts_about(head, spec, query), *facts]
    return tuple(facts)


def _facts_of_adjectives(predicate: str, query: Query, reader: Reader) -> tuple[Fact, ...]:
    """Read "purple" or "5": the entity that the query speaks of is so."""
    if not query.target or len(predicate.split()) > 4:
        return ()
    spec = _parse(f"{predicate} {query.noun}", reader)
    head = _head(spec) if spec else None
    if spec is None or head is None or content_words(str(head.value)) != content_words(query.noun):
        return ()
    return tuple(_facts_about(head, spec, query))


def _parse(phrase: str, reader: Reader) -> Specification | None:
    try:
        return reader.decompose(phrase)
    except PromptError:
        return None


def _head(spec: Specification) -> Commitment | None:
    """Return the first entity of a phrase that is no name, if nothing but its own attributes precedes it."""
    names = {t for c in spec.of(Type.EXTERNAL_REFERENCE) for t in c.targets if _lies_in(spec[t], c)}
    entities = [c for c in spec.of(Type.PRESENCE) if c.span is not None]
    head = next((c for c in entities if c.id not in names), None)
    if head is None or head.span is None:
        return None
    said = [c for c in spec.about(head.id) if c.kind is not Kind.UNKNOWN]
    own = [c.span for c in (*said, *(c for c in entities if c.id in names)) if c.span is not None]
    before = _WORD.finditer(spec.prompt, 0, head.span.start)
    foreign = (m.group().lower() for m in before if not any(s.start <= m.start() and m.end() <= s.end for s in own))
    return head if set(foreign) <= _BEFORE_HEAD else None


def _lies_in(entity: Commitment, name: Commitment) -> bool:
    """Return whether an entity is a name itself, and not only called by one: "a rabbit called Snow"."""
    if entity.span is None or name.span is None:
        return True
    return name.span.start <= entity.span.start and entity.span.end <= name.span.end


def _facts_about(head: Commitment, spec: Specification, query: Query) -> Iterator[Fact]:
    """Yield the colours, adjectives, number and writing of one entity."""
    for c in spec.of(Type.ATTRIBUTE, Type.COUNT, Type.TEXT):
        if c.targets == (head.id,) and _is_meant(c, head, spec.prompt):
            yield Fact(type=c.type, value=c.value, target=query.target, aspect=c.aspect)


def _is_meant(c: Commitment, head: Commitment, phrase: str) -> bool:
    """Return whether it is a number, or an adjective before the entity and no verb after it; writing is in quotes."""
    if c.type is Type.COUNT:
        return c.span is not None and phrase[c.span.start : c.span.end].lower() not in ARTICLES
    if c.type is Type.ATTRIBUTE and c.aspect != "color":
        return bool(c.span and head.span and c.span.start < head.span.start)
    if c.type is Type.TEXT:  # "a rabbit called Snow" is read as one that says so
        return re.search(rf"[\"“'‘]{re.escape(str(c.value))}[\"”'’]", phrase) is not None
    return True
