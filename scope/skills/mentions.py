"""How the prompt speaks of an entity: in which words, how many of it, and what of it is still unknown."""

from scope.specification import Commitment, Kind, Specification, Type
from scope.text import plural


def words_of(spec: Specification, commitment: Commitment) -> str:
    """Return the prompt's own words for a commitment; of what an unknown was found to be, those of the answer."""
    span = commitment.span
    if span is None or (commitment.id.startswith("u") and commitment.kind is not Kind.UNKNOWN):
        return str(commitment.value)
    return spec.prompt[span.start : span.end]


def count_of(spec: Specification, entity: Commitment) -> Commitment | None:
    """Return the commitment that says how many of an entity there are."""
    return next((c for c in spec.about(entity.id) if c.type is Type.COUNT and not c.denied), None)


def unknowns_of(spec: Specification, entity: Commitment) -> list[Commitment]:
    """Return the open unknowns that are about an entity before all."""
    return [c for c in spec.about(entity.id) if c.kind is Kind.UNKNOWN and c.targets[0] == entity.id]


def is_many(spec: Specification, entity: Commitment) -> bool:
    """Return whether an entity is several: by its count, else by its claim or the prompt's own word for it."""
    count, many = count_of(spec, entity), plural(str(entity.value))
    if count is not None:
        return (count.value, count.upto) != (1, None)
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
