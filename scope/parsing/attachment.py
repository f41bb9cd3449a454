"""Of whom a word speaks: the subjects of prepositions, verbs and adjectives, and what is joined with "and".

A preposition speaks of what stands right before it ("a cat on a mat under a table": the mat is under the table); after
a comma or "and" of what the clause before speaks of ("a cat on a mat, next to a dog"). The parse is asked for the
subjects of verbs and adjectives alone: where prepositions belong it guesses.
"""

from scope.parsing.kinds import is_part, is_person
from scope.parsing.phrases import Phrase
from scope.parsing.roles import Role
from scope.parsing.state import ParseState
from scope.parsing.words import Word

_JOINTS = frozenset({Role.CONJUNCTION, Role.COMMA})
_PREPOSITIONS = frozenset({Role.RELATION, Role.PREPOSITION, Role.OF, Role.QUALIFYING})
_PREDICATES = frozenset({Role.RELATION, Role.VERB, Role.AUXILIARY, Role.QUALIFYING})
#: Roles after which a phrase is an object: no clause goes on to speak of it.
_GOVERNORS = _PREPOSITIONS | {Role.VERB, Role.THAN, Role.NEGATION, Role.POSSESSIVE}
_INTO = frozenset({"into", "onto"})
#: What may stand between a word and what it speaks of.
_PASSED_OVER = frozenset({Role.ADVERB, Role.TEXT, Role.PLACE, Role.STYLE, Role.SHADE, Role.MEASURE})


def subjects_of_relation(state: ParseState, i: int, target: Phrase) -> list[Phrase]:
    """Return the entities that preposition `i` puts somewhere: what comes after `target` if it opens the clause."""
    at = _before(state, i)
    phrase = state.phrase_at(at)
    if phrase is not None and phrase.id:
        if state.text(i) in _INTO and state.text(phrase.start - 1) == "from":  # "from a jug into a glass"
            return subjects_of_relation(state, phrase.start - 1, target)
        return joined_before(state, phrase)
    if phrase is not None and phrase.quality:
        return owners(state, phrase)
    if state.role(at) in _JOINTS and (behind := state.phrase_after(target.stop - 1)) is not None and behind.id:
        return joined_after(state, behind)  # "a chair, and to its right a lamp"
    if state.role(at) in _JOINTS and state.role(at - 1) is Role.RELATION:  # "below and to the left of"
        return subjects_of_relation(state, at - 1, target)
    return _of_clause(state, at) or (_following(state, target) if _opens(state, at) else [])


def subjects_of_verb(state: ParseState, i: int) -> list[Phrase]:
    """Return whoever does what verb `i` says: by the parse, else by what stands before it; none: they come after it."""
    if (near := state.stand_in_before(i)) is not None:
        return state.meant(near)
    parsed = [p for p in state.parsed_subjects(i) if p.start < i]
    at = _before(state, i)
    phrase = state.phrase_at(at)
    if not is_participle(state.words[i]):
        found = [p for p in parsed if not _is_object(state, p)] or _of_clause(state, at, settings=True)
    elif phrase is not None and phrase.is_referent:
        found = _of_people(state, at, phrase) or [phrase]
    else:
        found = _of_clause(state, at, settings=True) or parsed
    found = [_whole(state, p) for p in found]
    return [*joined_before(state, found[0])[:-1], *found] if found else []


def _of_people(state: ParseState, at: int, phrase: Phrase) -> list[Phrase]:
    """Return the people that a clause speaks of, where it ends with a thing: "a man on a bench reading a book"."""
    if not _is_object(state, phrase) or is_person(phrase.noun):
        return []
    return [p for p in _of_clause(state, at) if is_person(p.noun)]


def owners(state: ParseState, phrase: Phrase) -> list[Phrase]:
    """Return the entities of which a phrase is what they have, are made of or are covered in."""
    at = phrase.start - 1
    before = state.phrase_before(at)
    if state.role(at) in _JOINTS and before is not None and before.quality:
        return owners(state, before)
    if state.role(at) in {Role.VERB, Role.AUXILIARY}:
        return [p for p in subjects_of_verb(state, at) if p.id]
    return [p for p in subjects_of_relation(state, at, phrase) if p.start < phrase.start]


