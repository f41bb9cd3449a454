"""Which phrases are entities of the picture, which are its setting, and which must be absent."""

from scope.parsing import lexicon
from scope.parsing.abstract import is_abstract
from scope.parsing.lettering import is_writing
from scope.parsing.parts import settle_same, settle_selected, settle_stand_in
from scope.parsing.phrases import Phrase, setting_after, setting_of
from scope.parsing.pronouns import antecedents, owner_of
from scope.parsing.qualities import is_quality, stand_for_whole
from scope.parsing.roles import Role
from scope.parsing.state import ParseState, span_of
from scope.parsing.undrawn import BACKDROPS
from scope.parsing.words import Word
from scope.specification import Commitment, Kind, Type
from scope.text import article

#: What tells two things of a kind apart.
_SIDES = frozenset({"left", "right", "upper", "lower", "top", "bottom", "front", "back", "inner", "outer"})
#: How a phrase begins that has no article.
_UNLED = frozenset({Role.NOUN, Role.MODIFIER, Role.ADVERB})
_POINTING = frozenset({"this", "that", "these", "those"})
#: Nouns for whatever was named before.
_ANYTHING = frozenset(
    "item object thing piece subject individual pair duo trio group ensemble collection assortment array".split()
)


def find_entities(state: ParseState) -> None:
    """Settle what each phrase is: absent, a setting, what identifies another, an entity named before, or a new one."""
    repeats = {p.start: other for p in state.phrases if (other := _counterpart(state, p))}
    for phrase in list(state.phrases):
        if phrase.absent or phrase.swallowed:
            continue
        phrase.owner = owner_of(state, phrase)
        if phrase.stand_ins:
            _settle_stand_in(state, phrase)
        elif phrase.start in repeats or settle_selected(state, phrase) or settle_same(state, phrase):
            continue
        elif is_quality(state, phrase):
            phrase.quality = True
        elif phrase.noun in BACKDROPS:
            phrase.abstract = True
        elif setting := _setting(state, phrase):
            phrase.setting = setting
        elif not phrase.names and (_is_undrawn(state, phrase) or is_writing(state, phrase)):
            phrase.abstract = True
        elif other := _identified(state, phrase):
            phrase.identifies = other
        elif known := _antecedent(state, phrase):
            phrase.id, phrase.noun = known.id, known.noun
        elif _is_unclear(state, phrase):
            phrase.abstract = True
        else:
            state.introduce(phrase)
    for phrase in state.phrases:
        stand_for_whole(state, phrase)
    for phrase in (p for p in state.phrases if p.start in repeats):
        phrase.id, phrase.setting = repeats[phrase.start].id, repeats[phrase.start].setting


def _settle_stand_in(state: ParseState, phrase: Phrase) -> None:
    if phrase.stand_ins[0].role is Role.PRONOUN:
        state.mean(phrase, antecedents(state, phrase.start, str(phrase.stand_ins[0].value)))
    else:
        settle_stand_in(state, phrase)


def _is_undrawn(state: ParseState, phrase: Phrase) -> bool:
    """Return whether a phrase names nothing that a picture shows; "a light" is a lamp, and "soft light" is none."""
    leads = (Role.DETERMINER, Role.NUMBER, Role.QUANTITY)
    counted = phrase.plural or any(w.role in leads for w in state.words[phrase.start : phrase.stop])
    return is_abstract(phrase.noun, definite=phrase.definite, counted=counted)


def entity_of(state: ParseState, phrase: Phrase) -> Commitment:
    """Return the commitment that an entity is there."""
    noun = state.noun(phrase)
    claim = f"there are {noun}" if phrase.plural else f"there is {article(noun)} {noun}"
    if phrase.nouns == phrase.names:  # a proper name takes no article
        claim = f"{' '.join(w.text for w in phrase.names)} is there"
    assert phrase.id is not None
    whole = phrase.part_of.id if phrase.part_of is not None else None
    if whole is not None:
        claim = f"{state.definite(phrase)} {'are' if phrase.plural else 'is'} there"
    return Commitment(
        id=phrase.id,
        kind=Kind.ENTITY,
        type=Type.PRESENCE,
        claim=claim,
        value=phrase.noun,
        part_of=whole,
        depends_on=(whole,) if whole is not None else (),
        span=state.span(phrase) if phrase.stand_ins else span_of(phrase.nouns),
    )


def _setting(state: ParseState, phrase: Phrase) -> str | None:
    """Return the setting that a phrase names: "on a beach", or "a beach" where the prompt opens with it."""
    before = _preposition(state, phrase)
    said = str(before.value) if before is not None else None
    if said in lexicon.SETTING_PREPOSITIONS or setting_after(phrase, said):
        if phrase.start > 1 and state.words[phrase.start - 2].text.lower() in lexicon.CLOTHED:
            return None
        return setting_of(phrase, said)
    opens = phrase is state.phrases[0] and before is None and not phrase.colors
    return setting_of(phrase, None) if opens and not _has_predicate(state, phrase) else None


