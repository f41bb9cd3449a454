"""Which phrases are things in the picture, which are its setting, and which must be absent."""

from scope.parsing import lexicon
from scope.parsing.phrases import Phrase, setting_of
from scope.parsing.reading import Reading, span_of
from scope.parsing.words import Word
from scope.specification import Commitment, Kind, Type
from scope.text import article

_CLOTHED = frozenset({"covered", "dressed", "clothed", "wrapped", "filled"})


def find_things(reading: Reading) -> None:
    """Give every phrase its part: absent, a setting, what tells of another, a thing named before, or a new thing."""
    repeats = {p.start: other for p in reading.phrases if (other := _compared_with(reading, p))}
    for phrase in reading.phrases:
        if _is_absent(reading, phrase):
            phrase.absent = True
        elif phrase.start in repeats:
            continue
        elif setting := _setting(reading, phrase):
            phrase.setting = setting
        elif whole := _told_by(reading, phrase):
            phrase.tells = whole
        elif known := _named_before(reading, phrase):
            phrase.id, phrase.noun = known.id, known.noun
        else:
            reading.entities.append(phrase)
            phrase.id = f"e{len(reading.entities)}"
    for phrase in (p for p in reading.phrases if p.start in repeats):
        phrase.id, phrase.setting = repeats[phrase.start].id, repeats[phrase.start].setting


def entity(reading: Reading, phrase: Phrase) -> Commitment:
    """Return the commitment that a thing is there."""
    noun = reading.noun(phrase)
    said = f"there are {noun}" if phrase.plural else f"there is {article(noun)} {noun}"
    if phrase.nouns == phrase.names:  # a proper name takes no article
        said = f"{' '.join(w.text for w in phrase.names)} is there"
    assert phrase.id is not None
    return Commitment(
        id=phrase.id, kind=Kind.ENTITY, type=Type.PRESENCE, claim=said, value=phrase.noun, span=span_of(phrase.nouns)
    )


def _is_absent(reading: Reading, phrase: Phrase) -> bool:
    """Return whether "no" or "without" precedes: also for the second of "without leaves or stems"."""
    if reading.role(phrase.start - 1) == "n":
        return reading.words[phrase.start - 1].value == "no"
    if reading.role(phrase.start - 1) == "&" and reading.words[phrase.start - 1].value in {"or", "nor"}:
        before = reading.phrase_before(phrase.start - 1)
        return before is not None and before.absent
    return False


def _setting(reading: Reading, phrase: Phrase) -> str | None:
    """Return the setting that a phrase names: "on a beach", or "a beach" where the prompt opens with it."""
    before = _preposition(reading, phrase)
    if before is not None and before.value in lexicon.SETTING_PREPOSITIONS:
        if phrase.start > 1 and reading.words[phrase.start - 2].text.lower() in _CLOTHED:
            return None
        return setting_of(phrase, bare=False)
    opens = phrase is reading.phrases[0] and before is None and not phrase.colors
    return setting_of(phrase, bare=True) if opens and not _acts(reading, phrase) else None


def _acts(reading: Reading, phrase: Phrase) -> bool:
    """Return whether something is said of a phrase that is only said of things: "the sky over a roof"."""
    after = reading.phrase_after(phrase.stop)
    related = reading.role(phrase.stop) == "r" and after is not None and setting_of(after, bare=False) is None
    return related or reading.role(phrase.stop) == "b"


def _preposition(reading: Reading, phrase: Phrase) -> Word | None:
    """Return the preposition that governs a phrase."""
    i = phrase.start - 1
    return reading.words[i] if i >= 0 and reading.words[i].role in {"r", "p", "o"} else None


def _named_before(reading: Reading, phrase: Phrase) -> Phrase | None:
    """Return the thing that "the apples" speaks of, if apples were named; a colour chooses among several."""
    if not phrase.definite or phrase.number is not None:
        return None
    alike = [p for p in reading.entities if p.noun == phrase.noun]
    fitting = [p for p in alike if set(phrase.colors) <= set(p.colors)]
    best = fitting or alike
    return best[-1] if best else None


def _compared_with(reading: Reading, phrase: Phrase) -> Phrase | None:
    """Return the thing that "than dogs" speaks of, if the prompt has dogs elsewhere, earlier or later."""
    if reading.role(phrase.start - 1) != "c" or phrase.number is not None:
        return None
    alike = (p for p in reading.phrases if p.noun == phrase.noun and reading.role(p.start - 1) not in {"c", "n"})
    return next((p for p in alike if set(phrase.colors) <= set(p.colors)), None)


def _told_by(reading: Reading, phrase: Phrase) -> Phrase | None:
    """Return the thing that a phrase only tells apart: "the mascot of Team Zorvex", "Team Zorvex's mascot"."""
    owned, owner = reading.phrase_after(phrase.stop), reading.phrase_before(phrase.start - 1)
    is_name = bool(phrase.names) and phrase.nouns == phrase.names
    if reading.role(phrase.stop) == "q" and owned is not None:
        # A name that comes twice is drawn, and in "the director's remake of a film" the film tells it apart.
        told = is_name and not _is_named_elsewhere(reading, phrase) and reading.role(owned.stop) != "o"
        return owned if _is_told(owned, told) else None
    if reading.role(phrase.start - 1) == "o" and owner is not None and owner.id:
        return owner if _is_told(owner, is_name and owner.definite and owner.noun not in lexicon.SHOWING) else None
    return None


def _is_told(phrase: Phrase, told: bool) -> bool:
    """Return whether a thing is told by its owner: by a name, or if its noun says little without."""
    return not phrase.names and phrase.number is None and (told or phrase.noun in lexicon.REFERRING)


def _is_named_elsewhere(reading: Reading, phrase: Phrase) -> bool:
    return any(p is not phrase and p.noun == phrase.noun for p in reading.phrases)
