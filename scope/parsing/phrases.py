"""Noun phrases: which words name one entity together. Found with a regular expression over the roles of words."""

import re
from dataclasses import dataclass, field

from scope.parsing import lexicon
from scope.parsing.numbers import count_said
from scope.parsing.roles import Role
from scope.parsing.words import Word

_JOINING = f"[{Role.COMMA}{Role.CONJUNCTION}]"
#: Modifiers, each with its adverbs: "very big, red and shiny".
_MODIFIER = f"{Role.ADVERB}*{Role.MODIFIER}"
_MODIFIERS = f"{_MODIFIER}(?:{_JOINING}{{0,2}}{_MODIFIER})*"
_LEAD = f"[{Role.DETERMINER}{Role.QUANTITY}{Role.NUMBER}]"
_NOUN = f"[{Role.NOUN}{Role.NAME}]"
#: "a blue one", "the other", "two of them", "one of the cats".
_WHOLE = f"(?P<whole>{Role.PRONOUN}|{_LEAD}+(?:{_MODIFIERS})?{_NOUN}+)"
_STAND_IN = f"{_LEAD}*(?:{_MODIFIERS})?{Role.STAND_IN}+(?:{Role.OF}{_WHOLE})?"
#: "a red and" of "a red and a blue car": an entity whose noun comes only with a later one.
_ELLIPTIC = f"{_LEAD}+{_MODIFIERS}(?={_JOINING}+(?:{_LEAD}+{_MODIFIERS}{_JOINING}+)*{_LEAD}+{_MODIFIERS}{_NOUN})"
_DEFINITE = frozenset({"the", "this", "that", "these", "those"})
#: Without a lead, "the car is blue, red apples": what comes after an auxiliary is said of another.
_BARE = f"(?<![{Role.AUXILIARY}{Role.ADVERB}]){_MODIFIERS}|(?:{_MODIFIER})+"
_SHOWN = "!"
#: An emoji is a phrase by itself, whatever stands beside it.
_NOUNS = f"(?:{_SHOWN}|{_NOUN}+)"
#: "a not very red car".
_LED = f"{_LEAD}+(?:{Role.NEGATION}(?={_MODIFIER}))?(?:{_MODIFIERS})?"
_PHRASE = re.compile(
    f"(?P<elliptic>{_ELLIPTIC})|(?P<stand_in>{_STAND_IN})|{Role.PRONOUN}|{_LED}{_NOUNS}|(?:{_BARE})?{_NOUNS}"
)


@dataclass
class Phrase:
    """The words [start, stop) that name one entity.

    `noun` is its singular ("traffic light"); `modifiers` holds runs of adverbs and an adjective.
    `stand_ins` are the words of one that has no noun of its own ("the other two", "it"), and `whole` what they are
    said to be some of ("two of the cats"). It `means` entities that were named before (pronouns.py), or is `part_of`
    one (parts.py): `which` of it ("left"), and in what `amount`, where that is known.
    One that is `absent` has the words that say so in `denied_by`; of one that is `swallowed` a denial alone speaks.
    `id` is the entity that it stands for, once that is known; `setting` the setting that it names instead;
    `identifies` the other phrase of which it only says which one it is ("Team Zorvex" in "the mascot of Team Zorvex");
    `abstract`: it is no thing ("a sense of calm"); `quality`: it only says how another one looks ("a fluffy texture").
    """

    start: int
    stop: int
    noun: str
    nouns: list[Word]
    names: list[Word] = field(default_factory=list)
    number: Word | None = None
    quantity: Word | None = None
    definite: bool = False
    modifiers: list[list[Word]] = field(default_factory=list)
    plural: bool = False
    id: str | None = None
    setting: str | None = None
    absent: bool = False
    abstract: bool = False
    quality: bool = False
    identifies: "Phrase | None" = None
    stand_ins: list[Word] = field(default_factory=list)
    whole: "Phrase | None" = None
    part_of: "Phrase | None" = None
    which: str = ""
    amount: int | None = None
    means: list["Phrase"] = field(default_factory=list)
    owner: "Phrase | None" = None
    denied_by: range | None = None
    swallowed: bool = False

    @property
    def is_referent(self) -> bool:
        """Return whether something may be said of it: it is an entity or a setting."""
        return self.id is not None or self.setting is not None

    @property
    def colors(self) -> list[str]:
        """Return the colours among its modifiers."""
        return [color for run in self.modifiers if (color := run[-1].color) and run[0].role is not Role.NEGATION]


