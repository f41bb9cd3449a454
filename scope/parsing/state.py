"""A prompt in the middle of being read: its words, its phrases, and the commitments found so far."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from scope.parsing import lexicon
from scope.parsing.phrases import Phrase
from scope.parsing.prompt import Prompt
from scope.parsing.roles import Role
from scope.parsing.words import Word
from scope.specification import Commitment, Kind, Span, Type

_PRIORITY = {Type.COUNT: 1, Type.TEXT: 1, Type.ABSENCE: 1, Type.STYLE: 3}
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def span_of(words: Sequence[Word]) -> Span:
    """Return the span from the first of these words to the last."""
    return Span(start=min(w.start for w in words), end=max(w.end for w in words))


@dataclass
class ParseState:
    """What the stages share. `entities` are the phrases that introduced one; `commitments` say something of them.

    Words are named by their index, which may lie beyond both ends: there is nothing there.
    """

    prompt: Prompt
    words: list[Word]
    phrases: list[Phrase]
    entities: list[Phrase] = field(default_factory=list)
    commitments: list[Commitment] = field(default_factory=list)

    def __post_init__(self) -> None:
        self._phrase_of = {i: p for p in self.phrases for i in range(p.start, p.stop)}

    # -- finding ---------------------------------------------------------------------------------

    def phrase_at(self, i: int) -> Phrase | None:
        """Return the phrase that word `i` belongs to."""
        return self._phrase_of.get(i)

    def phrase_after(self, i: int) -> Phrase | None:
        """Return the phrase that starts right after word `i`."""
        following = self._phrase_of.get(i + 1)
        return following if following is not None and following.start == i + 1 else None

    def phrase_before(self, i: int) -> Phrase | None:
        """Return the phrase that ends right before word `i`."""
        return self._phrase_of.get(i - 1)

    def role(self, i: int) -> Role | None:
        """Return the role of word `i`."""
        return self.words[i].role if 0 <= i < len(self.words) else None

    def subjects(self, i: int, *, beside: Phrase | None = None, settings: bool = True) -> list[Phrase]:
        """Return the entities that word `i` speaks of, but not `beside`; without `settings`, entities only.

        By the parse where it says so; else the nearest entity before the word in its sentence, else the nearest after.
        """
        parsed = [p for p in self.parsed_subjects(i) if p is not beside and (settings or p.id)]
        if parsed:
            return parsed
        sentence = self.words[i].sentence
        referents = [p for p in self.phrases if p.id or (settings and p.setting)]
        here = [p for p in referents if p is not beside and self.words[p.start].sentence == sentence]
        before = [p for p in here if p.stop <= i]
        return before[-1:] or [p for p in here if p.start > i][:1]

    def parsed_subjects(self, i: int) -> list[Phrase]:
        """Walk up the parse from word `i` to an entity, or to a verb whose subjects are entities."""
        seen: set[int] = set()
        here = i
        while here >= 0 and here not in seen:
            seen.add(here)
            phrase = self._phrase_of.get(here)
            if here != i and phrase is not None and phrase.is_referent:
                return [phrase]
            if self.words[here].role in {Role.VERB, Role.AUXILIARY} and (subjects := self._subjects_of_verb(here)):
                return subjects
            here = self.words[here].head
        return []

    def _subjects_of_verb(self, i: int) -> list[Phrase]:
        """Return the subject of a verb and what is joined to it with "and"."""
        waiting = [c for c in self.words[i].children if self.words[c].dep in {"nsubj", "nsubjpass"}]
        found: list[Phrase] = []
        while waiting:
            word = waiting.pop(0)
            phrase = self._phrase_of.get(word)
            if phrase is not None and phrase.is_referent and phrase not in found:
                found.append(phrase)
            waiting += [c for c in self.words[word].children if self.words[c].dep == "conj"]
        return found

    # -- adding ----------------------------------------------------------------------------------

    def definite(self, phrase: Phrase) -> str:
        """Return how a claim names an entity: "the car", or "the second car" where there are several of that name."""
        if phrase.setting is not None:
            return "the setting"
        alike = [p.id for p in self.entities if p.noun == phrase.noun]
        noun = self.noun(phrase)
        if len(alike) < 2 or phrase.id not in alike:
            return f"the {noun}"
        place = alike.index(phrase.id)
        return f"the {_ORDINALS[place]} {noun}" if place < len(_ORDINALS) else f"the {noun} number {place + 1}"

    def noun(self, phrase: Phrase) -> str:
        """Return the noun of an entity in the number that the prompt speaks of it."""
        last = phrase.nouns[-1]
        as_written = phrase.plural == last.plural or last.value in lexicon.PLURAL_ONLY
        noun = last.text.lower() if as_written else str(last.value)
        return " ".join([*(w.text.lower() for w in phrase.nouns[:-1]), noun])

    def add(
        self,
        type: Type,
        claim: str,
        value: str | int,
        span: Span,
        *targets: Phrase,
        kind: Kind = Kind.CONSTRAINT,
        **more: Any,
    ) -> None:
        """Add a commitment, with `more` of its fields. Its id is given when all are known, in the prompt's order."""
        ids = tuple(p.id for p in targets if p.id is not None)
        self.commitments.append(
            Commitment(
                id="",
                kind=kind,
                type=type,
                claim=claim,
                value=value,
                targets=ids,
                depends_on=tuple(dict.fromkeys(ids)),
                span=span,
                priority=3 if kind is Kind.UNKNOWN else _PRIORITY.get(type, 2),
                **more,
            )
        )

    def add_unknown(self, span: Span, *targets: Phrase, external: bool = False, **more: Any) -> None:
        """Add words whose meaning is open, with `more` of the fields of a commitment."""
        words = self.prompt.text[span.start : span.end]
        kind = Type.EXTERNAL_REFERENCE if external else Type.SEMANTIC_REASONING
        claim = f'the picture agrees with "{words}"'
        self.add(kind, claim, words, span, *targets, kind=Kind.UNKNOWN, **more)
