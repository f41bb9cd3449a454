"""Text that every room shares: what is safe to print, and a little English (numbers, colours, articles, plurals)."""

import re
import unicodedata

_JOINERS = frozenset("\u200c\u200d")  # emoji families and several scripts are spelled with them
_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})

#: Number words; the place of each is what it says.
NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()

#: Tens, and what they are of: "twenty-one", "two hundred".
TENS = {word: 10 * n for n, word in enumerate("twenty thirty forty fifty sixty seventy eighty ninety".split(), start=2)}
HUNDREDS = {"hundred": 100, "thousand": 1000}

#: The eleven basic colour terms of English (Berlin and Kay, 1969).
COLORS = tuple("red orange yellow green blue purple pink brown black white gray".split())

#: Words before a singular that say which one it is, and so that it is one.
ARTICLES = frozenset({"a", "an", "the", "this", "that", "another"})

#: Plurals that no rule gives.
_PLURALS = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "foot": "feet",
    "tooth": "teeth",
    "goose": "geese",
    "mouse": "mice",
    "ox": "oxen",
    "die": "dice",
    "knife": "knives",
    "leaf": "leaves",
    "wolf": "wolves",
    "loaf": "loaves",
    "shelf": "shelves",
    "half": "halves",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "octopus": "octopuses",
    "cactus": "cacti",
}
#: Things that come in one piece with two halves, and are spoken of as several.
PAIRS = frozenset("scissors skis pants glasses binoculars headphones jeans sunglasses".split())
_SAME = PAIRS | frozenset("sheep fish deer broccoli luggage furniture".split())


def plural(noun: str) -> str:
    """Return the plural of a singular English noun; of a compound, that of its last word."""
    first, space, last = noun.rpartition(" ")
    if last in _SAME:
        return noun
    if last in _PLURALS:
        return first + space + _PLURALS[last]
    if last.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if last.endswith("y") and last[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def article(words: str) -> str:
    """Return "a" or "an", by how the words sound."""
    said = words.lower()
    vowel = said.startswith(tuple("aeiou")) and not said.startswith(("uni", "use", "eu", "one"))
    return "an" if vowel or said.startswith("hour") else "a"


def is_same_noun(one: str, other: str) -> bool:
    """Return whether two lower-case nouns differ in number at most."""
    return one == other or plural(one) == other or plural(other) == one


def number_of(words: str) -> int | None:
    """Return the number that digits (up to six, "1,000") or words ("twenty-one", "a hundred") name; None: none."""
    if re.fullmatch(r"[0-9]{1,6}|[0-9]{1,3},[0-9]{3}", words):
        return int(words.replace(",", ""))
    whole, joined, rest = words.lower().partition(" and ")
    if joined:
        more = number_of(rest) if whole.endswith(tuple(HUNDREDS)) else None
        return None if more is None else (number_of(whole) or 0) + more
    first, _, last = whole.replace("-", " ").partition(" ")
    if last in HUNDREDS:
        times = 1 if first in {"a", "an"} else number_of(first)
        return None if times is None else times * HUNDREDS[last]
    if first in TENS and (not last or last in NUMBERS[1:10]):
        return TENS[first] + (NUMBERS.index(last) if last else 0)
    return NUMBERS.index(first) if first in NUMBERS and not last else None


def number_words(number: int) -> str:
    """Return a number as it is written in a sentence: in a word up to twenty, else in digits."""
    return NUMBERS[number] if 0 <= number < len(NUMBERS) else str(number)


# -- printing ------------------------------------------------------------------------------------


def is_hidden(character: str) -> bool:
    """Return whether a character cannot be seen and is no space: it may move the cursor or turn the reading direction.

    Joiners are not hidden: they shape the letters or the emoji beside them.
    """
    hidden = unicodedata.category(character) in _HIDDEN
    return hidden and not character.isspace() and character not in _JOINERS


def is_text(text: str) -> bool:
    """Return whether UTF-8 can hold it: halves of characters stand for bytes of a file name that is none."""
    return not any("\ud800" <= c <= "\udfff" for c in text)


def shell_word(path: str) -> str:
    r"""Return the name of a file as bash reads it back: as it is where all of it can be seen, else like $'\x1b.png'."""
    if visible(path) == path:
        return path
    octets = path.encode(errors="surrogateescape")
    seen = (chr(o) if 32 <= o < 127 and chr(o) not in "'\\" else f"\\x{o:02x}" for o in octets)
    return f"$'{''.join(seen)}'"


def visible(text: str) -> str:
    """Return text on one line and without hidden characters: each space or control character becomes one space."""
    spaced = (" " if c.isspace() or unicodedata.category(c) == "Cc" else c for c in text)
    return "".join(c for c in spaced if not is_hidden(c))


def printable(text: str, *, joiners: bool = True) -> str:
    """Return text on one line, without hidden characters and runs of spaces.

    Without `joiners` those go too, so that a word is found however it was spelled.
    """
    kept = text if joiners else "".join(c for c in text if c not in _JOINERS)
    return " ".join(visible(kept).split())


def excerpt(said: object, length: int = 200) -> str:
    """Return the beginning of what an exception or a server says, as one printable line."""
    line = printable(str(said))
    return line if len(line) <= length else line[:length] + "..."