def _whole(state: ParseState, phrase: Phrase) -> Phrase:
    """Return whose a part is, as a part does nothing by itself: the man in "a man with a beard holding a book"."""
    owner = state.phrase_before(phrase.start - 1) if state.role(phrase.start - 1) is Role.PREPOSITION else None
    return owner if owner is not None and owner.id and is_part(phrase.noun) else phrase


def is_participle(verb: Word) -> bool:
    """Return whether a verb may follow what it speaks of without an auxiliary: "a dog running"."""
    return verb.tag in {"VBG", "VBN"} or verb.text.lower().endswith("ing")


def joined_before(state: ParseState, phrase: Phrase) -> list[Phrase]:
    """Return a phrase and those that "and" joins to it on its left: "a cup, a plate and a fork"."""
    members, anded = [phrase], False
    while True:
        at = members[0].start - 1
        if is_and(state, at):
            at, anded = at - 1, True
            at -= state.role(at) is Role.COMMA
        elif state.role(at) is Role.COMMA and anded:
            at -= 1
        else:
            return members
        other = state.phrase_at(at)
        if other is None or not other.id or _is_object(state, other):
            return members
        members.insert(0, other)


def joined_after(state: ParseState, phrase: Phrase) -> list[Phrase]:
    """Return a phrase and those that "and" joins to it on its right, unless more is said of the last of them."""
    members = [phrase]
    while (other := _joined(state, members[-1].stop)) is not None:
        members.append(other)
    anded = any(is_and(state, at) for at in range(phrase.stop, members[-1].start))
    return members if anded and state.role(members[-1].stop) not in _PREDICATES else [phrase]


def is_and(state: ParseState, i: int) -> bool:
    """Return whether word `i` is "and"."""
    return state.role(i) is Role.CONJUNCTION and state.words[i].value in {"and", "&"}


def _joined(state: ParseState, at: int) -> Phrase | None:
    """Return the entity that a comma, "and" or both at word `at` go on to."""
    after = at
    while state.role(after) in _JOINTS:
        after += 1
    other = state.phrase_after(after - 1)
    return other if after > at and other is not None and other.id else None


def _before(state: ParseState, i: int) -> int:
    """Return the index of the word before `i` that tells of whom it speaks; -1: its sentence opens with it."""
    at = i - 1
    while at >= 0 and state.role(at) in _PASSED_OVER and state.phrase_at(at) is None:
        at -= 1
    return at if at >= 0 and state.words[at].sentence == state.words[i].sentence else -1


def _of_clause(state: ParseState, at: int, *, settings: bool = False) -> list[Phrase]:
    """Return what the clause up to word `at` speaks of: the nearest phrase that nothing in the clause is about."""
    for phrase in reversed(state.phrases):
        if phrase.start > at:
            continue
        if state.words[phrase.start].sentence != state.words[at].sentence:
            break
        if _is_object(state, phrase):
            continue
        if phrase.abstract:  # what is said of no thing is said of nothing else
            break
        if phrase.id or (settings and phrase.setting):
            return joined_before(state, phrase)
    return []


def _opens(state: ParseState, at: int) -> bool:
    """Return whether no phrase stands before word `at` in its sentence, or in it."""
    return not any(p.start <= at and state.words[p.start].sentence == state.words[at].sentence for p in state.phrases)


def _following(state: ParseState, target: Phrase) -> list[Phrase]:
    """Return what follows the target of a preposition that opens its sentence: "on the table, a cup and a plate"."""
    sentence = state.words[target.start].sentence
    for phrase in state.phrases:
        if phrase.start < target.stop or state.words[phrase.start].sentence != sentence or not phrase.id:
            continue
        if state.role(phrase.start - 1) not in _PREPOSITIONS:
            return joined_after(state, phrase)
    return []


def _is_object(state: ParseState, phrase: Phrase) -> bool:
    """Return whether a phrase is what a preposition or a verb before it is about."""
    return state.role(phrase.start - 1) in _GOVERNORS
