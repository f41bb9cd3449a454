"""Text that every room shares: one printable line, and a little English (numbers, articles, plurals)."""

#: Number words; the place of each is what it says.
NUMBERS = (
    "zero one two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen "
    "eighteen nineteen twenty"
).split()

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


def number_of(word: str) -> int | None:
    """Return the number that digits (up to six) or a word up to twenty name; None if they name none."""
    if word.isascii() and word.isdigit() and len(word) <= 6:
        return int(word)
    return NUMBERS.index(word.lower()) if word.lower() in NUMBERS else None


def number_words(number: int) -> str:
    """Return a number as it is written in a sentence: in a word up to twenty, else in digits."""
    return NUMBERS[number] if 0 <= number < len(NUMBERS) else str(number)


def printable(text: str, length: int = 200) -> str:
    """Return text from outside as one short printable line."""
    line = " ".join("".join(c if c.isprintable() else " " for c in text).split())
    return line if len(line) <= length else line[:length] + "..."
