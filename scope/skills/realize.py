"""Surface realisation: one plain sentence for a specification, with every commitment's characters known exactly."""

from collections.abc import Sequence

from scope.skills.mentions import count_of, is_many, is_within, precedes, unknowns_of, words_of
from scope.specification import Binding, Commitment, Span, Specification, Type
from scope.text import ARTICLES, PAIRS, article, number_words, plural

_SETTINGS = {
    "beach": "on a beach",
    "night": "at night",
    "sunset": "at sunset",
    "snow": "in the snow",
    "grass": "on grass",
    "desert": "in the desert",
    "sea": "under the sea",
    "space": "in space",
    "sky": "in the sky",
}
_RELATIONS = {"left of": "to the left of", "right of": "to the right of", "same size as": "of the same size as"}
_PLACES = {
    "left": "on the left",
    "right": "on the right",
    "top": "at the top",
    "bottom": "at the bottom",
    "center": "in the center",
}


def groups(spec: Specification) -> dict[str, int]:
    """Return commitment id -> group number: entities first, then words to be read that stand on no entity."""
    owners = [e.id for e in spec.of(Type.PRESENCE)] + [t.id for t in spec.of(Type.TEXT) if not t.targets]
    numbers = {owner: number for number, owner in enumerate(owners, start=1)}
    one_target = {c.id: numbers.get(c.targets[0], 0) for c in spec.commitments if len(c.targets) == 1}
    return {c.id: 0 for c in spec.commitments} | one_target | numbers


def sentence(spec: Specification, first: Sequence[str] = ()) -> tuple[str, tuple[Binding, ...]]:
    """Return one plain sentence that says every commitment, and where each is said.

    Args:
        spec: what is to be said.
        first: ids of entities to name before the others.
    """
    realizer = _Realizer(spec)
    realizer.realize(first)
    return realizer.sentence.text, tuple(realizer.sentence.bindings)


class _Sentence:
    """A sentence that grows, and remembers which of its words carry which commitment."""

    def __init__(self, groups: dict[str, int]) -> None:
        self._groups = groups
        self.text = ""
        self.bindings: list[Binding] = []
        self.bound: set[str] = set()

    def append(self, words: str, commitment: Commitment | None = None) -> None:
        """Append words after a space (a comma: without); they say `commitment`."""
        if not words:
            return
        self.text += " " if self.text and not words.startswith(",") else ""
        if commitment is not None:
            self.bind(commitment, len(self.text), words)
        self.text += words

    def bind(self, commitment: Commitment, start: int, words: str) -> None:
        """Note that `words`, from `start` on, say a commitment."""
        span = Span(start=start, end=start + len(words))
        self.bindings.append(Binding(commitment=commitment.id, group=self._groups[commitment.id], span=span))
        self.bound.add(commitment.id)