def find_phrases(words: list[Word]) -> list[Phrase]:
    """Return the noun phrases in order. An elliptic one takes its noun from the one that completes it."""
    roles = "".join(_SHOWN if w.shown else w.role for w in words)
    found = [_matched(words, m) for m in _PHRASE.finditer(roles)]
    for phrase, following in zip(reversed(found[:-1]), reversed(found[1:]), strict=True):
        if not phrase.nouns and not phrase.stand_ins:
            phrase.nouns, phrase.names, phrase.noun = following.nouns, following.names, following.noun
            phrase.plural = phrase.number is not None and phrase.number.value != 1
    return found


def _matched(words: list[Word], match: re.Match[str]) -> Phrase:
    """Return the phrase of a match; of one that stands in for a noun, `whole` is its own phrase."""
    if match["whole"]:
        whole = _phrase(words, match.start("whole"), match.end("whole"))
        phrase = _phrase(words, match.start(), match.start("whole") - 1)
        phrase.stop, phrase.whole = match.end(), whole
        return phrase
    return _phrase(words, match.start(), match.end(), elliptic=bool(match["elliptic"]))


def _phrase(words: list[Word], start: int, stop: int, *, elliptic: bool = False) -> Phrase:
    inside = words[start:stop]
    tail = [] if elliptic else [w for w in inside if w.role in {Role.NOUN, Role.NAME}]
    names = [w for w in tail if w.role is Role.NAME]
    # In "Van Gogh painting" the common noun says what it is; in "Eiffel Tower" only the name does.
    nouns = [w for w in tail if w.role is not Role.NAME] if tail and tail[-1].role is not Role.NAME else names
    stand_ins = [w for w in inside if w.role in {Role.STAND_IN, Role.PRONOUN}]
    numbers = [w for w in inside if w.role is Role.NUMBER or (w in stand_ins and isinstance(w.value, int))]
    number = numbers[0] if numbers else None
    return Phrase(
        start,
        stop,
        " ".join([*(w.text.lower() for w in nouns[:-1]), *(str(w.value).lower() for w in nouns[-1:])]),
        nouns,
        names,
        number=number,
        quantity=next((w for w in inside if w.role is Role.QUANTITY), None),
        definite=any(w.role is Role.DETERMINER and w.text.lower() in _DEFINITE for w in inside),
        modifiers=_runs(inside),
        amount=_exactly(number),
        plural=(number is not None and number.value != 1) or any(_is_plural(w) for w in nouns[-1:]),
        stand_ins=stand_ins,
    )


def _exactly(number: Word | None) -> int | None:
    """Return the number that is said, where it is no bound: "two", but not "at least two"."""
    if number is None or not isinstance(number.value, int):
        return None
    count = count_said(number.text)
    return number.value if count is None or count.comparator == "==" else None


def _is_plural(noun: Word) -> bool:
    return noun.plural or noun.value in lexicon.PLURAL_ONLY


def _runs(inside: list[Word]) -> list[list[Word]]:
    """Return each modifier with the adverbs, or the "not", before it: "very large" is one."""
    runs: list[list[Word]] = []
    pending: list[Word] = []
    for word in inside:
        if word.role in {Role.ADVERB, Role.NEGATION}:
            pending.append(word)
        elif word.role is Role.MODIFIER:
            runs.append([*pending, word])
            pending = []
    return runs


def setting_of(phrase: Phrase, preposition: str | None) -> str | None:
    """Return the setting that a phrase names after a preposition (None: after none), if it names one."""
    if beside := setting_after(phrase, preposition):
        return beside
    for noun in _names(phrase):
        if noun in lexicon.SETTINGS:
            return noun
        if preposition is not None and noun in lexicon.PLACES:
            return noun
    return None


def setting_after(phrase: Phrase, preposition: str | None) -> str | None:
    """Return the setting that a phrase names after this preposition and not after others: "near the sea"."""
    for noun in _names(phrase):
        after, setting = lexicon.SETTING_AFTER.get(noun, (frozenset(), None))
        if preposition in after:
            return setting
    return None


def _names(phrase: Phrase) -> tuple[str, ...]:
    """Return what a phrase of one thing may be called: "in a main street"."""
    if (phrase.number is not None and phrase.number.value != 1) or not phrase.nouns:
        return ()
    last = str(phrase.nouns[-1].value).lower()
    return phrase.noun, last, last.split()[-1]
