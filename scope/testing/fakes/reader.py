"""A reader of a toy grammar."""

import re

from scope.errors import PromptError
from scope.specification import Cause, Commitment, Kind, Span, Specification, Status, Type, next_ids

_DECOMPOSE = Cause.skill("decompose", "1")


class FakeReader:
    """Reads "2 red apple left of 1 blue car on beach saying FRESH": a toy grammar with one noun per phrase.

    Words: a number, a colour, `left of` or `right of` between two nouns, `on PLACE`, `saying WORD`; "?x" is an unknown.
    """

    name = "fake"
    version = "1"

    _COLORS = frozenset({"red", "green", "blue"})
    _TOKEN = re.compile(r"left of|right of|on \w+|saying \w+|\?\w+|\w+")

    def decompose(self, prompt: str) -> Specification:
        """Return the declared commitments of a prompt.

        Raises: PromptError if it names nothing.
        """
        self._spec, self._prompt = Specification(prompt=prompt), prompt
        self._ids = {kind: next_ids(letter) for kind, letter in zip(Kind, "ecu", strict=True)}
        self._waiting: list[tuple[Type, str, Span]] = []
        self._entity: str | None = None
        for match in self._TOKEN.finditer(prompt):
            self._read(match.group(), Span(start=match.start(), end=match.end()))
        if not self._spec.of(Type.PRESENCE):
            raise PromptError(f"nothing in {prompt!r} can be drawn")
        return self._spec

    def _read(self, word: str, span: Span) -> None:
        if word.startswith("?"):
            unknown = self._declare(Kind.UNKNOWN, Type.SEMANTIC_REASONING, word[1:], span)
            self._spec = self._spec.move(unknown, Status.OPEN, _DECOMPOSE)
        elif word.startswith("on "):
            self._declare(Kind.CONSTRAINT, Type.SETTING, word[3:], span)
        elif word.startswith("saying "):
            self._declare(Kind.CONSTRAINT, Type.TEXT, word[7:], span)
        elif word in ("left of", "right of"):
            self._waiting.append((Type.RELATION, word, span))
        elif word.isdigit():
            self._waiting.append((Type.COUNT, word, span))
        elif word in self._COLORS:
            self._waiting.append((Type.ATTRIBUTE, word, span))
        else:
            self._entity_with_waiting(word, span)

    def _entity_with_waiting(self, noun: str, span: Span) -> None:
        before, self._entity = self._entity, self._declare(Kind.ENTITY, Type.PRESENCE, noun, span)
        for type_, word, where in self._waiting:
            if type_ is Type.RELATION:
                self._declare(Kind.CONSTRAINT, type_, word, where, tuple(filter(None, (before, self._entity))))
            else:
                self._declare(Kind.CONSTRAINT, type_, word, where, (self._entity,))
        self._waiting = []

    def _declare(self, kind: Kind, type_: Type, word: str, span: Span, targets: tuple[str, ...] = ()) -> str:
        commitment = Commitment(
            id=next(self._ids[kind]),
            kind=kind,
            type=type_,
            claim=f"{type_.value} of {word}",
            value=int(word) if type_ is Type.COUNT else word,
            targets=targets,
            depends_on=targets,
            aspect="color" if type_ is Type.ATTRIBUTE else None,
            span=span,
        )
        self._spec = self._spec.declare(commitment, _DECOMPOSE)
        return commitment.id
