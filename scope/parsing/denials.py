"""What a prompt denies: things that must not be there, and qualities, deeds, relations and words that must not be so.

It is settled here, before any phrase becomes an entity, how far each "no" and "not" reaches. A denied phrase is absent;
a denied word is read as any other, and what is read is denied (state.py).
"""

from scope.parsing.phrases import Phrase, setting_of
from scope.parsing.roles import Role
from scope.parsing.state import ParseState, span_of

#: What a denial goes past before it meets what it denies: "is not very", "should not be".
_PASSED = frozenset({Role.AUXILIARY, Role.ADVERB})
_LINKS = frozenset({Role.RELATION, Role.PREPOSITION, Role.OF})
_PREDICATES = _LINKS | {Role.VERB, Role.MODIFIER, Role.PLACE, Role.TEXT, Role.SETTING}
#: What is said of an absent thing alone: "there are no dogs running on the grass".
_SAID_OF_IT = frozenset({Role.VERB, Role.RELATION, Role.ADVERB, Role.PREPOSITION})
_BEGINS = frozenset({",", ".", ";", ":", "but", "where", "while"})
#: Said of what is not there: "the moon is absent", "hats are not allowed".
_GONE = frozenset("absent missing forbidden banned excluded omitted gone removed erased deleted nowhere".split())
_LACKING = frozenset({"missing", "absent", "nonexistent"})
_SEEN = frozenset("visible present there included shown allowed seen depicted drawn permitted needed wanted".split())
_BARREN = frozenset("nothing empty bare alone nobody none no without clean clear blank plain deserted".split())
_ALL = frozenset("all any every anything everything anyone everyone".split())


def find_denials(state: ParseState) -> None:
    """Settle which phrases are absent, and which words are denied by which."""
    for i, word in enumerate(state.words):
        if word.role is not Role.NEGATION or state.phrase_at(i) is not None:
            continue
        if word.value == "except" and _is_left_over(state, i):
            word.role, word.value = Role.PREPOSITION, "with"
            continue
        if state.text(i - 1) in {"do", "does", "did"}:
            state.passed.add(i - 1)
        start = i + 1
        while state.role(start) in _PASSED or state.text(start) in {"to", "be"}:
            start += 1
        phrase = state.phrase_at(start)
        if phrase is not None and phrase.start == start:
            if word.value == "hardly" or _is_share(phrase):
                _leave_open(state, i, phrase)
            else:
                _deny_things(state, i, phrase)
        elif state.role(start) is Role.QUALIFYING and (stuff := state.phrase_after(start)) is not None:
            state.denied[stuff.start] = i  # "not made of wood"
        elif state.role(start) in _PREDICATES:
            _deny_predicates(state, i, start)
    for phrase in state.phrases:
        if phrase.stand_ins and phrase.stand_ins[0].value in {"none", "neither"}:
            start = phrase.stop
            while state.role(start) in _PASSED:
                start += 1
            _deny_predicates(state, phrase.start, start)
        elif any(run[-1].text.lower() in _LACKING for run in phrase.modifiers):
            phrase.absent = True
            phrase.modifiers = [run for run in phrase.modifiers if run[-1].text.lower() not in _LACKING]
            phrase.denied_by = range(phrase.start, phrase.stop)
        elif reach := _reach_of_absence(state, phrase):
            phrase.absent = True
            phrase.denied_by = range(phrase.start, reach)
            state.passed |= set(range(phrase.stop, reach))


def read_open(state: ParseState) -> None:
    """Add the clauses whose denial says too little for a promise: "not all of them are black", "hardly any cars"."""
    for clause in state.left_open:
        state.add_unknown(span_of([state.words[i] for i in clause]))