class _Realizer:
    """Chooses the words, in order: entities with what is said of each alone, relations, then the picture as a whole."""

    def __init__(self, spec: Specification) -> None:
        self._spec = spec
        self.sentence = _Sentence(groups(spec))

    def realize(self, first: Sequence[str]) -> None:
        """Say every commitment once."""
        for entity in sorted(self._spec.of(Type.PRESENCE), key=lambda e: e.id not in first):
            if entity.id not in self.sentence.bound:
                self.sentence.append("" if not self.sentence.text else "and" if entity.part_of is None else ",")
                self._introduce(entity)
        for relation in self._unsaid(Type.RELATION, Type.COMPARISON):
            self.sentence.append(",")
            self._mention(self._spec[relation.targets[0]])
            self._relate(relation)
        self._add_whole_picture()
        self._add_leftovers()

    def _unsaid(self, *types: Type) -> list[Commitment]:
        """Return the commitments of these types that are not in the sentence yet."""
        return [c for c in self._spec.of(*types) if c.id not in self.sentence.bound]

    # -- entities --------------------------------------------------------------------------------

    def _introduce(self, entity: Commitment) -> None:
        """Say an entity with all that is said of it alone, then its first relation."""
        about = [c for c in self._spec.about(entity.id) if c.targets == (entity.id,)]
        plain = (c for c in about if c.type is Type.ATTRIBUTE and not c.denied)
        attributes = sorted(plain, key=lambda c: c.aspect == "color")
        expression = _expression(self._spec, entity)
        if expression is None:
            self._describe(entity, [a for a in attributes if not _follows(a, entity)])
        else:
            for attribute in (a for a in attributes if precedes(a, expression)):
                self.sentence.append(str(attribute.value), attribute)
            self._quote(expression)
        for attribute in (a for a in attributes if a.id not in self.sentence.bound):
            self.sentence.append(str(attribute.value), attribute)
        for unknown in unknowns_of(self._spec, entity):
            if unknown.targets == (entity.id,) and unknown.id not in self.sentence.bound:
                self._append_own_words(unknown)
        for denied in (c for c in about if c.type is Type.ATTRIBUTE and c.denied):
            self.sentence.append(f"that {'are' if is_many(self._spec, entity) else 'is'} not {denied.value}", denied)
        for text in (c for c in about if c.type is Type.TEXT):
            self.sentence.append(f'{"without the words" if text.denied else "that says"} "{text.value}"', text)
        for place in (c for c in about if c.type is Type.PLACE):
            self.sentence.append(_negated(place, _place(str(place.value))), place)
        for setting in (c for c in about if c.type is Type.SETTING):
            self._append_own_words(setting)
        relations = self._unsaid(Type.RELATION, Type.COMPARISON)
        relation = next((r for r in relations if r.targets[0] == entity.id), None)
        if relation is not None:
            self._relate(relation)

    def _describe(self, entity: Commitment, attributes: Sequence[Commitment]) -> None:
        """Say how many there are of an entity, its attributes, and what it is: "two small red apples"."""
        unknowns = [c for c in unknowns_of(self._spec, entity) if precedes(c, entity)]
        quantity = next((c for c in unknowns if c.type is Type.SEMANTIC_REASONING), None)
        names = [c for c in unknowns if c.type is Type.EXTERNAL_REFERENCE]
        noun = _noun(self._spec, entity)
        count = count_of(self._spec, entity)
        if entity.part_of is not None:
            self._describe_part(entity, count, attributes)
            return
        if count is not None and not _is_article(self._spec, count):
            self.sentence.append(_number(count), count)
        elif quantity is not None:
            self._append_own_words(quantity)
        else:
            next_word = next((str(c.value) for c in (*attributes, *names)), noun)
            self.sentence.append(_article(self._spec, entity, next_word), count)
        for quality in (*attributes, *names):
            self.sentence.append(str(quality.value), quality)
        self.sentence.append(noun, entity)

    def _describe_part(self, part: Commitment, count: Commitment | None, attributes: Sequence[Commitment]) -> None:
        """Say some of several: "two of the apples green"."""
        self.sentence.append("some" if count is None else _number(count), count)
        self.sentence.append("of the")
        self.sentence.append(plural(str(part.value)), part)
        for quality in attributes:
            self.sentence.append(str(quality.value), quality)

    def _quote(self, expression: Commitment) -> None:
        """Say a referring expression in the prompt's own words, and find in them what else they carry."""
        start = len(self.sentence.text) + bool(self.sentence.text)
        self._append_own_words(expression)
        for inner in self._unsaid(Type.PRESENCE, Type.ATTRIBUTE, Type.COUNT):
            if inner.span and expression.span and is_within(inner, expression):
                offset = start + inner.span.start - expression.span.start
                self.sentence.bind(inner, offset, words_of(self._spec, inner))

    def _relate(self, relation: Commitment) -> None:
        """Say a relation and its objects; an object that is new is introduced."""
        name = str(relation.value)
        self.sentence.append(_negated(relation, _RELATIONS.get(name, name)), relation)
        for number, target in enumerate(relation.targets[1:]):
            self.sentence.append("and" if number else "")
            if target in self.sentence.bound:
                self._mention(self._spec[target])
            else:
                self._introduce(self._spec[target])

    def _mention(self, entity: Commitment) -> None:
        """Say an entity that was introduced before."""
        self.sentence.append("" if _name(self._spec, entity) else "the")
        self.sentence.append(_noun(self._spec, entity), entity)

    # -- the rest --------------------------------------------------------------------------------

    def _add_whole_picture(self) -> None:
        """Say what belongs to no entity: where it is, what can be read, what is absent."""
        for setting in self._unsaid(Type.SETTING):
            self.sentence.append(_SETTINGS.get(str(setting.value), words_of(self._spec, setting)), setting)
        for text in (c for c in self._unsaid(Type.TEXT) if not c.denied):
            self.sentence.append(", with a" if self.sentence.text else "a")
            self.sentence.append(f'sign that says "{text.value}"', text)
        for absent in self._unsaid(Type.ABSENCE, Type.TEXT):
            words = f'the words "{absent.value}"' if absent.type is Type.TEXT else plural(str(absent.value))
            self.sentence.append(", without" if self.sentence.text else "without")
            self.sentence.append(words, absent)

    def _add_leftovers(self) -> None:
        """Say whatever is left in the prompt's own words, so that nothing is dropped."""
        for commitment in self._unsaid(*Type):
            words = words_of(self._spec, commitment)
            if words in self.sentence.text:
                self.sentence.bind(commitment, self.sentence.text.index(words), words)
            else:
                self.sentence.append("," if self.sentence.text else "")
                self.sentence.append(words, commitment)

    def _append_own_words(self, commitment: Commitment) -> None:
        self.sentence.append(words_of(self._spec, commitment), commitment)


