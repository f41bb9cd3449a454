"""Words for a specification: one plain sentence, with every commitment's characters known exactly."""

from collections.abc import Sequence

from scope.spec import Binding, Commitment, Span, Specification, Type

_NUMBERS = (
    "zero",
    "one",
    "two",
    "three",
    "four",
    "five",
    "six",
    "seven",
    "eight",
    "nine",
    "ten",
    "eleven",
    "twelve",
    "thirteen",
    "fourteen",
    "fifteen",
    "sixteen",
    "seventeen",
    "eighteen",
    "nineteen",
    "twenty",
)

_PLURALS = {
    "person": "people",
    "man": "men",
    "woman": "women",
    "child": "children",
    "foot": "feet",
    "tooth": "teeth",
    "goose": "geese",
    "mouse": "mice",
    "knife": "knives",
    "leaf": "leaves",
    "wolf": "wolves",
    "loaf": "loaves",
    "shelf": "shelves",
    "potato": "potatoes",
    "tomato": "tomatoes",
    "bus": "buses",
}
_PAIRS = frozenset({"scissors", "skis", "pants", "glasses", "binoculars", "headphones"})
_SAME = _PAIRS | {"sheep", "fish", "deer", "broccoli", "luggage", "furniture"}

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


def plural(noun: str) -> str:
    """Return the plural of a singular English noun; of a compound, that of its last word."""
    first, space, last = noun.rpartition(" ")
    if last in _SAME:
        return noun
    if last in _PLURALS:
        return first + space + _PLURALS[last]
    if last.endswith(("s", "x", "z", "ch", "sh")):
        return noun + "es"
    if last.endswith("y") and last[-2:-1] not in "aeiou":
        return noun[:-1] + "ies"
    return noun + "s"


def article(words: str) -> str:
    """Return "a" or "an", by how the words sound."""
    vowel = words[:1].lower() in tuple("aeiou") and not words.lower().startswith(("uni", "use", "eu", "one"))
    return "an" if vowel or words.lower().startswith("hour") else "a"


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
        """Say an entity with its count, attributes and words, then its first relation."""
        about = [c for c in self.spec.about(entity.id) if c.targets == (entity.id,)]
        attributes = sorted((c for c in about if c.type is Type.ATTRIBUTE), key=lambda c: c.aspect == "color")
        count = next((c for c in about if c.type is Type.COUNT), None)
        first = str(attributes[0].value) if attributes else self.noun(entity)
        self.add(_number(count.value) if count else self.article(entity, first), count)
        for attribute in attributes:
            self.add(str(attribute.value), attribute)
        self.add(self.noun(entity), entity)
        for text in (c for c in about if c.type is Type.TEXT):
            self.add(f'that says "{text.value}"', text)
        relation = next((r for r in self.unsaid(Type.RELATION) if r.targets[0] == entity.id), None)
        if relation is not None:
            self.relate(relation)

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
        if self.name(entity) or self.many(entity):
            return ""
        return "a pair of" if next_word in _PAIRS else article(next_word)

    def noun(self, entity: Commitment) -> str:
        return self.name(entity) or (plural(str(entity.value)) if self.many(entity) else str(entity.value))

    def name(self, entity: Commitment) -> str:
        """Return the proper name of an entity; "": it has none."""
        references = (c for c in self.spec.about(entity.id) if c.type is Type.EXTERNAL_REFERENCE)
        return next((str(c.value) for c in references), "")

    def many(self, entity: Commitment) -> bool:
        """Return whether it is several: by its count, else by the prompt's own word."""
        counts = [c.value for c in self.spec.about(entity.id) if c.type is Type.COUNT]
        many = plural(str(entity.value))
        return counts[0] != 1 if counts else self.prompt_words(entity).lower() == many != entity.value

    def rest(self) -> None:
        """Say what belongs to no entity, so that nothing is dropped."""
        for setting in self.unsaid(Type.LAYOUT):
            self.add(_SETTINGS.get(str(setting.value), self.prompt_words(setting)), setting)
        for text in self.unsaid(Type.TEXT):
            self.add(", with a" if self.text else "a")
            self.add(f'sign that says "{text.value}"', text)
        for absent in self.unsaid(Type.ABSENCE):
            self.add(", without" if self.text else "without")
            self.add(plural(str(absent.value)), absent)
        for other in self.unsaid(*Type):
            words = self.prompt_words(other)
            if words in self.text:
                self.bind(other, self.text.index(words), words)
            else:
                self.add("," if self.text else "")
                self.add(words, other)

    def prompt_words(self, commitment: Commitment) -> str:
        """Return the words that the prompt itself uses for a commitment."""
        span = commitment.span
        return self.spec.prompt[span.start : span.end] if span is not None else str(commitment.value)


def _number(value: str | int) -> str:
    return _NUMBERS[value] if isinstance(value, int) and 0 <= value < len(_NUMBERS) else str(value)