def is_contradicted(state: ParseState, phrase: Phrase) -> bool:
    """Return whether what a phrase says is absent is there elsewhere: "a man without a hat and a woman with a hat"."""
    qualities = {run[-1].text.lower() for run in phrase.modifiers}
    if qualities & {"other", "more", "additional", "extra", "further"} or phrase.amount not in {None, 1}:
        return True
    alike = (p for p in state.phrases if p.noun == phrase.noun and not p.absent and not p.stand_ins and p.nouns)
    return any(qualities <= {run[-1].text.lower() for run in p.modifiers} for p in alike)


# -- things --------------------------------------------------------------------------------------------


def _deny_things(state: ParseState, cue: int, first: Phrase) -> None:
    """Make a phrase absent, and those that are listed with it: "without forks, knives or spoons"."""
    if state.words[cue].value == "not" and first.definite and _is_known(state, first):
        return
    listed = [first]
    while (following := _listed_after(state, cue, listed[-1])) is not None:
        listed.append(following)
    start = cue
    while state.role(start - 1) is Role.ADVERB or (start and state.words[start - 1].end == state.words[start].start):
        start -= 1  # "definitely no", "isn't"
    for phrase in listed:
        phrase.absent = True
        phrase.denied_by = range(start if phrase is first else phrase.start - 1, phrase.stop)
    last = listed[-1]
    if state.role(last.stop) is Role.TEXT:  # 'no sign that says "STOP"'
        state.denied[last.stop] = cue
    elif _opens(state, cue):
        _pass_over(state, last)


def _is_share(phrase: Phrase) -> bool:
    """Return whether to deny a phrase says that some of its things are left: "all of them", "every dog"."""
    words = [*phrase.stand_ins, *([phrase.quantity] if phrase.quantity is not None else [])]
    return any(
        str(w.value) in {"all", "each", "every", "both", "everyone", "everything", "most", "many"} for w in words
    )


def _leave_open(state: ParseState, cue: int, phrase: Phrase) -> None:
    """Leave open what is said of a phrase, up to the end of its clause."""
    stop = phrase.stop
    while state.role(stop) in _SAID_OF_IT | _PASSED | {Role.MODIFIER} and state.phrase_at(stop) is None:
        stop += 1
    phrase.swallowed = True
    state.passed |= set(range(cue, stop))
    state.left_open.append(range(cue, stop))


def _pass_over(state: ParseState, phrase: Phrase) -> None:
    """Pass over what is said of an absent phrase: "there are no dogs running on the grass"."""
    stop = phrase.stop
    while state.role(stop) in _SAID_OF_IT and state.phrase_at(stop) is None:
        stop += 1
    state.passed |= set(range(phrase.stop, stop))
    assert phrase.denied_by is not None
    phrase.denied_by = range(phrase.denied_by.start, stop)


def _listed_after(state: ParseState, cue: int, phrase: Phrase) -> Phrase | None:
    """Return the phrase that is denied with the one before it."""
    at = phrase.stop
    while state.text(at) == ",":
        at += 1
    joined = state.text(at) if state.role(at) is Role.CONJUNCTION else ""
    at += bool(joined)
    following = state.phrase_at(at) if at > phrase.stop else None
    if following is None or following.start != at or state.role(following.start) is Role.PRONOUN:
        return None
    if joined in {"or", "nor"}:
        return following
    bare = following.start == state.words.index(following.nouns[0]) if following.nouns else False
    if not bare or not (phrase.plural or following.plural):
        return None
    return following if joined or _listed_after(state, cue, following) is not None else None


def _opens(state: ParseState, cue: int) -> bool:
    """Return whether a denial opens its clause, so that what follows is said of what is absent."""
    at = cue - 1
    while state.role(at) is Role.AUXILIARY or state.text(at) == "there":
        at -= 1
    return at < 0 or state.role(at) is Role.CONJUNCTION or state.text(at) in _BEGINS


