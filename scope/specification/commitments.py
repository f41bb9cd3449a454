"""The frozen values of a specification, and their one canonical form."""

import hashlib
import json
from enum import StrEnum
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator


class Model(BaseModel):
    """A value: frozen, and closed to fields that it does not name."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def canonical_json(value: Any) -> str:
    """Return the one JSON text of `value` (a Model or plain JSON): sorted keys, no spaces, UTF-8."""
    plain = value.model_dump(mode="json") if isinstance(value, BaseModel) else value
    return json.dumps(plain, sort_keys=True, separators=(",", ":"), ensure_ascii=False, allow_nan=False)


def sha256_of(value: Any) -> str:
    """Return the hex sha256 of `canonical_json(value)`."""
    return hashlib.sha256(canonical_json(value).encode()).hexdigest()


class Kind(StrEnum):
    """What sort of claim a commitment is."""

    ENTITY = "entity"
    CONSTRAINT = "constraint"
    UNKNOWN = "unknown"


class Type(StrEnum):
    """What a commitment is about. Attribute to text are SCOPE's; comparison to absence are ours."""

    PRESENCE = "presence"  # entities only
    ATTRIBUTE = "attribute"
    COUNT = "count"
    RELATION = "relation"
    SETTING = "setting"  # where it is: "on a beach"
    STYLE = "style"
    TEXT = "text"
    COMPARISON = "comparison"  # of two things: "bigger than"
    PLACE = "place"  # in the picture: "top left"
    CAMERA = "camera"  # how the scene is taken: "close-up", "85mm"
    ABSENCE = "absence"
    EXTERNAL_REFERENCE = "external_reference"  # unknowns only
    SEMANTIC_REASONING = "semantic_reasoning"  # unknowns only


class Span(Model):
    """Characters [start, end) of the prompt."""

    start: int
    end: int


#: How a count stands to the number that is said: exactly, at least, at most, or from it up to another.
Comparator = Literal["==", ">=", "<=", "between"]


class Commitment(Model):
    """One checkable claim of the prompt. It never changes: its history is in the ledger.

    `value` is what is claimed, in the user's own word: the noun of an entity ("apple"), a number for a count, a colour
    or other adjective for an attribute, the name of a relation, comparison or place ("left of", "bigger than",
    "top left": `geometry` has those that boxes can keep), the setting, the camera, the words to be read, the noun that
    must be absent, or the phrase that is not understood.
    `targets` are the ids that it speaks of: one entity, or subject and object of a relation or comparison.
    `aspect` says what an attribute is an attribute of: "color" or "other".
    `denied` says that it is the opposite which is claimed: "an apple that is not red". A thing that is denied is an
    absence. `said` has the words as written, where they differ from the value: "grey", of what is gray.
    `comparator` and `upto` are of a count alone: "at least 3", "between 3 and 5" (both may be).
    `part_of` is of an entity that is some of another: in "five mice, two of them red" the two are a part of the five.
    `alternatives` are of an unknown that is a choice: "a cat or a dog".

    Raises: ValueError (pydantic's) if one of the last four is on a commitment of another type, or they disagree.
    """

    id: str
    kind: Kind
    type: Type
    claim: str
    value: str | int
    targets: tuple[str, ...] = ()
    aspect: str | None = None
    denied: bool = Field(default=False, exclude_if=lambda denied: not denied)
    said: str | None = Field(default=None, exclude_if=lambda said: said is None)
    comparator: Comparator = Field(default="==", exclude_if=lambda comparator: comparator == "==")
    upto: int | None = Field(default=None, exclude_if=lambda upto: upto is None)
    part_of: str | None = Field(default=None, exclude_if=lambda part_of: part_of is None)
    alternatives: tuple[str, ...] = Field(default=(), exclude_if=lambda alternatives: not alternatives)
    depends_on: tuple[str, ...] = ()
    span: Span | None = None
    priority: int = 1  # 1 critical, 2 major, 3 minor
    origin: str = "prompt"

    @model_validator(mode="after")
    def _fields_are_of_its_type(self) -> "Commitment":
        if (self.comparator != "==" or self.upto is not None) and self.type is not Type.COUNT:
            raise ValueError(f"{self.id} compares a number, but is of type {self.type.value}, not count")
        if (self.comparator == "between") is not (self.upto is not None):
            raise ValueError(f"{self.id}: `upto` is the upper number of what is between two, and of nothing else")
        if self.upto is not None and not (isinstance(self.value, int) and self.value <= self.upto):
            raise ValueError(f"{self.id} cannot be between {self.value} and {self.upto}")
        if self.part_of is not None and (self.type is not Type.PRESENCE or self.part_of not in self.depends_on):
            raise ValueError(f"{self.id}: `part_of` is of an entity, and names a whole that it depends on")
        if self.alternatives and self.kind is not Kind.UNKNOWN:
            raise ValueError(f"{self.id}: alternatives are of an unknown")
        return self

    @property
    def bounds(self) -> tuple[int, int | None]:
        """Return how many things a count allows: the fewest, and the most (None: any number more).

        Raises: TypeError if it is no count of a number.
        """
        if self.type is not Type.COUNT or not isinstance(self.value, int):
            raise TypeError(f"{self.id} counts nothing: it is {self.type.value} {self.value!r}")
        match self.comparator:
            case ">=":
                return self.value, None
            case "<=":
                return 0, self.value
            case "between":
                return self.value, self.upto
        return self.value, self.value

    def allows(self, number: int) -> bool:
        """Return whether a count is kept by this many things; a denied one is kept by all others."""
        fewest, most = self.bounds
        return (fewest <= number and (most is None or number <= most)) is not self.denied
