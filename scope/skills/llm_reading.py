"""What a language model reads in a prompt, and how much of it stands.

A model says which words promise what. Ids, spans and claims are made here; a value must be said by the words that it
is taken from, or be what the grammar reads there; and no word that the grammar found a promise in may vanish.
"""

import re
from collections.abc import Iterable
from typing import Annotated, Literal

from pydantic import Field

from scope.specification import Commitment, Kind, Model, Span, Specification, Status, Type, next_ids
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
    """A thing in the picture. `noun` is singular."""

    words: Words
    noun: Words


class Constraint(Model):
    """What is promised of entities, by their numbers from 1, or of the picture."""

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


def specification(proposal: Proposal, known: Specification, cause: str) -> Specification:
    """Return the commitments of a proposal, each declared; unknowns are open.

    Args:
        proposal: what a model read.
        known: what the grammar read in the same prompt.
        cause: of the events.

    Raises: Refused if something in it is not said by the prompt, or something that the prompt says is not in it.
    """
    reading = _Reading(known)
    for entity in proposal.entities:
        reading.entity(entity)
    for constraint in proposal.constraints:
        reading.constraint(constraint)
    for unknown in proposal.unknowns:
        reading.unknown(Type(unknown.type), unknown.words, unknown.of)
    reading.leave_out(proposal.left_out)
    if missing := reading.missing():
        raise Refused(f"these words are in no item and not in left_out: {', '.join(missing)}")
    if not any(c.type in (Type.PRESENCE, Type.TEXT, Type.SETTING) for c in reading.commitments):
        raise Refused("it names nothing that can be drawn")
    return _ledger(known.prompt, reading.commitments, cause)


def _ledger(prompt: str, commitments: Iterable[Commitment], cause: str) -> Specification:
    spec = Specification(prompt=prompt)
    for commitment in commitments:
        spec = spec.declare(commitment, cause)
    for unknown in spec.of(Type.EXTERNAL_REFERENCE, Type.SEMANTIC_REASONING):
        spec = spec.move(unknown.id, Status.OPEN, cause)
    return spec


