"""Which phrases are things in the picture, which are its setting, and which must be absent."""

from scope.language import lexicon
from scope.language.phrases import Phrase, setting_of
from scope.language.reading import Reading, span_of
from scope.language.words import Word
from scope.spec import Commitment, Kind, Type

_CLOTHED = frozenset({"covered", "dressed", "clothed", "wrapped", "filled"})


def find_things(reading: Reading) -> None:
    """Give every phrase its part: absent, a setting, a thing named before, or a new thing."""
    for phrase in reading.phrases:
        if _is_absent(reading, phrase):
            phrase.absent = True
        elif setting := _setting(reading, phrase):
            phrase.setting = setting
        elif known := _named_before(reading, phrase):
            phrase.id, phrase.noun = known.id, known.noun
        else:
            reading.entities.append(phrase)
            phrase.id = f"e{len(reading.entities)}"


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


def article(noun: str) -> str:
    """Return the indefinite article of a noun."""
    return "an" if noun[:1] in "aeiou" and not noun.startswith(("uni", "use", "eu", "one")) else "a"


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
