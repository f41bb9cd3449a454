"""What belongs to what: "a man with a dog", "a girl has a kite", "her hat".

Two things that are named with each other are together (`with`); a part is of its whole, and what is owned of its owner
(`of`), as in "the dog's tail".
"""

from scope.parsing.kinds import is_part, is_person
from scope.parsing.phrases import Phrase
from scope.parsing.pronouns import row_of
from scope.parsing.roles import Role
from scope.parsing.state import ParseState, span_of
from scope.specification import Span, Type


def read_with(state: ParseState, i: int) -> None:
    """Add "a man with a dog", for each thing that he is with."""
    if state.words[i].value != "with" or (first := state.phrase_after(i)) is None or _is_of_a_verb(state, i):
        return
    for thing in _listed(state, first):
        for owner in _owners(state, i, thing):
            link(state, owner, thing, span_of([state.words[i]]))


def read_having(state: ParseState, i: int) -> None:
    """Add "a girl has a balloon", for each thing that she has."""
    if state.words[i].value != "have" or (first := state.phrase_after(i)) is None:
        return
    for thing in _listed(state, first):
        for owner in state.subjects(i, beside=thing, settings=False):
            link(state, owner, thing, span_of([state.words[i]]))


def read_owner(state: ParseState, phrase: Phrase) -> None:
    """Add "her hat"."""
    if phrase.owner is None or phrase.id is None:
        return
    for owner in state.meant(phrase.owner):
        if owner.id != phrase.id:
            belong(state, phrase, owner, span_of(state.words[phrase.start : phrase.start + 1]))


def link(state: ParseState, owner: Phrase, thing: Phrase, span: Span) -> None:
    """Add that two things are together, or that one is a part of the other."""
    if owner.id is None or thing.id is None or owner.id == thing.id:
        return
    if is_part(thing.noun):
        belong(state, thing, owner, span)
        return
    verb = "are" if owner.plural else "is"
    claim = f"{state.definite(owner)} {verb} with {state.definite(thing)}"
    state.add(Type.RELATION, claim, "with", span, owner, thing)


def belong(state: ParseState, owned: Phrase, owner: Phrase, span: Span) -> None:
    """Add that something belongs to its owner, or to the whole that it is a part of."""
    claim = f"{state.definite(owned)} {'belong' if owned.plural else 'belongs'} to {state.definite(owner)}"
    if any(c.claim == claim for c in state.commitments):
        return
    state.add(Type.RELATION, claim, "of", span, owned, owner)


def _is_of_a_verb(state: ParseState, i: int) -> bool:
    """Return whether a word goes with the verb before it: "playing with a dog"."""
    before = i - 1
    while state.role(before) is Role.ADVERB:
        before -= 1
    return state.role(before) is Role.VERB and state.phrase_at(before) is None


def _owners(state: ParseState, i: int, thing: Phrase) -> list[Phrase]:
    """Return who is with something: what stands right before "with", else what the clause is about."""
    before = state.phrase_before(i)
    if before is not None and before.id:
        return state.meant(before)
    if before is not None and before.setting:
        return []
    if state.text(i - 1) == ",":  # "a dog on a chair, with a lamp": the scene has it, where it has several things
        here = [p for p in state.phrases if p.id and p.stop < i and state.clause(p.start) == state.clause(i)]
        return here if len({p.id for p in here}) == 1 else []
    return [p for p in state.subjects(i, beside=thing, settings=False) if p.id]


def _listed(state: ParseState, first: Phrase) -> list[Phrase]:
    """Return the things that someone has: also the second of "a hat and a ball", unless it goes on by itself.

    In "a man with a dog and a woman with a cat" the woman is no more had than in "a man with a dog and a woman".
    """
    row = row_of(state, first)
    row = [p for p in row[row.index(first) :] if p.part_of is None or p is first]
    last = row[-1]
    goes_on = state.role(last.stop) in {Role.VERB, Role.AUXILIARY, Role.RELATION, Role.PREPOSITION}
    if len(row) > 1 and (goes_on or any(is_person(p.noun) for p in row[1:])):
        return [first]
    return row
