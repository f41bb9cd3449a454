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
_SAME = frozenset({"sheep", "fish", "deer", "scissors", "skis", "pants", "glasses", "broccoli", "luggage", "furniture"})

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
            span = Span(start=len(self.text), end=len(self.text) + len(words))
            self.bindings.append(Binding(commitment=commitment.id, group=self.groups[commitment.id], span=span))
            self.said.add(commitment.id)
        self.text += words

    def unsaid(self, *types: Type) -> list[Commitment]:
        return [c for c in self.spec.of(*types) if c.id not in self.said]

    def introduce(self, entity: Commitment) -> None:
        """Say an entity with its count, attributes and words, then its first relation."""
        about = [c for c in self.spec.about(entity.id) if c.targets == (entity.id,)]
        count = next((c for c in about if c.type is Type.COUNT), None)
        attributes = sorted((c for c in about if c.type is Type.ATTRIBUTE), key=lambda c: c.aspect == "color")
        noun = self.noun(entity)
        if count is None or count.value == 1:
            words = article(str(attributes[0].value) if attributes else noun)
            self.add(words if count is None else "one", count)
        else:
            self.add(_number(count.value), count)
        for attribute in attributes:
            self.add(str(attribute.value), attribute)
        self.add(noun, entity)
        for text in (c for c in about if c.type is Type.TEXT):
            self.add("that says")
            self.add(f'"{text.value}"', text)
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
        self.add("the")
        self.add(self.noun(entity), entity)

    def noun(self, entity: Commitment) -> str:
        many = any(c.type is Type.COUNT and c.value != 1 for c in self.spec.about(entity.id))
        return plural(str(entity.value)) if many else str(entity.value)

    def rest(self) -> None:
        """Say what belongs to no entity, so that nothing is dropped."""
        for setting in self.unsaid(Type.LAYOUT):
            self.add(_SETTINGS.get(str(setting.value), f"in {article(str(setting.value))} {setting.value}"), setting)
        for text in self.unsaid(Type.TEXT):
            self.add(", with a" if self.text else "a")
            self.add(f'sign that says "{text.value}"', text)
        for absent in self.unsaid(Type.ABSENCE):
            self.add(", without" if self.text else "without")
            self.add(plural(str(absent.value)), absent)
        for other in self.unsaid(*Type):
            self.add("," if self.text else "")
            self.add(str(other.value), other)


def _number(value: str | int) -> str:
    return _NUMBERS[value] if isinstance(value, int) and 0 <= value < len(_NUMBERS) else str(value)
