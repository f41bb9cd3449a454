"""Deduction: what one expression comes to, by arithmetic, by the specification's own entities, and by facts found."""

import re
from collections.abc import Sequence
from fractions import Fraction

from scope.protocols import Knowledge
from scope.skills.grounding.arithmetic import comparison, value_of
from scope.skills.grounding.facts import FactSentence, color_in, look_up, part_in
from scope.skills.grounding.referents import DETERMINERS, Referents, Support, Undecidable, Unsatisfiable
from scope.specification import Answer, Commitment, Fact, Specification, Type
from scope.text import number_of, number_words, plural

#: The most entities of one kind that an answer may ask for.
MAX_COUNT = 20

# "in the same color as the sky".
_COLOR = re.compile(r"(?:(?:in|of) )?the (?:(?:same|exact) )?colou?r (?:of|as) (?P<subject>.+)")
# "there are", "the number of".
_LEAD = re.compile(r"^(?:(?:there (?:are|is)|the (?:number|amount) of) )+")
# "a spider has legs".
_HAS = re.compile(r"(?P<subject>.+?) (?:has|have|had) (?P<part>.+)")
# "legs on each side".
_EACH = re.compile(r"(?P<part>.+?) (?:on|in) (?:one|each|every|its|their) (?P<subject>.+)")
# "legs of a spider", "days in a week".
_OF = re.compile(r"(?:the )?(?P<part>.+?) (?:of|in|on|per) (?P<subject>.+)")
# "a spider's legs".
_OWNS = re.compile(r"(?P<subject>.+?)'s? (?P<part>.+)")
#: Qualities that change nothing about what a thing has.
_IDLE_QUALITIES = frozenset(
    "typical normal usual common real ordinary standard regular healthy adult grown ripe fresh clear cloudless single "
    "whole full".split()
)
#: What a number of these is counted in, where that is not said.
_WHOLES = {
    "days": "week", "weekdays": "week", "months": "year", "seasons": "year", "hours": "day", "minutes": "hour",
    "continents": "earth", "oceans": "earth", "planets": "solar system",
}  # fmt: skip


def deduce(
    spec: Specification, unknown: Commitment, knowledge: Sequence[Knowledge], skip: frozenset[str] = frozenset()
) -> Answer:
    """Return the answer to an unknown.

    Args:
        spec: what the unknown belongs to; its answered unknowns count as known.
        unknown: the referring expression.
        knowledge: where facts are searched.
        skip: locators of sources that are not to be believed.

    Raises: Undecidable if nothing decides it; Unsatisfiable if what it comes to cannot be drawn.
    """
    if not unknown.targets:
        raise Undecidable("it is not clear which thing this is about")
    deduction = _Deduction(spec, unknown, knowledge, skip)
    expression = " ".join(str(unknown.value).lower().replace("’", "'").split())
    color = _COLOR.fullmatch(expression)
    return deduction.deduce_color(color["subject"]) if color else deduction.deduce_count(expression)


