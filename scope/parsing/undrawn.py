"""What is said with words that are no things (abstract.py): one unknown for the clause, and never an entity.

"A sense of calm" and "the atmosphere is calm" are each one unknown, as are "giving a sense of calm" and whatever a verb
says that only narrates: "highlighting the wall". A backdrop is a setting: "a white background".
"""

from scope.parsing.english import verb_of
from scope.parsing.phrases import Phrase
from scope.parsing.roles import Role
from scope.parsing.state import ParseState, span_of
from scope.specification import Type

BACKDROPS = frozenset({"background", "backdrop"})
#: What goes on with a clause whose subject is no thing.
_PREDICATE = frozenset({Role.AUXILIARY, Role.ADVERB, Role.MODIFIER, Role.NEGATION, Role.VERB})
#: Verbs of what a scene does for whoever looks at it, whatever they are done to.
_NARRATING = frozenset(
    "accentuate add allow amplify appear attract blend boast bolster capture complement complete conjure contrast "
    "contribute convey create denote elevate embody emphasise emphasize enable encapsulate enhance enrich ensure "
    "evoke exemplify exude foster heighten highlight hint imply indicate infuse inspire instil instill intensify "
    "invite lend offer personify promise promote provide reinforce remind represent seem signify suggest symbolise "
    "symbolize testify underscore vie".split()
)
_DESCRIBING = frozenset({Role.ADVERB, Role.MODIFIER, Role.COMMA, Role.CONJUNCTION})


def read_undrawn(state: ParseState) -> frozenset[int]:
    """Add what is said with words that are no things; return the indices of the words that are read by that."""
    read: set[int] = set()
    for phrase in state.phrases:
        if phrase.abstract and phrase.start not in read:
            words = _backdrop(state, phrase) if phrase.noun in BACKDROPS else _clause(state, phrase)
            read.update(words)
    for i in range(len(state.words)):
        if i not in read and _narrates(state, i):
            read.update(_narration(state, i))
    return frozenset(read)


def _narrates(state: ParseState, i: int) -> bool:
    """Return whether a word is a verb that only narrates."""
    word = state.words[i]
    return word.role is Role.VERB and state.phrase_at(i) is None and verb_of(word.text.lower()) in _NARRATING


def _narration(state: ParseState, i: int) -> range:
    """Add one unknown for a verb that only narrates, and for what it is done to."""
    stop = i + 1
    while state.role(stop) in {Role.ADVERB, Role.PREPOSITION} and state.phrase_at(stop) is None:
        stop += 1
    about = state.phrase_after(stop - 1)
    state.add_unknown(span_of(state.words[i : about.stop if about is not None else i + 1]))
    return range(i, stop if about is not None else i + 1)


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
        lead = phrase.start - (state.role(phrase.start - 1) in {Role.PREPOSITION, Role.RELATION})
        span = span_of(state.words[lead:stop])
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
    first = _first(state, phrase)
    if state.role(phrase.start - 1) is Role.VERB:  # "giving a sense of calm"
        first = phrase.start - 1
    state.add_unknown(span_of(state.words[first:stop]))
    return range(min(first, phrase.start), stop)


def _first(state: ParseState, phrase: Phrase) -> int:
    """Return the first word of a phrase after its determiners."""
    first = phrase.start
    while state.role(first) is Role.DETERMINER and first < phrase.stop - 1:
        first += 1
    return first
