"""Words that stand for things named before: which words of a prompt they are. Whom they mean: pronouns.py, parts.py.

A pronoun ("it", "them", "both") is a phrase alone. A stand-in takes the place of a noun: "a blue one", "the other",
"two of them", "6 are red".
"""

import re
from itertools import takewhile

from scope.parsing.roles import Role
from scope.parsing.words import Word

_PRONOUNS = frozenset("it they them he him she her itself themselves himself herself".split())
#: They mean two that were named before, whatever follows.
_ORDERED = frozenset({"former", "latter"})
#: Pronouns where no noun follows: "both wear hats", but "both dogs".
_ALL = frozenset({"both", "each", "all"})
#: Quantities that a tagger does not know as such: "half of them".
_SHARES = frozenset({"half", "none", "neither", "either", "most"})
#: Stand-ins after "the" or an adjective.
ONES = frozenset({"one", "ones"})
OTHERS = frozenset("other others rest remainder remaining another".split())
ORDINALS = ("first", "second", "third", "fourth", "fifth")
SIDES = frozenset({"left", "right", "middle"})

_LEAD = f"[{Role.DETERMINER}{Role.NUMBER}{Role.QUANTITY}]"
_MODIFIERS = f"(?:{Role.ADVERB}*{Role.MODIFIER}[{Role.COMMA}{Role.CONJUNCTION}]{{0,2}})"
#: What goes on to a noun: "big cats" after "two", "red and one blue car" after "one".
_TO_NOUN = re.compile(f"{_LEAD}*{_MODIFIERS}*(?:{_LEAD}+{_MODIFIERS}+)*[{Role.NOUN}{Role.NAME}]")


def mark(words: list[Word]) -> None:
    """Give their roles to the pronouns and stand-ins among the words of a prompt."""
    for i in range(len(words) - 1, -1, -1):
        word, text = words[i], words[i].text.lower()
        if _is_pronoun(words, i):
            word.role, word.value = Role.PRONOUN, "them" if text in {"which", "whom"} else text
        elif _stands_in(words, i):
            word.role = Role.STAND_IN
            word.value = word.value if isinstance(word.value, int) and text not in ONES else text


def _is_pronoun(words: list[Word], i: int) -> bool:
    word, text = words[i], words[i].text.lower()
    before = words[i - 1] if i else None
    if text in _ORDERED:
        return before is not None and before.role is Role.DETERMINER
    if text in {"which", "whom"}:
        return before is not None and before.role is Role.OF
    if text in _ALL:
        return word.role is not Role.ADVERB and not _leads_to_noun(words, i) and not _is_partitive(words, i)
    return text in _PRONOUNS and word.tag != "PRP$"


def _stands_in(words: list[Word], i: int) -> bool:
    """Return whether a word takes the place of a noun."""
    word, text = words[i], words[i].text.lower()
    before = words[i - 1] if i else None
    if _is_partitive(words, i):
        return text in _SHARES | _ALL | OTHERS or word.role in {Role.NUMBER, Role.QUANTITY}
    if text == "half" or _leads_to_noun(words, i):
        return False
    if text in {"another", "others"}:
        return word.role is not Role.VERB
    definite = before is not None and before.text.lower() == "the"
    if text in SIDES:
        return definite and i + 1 < len(words) and (words[i + 1].role is Role.AUXILIARY or words[i + 1].text in ONES)
    if text in OTHERS or text in ORDINALS:
        return definite
    if text in ONES and before is not None:
        selects = before.role in {Role.DETERMINER, Role.MODIFIER} or before.text.lower() in {*OTHERS, *ORDINALS, *SIDES}
        if selects:
            return True
    return word.role in {Role.NUMBER, Role.QUANTITY} and word.text[-1].isalnum()


def _is_partitive(words: list[Word], i: int) -> bool:
    """Return whether "of" some that were named follows: "of them", "of the cats"."""
    if i + 2 >= len(words) or words[i + 1].role is not Role.OF:
        return False
    return words[i + 2].role is Role.PRONOUN or words[i + 2].text.lower() in {"the", "these", "those"}


def _leads_to_noun(words: list[Word], i: int) -> bool:
    """Return whether a noun follows what a word leads, or "ones" that it counts: "three blue ones"."""
    qualified = takewhile(lambda w: w.role is Role.MODIFIER or w.text.lower() in ONES, words[i + 1 :])
    if any(w.text.lower() in ONES for w in qualified):
        return True
    return _TO_NOUN.match("".join(w.role for w in words[i + 1 : i + 12])) is not None