class _Deduction:
    """Works out one expression: the number or the colour that it names without saying it."""

    def __init__(
        self, spec: Specification, unknown: Commitment, knowledge: Sequence[Knowledge], skip: frozenset[str]
    ) -> None:
        self._unknown, self._knowledge, self._skip = unknown, knowledge, skip
        self._support = Support()
        self._referents = Referents(spec, unknown, self._support)

    # -- numbers ---------------------------------------------------------------------------------

    def deduce_count(self, expression: str) -> Answer:
        """Return how many an expression asks for."""
        number, rule = self._evaluate(expression)
        if number.denominator != 1 or not 1 <= number <= MAX_COUNT:
            shown = str(number) if number.denominator == 1 else f"{float(number):g}"
            raise Unsatisfiable(f'"{expression}" comes to {shown}, which is no number of things from 1 to {MAX_COUNT}')
        value = int(number)
        fact = Fact(type=Type.COUNT, value=value, target=self._unknown.targets[0])
        return self._support.conclude(number_words(value), fact, rule, f"{expression}: {value}")

    def _evaluate(self, expression: str) -> tuple[Fraction, str]:
        """Return the number that an expression comes to, and the name of the rule that says so."""
        compared = comparison(expression)
        if compared is not None:
            return compared.apply(self._measure(compared.measure)), compared.rule
        bare = self._without_noun(expression)
        if (value := value_of(bare)) is not None:
            return value, "arithmetic"
        raise Undecidable(f'"{expression}" names no number that a rule could work out')

    def _without_noun(self, expression: str) -> str:
        """Return an expression without the noun that it counts: "two plus three" of "two plus three apples"."""
        noun = self._referents.target_noun()
        for form in (plural(noun), noun):
            expression = expression.removesuffix(f" {form}")
        return expression

    def _measure(self, words: str) -> Fraction:
        """Return the number of what another is measured by: "a spider has legs", "the dogs", "days in a week"."""
        words = _LEAD.sub("", words, count=1)
        if (value := value_of(words)) is not None:
            return value
        if has := _HAS.fullmatch(words):
            each = _EACH.fullmatch(has["part"])
            return self._count_parts(**(each or has).groupdict())
        if entities := self._referents.find(words):
            return sum((self._referents.count(entity) for entity in entities), Fraction(0))
        if of := _OF.fullmatch(words) or _OWNS.fullmatch(words):
            return self._count_parts(**of.groupdict())
        if words in _WHOLES:
            return self._count_parts(_WHOLES[words], words)
        raise Undecidable(f'nothing tells the number of "{words}"')

    def _count_parts(self, subject: str, part: str) -> Fraction:
        """Return how many of a part a subject has; of several subjects, all together."""
        many, noun = self._subject(subject)
        fact = self._look_up(f"number of {part} of {noun}", noun, part)
        if fact is None:
            raise Undecidable(f'nothing that was searched says the number of {part} of "{noun}"')
        return many * (fact.value if isinstance(fact.value, int) else 0)

    def _subject(self, words: str) -> tuple[Fraction, str]:
        """Return how many a subject is and its noun: that of an entity in the picture, or the word itself."""
        if entities := self._referents.find(words):
            entity = entities[-1]
            self._referents.require_grounded(entity)
            return self._referents.count(entity), str(entity.value).lower()
        first, _, rest = words.partition(" ")
        number = number_of(first) if rest else None
        return Fraction(number or 1), _bare(rest if number else words)

    # -- colours ---------------------------------------------------------------------------------

    def deduce_color(self, subject: str) -> Answer:
        """Return the colour of an entity in the picture, or of one that is only spoken of."""
        value = self._color_of(subject)
        fact = Fact(type=Type.ATTRIBUTE, value=value, target=self._unknown.targets[0], aspect="color")
        return self._support.conclude(value, fact, "color_of", f"{self._unknown.value}: {value}")

    def _color_of(self, words: str) -> str:
        noun = _bare(words)
        for entity in self._referents.find(words)[-1:]:
            self._referents.require_grounded(entity)
            if color := self._referents.color(entity, noun):
                return color
            noun = str(entity.value).lower()
        fact = self._look_up(f"color of {noun}", noun)
        if fact is None:
            raise Undecidable(f'nothing that was searched says the colour of "{noun}"')
        return str(fact.value)

    # -- facts -----------------------------------------------------------------------------------

    def _look_up(self, query: str, noun: str, part: str | None = None) -> FactSentence | None:
        """Return what the sources say of a noun, and rest on it: how many of a part it has, or which colour it is."""

        def read(sentence: str) -> int | str | None:
            return color_in(sentence, noun) if part is None else part_in(sentence, noun, part)

        fact = look_up(query, read, self._knowledge, self._skip)
        if fact is not None:
            self._support.rest_on(fact.source, fact.alternatives)
        return fact


def _bare(words: str) -> str:
    """Return a noun without determiners and qualities that change nothing: "banana" of "a ripe banana"."""
    tokens = words.split()
    while len(tokens) > 1 and (tokens[0] in DETERMINERS or tokens[0] in _IDLE_QUALITIES):
        tokens.pop(0)
    return " ".join(tokens)
