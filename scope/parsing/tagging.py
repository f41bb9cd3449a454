"""Words that the tagger takes for what they are not, settled by their neighbours and by what they can be."""

import re
from itertools import pairwise

from scope.parsing import lexicon
from scope.parsing.english import is_adjective, is_noun, is_plural, singular, verb_of
from scope.parsing.names import compounds, nouns
from scope.parsing.roles import Role
from scope.parsing.words import Word

#: Roles after which a noun of the guard list is one, though the tagger says "verb"; None: the prompt begins.
_BEFORE_NOUNS = frozenset(
    {
        Role.DETERMINER, Role.NUMBER, Role.QUANTITY, Role.MODIFIER, Role.NOUN, Role.NEGATION, Role.CONJUNCTION,
        Role.RELATION, Role.THAN, None,
    }
)  # fmt: skip
#: Roles right after which a word that the world has a noun for is one, and those that a tagger takes it for.
_BEFORE_THINGS = frozenset({Role.DETERMINER, Role.NUMBER, Role.QUANTITY, Role.MODIFIER, Role.NEGATION})
_MISTAKEN = frozenset({Role.MODIFIER, Role.VERB, Role.AUXILIARY, Role.ADVERB, Role.PREPOSITION, Role.OTHER})
_AFTER_AUXILIARIES = frozenset({Role.VERB, Role.AUXILIARY, Role.ADVERB, Role.NEGATION})
_JOINING = frozenset({Role.CONJUNCTION, Role.COMMA})
#: How adjectives go on to their noun: ", modern laboratory", "and very shiny, red apples".
_GOES_ON = re.compile(
    rf"([{Role.COMMA}{Role.CONJUNCTION}]{{1,2}}{Role.ADVERB}*{Role.MODIFIER}+)+[{Role.NOUN}{Role.NAME}]"
)
#: A quality of several words: "5-year-old", "10 foot tall", "rainbow colored".
_MADE_UP = re.compile(r"-|\bcolou?red$|^\d+\s")
_ALWAYS_MODIFY = lexicon.MATERIALS | lexicon.SHAPES | lexicon.QUALITIES
#: What a modifier may be followed by.
_NEXT_NOUN = re.compile(f"(?:{Role.ADVERB}*{Role.MODIFIER})*[{Role.NOUN}{Role.NAME}]")
#: How a phrase may begin; words that also begin a clause, and those that begin a phrase of one.
_LEADS = frozenset({Role.DETERMINER, Role.NUMBER, Role.QUANTITY})
_RELATIVES = frozenset({"that", "which"})
_ONE = frozenset({"a", "an", "one", "this", "that", "each", "every"})
#: Right after these a participle tells of the noun after it: "with glowing stars", "by hanging sausages".
_BEFORE_PLURALS = frozenset({Role.RELATION, Role.PREPOSITION, Role.OF, Role.QUALIFYING})
#: What follows a verb, and no noun that is part of a longer one; None: the prompt ends.
_AFTER_VERBS = frozenset(
    {
        Role.PREPOSITION, Role.RELATION, Role.DETERMINER, Role.NUMBER, Role.QUANTITY, Role.ADVERB, Role.COMMA,
        Role.CONJUNCTION, Role.PLACE, Role.STYLE, Role.SETTING, Role.OTHER, None,
    }
)  # fmt: skip


