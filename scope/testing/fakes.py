"""Fakes for those who write parts, and for our own tests: no weights, no torch, the same result every time."""

import re
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from PIL import Image

from scope.errors import PromptError
from scope.protocols import OnStep, Picture, Vocabulary, ignore_steps
from scope.specification import (
    Commitment,
    Kind,
    Request,
    Span,
    Specification,
    Status,
    Type,
    Verdict,
    next_ids,
    sha256_of,
)


@dataclass
class FakeGenerator:
    """Coloured noise that depends on the request alone.

    `delay` is in seconds per picture; `fails` calls raise RuntimeError before the first that succeeds; `requests` keeps
    what was asked.
    """

    name: str = "fake"
    version: str = "1"
    size: int = 8  # pixels
    steps: int = 2
    delay: float = 0.0
    fails: int = 0
    vocabulary: Vocabulary | None = None
    weights: dict[str, str] = field(default_factory=dict)
    likelihoods: Sequence[float | None] = ()  # of the first pictures, in order
    requests: list[Request] = field(default_factory=list)

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        """Return one picture per request."""
        return [self._picture(request, on_step) for request in requests]

    def _picture(self, request: Request, on_step: OnStep) -> Picture:
        if self.fails > 0:
            self.fails -= 1
            raise RuntimeError("this fake was told to fail")
        self.requests.append(request)
        for step in range(self.steps):
            _wait(self.delay / self.steps)
            on_step(step + 1, self.steps)
        number = len(self.requests) - 1
        likelihood = self.likelihoods[number] if number < len(self.likelihoods) else None
        return Picture(_noise(sha256_of(request), self.size), likelihood)


#: What a `FakeVerifier` says of a commitment: an outcome, or one per picture that it is asked about (the last repeats).
Script = Mapping[str, str | Sequence[str | None] | None]


@dataclass
class FakeVerifier:
    """Says what it was told to, by commitment id or type; of all others, `otherwise`.

    `handled` limits it to some types (None: all but unknowns); `raises` makes each check fail; `asked` keeps the ids of
    each check.
    """

    script: Script = field(default_factory=dict)
    otherwise: str | None = "met"
    name: str = "fake"
    version: str = "1"
    handled: frozenset[Type] | None = None
    raises: Exception | None = None
    delay: float = 0.0
    asked: list[tuple[str, ...]] = field(default_factory=list)
    pictures: list[bytes] = field(default_factory=list)

    def handles(self, commitment: Commitment) -> bool:
        """Return whether it may be asked."""
        return commitment.kind is not Kind.UNKNOWN if self.handled is None else commitment.type in self.handled

    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        """Return what the script says."""
        if image.tobytes() not in self.pictures:
            self.pictures.append(image.tobytes())
        self.asked.append(tuple(c.id for c in commitments))
        _wait(self.delay)
        if self.raises is not None:
            raise self.raises
        number = self.pictures.index(image.tobytes())
        return [self._verdict(c, number) for c in commitments]

    def _verdict(self, commitment: Commitment, number: int) -> Verdict:
        said = self.script.get(commitment.id, self.script.get(commitment.type.value, self.otherwise))
        said = said if self.handles(commitment) else None
        if not isinstance(said, str | None):
            said = said[min(number, len(said) - 1)]
        return Verdict.model_validate(
            {
                "commitment": commitment.id,
                "outcome": said,
                "reason": f"the script says {said}",
                "verifier": f"{self.name}@{self.version}",
            }
        )


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
            self._spec = self._spec.move(unknown, Status.OPEN, "language:fake@1")
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
        self._spec = self._spec.declare(commitment, "skill:decompose@1")
        return commitment.id


def _wait(seconds: float) -> None:
    if seconds > 0:  # sleeping for no time at all gives the processor away
        time.sleep(seconds)


def _noise(seed: str, size: int) -> Image.Image:
    length, data = 3 * size * size, b""
    while len(data) < length:
        data += sha256(f"{seed}/{len(data)}".encode()).digest()
    return Image.frombytes("RGB", (size, size), data[:length])
