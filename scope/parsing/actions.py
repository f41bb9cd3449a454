"""What entities do: alone ("sitting"), to another ("holding a cup"), to two ("gives a girl an apple")."""

from collections.abc import Iterable, Iterator

from scope.parsing import lexicon
from scope.parsing.attachment import is_participle, joined_after, subjects_of_verb
from scope.parsing.english import verb_of
from scope.parsing.phrases import Phrase
from scope.parsing.roles import Role
from scope.parsing.state import ParseState, span_of
from scope.parsing.words import Word
from scope.specification import Span, Type


def read_action(state: ParseState, i: int) -> None:
    """Add what the entities do that verb `i` is said of: to another one a relation, else a quality."""
    words = [state.words[j] for j in _with_adverbs(state, i)]
    last = state.words.index(words[-1])
    target = state.phrase_after(last)
    if target is None and links(state, last):
        target = state.phrase_after(last + 1)
        words = [*words, state.words[last + 1]] if target is not None and target.id else words
    if (target is not None and target.quality) or adds_nothing(state, i):  # said by what follows
        return
    if clause := state.denied_clauses.get(i):
        _add_denied(state, subjects_of_verb(state, i), state.words[i], clause)
        return
    if state.text(i - 1) == "to":  # what is meant to be done is not seen: "poised to strike"
        return
    target = target if target is not None and target.id else None
    subjects = state.each(subjects_of_verb(state, i))
    if not subjects and target is not None and _is_order(state, i):  # "see page 4"
        state.add_unknown(span_of(words), target)
        return
    if not subjects and target is not None and len(words) == 1:  # "next to a tree sits a cat"
        subjects, target = joined_after(state, target), None
    if _is_doubtful(state, i, subjects):
        end = target.stop if target is not None else last + 1
        state.add_unknown(span_of(state.words[state.words.index(words[0]) : end]), *subjects)
        return
    given, receiver = _given(state, i, target)
    objects = joined_after(state, given) if given is not None and _takes_several(words) else [given]
    objects = [m for o in objects for m in (state.meant(o) if o is not None else [None])]
    for subject in subjects:
        if receiver is not None:
            _add_action(state, subject, words, [receiver], " to")
        _add_action(state, subject, words, objects)


def links(state: ParseState, i: int) -> bool:
    """Return whether the word after verb `i` ties the action to its object: "looking at", "jumping over", "led by"."""
    verb, after = state.words[i], state.role(i + 1)
    if after in {Role.PREPOSITION, Role.OF}:
        return True
    if after is not Role.RELATION:
        return False
    said = state.words[i + 1].text.lower()
    if said == "over":
        return verb_of(verb.text.lower()) in lexicon.LEAPING
    return said == "at" or (
        verb.tag == "VBN" and (said == "by" or (said == "in" and verb.text.lower() in lexicon.CLOTHED))
    )


def adds_nothing(state: ParseState, i: int) -> bool:
    """Return whether a word says no more than what follows it: "is positioned above", "is colored red"."""
    if state.text(i) in lexicon.COLORING:
        return state.words[i + 1].color is not None if i + 1 < len(state.words) else False
    return state.text(i) in lexicon.LOCATING and state.role(i + 1) in {Role.RELATION, Role.PLACE}


def _is_order(state: ParseState, i: int) -> bool:
    """Return whether a verb tells the reader to do something: it opens its sentence, in its bare form."""
    opens = i == 0 or state.words[i - 1].sentence != state.words[i].sentence
    return opens and state.text(i) == verb_of(state.text(i))


def _is_doubtful(state: ParseState, i: int, subjects: list[Phrase]) -> bool:
    """Return whether a verb does not agree with its subject, and so may be none: "the round oversee the cars"."""
    if state.words[i].tag not in {"VB", "VBP"} or len(subjects) != 1 or subjects[0].plural or not subjects[0].id:
        return False
    if state.role(subjects[0].start) is not Role.DETERMINER:  # "person wear shirt"
        return False
    before = [state.words[j] for j in state.words[i].children if j < i]
    return not any(w.role in {Role.AUXILIARY, Role.NEGATION} or w.tag == "TO" for w in before)


def _given(state: ParseState, i: int, target: Phrase | None) -> tuple[Phrase | None, Phrase | None]:
    """Return what verb `i` is done to, and who gets it: the apple and the girl of "gives a girl an apple"."""
    if target is None or verb_of(state.words[i].text.lower()) not in lexicon.GIVING:
        return target, None
    other = state.phrase_at(target.stop)
    if other is not None and other.id:
        return other, target
    to = state.phrase_after(target.stop) if state.text(target.stop) == "to" else None
    return target, to if to is not None and to.id else None


def _add_action(
    state: ParseState, subject: Phrase, words: list[Word], objects: Iterable[Phrase | None], to: str = ""
) -> None:
    value = " ".join(w.text.lower() for w in words) + to
    claim = f"{state.definite(subject)} {_auxiliary(words, subject)}{value}"
    for other in objects:
        if subject.id is None:  # a setting does nothing: "the room features", but "the room is lit"
            if words[-1].tag == "VBN":
                state.add(Type.SETTING, claim, value, span_of(words))
        elif other is None or other.id == subject.id:
            state.add(Type.ATTRIBUTE, claim, value, span_of(words), subject, aspect="other")
        else:
            state.add(Type.RELATION, f"{claim} {state.definite(other)}", value, span_of(words), subject, other)


def _add_denied(state: ParseState, subjects: list[Phrase], verb: Word, clause: Span) -> None:
    """Add a whole clause that says what is not done: "is not wearing a hat"."""
    value = state.prompt.text[clause.start : clause.end].lower()
    for subject in state.each(subjects):
        claim = f"{state.definite(subject)} {_auxiliary([verb], subject)}{value}"
        if subject.id is None:
            state.add(Type.SETTING, claim, value, clause)
        else:
            state.add(Type.ATTRIBUTE, claim, value, clause, subject, aspect="other")


def _takes_several(words: list[Word]) -> bool:
    """Return whether what an action has to do with may be several things: "surrounded by", "holding"."""
    return any(w.tag == "VBN" or verb_of(w.text.lower()) in lexicon.HOLDING for w in words)


def _with_adverbs(state: ParseState, i: int) -> Iterator[int]:
    """Yield the indices of a verb and of the adverbs on both sides of it."""
    first, last = i, i
    while state.role(first - 1) is Role.ADVERB:
        first -= 1
    while state.role(last + 1) is Role.ADVERB:
        last += 1
    yield from range(first, last + 1)


def _auxiliary(words: list[Word], subject: Phrase) -> str:
    verb = next(w for w in words if w.role is Role.VERB)
    if is_participle(verb):
        return "are " if subject.plural else "is "
    return "does " if verb.tag in {"VB", "VBP"} and not subject.plural else ""
