"""A prompt as tagged words: spaCy's parse of the prompt with its placeholders, mapped back onto the prompt.

Each word gets a role (roles.py), so that noun phrases can be found with a regular expression (phrases.py).
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scope.parsing import lexicon
from scope.parsing.english import is_adjective, is_adverb, is_noun, is_plural, pipeline, singular, verb_of
from scope.parsing.lexicon import FUNCTION_WORDS
from scope.parsing.names import nouns
from scope.parsing.prompt import Prompt
from scope.parsing.roles import Role
from scope.parsing.spans import MultiwordSpan, SpanKind

if TYPE_CHECKING:
    from spacy.tokens import Token


@dataclass
class Word:
    """One word or multiword span. `head` and `children` are indices into the list of words; a root heads itself.

    A word that is `shown` is an emoji: it names a thing by itself, whatever stands beside it.
    """

    start: int
    end: int
    text: str
    role: Role
    value: str | int
    tag: str = ""
    dep: str = ""
    head: int = -1
    plural: bool = False
    sentence: int = 0
    children: list[int] = field(default_factory=list)
    shown: bool = False

    @property
    def color(self) -> str | None:
        """Return the colour that a modifier names."""
        return str(self.value) if self.role is Role.MODIFIER and self.value in lexicon.COLOR_OF else None


def tagged_words(prompt: Prompt) -> list[Word]:
    """Return the words of a prompt, in order."""
    text = _lowered(prompt.text)
    sentence, origins = _with_placeholders(text, prompt.spans)
    entries: list[tuple[Token | None, int, int, MultiwordSpan | None]] = []
    for token in pipeline()(sentence):
        first, last = origins[token.idx], origins[token.idx + len(token) - 1]
        if token.is_space or (isinstance(first, MultiwordSpan) and token.idx and origins[token.idx - 1] is first):
            continue
        if isinstance(first, MultiwordSpan):
            entries.append((token, first.start, first.end, first))
        else:
            entries.append((token, first, last.end if isinstance(last, MultiwordSpan) else last + 1, None))
    entries += [(None, span.start, span.end, span) for span in prompt.spans if span.kind in _UNPARSED_ROLES]
    entries.sort(key=lambda entry: entry[1])
    index = {token.i: i for i, (token, *_) in enumerate(entries) if token is not None}
    words = [
        _word(text[start:end], prompt.text[start:end], token, start, end, span, index)
        for token, start, end, span in entries
    ]
    for i, word in enumerate(words):
        if 0 <= word.head != i:
            words[word.head].children.append(i)
    return words


def _lowered(text: str) -> str:
    """Return the prompt as the parser reads it: in lower case if it is all in capitals, or each word has one."""
    shouting = not any(c.islower() for c in text) or (text.istitle() and text.count(" ") > 2)
    return "".join(c.lower() if shouting and len(c.lower()) == 1 else c for c in text)


def _with_placeholders(text: str, spans: Iterable[MultiwordSpan]) -> tuple[str, list["int | MultiwordSpan"]]:
    """Return the sentence that the parser reads, and the offset in the prompt or the span behind each character."""
    sentence, origins, at = "", list[int | MultiwordSpan](), 0
    for span in [*spans, None]:
        stop = span.start if span else len(text)
        for match in _PIECE.finditer(text, at, stop):
            plain = _plain_noun(match.group(), sentence)
            sentence += plain or match.group()
            origins += [match.start()] * (len(plain) - 1) + [match.end() - 1] if plain else range(*match.span())
        if span:
            placeholder = span.placeholder or " "  # never nothing: the words on both sides must not grow together
            sentence += placeholder
            origins += [span] * len(placeholder)
            at = span.end
    return sentence, origins


#: A word, or whatever stands between two.
_PIECE = re.compile(r"[^\W\d_]+(?!['’])|[\W\d_]|[^\W\d_]+")
_LAST_WORD = re.compile(r"([^\W_]+)\s*$")
#: Words right after which any noun is one, whatever verb it may be: "a train moves".
_BEFORE_ANY_NOUN = frozenset(
    {
        *("a", "an", "the", "his", "her", "its", "their", "this", "that", "these", "those", "some", "several", "no"),
        *(*lexicon.COUNT_OF, *lexicon.COLOR_OF, *lexicon.SHAPES, *lexicon.SIZES),
    }
)


def _plain_noun(word: str, before: str) -> str:
    """Return the noun that the parser reads for a word that can only be one here; empty: it may be something else.

    A small tagger guesses at nouns that it has rarely seen ("a metal croissant"), and by them at their neighbours.
    """
    if not word.islower() or len(word) < 3 or word in FUNCTION_WORDS or word.endswith(("ing", "ed")):
        return ""
    if not is_noun(word) or is_adjective(word) or is_adverb(word) or word in lexicon.MATERIALS:
        return ""
    last = _LAST_WORD.search(before)
    if verb_of(word) and (last is None or not (last[1].lower() in _BEFORE_ANY_NOUN or last[1].isdigit())):
        return ""
    return "cats" if is_plural(word) else "cat"


def _word(
    said: str, text: str, token: "Token | None", start: int, end: int, span: MultiwordSpan | None, index: dict[int, int]
) -> Word:
    text = str(span.value) if span and span.kind is SpanKind.EMOJI else text
    if token is None:
        assert span is not None
        return Word(start, end, text, _UNPARSED_ROLES[span.kind], span.value)
    role, value, plural = _role_of_span(span, token) if span else _role_of_token(token, said)
    head = index.get(token.head.i, -1)
    shown = span is not None and span.kind is SpanKind.EMOJI
    return Word(start, end, text, role, value, token.tag_, token.dep_, head, plural, token.sent.start, shown=shown)


#: Spans that the parser does not see, and those that it does.
_UNPARSED_ROLES = {
    SpanKind.TEXT: Role.TEXT,
    SpanKind.STYLE: Role.STYLE,
    SpanKind.CAMERA: Role.CAMERA,
    SpanKind.CALLED: Role.CALLED,
    SpanKind.MEASURE: Role.MEASURE,
    SpanKind.SHADE: Role.SHADE,
}
_SPAN_ROLES = {
    SpanKind.NOUN: Role.NOUN,
    SpanKind.EMOJI: Role.NOUN,
    SpanKind.COLOR: Role.MODIFIER,
    SpanKind.COUNT: Role.NUMBER,
    SpanKind.NUMERAL: Role.MODIFIER,
    SpanKind.VAGUE: Role.QUANTITY,
    SpanKind.NEGATION: Role.NEGATION,
    SpanKind.ABSENT: Role.ABSENCE,
    SpanKind.RELATION: Role.RELATION,
    SpanKind.COMPARISON: Role.RELATION,
    SpanKind.WHOSE: Role.PRONOUN,
    SpanKind.PLACE: Role.PLACE,
    SpanKind.AND: Role.CONJUNCTION,
    SpanKind.THAN: Role.THAN,
    SpanKind.QUALIFYING: Role.QUALIFYING,
}


#: Ends of words with a hyphen that say how a thing is: "victorian-style".
_QUALITIES = ("-style", "-styled", "-like", "-themed", "-inspired", "-shaped", "-colored", "-coloured")


def _role_of_span(span: MultiwordSpan, token: "Token") -> tuple[Role, str | int, bool]:
    if span.kind is not SpanKind.HYPHENATED:
        return _SPAN_ROLES[span.kind], span.value, span.plural
    word = str(span.value)
    if token.pos_ not in {"NOUN", "PROPN"} or word.endswith(_QUALITIES):
        return Role.MODIFIER, word, False
    plural = token.tag_ in {"NNS", "NNPS"} and word.endswith("s")
    return Role.NOUN, word.removesuffix("s") if plural else word, plural


def _role_of_token(token: "Token", said: str) -> tuple[Role, str | int, bool]:
    """Return role, value and whether plural, of a token that is its own word, `said` as it is read."""
    word, tag = said.lower(), token.tag_
    if word in {"and", "or", "nor", "&"}:
        return Role.CONJUNCTION, word, False
    if word in {"not", "n't", "n’t", "nt", "never", "neither"}:
        return Role.NEGATION, "not", False
    if word == "of":
        return Role.OF, word, False
    if word in lexicon.SUBORDINATORS:
        return Role.OTHER, word, False
    if word in lexicon.BARE_SETTINGS:
        return Role.SETTING, word, False
    if word in lexicon.VAGUE:
        return Role.QUANTITY, word, False
    if number := lexicon.count_of(word):
        return Role.NUMBER, number, number > 1
    if tag == ",":
        return Role.COMMA, word, False
    if not _is_latin(word):
        return Role.OTHER, word, False
    if word in lexicon.COLOR_OF:
        return Role.MODIFIER, lexicon.COLOR_OF[word], False
    if (base := _guarded_noun(word)) and tag != "MD":
        return Role.NOUN, base, base != word
    if tag in {"NN", "NNS", "NNP", "NNPS"}:
        return _noun(said, tag)
    if tag.startswith("V") or tag == "MD":
        return _verb(token)
    return _BY_TAG.get(tag, Role.OTHER), word, False


_BY_TAG = {
    "JJ": Role.MODIFIER, "JJR": Role.MODIFIER, "JJS": Role.MODIFIER, "DT": Role.DETERMINER, "PRP$": Role.DETERMINER,
    "PDT": Role.DETERMINER, "RB": Role.ADVERB, "RBR": Role.ADVERB, "RBS": Role.ADVERB, "RP": Role.ADVERB,
    "IN": Role.PREPOSITION, "TO": Role.PREPOSITION, "POS": Role.POSSESSIVE,
}  # fmt: skip


def _is_latin(word: str) -> bool:
    """Return whether a word is one that an English parser may have something to say about."""
    return any(c.isalpha() for c in word) and all(c < "\u0250" or c == "’" for c in word)


def _guarded_noun(word: str) -> str | None:
    """Return the noun of the guard list that a word is, singular or plural."""
    rules = (word, word.removesuffix("s"), word.removesuffix("es"), singular(word) if word.endswith("ves") else word)
    for base in rules:
        if base in lexicon.GUARDED_NOUNS:
            return base
    return lexicon.PEOPLE.get(word)


def _noun(said: str, tag: str) -> tuple[Role, str | int, bool]:
    word = said.lower()
    plural = tag in {"NNS", "NNPS"} or (tag == "NNP" and said == word and is_plural(word))
    name = nouns().get(word)
    known = word in lexicon.SETTINGS or word in lexicon.PLACES or word in lexicon.MATERIALS
    known |= name is not None and said.isupper()  # "a UFO", but not "Rose"
    if tag in {"NNP", "NNPS"} and said != word and not known:
        return Role.NAME, said, plural
    if name is not None:
        return Role.NOUN, name.singular, name.plural or (plural and name.singular == word)
    return Role.NOUN, singular(word) if plural else word, plural


def _verb(token: "Token") -> tuple[Role, str | int, bool]:
    if token.lemma_ in {"be", "have"} or token.tag_ == "MD" or (token.lemma_ == "do" and token.dep_ == "aux"):
        return Role.AUXILIARY, token.lemma_, False
    if token.dep_ == "amod" and token.head.i > token.i:
        return Role.MODIFIER, token.lower_, False
    return Role.VERB, token.lower_, False
