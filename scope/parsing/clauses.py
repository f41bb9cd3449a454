"""What is said of the entities: counts, qualities, relations, actions, words to be read, places in the picture."""

from collections.abc import Callable

from scope.parsing import lexicon
from scope.parsing.abstract import is_abstract
from scope.parsing.actions import adds_nothing, links, read_action
from scope.parsing.attachment import is_and, joined_after, subjects_of_relation
from scope.parsing.comparing import is_comparison
from scope.parsing.denials import is_contradicted
from scope.parsing.lettering import read_text, surface_of
from scope.parsing.links import belong, read_having, read_owner, read_with
from scope.parsing.numbers import Count, count_said
from scope.parsing.parts import read_part
from scope.parsing.phrases import Phrase
from scope.parsing.qualities import add_quality, read_quality_phrase
from scope.parsing.roles import Role
from scope.parsing.state import ParseState, span_of
from scope.parsing.undrawn import read_undrawn
from scope.parsing.words import Word
from scope.specification import Span, Type


def read_clauses(state: ParseState) -> None:
    """Add everything that is said of the entities and the setting."""
    undrawn = read_undrawn(state)
    for phrase in state.phrases:
        _read_phrase(state, phrase)
    for i, word in enumerate(state.words):
        reader = _READERS.get(word.role)
        if reader and i not in undrawn and i not in state.passed and state.phrase_at(i) is None:
            state.cue = state.denied.get(i)
            reader(state, i)
    state.cue = None


def _read_phrase(state: ParseState, phrase: Phrase) -> None:
    """Add what one phrase says: "two very large red apples"."""
    if phrase.absent:
        _read_absent(state, phrase)
        return
    if phrase.quality:
        state.cue = state.denied.get(phrase.start)
        read_quality_phrase(state, phrase)
        state.cue = None
    if phrase.quality or phrase.abstract:
        return
    if phrase.identifies is not None:
        first, last = sorted((phrase, phrase.identifies), key=lambda p: p.start)
        state.add_unknown(span_of(state.words[first.start : last.stop]), phrase.identifies, external=True)
        return
    if phrase.setting is not None:
        lead = [w for w in state.words[max(0, phrase.start - 1) : phrase.start] if w.role is Role.RELATION]
        lead = [*_lead(state, phrase.start - 1), *lead] if lead else []
        state.add(Type.SETTING, f"the setting is {phrase.setting}", phrase.setting, span_of([*lead, *phrase.nouns]))
    if phrase.number is not None and phrase.id is not None and not phrase.means:
        _read_count(state, phrase, phrase.number)
    if phrase.quantity is not None:
        _read_quantity(state, phrase, phrase.quantity)
    for run in phrase.modifiers if phrase.id or phrase.setting else ():
        add_quality(state, phrase, run)
    read_part(state, phrase)
    read_owner(state, phrase)
    if phrase.names:
        state.add_unknown(span_of(phrase.names), phrase, external=True)


def _read_absent(state: ParseState, phrase: Phrase) -> None:
    """Add that a thing is not there; where it is there elsewhere, whose it is not stays open."""
    assert phrase.denied_by is not None
    span = span_of([state.words[i] for i in phrase.denied_by])
    if is_contradicted(state, phrase) or is_abstract(phrase.noun, definite=False):
        state.add_unknown(span, *[p for p in state.subjects(phrase.denied_by.start, settings=False) if not p.absent])
        return
    value = " ".join([*(str(w.value) for run in phrase.modifiers for w in run), phrase.noun])
    state.add(Type.ABSENCE, f"there is no {value}", value, span)


def _read_count(state: ParseState, phrase: Phrase, number: Word) -> None:
    count = count_said(number.text) or Count(int(number.value))
    claim = f"there {'are' if phrase.plural else 'is'} {count.words} {state.described(phrase)}"
    span = span_of([number])
    state.add(Type.COUNT, claim, count.value, span, phrase, comparator=count.comparator, upto=count.upto)