def correct(words: list[Word]) -> None:
    """Settle, from right to left, the words whose role their neighbours decide."""
    for article, word in pairwise(words):
        if word.role is Role.NUMBER and article.text.lower() in {"a", "an"}:  # "a 2024 car" is one
            word.role, word.value = Role.MODIFIER, word.text
    for i in range(len(words) - 1, -1, -1):
        word, text = words[i], words[i].text.lower()
        if word.shown:  # "i 🤖": whatever the tagger takes it for
            continue
        before = words[i - 1].role if i else None
        after = words[i + 1].role if i + 1 < len(words) else None
        name = nouns().get(text)
        if (
            name is not None
            and name.singular in lexicon.COLOR_OF
            and after not in {Role.MODIFIER, Role.NOUN, Role.NAME}
            and before is not Role.AUXILIARY  # "the car is orange"
        ):
            joined = after in _JOINING and i + 2 < len(words) and words[i + 2].color is not None
            if not joined:
                word.role, word.value, word.plural = Role.NOUN, name.singular, name.plural
        elif name is not None and _is_missed_noun(before, word.role, after):
            word.role, word.value, word.plural = Role.NOUN, name.singular, name.plural
        elif (
            text in lexicon.MATERIALS | lexicon.SHAPES
            and word.role in {Role.NOUN, Role.MODIFIER, Role.ADVERB}
            and after in {Role.MODIFIER, Role.NOUN}
        ) or _is_missed_adjective(words, i):
            word.role, word.value = Role.MODIFIER, text
        elif _is_lone_numeral(word, after):
            word.role = Role.OTHER
        elif word.role is Role.NOUN and (_is_missed_participle(words, i) or _is_missed_predicate(words, i)):
            word.role, word.value, word.plural = Role.VERB, text, False
        elif word.role is Role.VERB and _is_missed_object(words, i):
            word.role, word.value, word.plural = Role.NOUN, singular(text) if is_plural(text) else text, is_plural(text)
        elif word.role in {Role.MODIFIER, Role.VERB} and _lacks_noun(words, i):
            word.role, word.value = Role.NOUN, text
        elif word.role is Role.NOUN and word.tag.startswith("V") and before not in _BEFORE_NOUNS:
            word.role, word.value = Role.VERB, text
        elif (
            word.role is Role.NOUN and before is Role.NUMBER and (number := words[i - 1].value) != 1 and not word.plural
        ):
            word.value, word.plural = _plural_of(str(word.value)), isinstance(number, int)


def _is_lone_numeral(word: Word, after: Role | None) -> bool:
    """Return whether a number that counts nothing is a quality of nothing either: "at 3:15", but "an 85mm lens"."""
    is_numeral = word.role is Role.MODIFIER and any(c.isdigit() for c in word.text)
    return is_numeral and after not in {Role.MODIFIER, Role.NOUN, Role.NAME}


def _is_missed_noun(before: Role | None, role: Role, after: Role | None) -> bool:
    """Return whether what has the world's name for a thing stands where a thing would: "no squid", "an orange elf"."""
    if role is Role.AUXILIARY and after in _AFTER_AUXILIARIES:  # "the red can be seen"
        return False
    return role in _MISTAKEN and before in _BEFORE_THINGS and after not in {Role.MODIFIER, Role.NOUN, Role.NAME}


#: Words that may stand for a thing named before, and then do something.
_STANDING_ALONE = frozenset("one two three four other others another each both all some".split())


def _is_missed_adjective(words: list[Word], i: int) -> bool:
    """Return whether a noun or a verb stands where an adjective would: "a smooth, red ball", "two spotted chairs"."""
    word, text = words[i], words[i].text.lower()
    rest = "".join(w.role for w in words[i + 1 : i + 12])
    goes_on = _GOES_ON.match(rest)
    if not (goes_on or _NEXT_NOUN.match(rest)):
        return False
    if word.role is Role.NOUN:
        if not _may_modify(text) or (goes_on and not _agree(words, i, i + goes_on.end())):
            return False
    elif (
        word.role is not Role.VERB
        or word.tag not in {"VBN", "VBG", "VBD"}
        or (words[i - 1].text.lower() in _STANDING_ALONE and verb_of(text) in lexicon.HOLDING)  # "both wearing hats"
    ):
        return False
    bare = i > 0 and words[i - 1].role in _BEFORE_PLURALS and (word.role is Role.VERB or _is_participle(text))
    return bare or _is_led(words, i)


def _may_modify(text: str) -> bool:
    """Return whether a word that is taken for a noun may be an adjective, and is no thing of the world."""
    if text in nouns() or text in compounds():
        return text in _ALWAYS_MODIFY
    return text in _ALWAYS_MODIFY or is_adjective(text) or bool(_MADE_UP.search(text)) or _is_participle(text)


def _is_participle(text: str) -> bool:
    return text.endswith("ed") and verb_of(text) is not None


def _is_led(words: list[Word], i: int) -> bool:
    """Return whether a determiner or a number comes before a word, with nothing but what may be adjectives between."""
    return (lead := _lead(words, i)) is not None and words[lead].text.lower() not in _RELATIVES


def _lead(words: list[Word], i: int) -> int | None:
    """Return the index of the determiner or number before a word and before what may be adjectives beside it."""
    for at in range(i - 1, -1, -1):
        word = words[at]
        if word.role in _LEADS:
            return at
        modifies = word.role in {Role.MODIFIER, Role.ADVERB, Role.COMMA} or _may_modify(word.text.lower())
        if not modifies and not (word.role is Role.VERB and word.tag in {"VBN", "VBG"}):
            return None
    return None


