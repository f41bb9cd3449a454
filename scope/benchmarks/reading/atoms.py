"""What a prompt says as atoms without ids, what a specification promises, and how much of each is in the other.

An atom is one claim: a thing, a number, a quality, a relation ... It is read where a commitment has its type, one of
its values, its bound, its polarity, and its things in their order. A promise that is no atom of the truth is spurious,
as is the second of two that say the same. Unknowns promise nothing, but a choice ("a cat or a dog") is an atom.
"""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import product

from scope.specification import Commitment, Kind, Specification, Type
from scope.specification.commitments import Comparator

#: What a choice is among: no type of commitment says it alone.
CHOICE = "choice"


@dataclass(frozen=True)
class Atom:
    """One claim. `values`: any of them will do; `things`: of a presence itself, and its whole where it is a part.

    One that is not `demanded` may be promised, and need not be.
    """

    type: str
    values: frozenset[str]
    things: tuple[str, ...] = ()
    denied: bool = False
    comparator: Comparator = "=="
    upto: int | None = None
    demanded: bool = True

    def is_said_by(self, promise: "Atom", names: dict[str, str]) -> bool:
        """Return whether a promise says this, its ids being called by these names."""
        said = (promise.type, promise.denied, promise.comparator, promise.upto)
        return (
            said == (self.type, self.denied, self.comparator, self.upto)
            and promise.values <= self.values
            and _called(promise, names) == self.things
        )

    def is_broken_by(self, promise: "Atom", names: dict[str, str]) -> bool:
        """Return whether a promise claims what this denies."""
        if promise.denied or not promise.values <= self.values:
            return False
        if self.type == Type.ABSENCE:  # a thing that is there by right has a name
            return promise.type == Type.PRESENCE and promise.things[0] not in names
        return self.denied and promise.type == self.type and _called(promise, names) == self.things


@dataclass(frozen=True)
class Score:
    """How one prompt was read. `read` of the `demanded` atoms, `true` of the promised ones; `broken` of the denials."""

    missed: tuple[Atom, ...]
    spurious: tuple[Atom, ...]
    broken: tuple[Atom, ...]
    demanded: Counter[str]  # type -> atoms
    promised: int
    unknowns: int  # beyond the truth's own

    @property
    def whole(self) -> bool:
        """Return whether all is read and nothing else is promised or left open."""
        return not (self.missed or self.spurious or self.broken or self.unknowns)


def promises(spec: Specification) -> list[Atom]:
    """Return what a specification promises, its things by their ids."""
    return [atom for c in spec.commitments if (atom := _atom(c)) is not None]


def score(truth: Sequence[Atom], spec: Specification) -> Score:
    """Return how a prompt whose truth is known was read, by the names for its ids that fit best."""
    promised = promises(spec)
    names = max(_namings(truth, promised), key=lambda names: _hits(truth, promised, names))
    left, missed = list(promised), []
    for atom in sorted(truth, key=lambda atom: not atom.demanded):
        said = next((p for p in left if atom.is_said_by(p, names)), None)
        if said is not None:
            left.remove(said)
        elif atom.demanded:
            missed.append(atom)
    denials = [atom for atom in truth if atom.denied or atom.type == Type.ABSENCE]
    choices = sum(atom.type == CHOICE for atom in promised)
    return Score(
        missed=tuple(missed),
        spurious=tuple(left),
        broken=tuple(atom for atom in denials if any(atom.is_broken_by(p, names) for p in left)),
        demanded=Counter(atom.type for atom in truth if atom.demanded),
        promised=len(promised),
        unknowns=sum(c.kind is Kind.UNKNOWN for c in spec.commitments) - choices,
    )


def _atom(c: Commitment) -> Atom | None:
    """Return the promise of a commitment; None: it promises nothing."""
    if c.alternatives:
        return Atom(CHOICE, frozenset({choice(c.alternatives)}))
    if c.kind is Kind.UNKNOWN:
        return None
    things = tuple(filter(None, (c.id, c.part_of))) if c.type is Type.PRESENCE else c.targets
    return Atom(c.type, frozenset({folded(str(c.value))}), things, c.denied, c.comparator, c.upto)


def folded(words: str) -> str:
    """Return words as they are compared: lower case, without an article."""
    first, _, rest = " ".join(words.lower().split()).partition(" ")
    return rest if first in {"a", "an", "the"} and rest else f"{first} {rest}".strip()


def choice(alternatives: Iterable[str]) -> str:
    """Return alternatives as one value, in whatever order they were said."""
    return " | ".join(sorted(map(folded, alternatives)))


def _called(promise: Atom, names: dict[str, str]) -> tuple[str | None, ...]:
    """Return the names of the things of a promise; several objects, as of "between", in no order."""
    subject, *objects = (names.get(thing) for thing in promise.things) if promise.things else (None,)
    return (subject, *sorted(objects, key=str)) if promise.things else ()


def _namings(truth: Iterable[Atom], promised: Sequence[Atom]) -> Iterator[dict[str, str]]:
    """Yield each way to call the promised things by the names of the truth's, by their nouns; no two by one."""
    entities = [p for p in promised if p.type == Type.PRESENCE]
    things = [atom for atom in truth if atom.type == Type.PRESENCE]
    fitting = [[p.things[0] for p in entities if p.values <= atom.values] for atom in things]
    shared = Counter(id_ for ids in fitting for id_ in ids)
    options = [ids if ids and all(shared[id_] == 1 for id_ in ids) else [*ids, None] for ids in fitting]
    for ids in product(*options):
        given = [id_ for id_ in ids if id_ is not None]
        if len(set(given)) == len(given):
            yield {id_: atom.things[0] for id_, atom in zip(ids, things, strict=True) if id_ is not None}


def _hits(truth: Iterable[Atom], promised: Sequence[Atom], names: dict[str, str]) -> int:
    return sum(any(atom.is_said_by(p, names) for p in promised) for atom in truth)
