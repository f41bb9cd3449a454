"""What a singular promises: "a cat", "the cat" and "one cat" are exactly one, where the sentence counts things.

It counts none where the noun is of an amount ("the water"), a name or what a name has to tell, of a part ("a cat's
tail", "a piece of cake", "the roof of a house", "a long nose"), or of what each of several has ("two men wearing a
hat"). "One" always counts.
"""

from scope.parsing import lexicon
from scope.parsing.phrases import Phrase
from scope.parsing.roles import Role
from scope.parsing.state import ParseState, span_of
from scope.parsing.words import Word
from scope.specification import Commitment, Type
from scope.specification.geometry import canonical
from scope.text import ARTICLES

_PRIORITY = 2  # less than that of a number that is said


def count_singulars(state: ParseState) -> None:
    """Add that there is exactly one of each entity that a singular promises one of."""
    settled = {t for c in state.commitments if c.type in (Type.COUNT, Type.EXTERNAL_REFERENCE) for t in c.targets}
    for phrase in state.entities:
        article = _article(state, phrase)
        if (
            article is not None
            and phrase.id not in settled
            and _is_countable(phrase)
            and not _is_of_a_part(state, phrase)
        ):
            claim = f"there is exactly 1 {state.described(phrase)}"
            state.add(Type.COUNT, claim, 1, span_of([article]), phrase, priority=_PRIORITY)


def _article(state: ParseState, phrase: Phrase) -> Word | None:
    """Return the article of a singular phrase that no quantity speaks of."""
    if phrase.plural or phrase.quantity is not None or phrase.part_of is not None:
        return None
    words = state.words[phrase.start : phrase.stop]
    return next((w for w in words if w.role is Role.DETERMINER and w.text.lower() in ARTICLES), None)


def _is_countable(phrase: Phrase) -> bool:
    return not phrase.names and phrase.noun.split()[-1] not in lexicon.MASS_NOUNS | lexicon.PORTIONS


def _is_of_a_part(state: ParseState, phrase: Phrase) -> bool:
    """Return whether an entity is a part of another or has one that is spoken of, or is what each of several has."""
    said = [c for c in state.commitments if c.type is Type.RELATION and phrase.id in c.targets]
    return any(_is_part(state, c, phrase) or _is_each_ones(state, c, phrase) for c in said)


def _is_part(state: ParseState, relation: Commitment, phrase: Phrase) -> bool:
    """Return whether a relation makes a phrase a part, or what is shown of it a part.

    "The roof of a house" and "a cat's tail" count neither; "a dog with a tail" counts the dog, and "a bowl of soup" the
    bowl.
    """
    part, whole = (_entity(state, target) for target in relation.targets[:2])
    if relation.value != "of" or _article(state, whole) is None:
        return False
    span = relation.span
    said = state.prompt.text[span.start : span.end].lower() if span else ""
    return phrase is part or said in {"of", "'s", "’s"}


def _is_each_ones(state: ParseState, relation: Commitment, phrase: Phrase) -> bool:
    """Return whether several do or have what the phrase names: each may have one of its own."""
    subject = _entity(state, relation.targets[0])
    several = subject.plural or subject.quantity is not None
    is_spatial = relation.value != "with" and canonical(str(relation.value)) is not None
    return subject is not phrase and several and not is_spatial


def _entity(state: ParseState, name: str) -> Phrase:
    return next(p for p in state.entities if p.id == name)
