"""The frozen values of a specification, and their one canonical form."""

import hashlib
import json
from enum import StrEnum
from typing import Any

from pydantic import BaseModel, ConfigDict, Field


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
    """What a commitment is about. Attribute to text are SCOPE's; comparison, place and absence are ours."""

    PRESENCE = "presence"  # entities only
    ATTRIBUTE = "attribute"
    COUNT = "count"
    RELATION = "relation"
    SETTING = "setting"  # where it is: "on a beach"
    STYLE = "style"
    TEXT = "text"
    COMPARISON = "comparison"  # of two things: "bigger than"
    PLACE = "place"  # in the picture: "top left"
    ABSENCE = "absence"
    EXTERNAL_REFERENCE = "external_reference"  # unknowns only
    SEMANTIC_REASONING = "semantic_reasoning"  # unknowns only


class Span(Model):
    """Characters [start, end) of the prompt."""

    start: int
    end: int


class Commitment(Model):
    """One checkable claim of the prompt. It never changes: its history is in the ledger.

    `value` is what is claimed: the noun of an entity ("apple"), a number for a count, a colour or
    other adjective for an attribute, the name of a relation, comparison or place ("left of", "bigger than",
    "top left": `geometry` has those that boxes can keep), the setting, the words to be read, the noun that must be
    absent, or the phrase that is not understood.
    `targets` are the ids that it speaks of: one entity, or subject and object of a relation or comparison.
    `aspect` says what an attribute is an attribute of: "color" or "other".
    `denied` says that it is the opposite which is claimed: "an apple that is not red". A thing that is denied is an
    absence. `said` has the user's own words where the value is coarser: "tortoise", of what is drawn as a turtle.
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
    depends_on: tuple[str, ...] = ()
    span: Span | None = None
    priority: int = 1  # 1 critical, 2 major, 3 minor
    origin: str = "prompt"
