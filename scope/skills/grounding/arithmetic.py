"""Numbers in words, worked out exactly: "two plus three", "the square root of nine"."""

import math
import re
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache

from scope.text import number_of

_LONGEST = 200  # characters of a number in words
_SIGN = re.compile(r"([+−×÷*])")
_TIMES = {word: Fraction(n) for word, n in {"twice": 2, "double": 2, "thrice": 3, "triple": 3}.items()} | {
    f"{lead}{part}": Fraction(1, n)
    for lead in ("", "a ", "one ", "an ")
    for part, n in {"half": 2, "third": 3, "quarter": 4, "fifth": 5}.items()
}
_RANKS = ("", "second", "third", "fourth", "fifth")
_LARGE = r"(?:largest|biggest|greatest|highest|larger|bigger|greater)"
_SMALL = r"(?:smallest|lowest|smaller|lower)"


@lru_cache(maxsize=4096)  # a number in words is tried in many ways, and its parts in many wholes
def value_of(words: str) -> Fraction | None:
    """Return the number that words name or that can be worked out from them; None: they are no such words.

    Times bind closer than plus; of equals the left goes first. A root is one only if it is exact, and what divides by
    zero is no number, whatever else stands beside it.
    """
    try:
        return _value_of(words)
    except ZeroDivisionError:
        return None


def _value_of(words: str) -> Fraction | None:
    text = " ".join(_SIGN.sub(r" \1 ", words.lower().replace("-", " ")).split())
    if len(text) > _LONGEST:
        return None
    number = _number(text)
    if number is not None:
        return Fraction(number)
    for pattern, work in _RULES:
        match = pattern.fullmatch(text)
        if match and (value := work(match)) is not None:
            return value
    return None


def times(words: str) -> Fraction | None:
    """Return the factor that "twice", "half" or "three times" is."""
    text = " ".join(words.lower().split())
    if text in _TIMES:
        return _TIMES[text]
    return value_of(text.removesuffix(" times")) if text.endswith(" times") else None


# -- comparisons ---------------------------------------------------------------------------------


@dataclass(frozen=True)
class Comparison:
    """How a number follows from another: `factor * measure + offset`, and the words for what that other one counts."""

    things: str
    measure: str
    rule: str
    factor: Fraction = Fraction(1)
    offset: Fraction = Fraction(0)

    def apply(self, measure: Fraction) -> Fraction:
        """Return the number that follows from a measure."""
        return self.factor * measure + self.offset


def comparison(words: str) -> Comparison | None:
    """Return how "twice as many cats as dogs" compares; None: it does not.

    Where a comparison says no number ("more cats than dogs"), the nearest that it allows is meant: one more.
    """
    text = " ".join(words.lower().split())
    for pattern, rule in _COMPARISONS:
        match = pattern.fullmatch(text)
        if match and (step := _step(match)) is not None:
            return Comparison(match["things"], match["measure"], rule, *step)
    return None


def _step(match: re.Match[str]) -> tuple[Fraction, Fraction] | None:
    """Return factor and offset of a comparison."""
    groups = match.groupdict()
    denied, by, sign = bool(groups.get("denied")), groups.get("by"), {"more": 1, None: 0}.get(groups.get("way"), -1)
    if by is None and denied:  # "not as many" is fewer, "no more" may be as many
        return Fraction(1), Fraction(0 if sign else -1)
    if by is None:
        return Fraction(1), Fraction(sign)
    if (factor := times(by)) is not None:
        return None if sign < 0 else (factor, Fraction(0))
    number = Fraction(1) if by in {"a", "an"} else value_of(by)
    return (Fraction(1), sign * number) if number is not None and sign else None


_COMPARISONS = tuple(
    (re.compile(pattern), rule)
    for pattern, rule in (
        (r"(?P<denied>not )?(?:(?:exactly|just) )*(?:(?P<by>.+?) )?as (?:many|few) (?P<things>.+?) "
         r"as (?P<measure>.+)", "as_many_as"),
        (r"(?:the same|an equal|(?P<by>.+?) the|an?|the) number of (?P<things>.+?) "
         r"(?:as|(?:(?:that|which) is )?equal to) (?P<measure>.+)", "as_many_as"),
        (r"(?P<denied>(?:no|not) )?(?P<way>more|fewer|less) (?P<things>.+?) than (?P<measure>.+)",
         "more_or_fewer_than"),
        (r"(?:(?:exactly|just) )?(?P<by>.+?) (?P<way>more|fewer|less) (?P<things>.+?) than (?P<measure>.+)",
         "more_or_fewer_than"),
    )
)  # fmt: skip


