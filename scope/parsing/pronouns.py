"""Whom a pronoun means: "it", "her hat", "both", "the former"; nobody, where two are as likely as each other."""

from dataclasses import replace

from scope.parsing.kinds import SINGULAR, suits
from scope.parsing.phrases import Phrase
from scope.parsing.roles import Role
from scope.parsing.state import ParseState
from scope.specification import Span

_ORDERED = {"former": 0, "latter": -1}


def antecedents(state: ParseState, i: int, pronoun: str, *, possessive: bool = False) -> list[Phrase]:
    """Return the entities that a pronoun at word `i` means: one, or the several of "they"; none where it is not clear.

    A pronoun that opens its sentence means what the sentence before is about, as does "its" after a comma; another
    inside a sentence the nearest that suits; but nothing acts on itself, so the subject of "touching it" is not meant.
    """
    named = [p for p in state.phrases if p.start < i and p.id]
    if pronoun in _ORDERED:
        row = row_of(state, named[-1]) if named else []
        return [row[_ORDERED[pronoun]]] if len(row) == 2 else []
    if pronoun not in SINGULAR:
        return _several(state, named, pronoun, i)
    singular = [p for p in named if not p.plural and not p.means]
    best = max((suits(pronoun, p.noun) for p in singular), default=0)
    fitting = [p for p in singular if best and suits(pronoun, p.noun) == best]
    if not possessive:
        acting = _acting(state, i)
        fitting = [p for p in fitting if p.id not in {a.id for a in acting}]
    return _likeliest(state, fitting, i, possessive=possessive)


def _likeliest(state: ParseState, fitting: list[Phrase], i: int, *, possessive: bool) -> list[Phrase]:
    if not fitting:
        return []
    here = state.clause(i)
    inside = [p for p in fitting if state.clause(p.start) == here]
    if inside:
        owners = [p for p in state.subjects(i) if p in inside] if possessive else []
        if possessive and state.text(i - 1) == ",":  # "a car on a road, its doors open"
            owners = [p for p in inside if not _is_governed(state, p)]
        unclear = possessive and len({p.id for p in inside}) > 1
        return owners[:1] or ([] if unclear else inside[-1:])
    last = [p for p in fitting if state.clause(p.start) == state.clause(fitting[-1].start)]
    chosen = last[0]
    rivals = [p for p in row_of(state, chosen) if p.id != chosen.id and p in fitting]
    return [] if rivals else [chosen]


def _several(state: ParseState, named: list[Phrase], pronoun: str, i: int) -> list[Phrase]:
    """Return what "they", "both" or "each" mean: the nearest things in a row, or the nearest that are several."""
    acting = {a.id for a in _acting(state, i)} if pronoun in {"them", "they"} else set[str | None]()
    for phrase in _by_prominence(state, [p for p in named if p.id not in acting], i):
        row = [p for p in row_of(state, phrase) if p.id not in acting]
        if len(row) > 1 and (pronoun != "both" or len(row) == 2):
            return row
        if phrase.plural:
            return [phrase]
    one = [p for p in named if suits("he", p.noun) >= 2 or suits("she", p.noun) >= 2]
    return one[-1:] if pronoun in {"them", "they", "their"} else []


def _by_prominence(state: ParseState, named: list[Phrase], i: int) -> list[Phrase]:
    """Return phrases as a plural pronoun at word `i` is likeliest to mean them: the nearest first, inside a clause.

    One that opens a clause or follows a comma means what is spoken of before it, rather than what that is beside.
    """
    nearest = named[::-1]
    if not named or state.text(i - 1) not in {"", ",", ".", ";", "!", "?"}:
        return nearest
    clause = state.clause(i) if state.text(i - 1) == "," else state.clause(named[-1].start)
    leading = [p for p in named if state.clause(p.start) == clause and not _is_governed(state, p)]
    return [*leading, *nearest]


def _is_governed(state: ParseState, phrase: Phrase) -> bool:
    """Return whether a preposition stands before a phrase."""
    return state.role(phrase.start - 1) in {Role.RELATION, Role.PREPOSITION, Role.OF}


def row_of(state: ParseState, phrase: Phrase) -> list[Phrase]:
    """Return the things that are named in one row with a phrase: "a cat, a dog and a bird"."""
    row = [phrase]
    while (before := _joined_before(state, row[0])) is not None:
        row.insert(0, before)
    while (after := next((p for p in state.phrases if _joined_before(state, p) is row[-1]), None)) is not None:
        row.append(after)
    return row


def _joined_before(state: ParseState, phrase: Phrase) -> Phrase | None:
    """Return the entity that a phrase follows with nothing but "and" or a comma between."""
    at = phrase.start - 1
    while state.role(at) is Role.CONJUNCTION or state.text(at) == ",":
        at -= 1
    before = state.phrase_at(at) if at < phrase.start - 1 else None
    return before if before is not None and before.id and phrase.id and state.text(phrase.start - 1) != "or" else None


def _acting(state: ParseState, i: int) -> list[Phrase]:
    """Return the subject of what a pronoun at word `i` is the object of: the cat in "a cat touching it"."""
    if state.role(i - 1) not in {Role.RELATION, Role.VERB, Role.PREPOSITION}:
        return []
    at = i - 1
    while state.role(at - 1) in {Role.RELATION, Role.VERB, Role.PREPOSITION, Role.AUXILIARY, Role.ADVERB}:
        at -= 1
    if (beside := state.phrase_before(at)) is not None and beside.id:
        return [beside]
    opens = at == 0 or state.role(at - 1) in {Role.CONJUNCTION, Role.COMMA}
    return [] if opens and state.role(at) is Role.RELATION else state.subjects(i - 1)


def owner_of(state: ParseState, phrase: Phrase) -> Phrase | None:
    """Return whom "her" of "her hat" means, as a phrase that speaks of one or several; None where it is not clear."""
    lead = state.words[phrase.start]
    if lead.tag != "PRP$" or not phrase.nouns:
        return None
    means = antecedents(state, phrase.start, lead.text.lower(), possessive=True)
    return replace(means[0], means=means) if means else None


def cover_mentions(state: ParseState) -> None:
    """Extend what is said of those that a word like "both" or "the former" means to that word, which is none's own."""
    for phrase in (p for p in state.phrases if p.means):
        ids, span = {m.id for m in phrase.means}, state.span(phrase)
        said = [c for c in state.commitments if c.span and ids & set(c.targets) and c.span.end > span.start]
        if said:
            nearest = min(said, key=lambda c: abs(c.span.start - span.end) if c.span else 0)
            assert nearest.span is not None
            reach = Span(start=min(span.start, nearest.span.start), end=max(span.end, nearest.span.end))
            state.commitments[state.commitments.index(nearest)] = nearest.model_copy(update={"span": reach})