def _is_left_over(state: ParseState, cue: int) -> bool:
    """Return whether "except" names what is there all the same: "no furniture except a chair", "except the red car"."""
    clause = state.clause(cue)
    before = [i for i in range(cue) if state.clause(i) == clause]
    said = {state.text(i) for i in before}
    following = state.phrase_after(cue)
    lead = state.role(following.start) if following is not None else None
    if said & _BARREN or any(state.role(i) is Role.NEGATION for i in before) or (following and following.definite):
        return True
    predicated = any(state.role(i) is Role.AUXILIARY for i in before)  # "everything is gray except a balloon"
    return lead in {Role.DETERMINER, Role.NUMBER, Role.QUANTITY} and (predicated or not said & _ALL)


def _is_known(state: ParseState, phrase: Phrase) -> bool:
    return any(p.noun == phrase.noun and p.start < phrase.start for p in state.phrases)


def _reach_of_absence(state: ParseState, phrase: Phrase) -> int:
    """Return where the words end that say a phrase is not there: "the moon is absent"; 0 where none do."""
    at = phrase.stop
    if not phrase.nouns or phrase.absent:
        return 0
    if state.role(at) is not Role.AUXILIARY:  # "with its tail missing"
        return at + 1 if state.text(at) in _GONE and state.role(phrase.start - 1) is Role.PREPOSITION else 0
    while state.role(at) in _PASSED and state.text(at) not in _GONE:
        at += 1
    if state.text(at) in _GONE:
        return at + 4 if state.text(at + 3) == "seen" else at + 1  # "nowhere to be seen"
    if state.role(at) is Role.NEGATION and state.words[at].value == "not":
        at += state.text(at + 1) == "be"  # but "not clearly visible" is there
        return at + 2 if state.text(at + 1) in _SEEN else 0
    return 0


# -- what is said of things ------------------------------------------------------------------------------


def _deny_predicates(state: ParseState, cue: int, start: int) -> None:
    """Deny a predicate and those that are joined to it with "or": "is not red, blue or green"."""
    role = state.role(start)
    while state.role(start) is role and role in _PREDICATES:
        stop = _deny_predicate(state, cue, start)
        start = _alternative_after(state, stop, role)


def _deny_predicate(state: ParseState, cue: int, start: int) -> int:
    """Deny one predicate, and return where it ends. A new thing in it is not there: "not riding a horse"."""
    says_how = state.role(start + 1) in {Role.TEXT, Role.MODIFIER} and state.phrase_at(start + 1) is None
    if state.role(start) is Role.VERB and says_how:  # 'do not write "STOP"', "was not painted red"
        state.passed.add(start)
        start += 1
    link = start
    while state.role(link + 1) in _LINKS or (state.role(link + 1) is Role.ADVERB and state.role(start) is Role.VERB):
        link += 1
    target = state.phrase_after(link) if state.role(start) in {Role.VERB, *_LINKS} else None
    if target is None or (state.role(link) is Role.RELATION and _is_place(target)):
        state.denied[start] = cue
        return start + 1
    if _is_certain(state, target):
        relates = state.role(link) is Role.RELATION and state.words[link].value not in {"at", "by"}
        state.denied[link if relates else start] = cue
        state.passed |= set(range(start, link)) if relates else set()
    else:
        target.swallowed = True
        state.denied_clauses[start] = span_of(state.words[start : target.stop])
        state.denied[start] = cue
        state.passed |= set(range(start + 1, target.start))
    return target.stop


def _alternative_after(state: ParseState, i: int, role: Role | None) -> int:
    """Return where a predicate begins that is joined to one that ends at `i`; -1 where none is."""
    at = i
    while state.text(at) in {",", "or", "nor"}:
        at += 1
    listed = {state.text(j) for j in range(i, min(i + 8, len(state.words)))}
    return at if at > i and state.role(at) is role and listed & {"or", "nor"} else -1


def _is_certain(state: ParseState, phrase: Phrase) -> bool:
    """Return whether a phrase speaks of a certain thing, which is there: "the mat", "it", or what was named before."""
    lead = state.words[phrase.start]
    return phrase.definite or bool(phrase.stand_ins) or lead.tag == "PRP$"


def _is_place(phrase: Phrase) -> bool:
    return setting_of(phrase, "in") is not None