# -- rules ---------------------------------------------------------------------------------------


def _number(text: str) -> int | None:
    lead, _, last = text.rpartition(" ")
    if last == "dozen":
        if lead == "half a":
            return 6
        dozens = 1 if lead in {"", "a"} else number_of(lead)
        return 12 * dozens if dozens is not None else None
    return number_of(text)


def _of_two(work: Callable[[Fraction, Fraction], Fraction | None]) -> Callable[[re.Match[str]], Fraction | None]:
    """Return a rule that works on the two numbers of a match."""

    def rule(match: re.Match[str]) -> Fraction | None:
        left, right = _value_of(match[1]), _value_of(match[2])
        return work(left, right) if left is not None and right is not None else None

    return rule


def _of_one(work: Callable[[Fraction], Fraction | None]) -> Callable[[re.Match[str]], Fraction | None]:
    def rule(match: re.Match[str]) -> Fraction | None:
        value = _value_of(match[1])
        return work(value) if value is not None else None

    return rule


def _root(power: int) -> Callable[[Fraction], Fraction | None]:
    def root(value: Fraction) -> Fraction | None:
        if value < 0 or value.denominator != 1:
            return None
        near = math.isqrt(value.numerator) if power == 2 else round(value.numerator ** (1 / power))
        return Fraction(near) if near**power == value else None

    return root


def _factor(match: re.Match[str]) -> Fraction | None:
    factor, value = times(match[1]), _value_of(match[2])
    return factor * value if factor is not None and value is not None else None


def _ranked(match: re.Match[str]) -> Fraction | None:
    """Return the second largest of some numbers, and the like."""
    values = [_value_of(word) for word in re.split(r"\s*,\s*(?:and |or )?|\s+(?:and|or)\s+", match["list"])]
    known = sorted((v for v in values if v is not None), reverse=bool(re.search(_LARGE, match["way"])))
    place = _RANKS.index(match["rank"] or "")
    return known[place] if len(known) == len(values) > place else None


_RULES: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], Fraction | None]], ...] = tuple(
    (re.compile(pattern), work)
    for pattern, work in (
        # The last sign of the weakest kind splits: what is left of it goes first.
        (r"(.+?) more than (.+)", _of_two(lambda a, b: b + a)),
        (r"(.+?) (?:fewer|less) than (.+)", _of_two(lambda a, b: b - a)),
        (r"(.+) (?:plus|\+) (.+?)", _of_two(lambda a, b: a + b)),
        (r"(.+) (?:minus|−) (.+?)", _of_two(lambda a, b: a - b)),
        (r"(.+) (?:times|x|×|\*|multiplied by) (.+?)", _of_two(lambda a, b: a * b)),
        (r"(.+) (?:divided by|÷) (.+?)", _of_two(lambda left, right: left / right)),
        (r"the (?:sum of|sum between) (.+?) and (.+)", _of_two(lambda a, b: a + b)),
        (r"the product of (.+?) and (.+)", _of_two(lambda a, b: a * b)),
        (r"the difference (?:of|between) (.+?) and (.+)", _of_two(lambda a, b: abs(a - b))),
        (rf"the (?:(?P<rank>second|third|fourth|fifth) )?(?P<way>{_LARGE}|{_SMALL}) (?:number )?(?:of|among) "
         r"(?P<list>.+)",
         _ranked),
        (r"(?:the )?square root of (.+)", _of_one(_root(2))),
        (r"(?:the )?cube root of (.+)", _of_one(_root(3))),
        (r"(.+) squared", _of_one(lambda a: a * a)),
        (r"(.+) cubed", _of_one(lambda a: a * a * a)),
        (r"(half|an? \w+|one \w+) of (.+)", _factor),
        (r"(twice|double|thrice|triple) (.+)", _factor),
    )
)  # fmt: skip
