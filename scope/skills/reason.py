"""Reason: what the prompt leaves to be worked out is worked out, by rules where they reach.

A number or a colour that other words name is an open unknown ("as many stars as a spider has legs"). It is answered by
arithmetic, by what the specification says of its own entities, and by facts that can be searched (grounding/). Only
what none of these decides is asked of a language model, which can answer with a number, a colour or a noun and with
nothing else.
"""

import re
import time
from dataclasses import dataclass

from pydantic import Field

from scope.errors import LanguageError
from scope.protocols import LanguageModel, Message, Reply, Toolbox
from scope.skills.grounding.deduction import MAX_COUNT, deduce
from scope.skills.grounding.referents import Undecidable, Unsatisfiable
from scope.skills.mentions import is_within, precedes
from scope.specification import (
    Answer,
    Cause,
    Commitment,
    Fact,
    Model,
    Note,
    Source,
    Specification,
    Status,
    Type,
    answers,
    ground,
    reopen,
    tried,
)
from scope.text import COLORS, NUMBERS, article, number_words, printable

_CHANGED = "what it was worked out from has changed"


class Reason:
    """Grounds what open semantic unknowns stand for."""

    name = "reason"
    version = "1"
    after = ("retrieve",)  # what it works out may rest on what was found

    def needed(self, spec: Specification) -> bool:
        """Return whether an unknown is open that was not tried in vain, or an answer rests on one that has changed."""
        return bool(_untried(spec) or _outdated(spec))

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        """Return the specification with each such unknown grounded, or open with a note of why it could not be."""
        for unknown in _outdated(spec):
            spec = reopen(spec, unknown, _CAUSE, _CHANGED)
        spec = _deduce_all(spec, tools)
        notes: dict[str, str] = {}
        for unknown in _open_unknowns(spec):
            if spec.statuses()[unknown] is Status.OPEN:  # else an answer before this one decided it
                spec, notes[unknown] = _ask_model(spec, unknown, tools)
        for unknown in _open_unknowns(spec):
            spec = spec.move(unknown, Status.OPEN, _CAUSE, evidence=Note(note=notes[unknown]))
        return spec


_CAUSE = Cause.skill(Reason.name, Reason.version)


def _open_unknowns(spec: Specification) -> tuple[str, ...]:
    return tuple(u.id for u in spec.where(Status.OPEN, type=Type.SEMANTIC_REASONING))


def _untried(spec: Specification) -> tuple[str, ...]:
    """Return the open unknowns that were not tried in vain, or before something else was grounded."""
    last = max((e.sequence for e in spec.events if e.after is Status.GROUNDED), default=-1)
    events = {unknown: spec.history(unknown)[-1] for unknown in _open_unknowns(spec)}
    return tuple(unknown for unknown, e in events.items() if e.cause != _CAUSE or e.sequence < last)


def _outdated(spec: Specification) -> tuple[str, ...]:
    """Return the unknowns whose answer was worked out from an answer that is no longer the same."""
    known = answers(spec)
    latest = {e.commitment: e.sequence for e in spec.events if e.after in (Status.OPEN, Status.GROUNDED)}
    return tuple(
        unknown
        for unknown, answer in known.items()
        if spec.statuses()[unknown] is not Status.WAIVED
        and any(
            latest.get(source.commitment, -1) > latest[unknown]
            for source in answer.sources
            if source.commitment is not None
        )
    )


def _deduce_all(spec: Specification, tools: Toolbox) -> Specification:
    """Return the specification with all that rules and facts decide, one answer after what it rests on."""
    found = True
    while found:
        found = False
        for unknown in _open_unknowns(spec):
            began = time.monotonic()
            try:
                answer = deduce(spec, spec[unknown], tools.knowledge, _refuted_sources(spec, unknown))
            except Undecidable:
                continue
            spec, found = ground(spec, unknown, answer, _CAUSE, time.monotonic() - began), True
    return spec


def _refuted_sources(spec: Specification, unknown: str) -> frozenset[str]:
    """Return the locators of sources that were believed and proved wrong."""
    opened = [e for e in spec.history(unknown) if e.after is Status.OPEN and e.before is not Status.OPEN]
    return frozenset() if opened[-1].evidence == Note(note=_CHANGED) else tried(spec, unknown)


# -- a language model ----------------------------------------------------------------------------


