"""One of several: which entity a stand-in means ("one", "the other two", "6 of them"), or that it is a part of a whole.

A part is an entity of its own, with the noun of its whole. A stand-in that nothing before it explains means nobody, and
its words stay an unknown.
"""

from scope.parsing import lexicon
from scope.parsing.anaphora import ONES, ORDINALS, OTHERS, SIDES
from scope.parsing.phrases import Phrase
from scope.parsing.pronouns import antecedents
from scope.parsing.roles import Role
from scope.parsing.state import ParseState, span_of
from scope.specification import Type

_EVERYONE = frozenset({"all", "each", "both", "every", "none", "neither"})
_REMAINING = OTHERS - {"another"}
#: Words that say which of several are meant.
_SELECTING = frozenset({*ORDINALS, *SIDES, *_REMAINING})


def settle_stand_in(state: ParseState, phrase: Phrase) -> None:
    """Settle whom a phrase with stand-ins means: entities named before, a new thing of their kind, or some of them."""
    said = str(phrase.stand_ins[0].value)
    if phrase.whole is not None:
        _settle_some_of(state, phrase, said)
        return
    phrase.amount = _amount(phrase)
    kind = _selecting(phrase)
    if (phrase.definite or kind is not None) and _settle_selected(state, phrase, kind):
        return
    whole = _whole_before(state, phrase)
    if whole is not None and (phrase.amount or 0) < (whole.amount or 1_000) and _divides(state, phrase, whole):
        _make_part(state, phrase, whole)
    elif (phrase.modifiers or said in _NEW) and said not in _SELECTING:
        _make_another(state, phrase)


#: Stand-ins that alone name another thing of the kind: "a dog next to another".
_NEW = frozenset({"another", *ONES})


def settle_selected(state: ParseState, phrase: Phrase) -> bool:
    """Settle "the left cup", "the other dogs", "the red balls" where cups, dogs, balls were named as several."""
    if not phrase.definite or phrase.stand_ins:
        return False
    selecting = _selecting(phrase)
    if selecting is None and not (phrase.colors and phrase.plural):
        return False
    phrase.amount = _amount(phrase)
    return _settle_selected(state, phrase, selecting)


def settle_same(state: ParseState, phrase: Phrase) -> bool:
    """Settle "a white flag" of "the first is a white flag", which is no further thing."""
    at = phrase.start - 1
    before = state.phrase_before(at) if state.role(at) is Role.AUXILIARY else None
    if before is None or not before.stand_ins or not before.id or before.noun != phrase.noun:
        return False
    state.mean(phrase, state.meant(before))
    return True


def read_part(state: ParseState, phrase: Phrase) -> None:
    """Add how many a part are, and where it is, if its words say "left" or "right" of the whole."""
    if phrase.part_of is None or phrase not in state.entities:
        return
    span = state.span(phrase)
    if phrase.amount is None and (said := phrase.stand_ins[:1]) and said[0].text.lower() in lexicon.VAGUE:
        state.add_unknown(span_of(said), phrase)
    if phrase.amount is not None and phrase.number is None:
        claim = f"there {'is' if phrase.amount == 1 else 'are'} exactly {phrase.amount} {state.described(phrase)}"
        state.add(Type.COUNT, claim, phrase.amount, span, phrase)
    if phrase.which in {"left", "right"}:
        others = {p.which: p for p in state.entities if p.part_of is phrase.part_of}
        if {"left", "right"} <= others.keys():
            if phrase.which == "left":
                claim = f"{state.definite(phrase)} is to the left of {state.definite(others['right'])}"
                state.add(Type.RELATION, claim, "left of", span, phrase, others["right"])
        else:
            verb = "are" if phrase.plural else "is"
            claim = f"{state.definite(phrase)} {verb} in the {phrase.which} of the picture"
            state.add(Type.PLACE, claim, phrase.which, span, phrase)


# -- some of them ------------------------------------------------------------------------------------


def _settle_some_of(state: ParseState, phrase: Phrase, said: str) -> None:
    """Settle "two of them", "half of the apples", "each of the three dogs"."""
    wholes = _wholes_of(state, phrase)
    if said in _EVERYONE:
        state.mean(phrase, wholes)
    elif len(wholes) == 1:
        whole = wholes[0]
        if said == "half":
            phrase.amount = whole.amount // 2 if whole.amount and whole.amount % 2 == 0 else None
            phrase.plural = phrase.amount != 1
        elif said in _REMAINING:
            phrase.amount = _remainder(state, whole)
        else:
            phrase.amount = _amount(phrase)
        _make_part(state, phrase, whole)


def _wholes_of(state: ParseState, phrase: Phrase) -> list[Phrase]:
    """Return what a phrase says to speak of some of; things that are named only here are new."""
    assert phrase.whole is not None
    inner = phrase.whole
    if inner.stand_ins:
        pronoun = str(inner.stand_ins[0].value)
        return antecedents(state, phrase.start, pronoun)
    known = [p for p in state.entities if p.noun == inner.noun and p.part_of is None]
    if not known:
        state.insert(inner)
        state.introduce(inner)
        return [inner]
    return known[-1:] if known[-1].plural else known


# -- which of several --------------------------------------------------------------------------------


