"""Words for a specification: one plain sentence, with every commitment's characters known exactly."""

from collections.abc import Sequence

from scope.specification import Binding, Commitment, Kind, Span, Specification, Type
from scope.text import PAIRS, article, number_words, plural

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
_RELATIONS = {"left of": "to the left of", "right of": "to the right of"}


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
    return _Sentence(spec).write(first)


class _Sentence:
    """Appends words and remembers which commitment they carry."""

    def __init__(self, spec: Specification) -> None:
        self.spec = spec
        self.groups = groups(spec)
        self.text = ""
        self.bindings: list[Binding] = []
        self.said: set[str] = set()

    def write(self, first: Sequence[str]) -> tuple[str, tuple[Binding, ...]]:
        entities = sorted(self.spec.of(Type.PRESENCE), key=lambda e: e.id not in first)
        for entity in entities:
            if entity.id not in self.said:
                self.add("and" if self.text else "")
                self.introduce(entity)
        for relation in self.unsaid(Type.RELATION):
            self.add(",")
            self.mention(self.spec[relation.targets[0]])
            self.relate(relation)
        self.rest()
        return self.text, tuple(self.bindings)

    def add(self, words: str, commitment: Commitment | None = None) -> None:
        """Append words after a space (a comma: without)."""
        if not words:
            return
        self.text += " " if self.text and not words.startswith(",") else ""
        if commitment is not None:
            self.bind(commitment, len(self.text), words)
        self.text += words

    def bind(self, commitment: Commitment, start: int, words: str) -> None:
        """Note that `words`, from `start` on, say a commitment."""
        span = Span(start=start, end=start + len(words))
        self.bindings.append(Binding(commitment=commitment.id, group=self.groups[commitment.id], span=span))
        self.said.add(commitment.id)

    def unsaid(self, *types: Type) -> list[Commitment]:
        """Return the commitments of these types that are not in the sentence yet."""
        return [c for c in self.spec.of(*types) if c.id not in self.said]

    def introduce(self, entity: Commitment) -> None:
        """Say an entity with all that is said of it alone, then its first relation."""
        about = [c for c in self.spec.about(entity.id) if c.targets == (entity.id,)]
        attributes = sorted((c for c in about if c.type is Type.ATTRIBUTE), key=lambda c: c.aspect == "color")
        clue = self.clue(entity)
        if clue is None:
            self.describe(entity, [a for a in attributes if not _follows(a, entity)])
        else:
            for attribute in (a for a in attributes if a.span and clue.span and a.span.end <= clue.span.start):
                self.add(str(attribute.value), attribute)
            self.quote(clue)
        for attribute in (a for a in attributes if a.id not in self.said):
            self.add(str(attribute.value), attribute)
        for told in (u for u in self.unknowns(entity) if u.targets == (entity.id,) and u.id not in self.said):
            self.add(self.words(told), told)
        for text in (c for c in about if c.type is Type.TEXT):
            self.add(f'that says "{text.value}"', text)
        for place in (c for c in about if c.type is Type.SETTING):
            self.add(self.words(place), place)
        relation = next((r for r in self.unsaid(Type.RELATION) if r.targets[0] == entity.id), None)
        if relation is not None:
            self.relate(relation)

    def describe(self, entity: Commitment, attributes: Sequence[Commitment]) -> None:
        """Say how many there are of an entity, its attributes, and what it is: "two small red apples"."""
        unknowns = [c for c in self.unknowns(entity) if precedes(c, entity)]
        vague = next((c for c in unknowns if c.type is Type.SEMANTIC_REASONING), None)
        names = [c for c in unknowns if c.type is Type.EXTERNAL_REFERENCE]
        first = [str(a.value) for a in attributes] + [str(n.value) for n in names] + [self.noun(entity)]
        if count := count_of(self.spec, entity):
            self.add(number_words(count.value) if isinstance(count.value, int) else count.value, count)
        elif vague is not None:
            self.add(self.words(vague), vague)
        else:
            self.add(self.article(entity, first[0]))
        for quality in (*attributes, *names):
            self.add(str(quality.value), quality)
        self.add(self.noun(entity), entity)

    def quote(self, clue: Commitment) -> None:
        """Say a clue in the prompt's own words, and find in them what else they carry."""
        start = len(self.text) + bool(self.text)
        self.add(self.words(clue), clue)
        for inner in self.spec.of(Type.PRESENCE, Type.ATTRIBUTE, Type.COUNT):
            if inner.id not in self.said and inner.span and clue.span and is_within(inner, clue):
                self.bind(inner, start + inner.span.start - clue.span.start, self.words(inner))

    def relate(self, relation: Commitment) -> None:
        """Say a relation and its objects; an object that is new is introduced."""
        name = str(relation.value)
        self.add(_RELATIONS.get(name, name), relation)
        for number, target in enumerate(relation.targets[1:]):
            self.add("and" if number else "")
            entity = self.spec[target]
            if target in self.said:
                self.mention(entity)
            else:
                self.introduce(entity)

    def mention(self, entity: Commitment) -> None:
        """Say an entity that was introduced before."""
        self.add("" if self.name(entity) else "the")
        self.add(self.noun(entity), entity)

    def article(self, entity: Commitment, next_word: str) -> str:
        if self.many(entity):
            return ""
        return "a pair of" if next_word in PAIRS else article(next_word)

    def noun(self, entity: Commitment) -> str:
        return self.name(entity) or (plural(str(entity.value)) if self.many(entity) else str(entity.value))

    def name(self, entity: Commitment) -> str:
        """Return the words that name an entity, where nothing says what it looks like; "": it has none."""
        clue = self.clue(entity)
        return self.words(clue) if clue is not None and clue.type is Type.EXTERNAL_REFERENCE else ""

    def clue(self, entity: Commitment) -> Commitment | None:
        """Return the open unknown in whose words the prompt speaks of an entity: "as many stars as ..."."""
        return next((c for c in self.unknowns(entity) if is_within(entity, c)), None)

    def unknowns(self, entity: Commitment) -> list[Commitment]:
        """Return the open unknowns that are about an entity before all."""
        return [c for c in self.spec.about(entity.id) if c.kind is Kind.UNKNOWN and c.targets[0] == entity.id]

    def many(self, entity: Commitment) -> bool:
        return is_many(self.spec, entity)

    def rest(self) -> None:
        """Say what belongs to no entity, so that nothing is dropped."""
        for setting in self.unsaid(Type.SETTING):
            self.add(_SETTINGS.get(str(setting.value), self.words(setting)), setting)
        for text in self.unsaid(Type.TEXT):
            self.add(", with a" if self.text else "a")
            self.add(f'sign that says "{text.value}"', text)
        for absent in self.unsaid(Type.ABSENCE):
            self.add(", without" if self.text else "without")
            self.add(plural(str(absent.value)), absent)
        for other in self.unsaid(*Type):
            words = self.words(other)
            if words in self.text:
                self.bind(other, self.text.index(words), words)
            else:
                self.add("," if self.text else "")
                self.add(words, other)

    def words(self, commitment: Commitment) -> str:
        return words_of(self.spec, commitment)