def _has_predicate(state: ParseState, phrase: Phrase) -> bool:
    """Return whether something is said of a phrase that is only said of entities: "the sky over a roof"."""
    after = state.phrase_after(phrase.stop)
    if state.role(phrase.stop) is Role.RELATION and after is not None:
        return setting_of(after, str(state.words[phrase.stop].value)) is None
    if state.role(phrase.stop) is Role.VERB and state.role(phrase.start) is Role.NOUN:  # "water pouring"
        return state.words[phrase.stop].tag != "VBN"
    return state.role(phrase.stop) is Role.AUXILIARY


def _preposition(state: ParseState, phrase: Phrase) -> Word | None:
    """Return the preposition that governs a phrase."""
    i = phrase.start - 1
    return state.words[i] if i >= 0 and state.words[i].role in {Role.RELATION, Role.PREPOSITION, Role.OF} else None


def _antecedent(state: ParseState, phrase: Phrase) -> Phrase | None:
    """Return the entity that "the apples" speaks of, if apples were named; a colour chooses among several."""
    if _is_bare(state, phrase):
        return _noted(state, phrase)
    if not phrase.definite or phrase.number is not None:
        return None
    alike = [p for p in state.entities if p.noun == phrase.noun]
    alike = alike or [p for p in state.entities if p.noun.endswith(f" {phrase.noun}")]  # "a golden retriever"
    alike = [p for p in alike if not _are_apart(p, phrase)]
    fitting = [p for p in alike if set(phrase.colors) <= set(p.colors)]
    best = fitting or alike
    return best[-1] if best else None


def _noted(state: ParseState, phrase: Phrase) -> Phrase | None:
    """Return the entity that a note speaks of again: "cup on table. vase on table"; two of one sentence are two."""
    clause = state.clause(phrase.start)
    here = {p.id for p in state.phrases if p.start < phrase.start and state.clause(p.start) == clause}
    alike = [p for p in state.entities if p.noun == phrase.noun and _is_bare(state, p) and p.id not in here]
    return next((p for p in alike if not (phrase.modifiers or p.modifiers)), None)


def _is_bare(state: ParseState, phrase: Phrase) -> bool:
    """Return whether a singular has no article."""
    return not phrase.plural and phrase.number is None and not phrase.names and state.role(phrase.start) in _UNLED


def _are_apart(one: Phrase, other: Phrase) -> bool:
    """Return whether two phrases are of different sides: "the left arm", "the right arm"."""
    sides = [{run[-1].text.lower() for run in p.modifiers} & _SIDES for p in (one, other)]
    return all(sides) and not sides[0] & sides[1]


def _is_unclear(state: ParseState, phrase: Phrase) -> bool:
    """Return whether a phrase speaks of things that were named by other words: "the items", "these vegetables"."""
    lead = state.text(phrase.start)
    pointing = (lead in _POINTING and phrase.number is None) or (lead in {"the", "both"} and phrase.noun in _ANYTHING)
    return pointing and bool(state.entities) and state.role(phrase.stop) is not Role.OF


def _counterpart(state: ParseState, phrase: Phrase) -> Phrase | None:
    """Return the entity that "than dogs" speaks of, if the prompt has dogs elsewhere, earlier or later."""
    if state.role(phrase.start - 1) is not Role.THAN or phrase.number is not None:
        return None
    alike = [p for p in state.phrases if p.noun == phrase.noun and set(phrase.colors) <= set(p.colors)]
    return next((p for p in alike if state.role(p.start - 1) not in {Role.THAN, Role.NEGATION}), None)


def _identified(state: ParseState, phrase: Phrase) -> Phrase | None:
    """Return the entity that a phrase only identifies: "the mascot of Team Zorvex", "Team Zorvex's mascot"."""
    owned, owner = state.phrase_after(phrase.stop), state.phrase_before(phrase.start - 1)
    is_name = bool(phrase.names) and phrase.nouns == phrase.names
    if state.role(phrase.stop) is Role.POSSESSIVE and owned is not None:
        # A name that comes twice is drawn, and in "the director's remake of a film" the film identifies it.
        by_name = is_name and not _is_named_elsewhere(state, phrase) and state.role(owned.stop) is not Role.OF
        return owned if _is_identified(owned, by_name) else None
    if state.role(phrase.start - 1) is Role.OF and owner is not None and owner.id:
        by_name = is_name and owner.definite and owner.noun not in lexicon.DEPICTIONS_AND_VESSELS
        return owner if _is_identified(owner, by_name) else None
    return None


def _is_identified(phrase: Phrase, by_name: bool) -> bool:
    """Return whether its owner says which entity it is: a name does, or any owner if the noun says little without."""
    return not phrase.names and phrase.number is None and (by_name or phrase.noun in lexicon.RELATIONAL_NOUNS)


def _is_named_elsewhere(state: ParseState, phrase: Phrase) -> bool:
    return any(p is not phrase and p.noun == phrase.noun for p in state.phrases)
