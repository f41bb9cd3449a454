"""Reckoning: what one clue comes to, by arithmetic, by the specification's own things, and by facts that are found."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from fractions import Fraction

from scope.protocols import Knowledge
from scope.skills.arithmetic import bound, comparison, value_of
from scope.skills.facts import Saying, color_in, look_up, part_in
from scope.skills.realize import count_of, is_many, is_within
from scope.specification import Answer, Commitment, Fact, Kind, Source, Specification, Type, answers, grounded
from scope.text import is_same_noun, number_of, number_words, plural

#: The most things of one kind that an answer may ask for.
MOST = 20
#: What the locator of a source begins with that is a commitment of the same specification.
CITES = "commitment:"

_COLOR = re.compile(r"(?:(?:in|of) )?the (?:(?:same|exact) )?colou?r (?:of|as) (?P<subject>.+)")
_LEAD = re.compile(r"(?:(?:there (?:are|is)|the (?:number|amount) of) )+")
_HAS = re.compile(r"(?P<subject>.+?) (?:has|have|had) (?P<part>.+)")
_EACH = re.compile(r"(?P<part>.+?) (?:on|in) (?:one|each|every|its|their) (?P<subject>.+)")
_OF = re.compile(r"(?:the )?(?P<part>.+?) (?:of|in|on|per) (?P<subject>.+)")
_OWNS = re.compile(r"(?P<subject>.+?)'s? (?P<part>.+)")
_DETERMINERS = frozenset("a an the this that these those one each every its his her their all our your my".split())
#: Qualities that change nothing about what a thing has.
_IDLE = frozenset(
    "typical normal usual common real ordinary standard regular healthy adult grown ripe fresh clear cloudless single "
    "whole full".split()
)
#: What a number of these is counted in, where that is not said.
_WHOLES = {
    "days": "week", "weekdays": "week", "months": "year", "seasons": "year", "hours": "day", "minutes": "hour",
    "continents": "earth", "oceans": "earth", "planets": "solar system",
}  # fmt: skip


class Unclear(Exception):
    """No rule and no fact decides it."""


class Impossible(Unclear):
    """It is decided and cannot be drawn, or waits for something that is not known."""


def reckon(
    spec: Specification, unknown: Commitment, knowledge: Sequence[Knowledge], skip: frozenset[str] = frozenset()
) -> Answer:
    """Return the answer to an unknown.

    Args:
        spec: what the unknown belongs to; its answered unknowns count as known.
        unknown: the clue.
        knowledge: where facts are searched.
        skip: locators of sources that are not to be believed.

    Raises: Unclear if nothing decides it; Impossible if what it comes to cannot be drawn.
    """
    reckoning = _Reckoning(spec, unknown, knowledge, skip)
    if not unknown.targets:
        raise Unclear("it is not clear which thing this is about")
    clue = " ".join(str(unknown.value).lower().replace("’", "'").split())
    color = _COLOR.fullmatch(clue)
    return reckoning.color(color["subject"]) if color else reckoning.count(clue)


@dataclass
class _Reckoning:
    """Works out one clue, and keeps what that rests on. `spec` is read with its answers in."""

    ledger: Specification
    unknown: Commitment
    knowledge: Sequence[Knowledge]
    skip: frozenset[str]
    sources: list[Source] = field(default_factory=list)
    others: int = 0

    def __post_init__(self) -> None:
        self.spec = grounded(self.ledger)

    # -- numbers ---------------------------------------------------------------------------------

    def count(self, clue: str) -> Answer:
        """Return how many a clue tells."""
        number, rule = self.number(clue)
        if number.denominator != 1 or not 1 <= number <= MOST:
            shown = str(number) if number.denominator == 1 else f"{float(number):g}"
            raise Impossible(f'"{clue}" comes to {shown}, which is no number of things from 1 to {MOST}')
        value = int(number)
        fact = Fact(type=Type.COUNT, value=value, target=self.unknown.targets[0])
        return self.answer(number_words(value), fact, rule, f"{clue}: {value}")

    def number(self, clue: str) -> tuple[Fraction, str]:
        """Return the number that a clue comes to, and the name of the rule that says so."""
        compared = comparison(clue)
        if compared is not None:
            return compared.apply(self.measure(compared.measure)), compared.rule
        bare = self.without_noun(clue)
        if (value := value_of(bare)) is not None:
            return value, "arithmetic"
        if (value := bound(bare)) is not None:
            return value, "bound"
        raise Unclear(f'"{clue}" names no number that a rule could work out')

    def without_noun(self, clue: str) -> str:
        """Return a clue without the noun that it counts: "two plus three" of "two plus three apples"."""
        noun = str(self.spec[self.unknown.targets[0]].value)
        for said in (plural(noun), noun):
            clue = clue.removesuffix(f" {said}")
        return clue

    def measure(self, words: str) -> Fraction:
        """Return the number of what another is measured by: "a spider has legs", "the dogs", "days in a week"."""
        said = _LEAD.sub("", words, count=1) if _LEAD.match(words) else words
        if (value := value_of(said)) is not None:
            return value
        if has := _HAS.fullmatch(said):
            each = _EACH.fullmatch(has["part"])
            return self.parts(**(each or has).groupdict())
        if things := self.named(said):
            return sum((self.size(thing) for thing in things), Fraction(0))
        if of := _OF.fullmatch(said) or _OWNS.fullmatch(said):
            return self.parts(**of.groupdict())
        if said in _WHOLES:
            return self.parts(_WHOLES[said], said)
        raise Unclear(f'nothing tells the number of "{said}"')

    def parts(self, subject: str, part: str) -> Fraction:
        """Return how many of a part a subject has; of several subjects, all together."""
        many, noun = self.subject(subject)
        saying = self.found(f"number of {part} of {noun}", noun, part)
        if saying is None:
            raise Unclear(f'nothing that was searched says the number of {part} of "{noun}"')
        return many * self.believed(saying)

    def subject(self, words: str) -> tuple[Fraction, str]:
        """Return how many a subject is and its noun: that of a thing in the picture, or the word itself."""
        things = self.named(words)
        if things:
            thing = things[-1]
            self.require_known(thing)
            return self.size(thing), str(thing.value).lower()
        first, _, rest = words.partition(" ")
        number = number_of(first) if rest else None
        return Fraction(number or 1), _bare(rest if number else words)

    # -- colours ---------------------------------------------------------------------------------

    def color(self, subject: str) -> Answer:
        """Return the colour of a thing in the picture, or of one that is only spoken of."""
        value = self.color_of(subject)
        fact = Fact(type=Type.ATTRIBUTE, value=value, target=self.unknown.targets[0], aspect="color")
        return self.answer(value, fact, "color_of", f"{self.unknown.value}: {value}")

    def color_of(self, words: str) -> str:
        noun = _bare(words)
        for thing in self.named(words)[-1:]:
            self.require_known(thing)
            colors = [c for c in self.spec.about(thing.id) if c.type is Type.ATTRIBUTE and c.aspect == "color"]
            if len(colors) == 1:
                self.cite(colors[0])
                return str(colors[0].value)
            if len(colors) > 1 or any(u.aspect == "color" for u in self.open_about(thing)):
                raise Impossible(f"the {noun} has no one colour that is known")
            noun = str(thing.value).lower()
        saying = self.found(f"color of {noun}", noun)
        if saying is None:
            raise Unclear(f'nothing that was searched says the colour of "{noun}"')
        self.believed(saying)
        return str(saying.value)

    # -- things in the picture -------------------------------------------------------------------

    def named(self, words: str) -> list[Commitment]:
        """Return the things in the picture that words name, by their noun and as far as it helps by their qualities."""
        tokens = re.split(r" (?:of|in|on|at|with) ", words)[0].split()
        others = [e for e in self.spec.of(Type.PRESENCE) if e.id != self.unknown.targets[0]]
        for start in range(len(tokens)):
            noun = " ".join(tokens[start:])
            alike = [e for e in others if any(is_same_noun(noun, value) for value in self.values(e))]
            if alike:
                qualities = {t for t in tokens[:start] if t not in _DETERMINERS and number_of(t) is None}
                return [e for e in alike if qualities <= self.qualities(e)] or alike
        return []

    def values(self, entity: Commitment) -> set[str]:
        """Return the nouns of a thing: the prompt's, and what it was found to be."""
        return {str(entity.value).lower(), str(self.ledger[entity.id].value).lower()}

    def qualities(self, entity: Commitment) -> set[str]:
        return {str(c.value) for c in self.spec.about(entity.id) if c.type is Type.ATTRIBUTE}

    def size(self, entity: Commitment) -> Fraction:
        """Return how many of a thing there are."""
        count = count_of(self.spec, entity)
        if count is not None and isinstance(count.value, int):
            self.cite(count)
            return Fraction(count.value)
        counted = [u for u in self.open_about(entity) if u.type is Type.SEMANTIC_REASONING and u.aspect != "color"]
        if counted or is_many(self.ledger, self.ledger[entity.id]):
            raise Impossible(f"how many {plural(str(entity.value))} there are is not said")
        return Fraction(1)

    def require_known(self, entity: Commitment) -> None:
        """Cite what a thing was found to be.

        Raises: Impossible if that is still looked for.
        """
        known = answers(self.ledger)
        for reference in (c for c in self.ledger.about(entity.id) if c.type is Type.EXTERNAL_REFERENCE):
            if reference.id in known:
                self.cite(reference, known[reference.id].words)
            elif is_within(self.ledger[entity.id], reference):
                raise Impossible(f'what "{reference.value}" is is not known')

    def open_about(self, entity: Commitment) -> list[Commitment]:
        return [c for c in self.spec.about(entity.id) if c.kind is Kind.UNKNOWN and c.targets[0] == entity.id]

    # -- evidence --------------------------------------------------------------------------------

    def found(self, query: str, noun: str, part: str | None = None) -> Saying | None:
        """Return what the sources say of a noun: how many of a part it has, or which colour it is."""
        return look_up(
            query,
            lambda sentence: color_in(sentence, noun) if part is None else part_in(sentence, noun, part),
            self.knowledge,
            self.skip,
        )

    def believed(self, saying: Saying) -> int:
        """Take what a source says as true; return its number (0 if it says a word)."""
        self.sources.append(saying.source)
        self.others += saying.others
        return saying.value if isinstance(saying.value, int) else 0

    def cite(self, commitment: Commitment, words: str = "") -> None:
        unknown = commitment.id.partition("/")[0]
        quote = words or commitment.claim
        self.sources.append(Source(title="the specification", locator=CITES + unknown, quote=quote[:500]))

    def answer(self, words: str, fact: Fact, rule: str, quote: str) -> Answer:
        by_rule = Source(title="rule of reasoning", locator=f"rule:{rule}", quote=quote[:500])
        return Answer(words=words, facts=(fact,), sources=(*self.sources, by_rule), others=self.others)


def _bare(words: str) -> str:
    """Return a noun without determiners and qualities that change nothing: "banana" of "a ripe banana"."""
    tokens = words.split()
    while len(tokens) > 1 and (tokens[0] in _DETERMINERS or tokens[0] in _IDLE):
        tokens.pop(0)
    return " ".join(tokens)