def _ask_model(spec: Specification, unknown: str, tools: Toolbox) -> tuple[Specification, str]:
    """Return the specification with what a language model says of an unknown, and why it says nothing where it does."""
    try:
        deduce(spec, spec[unknown], tools.knowledge, _refuted_sources(spec, unknown))
    except Unsatisfiable as error:
        return spec, str(error)
    except Undecidable as error:
        why = str(error)
    question = _question(spec, spec[unknown])
    if tools.language is None or question is None:
        return spec, why
    try:
        answer, seconds = _answer(spec, spec[unknown], tools.language, question)
    except LanguageError as error:
        return spec, f"{why}; {error}"
    if answer is None:
        return spec, f"{why}; {tools.language.name} gave no answer that can be drawn"
    return _deduce_all(ground(spec, unknown, answer, _CAUSE, seconds), tools), ""


_NOUN = re.compile(r"[a-z]+(?:[ -][a-z]+){0,2}")
_QUANTITY = re.compile(
    rf"\b(?:as (?:many|few)|more|fewer|less|number|sum|product|difference|root|times|\d+|{'|'.join(NUMBERS)})\b",
    re.IGNORECASE,
)


class _ColorReply(Model):
    reason: str = Field(max_length=300)
    answer: str = Field(json_schema_extra={"enum": list(COLORS)})


class _CountReply(Model):
    reason: str = Field(max_length=300)
    answer: int = Field(ge=0, le=MAX_COUNT)


class _NounReply(Model):
    reason: str = Field(max_length=300)
    answer: str = Field(pattern=f"^{_NOUN.pattern}$", max_length=40)


@dataclass(frozen=True)
class _Question:
    """What is asked of a language model: the type of the fact that it gives, the words, and the form of the reply."""

    fact: Type
    text: str
    reply: type[Model]


_COLOR = _Question(Type.ATTRIBUTE, "Which colour is meant by", _ColorReply)
_COUNT = _Question(Type.COUNT, "How many {noun} are meant by", _CountReply)
_ENTITY = _Question(Type.PRESENCE, "Which one thing that can be drawn is meant by", _NounReply)


def _question(spec: Specification, unknown: Commitment) -> _Question | None:
    """Return what is asked about an unknown; None: nothing that a model could answer."""
    if not unknown.targets:
        return None
    entity = spec[unknown.targets[0]]
    if unknown.aspect == "color":
        return _COLOR
    if _QUANTITY.search(str(unknown.value)) and (precedes(unknown, entity) or is_within(entity, unknown)):
        return _COUNT
    if is_within(entity, unknown) and str(unknown.value).lower().startswith(("a ", "an ", "the ")):
        return _ENTITY
    return None


def _answer(
    spec: Specification, unknown: Commitment, language: LanguageModel, question: _Question
) -> tuple[Answer | None, float]:
    """Return a language model's answer (None: it is none that was allowed), and how long it took in seconds."""
    asks = question.text.format(noun=spec[unknown.targets[0]].value)
    messages = [
        Message(role="system", content="You work out one detail of a picture that is to be drawn."),
        Message(role="user", content=f'{asks} "{unknown.value}" in: {spec.prompt}'),
    ]
    reply = language.complete(messages, question.reply.model_json_schema())
    return _checked(unknown, reply, language, question.fact), reply.seconds


def _checked(unknown: Commitment, reply: Reply, language: LanguageModel, fact: Type) -> Answer | None:
    """Return a reply as an answer if it is one of those that were allowed."""
    value, why = reply.data.get("answer"), str(reply.data.get("reason", ""))
    words = ""
    if fact is Type.COUNT and type(value) is int and 1 <= value <= MAX_COUNT:
        words = number_words(value)
    elif fact is Type.ATTRIBUTE and value in COLORS:
        words = str(value)
    elif fact is Type.PRESENCE and isinstance(value, str) and len(value) <= 40 and _NOUN.fullmatch(value):
        words = f"{article(value)} {value}"
    if not words or not isinstance(value, str | int):
        return None
    aspect = "color" if fact is Type.ATTRIBUTE else None
    source = Source(
        title=f"{language.name}@{language.version}", locator=f"language:{language.name}", quote=printable(why)[:500]
    )
    found = Fact(type=fact, value=value, target=unknown.targets[0], aspect=aspect)
    return Answer(words=words, facts=(found,), sources=(source,))