class _Reading:
    """Commitments as they are made, in order: entities, constraints, unknowns."""

    def __init__(self, known: Specification) -> None:
        self.known, self.prompt = known, known.prompt
        self.commitments: list[Commitment] = []
        self.entities: list[Commitment] = []
        self._ids = {Kind.ENTITY: next_ids("e"), Kind.CONSTRAINT: next_ids("c"), Kind.UNKNOWN: next_ids("u")}

    # -- the kinds -------------------------------------------------------------------------------

    def entity(self, entity: Entity) -> None:
        """Add a thing; each mention in the prompt makes one at most."""
        noun, taken = entity.noun.lower(), [e.span for e in self.entities]
        span = next((s for s in self._places(entity.words) if s not in taken), None)
        if span is None:
            raise Refused(f"{entity.words!r} is listed as a thing more often than the prompt says it")
        if noun == self._said(span).lower() and (known := self._known(Type.PRESENCE, span)) is not None:
            noun = str(known.value)  # it named the plural
        self._must_say(Type.PRESENCE, span, noun)
        self.entities.append(self._add(Kind.ENTITY, Type.PRESENCE, noun, span, ()))

    def constraint(self, constraint: Constraint) -> None:
        """Add what is promised of things or of the picture."""
        type_ = Type(constraint.type)
        value = constraint.value if isinstance(constraint.value, int) else constraint.value.strip()
        if isinstance(value, str) and type_ is not Type.TEXT:
            value = int(value) if type_ is Type.COUNT and value.isdecimal() else value.lower()
        if isinstance(value, int) is not (type_ is Type.COUNT):
            raise Refused(f"{value!r} is no {type_}")
        if len(constraint.of) not in _TARGETS.get(type_, (0,)):
            raise Refused(f"{type_} {constraint.words!r} speaks of {len(constraint.of)} things")
        targets = self._targets(constraint.of)
        span = self._nearest(constraint.words, targets)
        self._must_say(type_, span, value)
        alike = (c for c in self.commitments if (c.type, c.value, c.span, c.targets) == (type_, value, span, targets))
        if not any(alike):
            self._add(Kind.CONSTRAINT, type_, value, span, targets)

    def unknown(self, type_: Type, words: str, of: tuple[int, ...] = ()) -> None:
        """Add words whose meaning is open."""
        targets = self._targets(of)
        span = self._nearest(words, targets)
        self._add(Kind.UNKNOWN, type_, self._said(span), span, targets)

    def leave_out(self, phrases: Iterable[str]) -> None:
        """Make an unknown of each phrase that was left out, where the grammar found a promise in it."""
        for phrase in phrases:
            open_ = [s for s in self._places(phrase) if any(_inside(word, s) for word in self._open())]
            if open_:
                self._add(Kind.UNKNOWN, Type.SEMANTIC_REASONING, self._said(open_[0]), open_[0], ())

    def missing(self) -> list[str]:
        """Return the words in which the grammar found a promise and this reading none."""
        return [self._said(word) for word in self._open()]

    # -- words -----------------------------------------------------------------------------------

    def _open(self) -> list[Span]:
        promised = [c.span for c in self.known.commitments if c.span is not None]
        covered = [c.span for c in self.commitments if c.span is not None]
        words = [Span(start=m.start(), end=m.end()) for m in _WORD.finditer(self.prompt)]
        return [
            word
            for word in words
            if any(_inside(word, s) for s in promised)
            and not any(_inside(word, s) for s in covered)
            and self._said(word).lower() not in _SMALL
        ]

    def _said(self, span: Span) -> str:
        return self.prompt[span.start : span.end]

    def _places(self, words: str) -> list[Span]:
        """Return where the prompt says these words, as whole words.

        Raises: Refused if it does not.
        """
        wanted = words.strip(" \t\n.,;:")
        pattern = re.compile(rf"(?<!\w){re.escape(wanted)}(?!\w)", re.IGNORECASE)
        found = [Span(start=m.start(), end=m.end()) for m in pattern.finditer(self.prompt)] if wanted else []
        if not found:
            raise Refused(f"the prompt does not say {words!r}; copy its words exactly")
        return found

    def _nearest(self, words: str, targets: tuple[str, ...]) -> Span:
        """Return the place of words that is nearest to the first thing that they speak of."""
        places = self._places(words)
        here = next((e.span.start for e in self.entities if e.id in targets[:1] and e.span is not None), None)
        return places[0] if here is None else min(places, key=lambda s: abs(s.start - here))

    def _known(self, type_: Type, span: Span, value: str | int | None = None) -> Commitment | None:
        """Return what the grammar reads of one type at a place, with one value if it is given."""
        return next(
            (
                c
                for c in self.known.of(type_)
                if c.span is not None
                and c.span.start < span.end
                and span.start < c.span.end
                and value in (None, c.value)
            ),
            None,
        )

    def _must_say(self, type_: Type, span: Span, value: str | int) -> None:
        """Raise Refused unless the words at `span` say `value`, or the grammar reads it there."""
        said, wanted = self._said(span), str(value)
        if type_ is not Type.TEXT:
            said = said.lower()
        forms = (wanted, plural(wanted)) if type_ in (Type.PRESENCE, Type.ABSENCE) else (wanted,)
        literal = any(re.search(rf"(?<!\w){re.escape(form)}(?!\w)", said) for form in forms)
        if not literal and self._known(type_, span, value) is None:
            raise Refused(f"{said!r} does not say {value!r}")

    # -- commitments -----------------------------------------------------------------------------

    def _targets(self, numbers: tuple[int, ...]) -> tuple[str, ...]:
        if any(not 1 <= n <= len(self.entities) for n in numbers):
            raise Refused(f"there is no entity {', '.join(map(str, numbers))}; they are numbered from 1")
        return tuple(self.entities[n - 1].id for n in numbers)

    def _add(self, kind: Kind, type_: Type, value: str | int, span: Span, targets: tuple[str, ...]) -> Commitment:
        same = self._known(type_, span, value)
        commitment = Commitment(
            id=next(self._ids[kind]),
            kind=kind,
            type=type_,
            claim=self._claim(type_, value, span, targets),
            value=value,
            targets=targets,
            aspect=(same.aspect if same is not None else "other") if type_ is Type.ATTRIBUTE else None,
            depends_on=tuple(dict.fromkeys(targets)),
            span=span,
            priority=3 if kind is Kind.UNKNOWN else _PRIORITY.get(type_, 2),
        )
        self.commitments.append(commitment)
        return commitment

    def _claim(self, type_: Type, value: str | int, span: Span, targets: tuple[str, ...]) -> str:
        nouns = [str(e.value) for t in targets for e in self.entities if e.id == t]
        match type_:
            case Type.PRESENCE:
                several = self._said(span).lower() == plural(str(value)) != value
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


def _inside(word: Span, span: Span) -> bool:
    return span.start <= word.start and word.end <= span.end
