"""Which language a prompt is in, where it is not English: by its letters, or by its small words. Loads no network."""

import re
import unicodedata

from scope.parsing.english import is_adjective, is_adverb, is_noun, verb_of
from scope.parsing.language_words import SMALL_WORDS
from scope.parsing.lexicon import COLOR_OF, COUNT_OF, FUNCTION_WORDS, RELATION_OF, VAGUE

#: Beginnings of Unicode's names of letters -> the language that is mostly written with them.
_SCRIPTS = {
    "HIRAGANA": "Japanese", "KATAKANA": "Japanese", "HANGUL": "Korean", "CJK": "Chinese", "CYRILLIC": "Russian",
    "GREEK": "Greek", "ARABIC": "Arabic", "HEBREW": "Hebrew", "THAI": "Thai", "DEVANAGARI": "Hindi",
    "BENGALI": "Bengali", "TAMIL": "Tamil", "TELUGU": "Telugu", "GEORGIAN": "Georgian", "ARMENIAN": "Armenian",
}  # fmt: skip
#: Small words of English: of these a foreign prompt has hardly one.
_ENGLISH = FUNCTION_WORDS | frozenset(COUNT_OF) | VAGUE | frozenset(w for w in RELATION_OF if " " not in w)
_QUOTED = re.compile(r"""["“«][^"”»]*["”»]|(?<!\w)['‘][^'’]*['’](?!\w)""")
#: "d'un", "l'homme".
_ELIDED = re.compile(r"(?:l|d|qu|dell|nell|sull|all|un)['’](?=[a-zà-ÿ]{2})")
_LETTERS = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*")


def foreign_language(text: str) -> str | None:
    """Return the language that a cleaned prompt seems to be in; None: English, or too little to say.

    Words in quotation marks are to be read in the picture, and may be in any language.
    """
    words = _LETTERS.findall(_QUOTED.sub(" ", text))
    latin = [word for word in words if _script(word) is None]
    if other := [script for word in words if (script := _script(word))]:
        if sum(map(len, latin)) < sum(len(word) for word in words if _script(word)):
            return "Japanese" if "Japanese" in other else max(other, key=other.count)
        return None
    return _by_small_words(latin)


def _by_small_words(words: list[str]) -> str | None:
    """Return the language whose small words these have, if they have hardly an English one.

    A single one is enough where the prompt begins with it and no other word is known: "Vincent van Gogh" is a name.
    """
    own = {language: [w for w in words if w in small and w not in _ENGLISH] for language, small in SMALL_WORDS.items()}
    best = max(own, key=lambda language: len(own[language]))
    elided = sum(_ELIDED.match(word) is not None for word in words)
    best, found = best if own[best] else "French", len(own[best]) + elided
    others = [word.lower() for word in words if word not in own[best]]
    known = sum(map(_is_english, others))
    if len(set(own[best])) > 1 or elided:
        small = sum(word in _ENGLISH for word in others)
        return best if found > small and 2 * known < len(words) and 5 * found >= len(words) else None
    return best if found and words[0] in own[best] and others and not known else None


def _is_english(word: str) -> bool:
    """Return whether a lower-case word is an English one."""
    return word in _ENGLISH or word in COLOR_OF or any(of(word) for of in (is_noun, verb_of, is_adjective, is_adverb))


def _script(word: str) -> str | None:
    """Return the language of a word's script, if it is not Latin."""
    name = unicodedata.name(word[0], "")
    return next((language for script, language in _SCRIPTS.items() if name.startswith(script)), None)
