"""Qualities that are said after their noun: "with a fluffy texture", "in white color", "made of wood".

The words that say one name no thing: the texture and the wood are not to be drawn beside what has them.
"""

from scope.parsing import lexicon
from scope.parsing.attachment import owners
from scope.parsing.english import verb_of
from scope.parsing.phrases import Phrase
from scope.parsing.roles import Role
from scope.parsing.state import ParseState, span_of
from scope.parsing.words import Word
from scope.specification import Type

#: What a thing may have or be in that says only how it looks: after "with", after "in" and "of", and after any of them.
_HAD = frozenset({"surface", "exterior", "skin tone", "coating", "sheen", "gloss", "appearance", "look", "shape"})
_LOOKS = frozenset({"texture", "finish", "color", "colour", "pattern", "hue", "shade", "tone", "material"})
_HAVING = frozenset({"have", "feature", "boast", "display", "exhibit", "possess"})


def is_quality(state: ParseState, phrase: Phrase) -> bool:
    """Return whether a phrase says how something else looks, rather than what else is there."""
    opening = state.words[phrase.start - 1] if phrase.start else None
    before = state.phrase_before(phrase.start - 1)
    if opening is None:
        return False
    if opening.role is Role.QUALIFYING:
        return opening.value == "like" or (_is_bare(state, phrase) and not phrase.plural)
    if opening.role in {Role.CONJUNCTION, Role.COMMA}:  # "with red color and leather texture", "of wood and metal"
        alike = phrase.noun.split()[-1] in _LOOKS or (_is_bare(state, phrase) and phrase.noun in lexicon.MATERIALS)
        return before is not None and before.quality and alike
    looks = _LOOKS | _HAD if _has(state, opening) else _LOOKS if opening.value in {"in", "of"} else frozenset()
    last = phrase.nouns[-1].value if phrase.nouns else ""
    said = bool(phrase.modifiers) or len(phrase.nouns) > 1 or state.role(phrase.stop) is Role.MODIFIER
    return last in looks and said and bool(owners(state, phrase))


def stand_for_whole(state: ParseState, phrase: Phrase) -> None:
    """Let "the color" speak of the car in "the color of the car is red" and in "the car's color is red"."""
    if not phrase.nouns or phrase.nouns[-1].value not in _LOOKS:
        return
    whole, after = None, phrase.stop
    if state.role(phrase.stop) is Role.OF and (whole := state.phrase_after(phrase.stop)) is not None:
        after = whole.stop
    elif state.role(phrase.start - 1) is Role.POSSESSIVE:
        whole = state.phrase_before(phrase.start - 1)
    if whole is not None and whole.id and state.role(after) is Role.AUXILIARY:
        phrase.quality, phrase.abstract, phrase.id = True, False, whole.id
        phrase.noun, phrase.nouns, phrase.plural = whole.noun, whole.nouns, whole.plural


def read_quality_phrase(state: ParseState, phrase: Phrase) -> None:
    """Add what a phrase says of those that it describes: "with a smooth, wooden texture" says two things."""
    if phrase.id:  # the clause says it
        return
    opening = state.words[phrase.start - 1]
    lead = _opening(state, phrase)
    if lead is not None:
        how = " ".join(w.text.lower() for w in state.words[phrase.start : phrase.stop] if w.role is not Role.DETERMINER)
        words = state.words[(phrase.start if opening.role is not Role.QUALIFYING else phrase.start - 1) : phrase.stop]
        whole = " ".join(w.text.lower() for w in [lead, *state.words[phrase.start : phrase.stop]])
        for owner in owners(state, phrase):
            verb = "are" if owner.plural else "is"
            value = how if lead.value == "made" else whole
            claim = f"{state.definite(owner)} {verb} {whole}"
            state.add(Type.ATTRIBUTE, claim, value, span_of(words), owner, aspect="other")
        return
    runs = [*phrase.modifiers, *([phrase.nouns[:-1]] if len(phrase.nouns) > 1 else [])]
    for owner in owners(state, phrase):
        for run in runs:
            end = [phrase.nouns[-1]] if run is runs[-1] else []
            add_quality(state, owner, run, span=[*run, *end])


def add_quality(state: ParseState, phrase: Phrase, run: list[Word], *, span: list[Word] | None = None) -> None:
    """Add a colour or another quality of an entity; of a setting it is part of the setting."""
    denied_by = state.cue
    if run[0].role is Role.NEGATION:
        state.cue, run = state.words.index(run[0]), run[1:]
    color = run[-1].color
    value = color or " ".join(w.text.lower() for w in run)
    verb = "are" if phrase.plural and phrase.id else "is"
    claim = f"{state.definite(phrase)} {verb} {value}"
    if phrase.setting is not None:
        state.add(Type.SETTING, claim, value, span_of(span or run))
    else:
        aspect = "color" if color else "other"
        state.add(Type.ATTRIBUTE, claim, value, span_of(span or (run[-1:] if color else run)), phrase, aspect=aspect)
    state.cue = denied_by


def _opening(state: ParseState, phrase: Phrase) -> Word | None:
    """Return the "made of" or "covered in" that a phrase belongs to, maybe by way of another: "of wood and metal"."""
    at = phrase.start - 1
    if state.role(at) is Role.QUALIFYING:
        return state.words[at]
    before = state.phrase_before(at)
    return _opening(state, before) if before is not None and before.quality else None


def _is_bare(state: ParseState, phrase: Phrase) -> bool:
    """Return whether a phrase has no determiner and no number, as stuff has."""
    leads = {Role.DETERMINER, Role.NUMBER, Role.QUANTITY}
    return all(w.role not in leads for w in state.words[phrase.start : phrase.stop])


def _has(state: ParseState, opening: Word) -> bool:
    """Return whether a word says that something has something: "with", "has", "featuring"."""
    return opening.text.lower() == "with" or verb_of(opening.text.lower()) in _HAVING
