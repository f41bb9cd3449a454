"""Words to be read in the picture, and what carries them."""

from scope.parsing import lexicon
from scope.parsing.phrases import Phrase
from scope.parsing.roles import Role
from scope.parsing.state import ParseState, span_of
from scope.specification import Type

#: What only says that something is written, beside the words themselves: "in red letters".
_WRITING = frozenset(
    "letter lettering font script typeface text type handwriting calligraphy word inscription caption print".split()
)
_BINDING = frozenset({Role.PREPOSITION, Role.RELATION, Role.VERB, Role.AUXILIARY})


def is_writing(state: ParseState, phrase: Phrase) -> bool:
    """Return whether a phrase only says how words beside it are written: "in red letters", "with bold text"."""
    if phrase.noun.split()[-1] not in _WRITING:
        return False
    before = {state.role(phrase.start - 1), state.role(phrase.start - 2)}
    return Role.TEXT in before or Role.TEXT in {state.role(phrase.stop), state.role(phrase.stop + 1)}


def read_text(state: ParseState, i: int) -> None:
    """Add words to be read, and the entity that carries them."""
    word = state.words[i]
    surface = surface_of(state, i)
    on = f"{state.definite(surface)} reads" if surface else "the picture shows the words"
    targets = [surface] if surface else []
    state.add(Type.TEXT, f'{on} "{word.value}"', word.value, span_of([word]), *targets)


def surface_of(state: ParseState, i: int) -> Phrase | None:
    """Return the entity that carries the words: the one beside them, unless only an earlier one is a known surface.

    The second of two texts of one thing is on the same.
    """
    near = _beside(state, i)
    last = i
    while not near and state.role(last + 1) is Role.TEXT:  # '"HELLO" and "BYE" on a wall': "and" belongs to the second
        last += 1
        near = _beside(state, last)
    if not near and (earlier_text := _text_before(state, i)) is not None:
        return surface_of(state, earlier_text)
    earlier = [p for p in reversed(state.phrases) if p.id and p.stop <= i and _is_surface(p)]
    return next((p for p in [*near, *earlier] if _is_surface(p)), near[0] if near else None)


def _beside(state: ParseState, i: int) -> list[Phrase]:
    """Return the entity before words to be read, else the one after them, if there is one."""
    before = _before(state, i)
    phrase = _after(state, i) if before is None else before
    return [phrase] if phrase is not None and phrase.id else []


def _before(state: ParseState, i: int) -> Phrase | None:
    """Return the phrase right before words to be read, or before how they are written."""
    phrase = state.phrase_before(i)
    while phrase is not None and phrase.abstract:
        start = phrase.start
        phrase = state.phrase_before(start)
        if phrase is None and state.role(start - 1) in _BINDING:
            phrase = state.phrase_before(start - 1)
    return phrase


def _after(state: ParseState, i: int) -> Phrase | None:
    """Return the phrase that words to be read are said to be on, or else the one right after them."""
    how = state.phrase_after(i + 1)
    if how is not None and how.abstract and state.role(i + 1) in _BINDING:
        i = how.stop - 1
    return state.phrase_after(i + 1) if state.role(i + 1) is Role.RELATION else state.phrase_after(i)


def _text_before(state: ParseState, i: int) -> int | None:
    """Return the words to be read before word `i` in its sentence, if no thing is named between the two."""
    for j in range(i - 1, -1, -1):
        if state.words[j].role is Role.TEXT:
            return j
        phrase = state.phrase_at(j)
        if state.words[j].sentence != state.words[i].sentence or (phrase is not None and phrase.id):
            return None
    return None


def _is_surface(phrase: Phrase) -> bool:
    return phrase.noun.split()[-1] in lexicon.SURFACES
