"""What is said with words that are no things (abstract.py): one unknown for the clause, and never an entity.

"A sense of calm" and "the atmosphere is calm" are each one unknown. A backdrop is a setting: "a white background".
"""

from scope.parsing.phrases import Phrase
from scope.parsing.roles import Role
from scope.parsing.state import ParseState, span_of
from scope.specification import Type

BACKDROPS = frozenset({"background", "backdrop"})
#: What goes on with a clause whose subject is no thing.
_PREDICATE = frozenset({Role.AUXILIARY, Role.ADVERB, Role.MODIFIER, Role.NEGATION, Role.VERB})
_DESCRIBING = frozenset({Role.ADVERB, Role.MODIFIER, Role.COMMA, Role.CONJUNCTION})


def read_undrawn(state: ParseState) -> frozenset[int]:
    """Add what is said with words that are no things; return the indices of the words that are read by that."""
    read: set[int] = set()
    for phrase in state.phrases:
        if phrase.abstract and phrase.start not in read:
            words = _backdrop(state, phrase) if phrase.noun in BACKDROPS else _clause(state, phrase)
            read.update(words)
    return frozenset(read)


def _backdrop(state: ParseState, phrase: Phrase) -> range:
    """Add a backdrop as a setting: "on a white background", "the background is white"."""
    how, stop = [w.text.lower() for run in phrase.modifiers for w in run], phrase.stop
    if not how and state.role(stop) is Role.AUXILIARY:
        while state.role(stop + 1) in _DESCRIBING and state.phrase_at(stop + 1) is None:
            stop += 1
        how = [w.text.lower() for w in state.words[phrase.stop + 1 : stop + 1]]
        stop += bool(how)
    first = _first(state, phrase)
    if not how:
        state.add_unknown(span_of(state.words[first:stop]))
    else:
        said = " ".join(how).replace(" ,", ",")
        span = span_of(state.words[first:stop])
        state.add(Type.SETTING, f"the {phrase.noun} is {said}", f"{said} {phrase.noun}", span)
    return range(phrase.start, stop)


def _clause(state: ParseState, phrase: Phrase) -> range:
    """Add one unknown for a phrase and what belongs to it: "a sense of calm", "the atmosphere is calm"."""
    stop = phrase.stop
    while state.role(stop) is Role.OF:
        following = state.phrase_at(stop + 1)
        if following is not None and following.abstract and following.start == stop + 1:
            stop = following.stop
        elif following is None and state.role(stop + 1) is Role.MODIFIER:  # "hints of blue"
            stop += 2
        else:
            break
    if state.role(stop) in {Role.AUXILIARY, Role.VERB}:
        while state.role(stop) in _PREDICATE and state.phrase_at(stop) is None:
            stop += 1
    state.add_unknown(span_of(state.words[_first(state, phrase) : stop]))
    return range(phrase.start, stop)


def _first(state: ParseState, phrase: Phrase) -> int:
    """Return the first word of a phrase after its determiners."""
    first = phrase.start
    while state.role(first) is Role.DETERMINER and first < phrase.stop - 1:
        first += 1
    return first