# -- words for an entity -------------------------------------------------------------------------


def _expression(spec: Specification, entity: Commitment) -> Commitment | None:
    """Return the open unknown in whose words the prompt speaks of an entity: "as many stars as ..."."""
    return next((c for c in unknowns_of(spec, entity) if is_within(entity, c)), None)


def _name(spec: Specification, entity: Commitment) -> str:
    """Return the words that name an entity, where nothing says what it looks like; "": it has none."""
    expression = _expression(spec, entity)
    if expression is None or expression.type is not Type.EXTERNAL_REFERENCE:
        return ""
    return words_of(spec, expression)


def _noun(spec: Specification, entity: Commitment) -> str:
    return _name(spec, entity) or (plural(str(entity.value)) if is_many(spec, entity) else str(entity.value))


def _place(name: str) -> str:
    return _PLACES.get(name, f"in the {name} corner")


def _negated(commitment: Commitment, words: str) -> str:
    return f"not {words}" if commitment.denied else words


def _number(count: Commitment) -> str:
    """Return how many a count asks for, in words: "at least three"."""
    number, upto = (number_words(n) if isinstance(n, int) else str(n) for n in (count.value, count.upto))
    lead = {">=": "at least ", "<=": "at most ", "between": "between "}.get(count.comparator, "")
    return f"{lead}{number} and {upto}" if count.upto is not None else f"{lead}{number}"


def _is_article(spec: Specification, count: Commitment) -> bool:
    """Return whether only an article says how many: "a cat"."""
    return words_of(spec, count).lower() in ARTICLES


def _article(spec: Specification, entity: Commitment, next_word: str) -> str:
    if is_many(spec, entity):
        return ""
    return "a pair of" if next_word in PAIRS else article(next_word)


def _follows(attribute: Commitment, entity: Commitment) -> bool:
    """Return whether an attribute is what an entity does, said after it: "a turtle waving"."""
    words, claim = str(attribute.value), attribute.claim
    acts = claim.endswith(f" {words}") and not claim.endswith((f" is {words}", f" are {words}"))
    acts = acts or any(word.endswith("ing") for word in words.split())
    return acts and attribute.aspect != "color" and precedes(entity, attribute)
