"""The entities of a specification to which an expression refers: which they are, how many, and of which colour.

Whatever is read from a commitment is cited, so that an answer says what it rests on.
"""

import re
from dataclasses import dataclass, field
from fractions import Fraction

from scope.skills.mentions import count_of, is_many, is_within, unknowns_of
from scope.specification import Answer, Commitment, Fact, Source, Specification, Type, answers, grounded
from scope.text import is_same_noun, number_of, plural

DETERMINERS = frozenset("a an the this that these those one each every its his her their all our your my".split())


class Undecidable(Exception):
    """No rule and no fact decides it."""


class Unsatisfiable(Undecidable):
    """It is decided and cannot be drawn, or waits for something that is not known."""


@dataclass
class Support:
    """What an answer rests on. `alternatives` counts the sources that say something else."""

    sources: list[Source] = field(default_factory=list)
    alternatives: int = 0

    def cite(self, commitment: Commitment, words: str = "") -> None:
        """Rest on a commitment of the same specification; `words`: what it was found to be."""
        unknown = commitment.id.partition("/")[0]
        quote = words or commitment.claim
        self.sources.append(Source(title="the specification", locator=unknown, quote=quote[:500], commitment=unknown))

    def rest_on(self, source: Source, alternatives: int) -> None:
        """Rest on a source of knowledge."""
        self.sources.append(source)
        self.alternatives += alternatives

    def conclude(self, words: str, fact: Fact, rule: str, quote: str) -> Answer:
        """Return the answer that a rule draws from all this."""
        by_rule = Source(title="rule of reasoning", locator=f"rule:{rule}", quote=quote[:500])
        return Answer(words=words, facts=(fact,), sources=(*self.sources, by_rule), alternatives=self.alternatives)


class Referents:
    """The entities that an unknown may speak of: all but the one whose number or colour is looked for.

    Args:
        spec: what the unknown belongs to; it is read with its answers in.
        unknown: what is to be answered.
        support: where everything that is read is cited.
    """

    def __init__(self, spec: Specification, unknown: Commitment, support: Support) -> None:
        self._written, self._grounded, self._support = spec, grounded(spec), support
        self._target = unknown.targets[0]

    def find(self, words: str) -> list[Commitment]:
        """Return the entities that words name, by their noun and as far as it helps by their qualities."""
        tokens = re.split(r" (?:of|in|on|at|with) ", words)[0].split()
        others = [e for e in self._grounded.of(Type.PRESENCE) if e.id != self._target]
        for start in range(len(tokens)):
            noun = " ".join(tokens[start:])
            alike = [e for e in others if any(is_same_noun(noun, name) for name in self._nouns(e))]
            if alike:
                qualities = {t for t in tokens[:start] if t not in DETERMINERS and number_of(t) is None}
                return [e for e in alike if qualities <= self._qualities(e)] or alike
        return []

    def target_noun(self) -> str:
        """Return the noun of the entity whose number or colour is looked for."""
        return str(self._grounded[self._target].value)

    def count(self, entity: Commitment) -> Fraction:
        """Return how many of an entity there are.

        Raises: Unsatisfiable if there are several and nothing says how many.
        """
        count = count_of(self._grounded, entity)
        if count is not None and isinstance(count.value, int) and count.comparator == "==":
            self._support.cite(count)
            return Fraction(count.value)
        uncounted = [
            u for u in unknowns_of(self._grounded, entity) if u.type is Type.SEMANTIC_REASONING and u.aspect != "color"
        ]
        if uncounted or is_many(self._written, self._written[entity.id]):
            raise Unsatisfiable(f"how many {plural(str(entity.value))} there are is not said")
        return Fraction(1)

    def color(self, entity: Commitment, noun: str) -> str | None:
        """Return the colour of an entity, which the words call by `noun`; None: nothing says one.

        Raises: Unsatisfiable if it has several, or if its colour is itself unknown.
        """
        colors = [c for c in self._grounded.about(entity.id) if c.type is Type.ATTRIBUTE and c.aspect == "color"]
        if len(colors) == 1:
            self._support.cite(colors[0])
            return str(colors[0].value)
        if colors or any(u.aspect == "color" for u in unknowns_of(self._grounded, entity)):
            raise Unsatisfiable(f"the {noun} has no one colour that is known")
        return None

    def require_grounded(self, entity: Commitment) -> None:
        """Cite what an entity was found to be.

        Raises: Unsatisfiable if that is still looked for.
        """
        known = answers(self._written)
        for reference in (c for c in self._written.about(entity.id) if c.type is Type.EXTERNAL_REFERENCE):
            if reference.id in known:
                self._support.cite(reference, known[reference.id].words)
            elif is_within(self._written[entity.id], reference):
                raise Unsatisfiable(f'what "{reference.value}" is is not known')

    def _nouns(self, entity: Commitment) -> set[str]:
        """Return the nouns of an entity: the prompt's, and what it was found to be."""
        return {str(entity.value).lower(), str(self._written[entity.id].value).lower()}

    def _qualities(self, entity: Commitment) -> set[str]:
        return {str(c.value) for c in self._grounded.about(entity.id) if c.type is Type.ATTRIBUTE}
