"""A prompt in the middle of being read: its words, its phrases, and the commitments found so far."""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import Any

from scope.parsing import lexicon
from scope.parsing.phrases import Phrase
from scope.parsing.prompt import Prompt
from scope.parsing.roles import Role
from scope.parsing.words import Word
from scope.specification import Commitment, Kind, Span, Type
from scope.text import plural

_PRIORITY = {Type.COUNT: 1, Type.TEXT: 1, Type.ABSENCE: 1, Type.STYLE: 3}
_VERB = re.compile(r"\s(is|are|does|do)\s")
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth")


def span_of(words: Sequence[Word]) -> Span:
    """Return the span from the first of these words to the last."""
    return Span(start=min(w.start for w in words), end=max(w.end for w in words))


def denial_of(claim: str) -> str:
    """Return the opposite of a claim: "the dog is not brown"."""
    subject, verb, rest = _VERB.split(claim, maxsplit=1) if _VERB.search(claim) else ("", "", claim)
    return f"{subject} {verb} not {rest}" if verb else f"it is not so that {rest}"


@dataclass
class ParseState:
    """What the stages share. `entities` are the phrases that introduced one; `commitments` say something of them.

    `denied` are the words that another denies ("red" by "not"), `denied_clauses` those of them with whose object a new
    thing is denied, `passed` those that nothing is read from. `left_open` are clauses that
    promise nothing. While `cue` is set, what is added is denied by that word.
    Words are named by their index, which may lie beyond both ends: there is nothing there.
    """

    prompt: Prompt
    words: list[Word]
    phrases: list[Phrase]
    entities: list[Phrase] = field(default_factory=list)
    commitments: list[Commitment] = field(default_factory=list)
    denied: dict[int, int] = field(default_factory=dict)
    denied_clauses: dict[int, Span] = field(default_factory=dict)
    passed: set[int] = field(default_factory=set)
    left_open: list[range] = field(default_factory=list)
    cue: int | None = None

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

    def text(self, i: int) -> str:
        """Return word `i` in lower case; nothing beyond both ends."""
        return self.words[i].text.lower() if 0 <= i < len(self.words) else ""

    def clause(self, i: int) -> int:
        """Return the number of the sentence, or of the part of one between semicolons, that word `i` is in."""
        return sum(w.text in {".", ";", "!", "?"} for w in self.words[:i])

    def span(self, phrase: Phrase) -> Span:
        """Return where the words of a phrase are."""
        return span_of(self.words[phrase.start : phrase.stop])

    def subjects(self, i: int, *, beside: Phrase | None = None, settings: bool = True) -> list[Phrase]:
        """Return the entities that word `i` speaks of, but not `beside`; without `settings`, entities only.

        By the parse where it says so; else the nearest entity before the word in its sentence, else the nearest after.
        """
        near = self.stand_in_before(i)
        if near is not None:  # "one wearing a hat": a parser sees no noun there
            return self.meant(near)
        parsed = self.each(p for p in self.parsed_subjects(i) if p is not beside and (settings or p.id))
        if parsed:
            return parsed
        sentence = self.words[i].sentence
        referents = [p for p in self.phrases if p.id or (settings and p.setting)]
        here = [p for p in referents if p is not beside and self.words[p.start].sentence == sentence]
        before = [p for p in here if p.stop <= i]
        return self.each(before[-1:] or [p for p in here if p.start > i][:1])

    def stand_in_before(self, i: int) -> Phrase | None:
        """Return the stand-in or pronoun that a predicate at word `i` follows: "one" of "one is not wearing a hat"."""
        at = i
        while self.role(at - 1) in {Role.AUXILIARY, Role.ADVERB, Role.NEGATION}:
            at -= 1
        near = self.phrase_before(at)
        return near if near is not None and (near.stand_ins or near.part_of) and near.id else None

    def each(self, phrases: Iterable[Phrase]) -> list[Phrase]:
        """Return the entities that phrases speak of, each once."""
        return list({m.id or m.start: m for p in phrases for m in self.meant(p)}.values())

    @staticmethod
    def meant(phrase: Phrase) -> list[Phrase]:
        """Return the entities that a phrase speaks of: several, of "they"."""
        return phrase.means or [phrase]

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

    # -- settling --------------------------------------------------------------------------------

    def introduce(self, phrase: Phrase) -> None:
        """Make a phrase a new entity."""
        self.entities.append(phrase)
        phrase.id = f"e{len(self.entities)}"

    def mean(self, phrase: Phrase, entities: Sequence[Phrase]) -> None:
        """Make a phrase speak of entities that were named before; of none: its words stay open."""
        if not entities:
            return
        first = entities[0]
        phrase.means = list(entities)
        phrase.id, phrase.noun, phrase.nouns = first.id, first.noun, first.nouns
        phrase.plural = len(entities) > 1 or first.plural

    def insert(self, phrase: Phrase) -> None:
        """Add a phrase that is part of another: "the two dogs" in "each of the two dogs"."""
        self.phrases.append(phrase)
        self.phrases.sort(key=lambda p: (p.start, -p.stop))

    # -- adding ----------------------------------------------------------------------------------

    def definite(self, phrase: Phrase) -> str:
        """Return how a claim names an entity: "the car", or "the second car" where there are several of that name."""
        if phrase.setting is not None:
            return "the setting"
        entity = next((p for p in self.entities if p.id == phrase.id), phrase)
        if entity.part_of is not None:
            return self._part(entity)
        alike = [p.id for p in self.entities if p.noun == phrase.noun and p.part_of is None]
        noun = self.noun(phrase)
        if len(alike) < 2 or phrase.id not in alike:
            return f"the {noun}"
        place = alike.index(phrase.id)
        return f"the {_ORDINALS[place]} {noun}" if place < len(_ORDINALS) else f"the {noun} number {place + 1}"

    def _part(self, part: Phrase) -> str:
        """Return how a claim names a part: "2 of the mice", "the left cup", "one of the two"."""
        assert part.part_of is not None
        if part.which:
            return f"the {part.which} {self.noun(part)}"
        amount = {None: "some", 1: "one"}.get(part.amount, str(part.amount))
        alike = [p.id for p in self.entities if p.part_of is part.part_of and p.amount == part.amount and not p.which]
        if alike.index(part.id):
            amount = "another" if amount == "one" else f"{amount} other"
        return f"{amount} of {self.definite(part.part_of)}"

    def described(self, phrase: Phrase) -> str:
        """Return what an entity is, with its qualities where there are several of that name: "blue car".

        Of a part it says which of its whole, or of what: "left cup", "of the apples".
        """
        if phrase.part_of is not None:
            return f"{phrase.which} {self.noun(phrase)}" if phrase.which else f"of {self.definite(phrase.part_of)}"
        several = sum(p.noun == phrase.noun and p.part_of is None for p in self.entities) > 1
        qualities = [word.text.lower() for run in phrase.modifiers for word in run] if several else []
        return " ".join([*qualities, self.noun(phrase)])

    def noun(self, phrase: Phrase) -> str:
        """Return the noun of an entity in the number that the prompt speaks of it."""
        last = phrase.nouns[-1]
        as_written = not last.shown and (phrase.plural == last.plural or last.value in lexicon.PLURAL_ONLY)
        value = plural(str(last.value)) if phrase.plural else str(last.value)
        noun = last.text.lower() if as_written else value
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
        if self.cue is not None and kind is Kind.CONSTRAINT:
            more["denied"] = True
            claim, span = denial_of(claim), self._with_cue(span)
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
                **{"priority": 3 if kind is Kind.UNKNOWN else _PRIORITY.get(type, 2)} | more,
            )
        )

    def _with_cue(self, span: Span) -> Span:
        assert self.cue is not None
        cue = self.words[self.cue]
        if self.cue and self.words[self.cue - 1].end == cue.start:  # "isn't", "cannot"
            cue = self.words[self.cue - 1]
        return Span(start=min(cue.start, span.start), end=max(self.words[self.cue].end, span.end))

    def add_unknown(self, span: Span, *targets: Phrase, external: bool = False, **more: Any) -> None:
        """Add words whose meaning is open, with `more` of the fields of a commitment."""
        words = self.prompt.text[span.start : span.end]
        kind = Type.EXTERNAL_REFERENCE if external else Type.SEMANTIC_REASONING
        claim = f'the picture agrees with "{words}"'
        self.add(kind, claim, words, span, *targets, kind=Kind.UNKNOWN, **more)
