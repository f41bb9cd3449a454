"""What a language model reads in a prompt, and how much of it stands.

A model says which words ask for what. Ids, spans and claims are made here; a value must be said by the words that it
is taken from, or be what the grammar reads there; no word that the grammar found a commitment in may vanish; and what
the prompt denies is never promised. Of a prompt that the grammar cannot read, because it is in another language, values
are in English, and every word of more than three letters must be in an item.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from scope.specification import Cause, Commitment, Kind, Model, Span, Specification, Status, Type, next_ids
from scope.text import article, plural

Words = Annotated[str, Field(min_length=1, max_length=400)]
_MOST = 64  # of each kind

_TARGETS = {Type.ATTRIBUTE: (1,), Type.COUNT: (1,), Type.RELATION: (2, 3), Type.TEXT: (0, 1)}  # others: none
_PRIORITY = {Type.PRESENCE: 1, Type.COUNT: 1, Type.TEXT: 1, Type.ABSENCE: 1, Type.STYLE: 3}
_WORD = re.compile(r"\w[\w'’]*")
#: Words that a phrase may shed: "left of" covers "to the left of".
_SMALL = frozenset("a an the to of in on at by with and is are that which it its exactly there".split())


class Refused(ValueError):
    """A reading that cannot stand; the message says why, to the model."""


class Entity(Model):
    """An entity of the picture. `noun` is singular."""

    words: Words
    noun: Words


class Constraint(Model):
    """What is said of entities, by their numbers from 1, or of the picture."""

    type: Literal["attribute", "count", "relation", "setting", "style", "text", "absence"]
    words: Words
    value: int | Words
    of: Annotated[tuple[int, ...], Field(max_length=3)]


class Unknown(Model):
    """Words whose meaning must be looked up or worked out before they can be drawn."""

    type: Literal["external_reference", "semantic_reasoning"]
    words: Words
    of: Annotated[tuple[int, ...], Field(max_length=3)]


class Proposal(Model):
    """A whole reading. Its JSON Schema is what a model is asked for."""

    entities: Annotated[tuple[Entity, ...], Field(max_length=_MOST)]
    constraints: Annotated[tuple[Constraint, ...], Field(max_length=_MOST)]
    unknowns: Annotated[tuple[Unknown, ...], Field(max_length=_MOST)]
    left_out: Annotated[tuple[Words, ...], Field(max_length=_MOST)]


def specification(proposal: Proposal, known: Specification, cause: Cause) -> Specification:
    """Return the commitments of a proposal, each declared; unknowns are open.

    Args:
        proposal: what a model read.
        known: what the grammar read in the same prompt.
        cause: of the events.

    Raises: Refused if something in it is not said by the prompt, or something that the prompt says is not in it.
    """
    draft = _Draft(_Prompt(known))
    for entity in proposal.entities:
        draft.add_entity(entity)
    for constraint in proposal.constraints:
        draft.add_constraint(constraint)
    for unknown in proposal.unknowns:
        draft.add_unknown(Type(unknown.type), unknown.words, unknown.of)
    draft.add_left_out(proposal.left_out)
    if missing := draft.missing_words():
        raise Refused(f"these words are in no item and not in left_out: {', '.join(missing)}")
    if not any(c.type in (Type.PRESENCE, Type.TEXT, Type.SETTING) for c in draft.commitments):
        raise Refused("it names nothing that can be drawn")
    return _ledger(known.prompt, draft.commitments, cause)


def _ledger(prompt: str, commitments: Iterable[Commitment], cause: Cause) -> Specification:
    spec = Specification(prompt=prompt)
    for commitment in commitments:
        spec = spec.declare(commitment, cause)
    for unknown in spec.of(Type.EXTERNAL_REFERENCE, Type.SEMANTIC_REASONING):
        spec = spec.move(unknown.id, Status.OPEN, cause)
    return spec


class _Prompt:
    """What the prompt says, and what the grammar reads in it."""

    def __init__(self, known: Specification) -> None:
        self._known, self._text = known, known.prompt
        self.is_foreign = not known.events

    def words_at(self, span: Span) -> str:
        """Return the words of the prompt at a place."""
        return self._text[span.start : span.end]

    def find(self, words: str) -> list[Span]:
        """Return where the prompt says these words, as whole words.

        Raises: Refused if it does not.
        """
        wanted = words.strip(" \t\n.,;:")
        pattern = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)", re.IGNORECASE)
        found = [Span(start=m.start(), end=m.end()) for m in pattern.finditer(self._text)] if wanted else []
        if not found:
            raise Refused(f"the prompt does not say {words!r}; copy its words exactly")
        return found

    def known_at(self, type_: Type, span: Span, value: str | int | None = None) -> Commitment | None:
        """Return what the grammar reads of one type at a place, with one value if it is given."""
        here = (c for c in self._known.of(type_) if c.span and _touch(c.span, span))
        return next((c for c in here if value in (None, c.value)), None)

    def require(self, type_: Type, span: Span, value: str | int) -> None:
        """Raise Refused unless the words at `span` say `value`, or the grammar reads it there."""
        if self.is_foreign and type_ is not Type.TEXT:
            return
        words, wanted = self.words_at(span), str(value)
        if type_ is not Type.TEXT:
            words = words.lower()
        forms = (wanted, plural(wanted)) if type_ in (Type.PRESENCE, Type.ABSENCE) else (wanted,)
        literal = any(re.search(rf"(?<!\w){re.escape(form)}(?!\w)", words) for form in forms)
        if not literal and self.known_at(type_, span, value) is None:
            raise Refused(f"{words!r} does not say {value!r}")

    def require_promised(self, type_: Type, span: Span, same: Commitment | None) -> None:
        """Raise Refused if the prompt denies what is said at `span`: by no commitment of the grammar is it promised."""
        denied = self.known_at(Type.ABSENCE, span) if type_ is Type.PRESENCE else None
        here = (c for c in self._known.of(type_) if c.denied and c.span and _touch(c.span, span))
        denied = denied or (next(here, None) if same is None else None)
        if denied is not None:
            raise Refused(f"the prompt denies {self.words_at(span)!r} ({denied.claim}); it is no {type_}")

    def uncovered(self, commitments: Iterable[Commitment]) -> list[Span]:
        """Return the words in which the grammar found a commitment and these have none."""
        known = [c.span for c in self._known.commitments if c.span is not None]
        covered = [c.span for c in commitments if c.span is not None]
        words = [Span(start=m.start(), end=m.end()) for m in _WORD.finditer(self._text)]
        if self.is_foreign:
            return [w for w in words if w.end - w.start > 3 and not any(_inside(w, s) for s in covered)]
        return [
            word
            for word in words
            if any(_inside(word, s) for s in known)
            and not any(_inside(word, s) for s in covered)
            and self.words_at(word).lower() not in _SMALL
        ]


class _Draft:
    """Commitments as they are made, in order: entities, constraints, unknowns."""

    def __init__(self, prompt: _Prompt) -> None:
        self._prompt = prompt
        self._entities: list[Commitment] = []
        self._ids = {Kind.ENTITY: next_ids("e"), Kind.CONSTRAINT: next_ids("c"), Kind.UNKNOWN: next_ids("u")}
        self.commitments: list[Commitment] = []

    def add_entity(self, entity: Entity) -> None:
        """Add an entity; each mention in the prompt makes one at most."""
        noun, taken = entity.noun.lower(), [e.span for e in self._entities]
        span = next((s for s in self._prompt.find(entity.words) if s not in taken), None)
        if span is None:
            raise Refused(f"{entity.words!r} is listed as a thing more often than the prompt says it")
        is_quoted = noun == self._prompt.words_at(span).lower()
        if is_quoted and (known := self._prompt.known_at(Type.PRESENCE, span)) is not None:
            noun = str(known.value)  # it named the plural
        self._prompt.require(Type.PRESENCE, span, noun)
        self._entities.append(self._add(Kind.ENTITY, Type.PRESENCE, noun, span, ()))

    def add_constraint(self, constraint: Constraint) -> None:
        """Add what is said of entities or of the picture; the same twice is one."""
        type_, value = Type(constraint.type), _value(constraint)
        if len(constraint.of) not in _TARGETS.get(type_, (0,)):
            raise Refused(f"{type_} {constraint.words!r} speaks of {len(constraint.of)} things")
        targets = self._targets(constraint.of)
        span = self._nearest(constraint.words, targets)
        self._prompt.require(type_, span, value)
        alike = (c for c in self.commitments if (c.type, c.value, c.span, c.targets) == (type_, value, span, targets))
        if not any(alike):
            self._add(Kind.CONSTRAINT, type_, value, span, targets)

    def add_unknown(self, type_: Type, words: str, of: tuple[int, ...] = ()) -> None:
        """Add words whose meaning is open."""
        targets = self._targets(of)
        span = self._nearest(words, targets)
        self._add(Kind.UNKNOWN, type_, self._prompt.words_at(span), span, targets)

    def add_left_out(self, phrases: Iterable[str]) -> None:
        """Add an unknown for each phrase that was left out, where the grammar found a commitment in it."""
        for phrase in phrases:
            uncovered = self._prompt.uncovered(self.commitments)
            span = next((s for s in self._prompt.find(phrase) if any(_inside(word, s) for word in uncovered)), None)
            if span is not None:
                self._add(Kind.UNKNOWN, Type.SEMANTIC_REASONING, self._prompt.words_at(span), span, ())

    def missing_words(self) -> list[str]:
        """Return the words in which the grammar found a commitment and this draft has none."""
        return [self._prompt.words_at(word) for word in self._prompt.uncovered(self.commitments)]

    def _targets(self, numbers: tuple[int, ...]) -> tuple[str, ...]:
        if any(not 1 <= n <= len(self._entities) for n in numbers):
            raise Refused(f"there is no entity {', '.join(map(str, numbers))}; they are numbered from 1")
        return tuple(self._entities[n - 1].id for n in numbers)

    def _nearest(self, words: str, targets: tuple[str, ...]) -> Span:
        """Return the place of words that is nearest to the first entity that they speak of."""
        places = self._prompt.find(words)
        here = next((e.span.start for e in self._entities if e.id in targets[:1] and e.span is not None), None)
        return places[0] if here is None else min(places, key=lambda s: abs(s.start - here))

    def _add(self, kind: Kind, type_: Type, value: str | int, span: Span, targets: tuple[str, ...]) -> Commitment:
        same = self._prompt.known_at(type_, span, value)
        self._prompt.require_promised(type_, span, same)
        nouns = [str(e.value) for t in targets for e in self._entities if e.id == t]
        bounded = same if same is not None and (same.denied or same.comparator != "==") else None
        commitment = Commitment(
            id=next(self._ids[kind]),
            kind=kind,
            type=type_,
            claim=bounded.claim if bounded else _claim(type_, value, self._prompt.words_at(span), nouns),
            value=value,
            targets=targets,
            aspect=(same.aspect if same is not None else "other") if type_ is Type.ATTRIBUTE else None,
            denied=bounded is not None and bounded.denied,
            comparator=bounded.comparator if bounded else "==",
            upto=bounded.upto if bounded else None,
            depends_on=tuple(dict.fromkeys(targets)),
            span=span,
            priority=3 if kind is Kind.UNKNOWN else _PRIORITY.get(type_, 2),
        )
        self.commitments.append(commitment)
        return commitment


def _value(constraint: Constraint) -> str | int:
    """Return the value of a constraint as a commitment has it: a number of a count, else words.

    Raises: Refused if a count has none, or anything else has one.
    """
    type_ = Type(constraint.type)
    value = constraint.value if isinstance(constraint.value, int) else constraint.value.strip()
    if isinstance(value, str) and type_ is not Type.TEXT:
        value = int(value) if type_ is Type.COUNT and value.isdecimal() else value.lower()
    if isinstance(value, int) is not (type_ is Type.COUNT):
        raise Refused(f"{value!r} is no {type_}")
    return value


def _claim(type_: Type, value: str | int, words: str, nouns: list[str]) -> str:
    """Return one checkable sentence; `words` are the prompt's, `nouns` those of the entities that it speaks of."""
    match type_:
        case Type.PRESENCE:
            several = words.lower() == plural(str(value)) != value
            return f"there are {plural(str(value))}" if several else f"there is {article(str(value))} {value}"
        case Type.COUNT:
            what = f"is exactly 1 {nouns[0]}" if value == 1 else f"are exactly {value} {plural(nouns[0])}"
            return f"there {what}"
        case Type.ATTRIBUTE:
            return f"the {nouns[0]} is {value}"
        case Type.RELATION:
            return f"the {nouns[0]} is {value} the {' and the '.join(nouns[1:])}"
        case Type.SETTING:
            return f"the setting is {value}"
        case Type.STYLE:
            return f"the style is {value}"
        case Type.TEXT:
            return f'the {nouns[0]} reads "{value}"' if nouns else f'"{value}" can be read'
        case Type.ABSENCE:
            return f"there is no {value}"
        case _:
            return f'the picture agrees with "{value}"'


def _touch(one: Span, other: Span) -> bool:
    return one.start < other.end and other.start < one.end


def _inside(word: Span, span: Span) -> bool:
    return span.start <= word.start and word.end <= span.end