def _read_quantity(state: ParseState, phrase: Phrase, quantity: Word) -> None:
    """Add a number that is not said but told by something else: "several", "as many stars as a spider has legs"."""
    end, targets = phrase.start, [phrase]
    if state.role(phrase.stop) is Role.MEASURE:
        end = phrase.stop + 1
    elif state.role(phrase.stop) is Role.THAN and (other := state.phrase_after(phrase.stop)):
        end = other.stop
        targets += [other] if _is_unnumbered(state, other) else []
    state.add_unknown(span_of([quantity, *state.words[phrase.start : end]]), *targets)


def _is_unnumbered(state: ParseState, phrase: Phrase) -> bool:
    """Return whether nothing says how many of an entity there are."""
    alike = [p for p in state.phrases if p.id == phrase.id]
    return all(p.plural and p.number is None for p in alike)


def _read_loose_quality(state: ParseState, i: int) -> None:
    """Add an adjective outside a phrase: "the car is blue", "apples, red and shiny"."""
    if state.role(i - 1) is Role.NUMBER:  # "two cats, one black": which of them is not said of all
        return
    run = [state.words[i]]
    if state.role(i - 1) is Role.ADVERB:
        run.insert(0, state.words[i - 1])
    for subject in state.subjects(i):
        looks = [p for p in (subject, state.phrase_before(i)) if p is not None and p.quality]
        lead = state.words[looks[0].start : i] if looks else _lead(state, i)  # "the color of the car is red"
        add_quality(state, subject, run, span=[*lead, *run] if lead else None)


def _read_relation(state: ParseState, i: int) -> None:
    """Add a relation between entities: "a cat on a chair"; words that are to be read get their surface instead."""
    word = state.words[i]
    name = str(word.value)
    target = state.phrase_after(i) or _shared_target(state, i)
    if clause := state.denied_clauses.get(i):
        value = state.prompt.text[clause.start : clause.end].lower()
        for subject in state.subjects(i, settings=False):
            verb = "are" if subject.plural else "is"
            claim = f"{state.definite(subject)} {verb} {value}"
            state.add(Type.ATTRIBUTE, claim, value, clause, subject, aspect="other")
        return
    if target is None and name in lexicon.BARE_SETTINGS:
        state.add(Type.SETTING, f"the setting is {name}", name, span_of([word]))
    if target is None or target.id is None or (state.role(i - 1) is Role.VERB and links(state, i - 1)):
        return
    if state.role(i - 1) is Role.TEXT and surface_of(state, i - 1) is target:
        return
    if state.words[target.start].tag == "PRP$" and target.owner is None:  # "in its trunk": whose is not known
        state.add_unknown(span_of([word, *state.words[target.start : target.stop]]), target)
        return
    objects = state.meant(target)
    if name == "between" and state.role(target.stop) is Role.CONJUNCTION and (other := state.phrase_after(target.stop)):
        objects = [*objects, other]
    span = span_of([*_lead(state, i), word, *(state.words[target.start : target.stop] if target.stand_ins else [])])
    for subject in state.each(subjects_of_relation(state, i, target)):
        for related in [objects] if name == "between" else [[o] for o in objects]:
            if subject.id not in {o.id for o in related}:
                _add_relation(state, subject, name, related, span)


def _lead(state: ParseState, i: int) -> list[Word]:
    """Return the words before a preposition that say no more than it does: "is positioned above", "all on a tray"."""
    before = state.words[max(0, i - 1) : i]
    return [
        w for w in before if adds_nothing(state, i - 1) or (w.role is Role.QUANTITY and state.phrase_at(i - 1) is None)
    ]


def _shared_target(state: ParseState, i: int) -> Phrase | None:
    """Return what two prepositions have in common: the chair in "below and to the left of a chair"."""
    if is_and(state, i + 1) and state.role(i + 2) is Role.RELATION:
        return state.phrase_after(i + 2) or _shared_target(state, i + 2)
    return None


def _add_relation(state: ParseState, subject: Phrase, name: str, objects: list[Phrase], span: Span) -> None:
    verb = "are" if subject.plural else "is"
    others = " and ".join(state.definite(o) for o in objects)
    phrase = lexicon.RELATION_PHRASES.get(name, name)
    kind = Type.COMPARISON if is_comparison(name) else Type.RELATION
    state.add(kind, f"{state.definite(subject)} {verb} {phrase} {others}", name, span, subject, *objects)


