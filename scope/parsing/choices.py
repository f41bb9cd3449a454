"""What a prompt leaves to choose: "a cat or a dog", "a red or blue car". A choice is one unknown with its alternatives.

None of the alternatives is promised, and what is said of them all ("... on a table") is left open with them.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from scope.parsing.anaphora import ONES
from scope.parsing.phrases import Phrase, setting_of
from scope.parsing.roles import Role
from scope.parsing.state import ParseState, span_of
from scope.parsing.words import Word
from scope.text import COLORS

_LINKING = frozenset({Role.VERB, Role.RELATION, Role.PREPOSITION, Role.ADVERB})
#: Words that are chosen among outside of phrases: "is red or blue", "running or sleeping".
_CHOSEN = frozenset({Role.MODIFIER, Role.VERB, Role.TEXT, Role.PLACE})


@dataclass(frozen=True)
class Choice:
    """The words [start, stop) that leave something open, its alternatives, and the phrases that it is said of.

    Without such a phrase it is said of whatever its first word speaks of, where that `describes` something.
    """

    start: int
    stop: int
    alternatives: tuple[str, ...]
    about: tuple[Phrase, ...] = ()
    describes: bool = False


def find_choices(state: ParseState) -> Iterator[Choice]:
    """Yield the choices; their phrases become no entities, and their words are read by nobody else."""
    for i in range(len(state.words)):
        if state.text(i) != "or" or state.role(i) is not Role.CONJUNCTION or i in state.passed:
            continue
        inside = state.phrase_at(i)
        found = _of_qualities(state, inside, i) if inside is not None else _of_phrases(state, i) or _of_words(state, i)
        if found is not None:
            state.passed |= {at for at in range(found.start, found.stop) if state.phrase_at(at) is None}
            yield found


def read_choice(state: ParseState, choice: Choice) -> None:
    """Add a choice, as what is not known yet."""
    about = [p for p in choice.about if p.id]
    if choice.describes and not about:
        about = [p for p in state.subjects(choice.start) if p.id]
    aspect = "color" if set(choice.alternatives) <= set(COLORS) else None
    span = span_of(state.words[choice.start : choice.stop])
    state.add_unknown(span, *about, alternatives=choice.alternatives, aspect=aspect)


def _of_qualities(state: ParseState, phrase: Phrase, i: int) -> Choice | None:
    """Return the choice among the qualities in one row around an "or" within a phrase."""
    before = [run for run in phrase.modifiers if run[-1].start < state.words[i].start]
    after = [run for run in phrase.modifiers if run[-1].start > state.words[i].start]
    if not before or not after:
        return None
    row = [before.pop(), after[0]]
    while before and state.prompt.text[before[-1][-1].end : row[0][0].start].strip() == ",":
        row.insert(0, before.pop())
    phrase.modifiers = [run for run in phrase.modifiers if run not in row]
    start, stop = state.words.index(row[0][0]), state.words.index(row[-1][-1]) + 1
    return Choice(start, stop, tuple(_said(run) for run in row), about=(phrase,))


def _of_phrases(state: ParseState, i: int) -> Choice | None:
    """Return the choice among the phrases in one row around an "or", with what is said of all of them."""
    row = _row(state, i)
    if not row:
        return None
    for phrase in row:
        phrase.swallowed = True
    start, stop = row[0].start, row[-1].stop
    while state.role(start - 1) in _LINKING and state.phrase_at(start - 1) is None:  # "riding a horse or a bike"
        start -= 1
    subject = state.phrase_before(start) if start < row[0].start else None
    start -= state.text(start - 1) == "either"
    end = stop
    while state.role(end) in _LINKING and state.phrase_at(end) is None:  # "a cat or a dog on a table"
        end += 1
    target = state.phrase_at(end) if end > stop else None
    if target is not None and setting_of(target, str(state.words[end - 1].value)):
        target = None
    stop = target.stop if target is not None else stop
    alternatives = tuple(_said(state.words[p.start : p.stop]) for p in row)
    return Choice(start, stop, alternatives, tuple(p for p in (subject, target) if p is not None))


def _row(state: ParseState, i: int) -> list[Phrase]:
    """Return the phrases that an "or" at word `i` leaves to choose, the first of which commas may join to it."""
    at = i + 1
    while state.role(at) in _LINKING and state.phrase_at(at) is None:
        at += 1
    last, first = state.phrase_at(at), state.phrase_before(i - (state.text(i - 1) == ","))
    if last is None or last.start != at or first is None or first.absent or first.stand_ins:
        return []
    if last.stand_ins and last.stand_ins[-1].value not in ONES:
        return []
    row = [first, last]
    while state.text(row[0].start - 1) == "," and (before := state.phrase_before(row[0].start - 1)) is not None:
        row.insert(0, before)
    return row


def _of_words(state: ParseState, i: int) -> Choice | None:
    """Return the choice among the words in one row around an "or" outside of phrases."""
    role = state.role(i + 1)
    start = i - 1 - (state.text(i - 1) == ",")
    if role not in _CHOSEN or state.role(start) is not role or start in state.denied:
        return None
    row = [start, i + 1]
    while state.text(row[0] - 1) == "," and state.role(row[0] - 2) is role:
        row.insert(0, row[0] - 2)
    start = row[0] - (state.text(row[0] - 1) == "either")
    return Choice(start, i + 2, tuple(_said([state.words[at]]) for at in row), describes=True)


def _said(words: list[Word]) -> str:
    """Return an alternative in its own words."""
    return " ".join(str(w.value) if w.role is Role.TEXT else w.text for w in words if w.text.lower() != "either")