def _settle_selected(state: ParseState, phrase: Phrase, selecting: str | None) -> bool:
    """Settle a phrase that chooses among several of its kind; without a noun, of what was named last."""
    noun = phrase.noun if phrase.nouns else None
    named = [p for p in state.entities if p.part_of is None and (noun is None or p.noun == noun)]
    if not named:
        return False
    if noun is None:
        kind = next((p for p in reversed(named) if p.plural), named[-1]).noun
        named = [p for p in named if p.noun == kind]
    parts = [p for p in state.entities if p.part_of in named]
    if selecting is not None and (same := [p for p in parts if p.which == selecting]):
        state.mean(phrase, same[-1:])
    elif len(named) > 1 and all(not p.plural for p in named):
        return _settle_among(state, phrase, named, selecting)
    elif named[-1].plural and (selecting is not None or not set(phrase.colors) <= set(named[-1].colors)):
        _select(state, phrase, named[-1], selecting)
    else:
        return False
    return True


def _select(state: ParseState, phrase: Phrase, whole: Phrase, selecting: str | None) -> None:
    """Make a part of what is chosen from a whole."""
    phrase.modifiers = [run for run in phrase.modifiers if run[-1].text.lower() not in _SELECTING]
    phrase.which = selecting or ""
    if selecting in _REMAINING:
        phrase.amount = phrase.amount if phrase.number else _remainder(state, whole)
        phrase.plural = phrase.amount != 1
    elif not phrase.plural:
        phrase.amount = 1
    _make_part(state, phrase, whole)


def _settle_among(state: ParseState, phrase: Phrase, named: list[Phrase], selecting: str | None) -> bool:
    """Choose one of single things: "the second dog" of a dog and another dog, "the other" than the last."""
    chosen: list[Phrase] = []
    if selecting in ORDINALS:
        chosen = named[ORDINALS.index(selecting) :][:1]
    elif selecting in _REMAINING and len(named) == 2:
        spoken = [p for p in state.phrases if p.start < phrase.start and p.id in {n.id for n in named}]
        chosen = [n for n in named if n.id != spoken[-1].id]
    elif selecting is None:
        chosen = [p for p in named if set(phrase.colors) <= set(p.colors)][-1:]
    phrase.modifiers = [] if chosen else phrase.modifiers
    state.mean(phrase, chosen)
    return bool(chosen)


def _selecting(phrase: Phrase) -> str | None:
    """Return the word that says which of several: "left", "second", "other"; "" for "the red one"; None: none does."""
    words = [*(run[-1].text.lower() for run in phrase.modifiers), *(str(w.value) for w in phrase.stand_ins)]
    return next((w for w in words if w in _SELECTING), None)


# -- parts, and others of a kind ---------------------------------------------------------------------


def _make_part(state: ParseState, phrase: Phrase, whole: Phrase) -> None:
    phrase.part_of = whole
    _make_entity(state, phrase, whole)


def _make_another(state: ParseState, phrase: Phrase) -> None:
    """Make another thing of the kind that was named last: "a blue one"."""
    named = [p for p in state.entities if p.start < phrase.start]
    if named:
        _make_entity(state, phrase, named[-1])


def _make_entity(state: ParseState, phrase: Phrase, model: Phrase) -> None:
    """Make an entity of the model's kind."""
    phrase.noun, phrase.nouns = model.noun, model.nouns
    phrase.plural = phrase.plural if phrase.amount is None else phrase.amount != 1
    state.introduce(phrase)


def _whole_before(state: ParseState, phrase: Phrase) -> Phrase | None:
    """Return the several things that a stand-in may be some of: those named last, unless one is named since."""
    named = [p for p in state.entities if p.start < phrase.start and p.part_of is None]
    return next((p for p in reversed(named) if p.plural), None)


def _divides(state: ParseState, phrase: Phrase, whole: Phrase) -> bool:
    """Return whether a stand-in divides a whole, rather than adds to it: "two red balls and a blue one" are three."""
    said = str(phrase.stand_ins[-1].value)
    if said not in _NEW:
        return True
    return not whole.modifiers and whole.amount is not None and not _is_added(state, phrase, whole)


def _is_added(state: ParseState, phrase: Phrase, whole: Phrase) -> bool:
    """Return whether nothing but "and" or a relation stands between a whole and what is named beside it."""
    between = state.words[whole.stop : phrase.start]
    return all(w.role in {Role.CONJUNCTION, Role.RELATION, Role.VERB} for w in between)


def _remainder(state: ParseState, whole: Phrase) -> int | None:
    """Return how many of a whole are left when the parts that were named are taken away."""
    parts = [p.amount for p in state.entities if p.part_of is whole]
    known = [n for n in parts if n is not None]
    if whole.amount is None or len(known) < len(parts) or not parts:
        return None
    left = whole.amount - sum(known)
    return left if left > 0 else None


def _amount(phrase: Phrase) -> int | None:
    """Return how many a phrase speaks of, where it says so."""
    if phrase.number is not None:
        return phrase.amount
    last = str(phrase.stand_ins[-1].value) if phrase.stand_ins else ""
    return 1 if last in {"one", "other", "another", *ORDINALS, *SIDES} else None