def _read_belonging(state: ParseState, i: int) -> None:
    """Add "a bowl of soup"."""
    whole, part = state.phrase_before(i), state.phrase_after(i)
    if whole is not None and part is not None and whole.id and part.id and whole.id != part.id:
        claim = f"{state.definite(whole)} {'are' if whole.plural else 'is'} of {state.definite(part)}"
        state.add(Type.RELATION, claim, "of", span_of([state.words[i]]), whole, part)


def _read_owner(state: ParseState, i: int) -> None:
    """Add "the dog's tail"."""
    owner, owned = state.phrase_before(i), state.phrase_after(i)
    if owner is not None and owned is not None and owner.id and owned.id and owner.id != owned.id:
        belong(state, owned, owner, span_of([state.words[i]]))


def _read_qualifying(state: ParseState, i: int) -> None:
    """Add what something is made of, covered in or shaped like, where that is a thing: "covered with strawberries"."""
    word, target = state.words[i], state.phrase_after(i)
    said = word.text.lower()
    if target is None or not target.id:
        return
    for subject in state.each(subjects_of_relation(state, i, target)):
        for object in joined_after(state, target):
            claim = f"{state.definite(subject)} {'are' if subject.plural else 'is'} {said} {state.definite(object)}"
            state.add(Type.RELATION, claim, said, span_of([word]), subject, object)


def _read_place(state: ParseState, i: int) -> None:
    """Add where in the picture an entity is."""
    word = state.words[i]
    for subject in state.subjects(i, settings=False):
        verb = "are" if subject.plural else "is"
        claim = f"{state.definite(subject)} {verb} in the {word.value} of the picture"
        state.add(Type.SETTING, claim, word.value, span_of([word]), subject)


def _read_absence(state: ParseState, i: int) -> None:
    word, doing = state.words[i], [w for w in state.words[i + 1 : i + 2] if w.role is Role.VERB]
    state.passed |= {i + 1} if doing else set()  # "nobody walking"
    state.add(Type.ABSENCE, f"there is no {word.value}", word.value, span_of([word, *doing]))


def _read_style(state: ParseState, i: int) -> None:
    word = state.words[i]
    state.add(Type.STYLE, f"the style is {word.value}", word.value, span_of([word]))


def _read_camera(state: ParseState, i: int) -> None:
    word = state.words[i]
    state.add(Type.CAMERA, f"the camera is {word.value}", word.value, span_of([word]))


def _read_name(state: ParseState, i: int) -> None:
    """Add what an entity is named: "a cat named Tom". Who that is may be known elsewhere; no word is to be read."""
    named = state.phrase_before(i)
    state.add_unknown(span_of([state.words[i]]), *([named] if named is not None and named.id else []), external=True)


def _read_setting(state: ParseState, i: int) -> None:
    """Add a setting that is said in one word: "underwater"."""
    word = state.words[i]
    state.add(Type.SETTING, f"the setting is {word.value}", word.value, span_of([word]))


def _read_shade(state: ParseState, i: int) -> None:
    """Add a colour that is told by something else: "a car in the color of the sky"."""
    before = [p for p in state.phrases if p.id and p.stop <= i]
    state.add_unknown(span_of([state.words[i]]), *before[-1:], aspect="color")


#: Role -> what reads a word of it outside of the phrases. Words of other roles are read by none; content among them
#: becomes an unknown.
_READERS: dict[Role, Callable[[ParseState, int], None]] = {
    Role.MODIFIER: _read_loose_quality,
    Role.SETTING: _read_setting,
    Role.SHADE: _read_shade,
    Role.RELATION: _read_relation,
    Role.PREPOSITION: read_with,
    Role.AUXILIARY: read_having,
    Role.OF: _read_belonging,
    Role.POSSESSIVE: _read_owner,
    Role.VERB: read_action,
    Role.QUALIFYING: _read_qualifying,
    Role.TEXT: read_text,
    Role.PLACE: _read_place,
    Role.ABSENCE: _read_absence,
    Role.STYLE: _read_style,
    Role.CAMERA: _read_camera,
    Role.CALLED: _read_name,
}
