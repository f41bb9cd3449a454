"""The role that a word plays in a noun phrase or in a clause."""

from enum import StrEnum


class Role(StrEnum):
    """One letter each, so that the roles of a prompt are a string that a regular expression can search (phrases.py)."""

    DETERMINER = "D"  # "the", "its"
    NUMBER = "#"  # "two"
    QUANTITY = "V"  # "several", "a herd of", "at least three"
    MODIFIER = "M"  # "red", "wooden"
    ADVERB = "a"  # "very"
    NOUN = "N"
    NAME = "P"  # a proper name
    PRONOUN = "j"  # "it", "both"
    STAND_IN = "w"  # what takes the place of a noun: "one" of "a blue one", "the other"
    VERB = "v"
    AUXILIARY = "b"  # "is", "has", "may"
    RELATION = "r"  # "left of", "on"
    OF = "o"
    PREPOSITION = "p"  # one that names no relation: "with"
    NEGATION = "n"  # "no" and "without" (value "no"), "not"
    TEXT = "t"  # words to be read in the picture
    PLACE = "l"  # where in the picture: "in the background"
    SETTING = "h"  # a setting in one word: "underwater"
    ABSENCE = "x"  # "sugar-free"
    STYLE = "s"
    CAMERA = "f"  # how the picture is taken
    CALLED = "i"  # what something is named
    THAN = "c"  # what follows is compared
    MEASURE = "m"  # "as a spider has legs"
    QUALIFYING = "y"  # "made of", "covered in"
    SHADE = "k"  # "in the color of the sky"
    CONJUNCTION = "&"  # "and", "or"
    COMMA = ","
    POSSESSIVE = "q"  # "'s"
    OTHER = "."