def _agree(words: list[Word], i: int, stop: int) -> bool:
    """Return whether the noun right before word `stop` may be that of the article before `i`: not "a glass, cups"."""
    lead = _lead(words, i)
    return lead is None or words[lead].text.lower() not in _ONE or not words[stop - 1].plural


def _is_missed_participle(words: list[Word], i: int) -> bool:
    """Return whether a noun ends a phrase as a participle would: "a blue zebra playing with"."""
    text = words[i].text.lower()
    if not text.endswith("ing") or text in nouns() or text in lexicon.THINGS_IN_ING or not verb_of(text):
        return False
    if i > 0 and words[i - 1].text.lower() in _STANDING_ALONE:  # "one sitting, the other flying"
        return _role(words, i + 1) is not Role.NOUN
    return i > 0 and words[i - 1].role is Role.NOUN and _role(words, i + 1) in _AFTER_VERBS


def _is_missed_predicate(words: list[Word], i: int) -> bool:
    """Return whether a noun is the verb of the one before: "a train moves along"; "the boat sails" if it moves so."""
    word, text = words[i], words[i].text.lower()
    if i == 0 or words[i - 1].role is not Role.NOUN or _role(words, i + 1) not in _AFTER_VERBS:
        return False
    verb, lead = verb_of(text), _lead(words, i - 1)
    several = words[i - 1].plural or (lead is not None and lead > 0 and words[lead - 1].role is Role.CONJUNCTION)
    if several and text in lexicon.MOTIONS:  # "two cats sleep", "a dog and a cat sleep"
        return True
    if words[i - 1].plural or verb is None or not text.endswith("s") or text in lexicon.PLURAL_ONLY:
        return False
    one = lead is not None and words[lead].text.lower() in _ONE
    return word.tag in {"NNS", "NNPS", "VBZ"} and (one or verb in lexicon.MOTIONS)


def _is_missed_object(words: list[Word], i: int) -> bool:
    """Return whether a verb stands where only a noun can: "blowing bubbles", "a brown coat rack"."""
    word, before, text = words[i], words[i - 1] if i else None, words[i].text.lower()
    if before is None or not (is_noun(text) or verb_of(text) is None):
        return False
    if word.tag == "VBZ":
        return before.role is Role.VERB or (not before.plural and _lacks_plural(words, i))
    if _role(words, i + 1) in _LEADS:  # "let a man ride a horse"
        return False
    return word.tag in {"VB", "VBP"} and before.role is Role.NOUN and not before.plural and _is_led(words, i - 1)


def _lacks_plural(words: list[Word], i: int) -> bool:
    """Return whether the nouns before a word have a number that wants a plural: "ten needlepoint firescreens"."""
    first = i
    while first and words[first - 1].role in {Role.NOUN, Role.NAME}:
        first -= 1
    lead = _lead(words, first)
    return first < i and lead is not None and words[lead].plural


def _role(words: list[Word], i: int) -> Role | None:
    return words[i].role if i < len(words) else None


def _lacks_noun(words: list[Word], i: int) -> bool:
    """Return whether a word ends a phrase that has a determiner but no noun: then it is the noun ("a green acorn")."""
    text = words[i].text.lower()
    if words[i].color or text in lexicon.SIZES or (is_adjective(text) and not is_noun(text)):
        return False
    if words[i].role is Role.VERB and words[i - 1].text.lower() in _STANDING_ALONE:  # "one wearing a hat"
        return False
    if i + 1 < len(words) and words[i + 1].text.lower() in {"one", "ones"}:  # "a smaller one"
        return False
    following = "".join(w.role for w in words[i + 1 : i + 10]).lstrip(Role.ADVERB)
    if following[:1] in {Role.MODIFIER, Role.NOUN, Role.NAME} or _GOES_ON.match(following):
        return False
    first = i
    while first and words[first - 1].role in {Role.MODIFIER, Role.ADVERB}:
        first -= 1
    return first > 0 and words[first - 1].role in {Role.DETERMINER, Role.NUMBER}


def _plural_of(value: str) -> str:
    """Return the singular of a noun that a number says is plural, where the tagger did not see it."""
    known = value in nouns() or value in compounds()
    return singular(value) if value.endswith("s") and not known else value
