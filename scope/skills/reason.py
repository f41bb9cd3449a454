"""Reason: what the prompt leaves to be worked out is worked out, by rules where they reach.

A number or a colour that is told by other things is an open unknown ("as many stars as a spider has legs"). It is
answered by arithmetic, by what the specification says of its own things, and by facts that can be searched
(deduction.py). Only what none of these decides is asked of a language model, which can answer with a number, a colour
or a noun and with nothing else.
"""

import re
import time
from typing import Any

from scope.errors import LanguageError
from scope.protocols import LanguageModel, Message, Reply, Toolbox
from scope.skills.deduction import CITES, MOST, Impossible, Unclear, reckon
from scope.skills.realize import is_within, precedes
from scope.specification import (
    Answer,
    Commitment,
    Fact,
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

    def needed(self, spec: Specification) -> bool:
        """Return whether an unknown is open that was not tried in vain, or an answer rests on one that has changed."""
        return bool(_untried(spec) or _stale(spec))

    def run(self, spec: Specification, tools: Toolbox) -> Specification:
        """Return the specification with each such unknown grounded, or open with a note of why it could not be."""
        for unknown in _stale(spec):
            spec = reopen(spec, unknown, _CAUSE, _CHANGED)
        spec = _deduced(spec, tools)
        notes: dict[str, str] = {}
        for unknown in _open(spec):
            if spec.statuses()[unknown] is Status.OPEN:  # else an answer before this one decided it
                spec, notes[unknown] = _asked(spec, unknown, tools)
        for unknown in _open(spec):
            spec = spec.move(unknown, Status.OPEN, _CAUSE, evidence={"note": notes[unknown]})
        return spec


_CAUSE = f"skill:{Reason.name}@{Reason.version}"


def _open(spec: Specification) -> tuple[str, ...]:
    return tuple(u.id for u in spec.where(Status.OPEN, type=Type.SEMANTIC_REASONING))


def _untried(spec: Specification) -> tuple[str, ...]:
    """Return the open unknowns that were not tried in vain, or before something else was grounded."""
    last = max((e.sequence for e in spec.events if e.after is Status.GROUNDED), default=-1)
    events = {unknown: spec.history(unknown)[-1] for unknown in _open(spec)}
    return tuple(unknown for unknown, e in events.items() if e.cause != _CAUSE or e.sequence < last)


def _stale(spec: Specification) -> tuple[str, ...]:
    """Return the unknowns whose answer was worked out from an answer that is no longer the same."""
    known = answers(spec)
    latest = {e.commitment: e.sequence for e in spec.events if e.after in (Status.OPEN, Status.GROUNDED)}
    return tuple(
        unknown
        for unknown, answer in known.items()
        if spec.statuses()[unknown] is not Status.WAIVED
        and any(
            latest.get(source.locator.removeprefix(CITES), -1) > latest[unknown]
            for source in answer.sources
            if source.locator.startswith(CITES)
        )
    )


def _deduced(spec: Specification, tools: Toolbox) -> Specification:
    """Return the specification with all that rules and facts decide, one answer after what it rests on."""
    found = True
    while found:
        found = False
        for unknown in _open(spec):
            began = time.monotonic()
            try:
                answer = reckon(spec, spec[unknown], tools.knowledge, _refuted(spec, unknown))
            except Unclear:
                continue
            spec, found = ground(spec, unknown, answer, _CAUSE, time.monotonic() - began), True
    return spec


def _refuted(spec: Specification, unknown: str) -> frozenset[str]:
    """Return the locators of sources that were believed and proved wrong."""
    opened = [e for e in spec.history(unknown) if e.after is Status.OPEN and e.before is not Status.OPEN]
    return frozenset() if opened[-1].evidence.get("note") == _CHANGED else tried(spec, unknown)


# -- a language model ----------------------------------------------------------------------------


def _asked(spec: Specification, unknown: str, tools: Toolbox) -> tuple[Specification, str]:
    """Return the specification with what a language model says of an unknown, and why it says nothing where it does."""
    try:
        reckon(spec, spec[unknown], tools.knowledge, _refuted(spec, unknown))
    except Impossible as error:
        return spec, str(error)
    except Unclear as error:
        why = str(error)
    question = _question(spec, spec[unknown])
    if tools.language is None or question is None:
        return spec, why
    try:
        answer, seconds = _answer(spec, spec[unknown], tools.language, *question)
    except LanguageError as error:
        return spec, f"{why}; {error}"
    if answer is None:
        return spec, f"{why}; {tools.language.name} gave no answer that can be drawn"
    return _deduced(ground(spec, unknown, answer, _CAUSE, seconds), tools), ""


_Question = tuple[Type, dict[str, Any]]
_NOUN = re.compile(r"[a-z]+(?:[ -][a-z]+){0,2}")
_QUANTITY = re.compile(
    rf"\b(?:as (?:many|few)|more|fewer|less|number|sum|product|difference|root|times|\d+|{'|'.join(NUMBERS)})\b",
    re.IGNORECASE,
)


def _question(spec: Specification, unknown: Commitment) -> _Question | None:
    """Return what is asked about an unknown: the type of the fact, and the schema of its value. None: nothing."""
    if not unknown.targets:
        return None
    entity = spec[unknown.targets[0]]
    if unknown.aspect == "color":
        return Type.ATTRIBUTE, {"type": "string", "enum": list(COLORS)}
    if _QUANTITY.search(str(unknown.value)) and (precedes(unknown, entity) or is_within(entity, unknown)):
        return Type.COUNT, {"type": "integer", "minimum": 0, "maximum": MOST}
    if is_within(entity, unknown) and str(unknown.value).lower().startswith(("a ", "an ", "the ")):
        return Type.PRESENCE, {"type": "string", "pattern": f"^{_NOUN.pattern}$", "maxLength": 40}
    return None


_ASKS = {
    Type.ATTRIBUTE: "Which colour is meant by",
    Type.COUNT: "How many {noun} are meant by",
    Type.PRESENCE: "Which one thing that can be drawn is meant by",
}


def _answer(
    spec: Specification, unknown: Commitment, language: LanguageModel, about: Type, schema: dict[str, Any]
) -> tuple[Answer | None, float]:
    """Return a language model's answer (None: it is none that was allowed), and how long it took in seconds."""
    asks = _ASKS[about].format(noun=spec[unknown.targets[0]].value)
    properties = {"reason": {"type": "string", "maxLength": 300}, "answer": schema}
    reply = language.complete(
        [
            Message(role="system", content="You work out one detail of a picture that is to be drawn."),
            Message(role="user", content=f'{asks} "{unknown.value}" in: {spec.prompt}'),
        ],
        {"type": "object", "properties": properties, "required": list(properties), "additionalProperties": False},
    )
    return _checked(unknown, reply, language, about), reply.seconds


def _checked(unknown: Commitment, reply: Reply, language: LanguageModel, about: Type) -> Answer | None:
    """Return a reply as an answer if it is one of those that were allowed."""
    value, why = reply.data.get("answer"), str(reply.data.get("reason", ""))
    words = ""
    if about is Type.COUNT and type(value) is int and 1 <= value <= MOST:
        words = number_words(value)
    elif about is Type.ATTRIBUTE and value in COLORS:
        words = str(value)
    elif about is Type.PRESENCE and isinstance(value, str) and len(value) <= 40 and _NOUN.fullmatch(value):
        words = f"{article(value)} {value}"
    if not words or not isinstance(value, str | int):
        return None
    aspect = "color" if about is Type.ATTRIBUTE else None
    source = Source(
        title=f"{language.name}@{language.version}", locator=f"language:{language.name}", quote=printable(why)[:500]
    )
    fact = Fact(type=about, value=value, target=unknown.targets[0], aspect=aspect)
    return Answer(words=words, facts=(fact,), sources=(source,))