def words_of(spec: Specification, commitment: Commitment) -> str:
    """Return the prompt's own words for a commitment; of what an unknown was found to be, those of the answer."""
    span = commitment.span
    if span is None or (commitment.id.startswith("u") and commitment.kind is not Kind.UNKNOWN):
        return str(commitment.value)
    return spec.prompt[span.start : span.end]


def count_of(spec: Specification, entity: Commitment) -> Commitment | None:
    """Return the commitment that says how many of an entity there are."""
    return next((c for c in spec.about(entity.id) if c.type is Type.COUNT), None)


def is_many(spec: Specification, entity: Commitment) -> bool:
    """Return whether an entity is several: by its count, else by its claim or the prompt's own word for it."""
    count, many = count_of(spec, entity), plural(str(entity.value))
    if count is not None:
        return count.value != 1
    if many == entity.value:  # one or several: nobody can tell
        return False
    return entity.claim.startswith("there are ") or words_of(spec, entity).lower() == many


def is_within(inner: Commitment, outer: Commitment) -> bool:
    """Return whether the words of one commitment lie in those of another."""
    a, b = inner.span, outer.span
    return a is not None and b is not None and b.start <= a.start and a.end <= b.end


def precedes(commitment: Commitment, entity: Commitment) -> bool:
    """Return whether the words of a commitment come before those of an entity."""
    a, b = commitment.span, entity.span
    return a is not None and b is not None and a.end <= b.start


def _follows(attribute: Commitment, entity: Commitment) -> bool:
    """Return whether an attribute is what a thing does, said after it: "a turtle waving"."""
    words, claim = str(attribute.value), attribute.claim
    acts = claim.endswith(f" {words}") and not claim.endswith((f" is {words}", f" are {words}"))
    acts = acts or any(word.endswith("ing") for word in words.split())
    return acts and attribute.aspect != "color" and precedes(entity, attribute)
