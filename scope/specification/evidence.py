"""Who moved a commitment, and by what evidence: the typed half of a ledger's events.

cause      skill | verifier | editor | engine | person | world, with name and version
evidence   Reading    which language model read the prompt, at what cost
Note       why nothing was found, or why an answer was dropped
Grounding  the answer that an unknown stands for
Placing    where in the picture a thing stands, or with what it cannot be kept
Wording    the words of the request that carry the commitment
Judgement  what a verifier said
Repairing  which repair was chosen, for which family of failures
Gating     what a repair mends and what it breaks, and whether its draft may take the place of the one before
"""

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from scope.specification.boxes import Box
from scope.specification.commitments import Model, Type
from scope.specification.requests import ImageFile, Region


class Cause(Model):
    """Who moved a commitment. Its text is "skill:bind@1"."""

    kind: Literal["skill", "verifier", "editor", "engine", "person", "world"]
    name: str
    version: str = ""

    def __str__(self) -> str:
        return f"{self.kind}:{self.signature}"

    @property
    def signature(self) -> str:
        """Return "name@version", or the name alone where there is no version."""
        return f"{self.name}@{self.version}" if self.version else self.name

    @classmethod
    def skill(cls, name: str, version: str) -> "Cause":
        """Return the cause of what a skill does."""
        return cls(kind="skill", name=name, version=version)

    @classmethod
    def verifier(cls, signature: str) -> "Cause":
        """Return the cause of a verdict that is signed "name@version"."""
        name, _, version = signature.partition("@")
        return cls(kind="verifier", name=name, version=version)


#: What a fact may be about.
FACTS = frozenset({Type.PRESENCE, Type.ATTRIBUTE, Type.COUNT, Type.TEXT, Type.SETTING, Type.STYLE})


class Fact(Model):
    """One checkable thing that an answer says.

    PRESENCE: the target is drawn as `value` ("turtle"); the others as in `Commitment`. `target` is an entity that the
    unknown speaks of; None: the picture as a whole.
    """

    type: Type
    value: str | int
    target: str | None = None
    aspect: str | None = None


class Source(Model):
    """Where an answer comes from: a file (relative to its folder), an address, or a rule of reasoning."""

    title: str
    locator: str
    quote: str = ""  # the words that say it, at most 500 characters
    licence: str = ""  # "": not stated
    sha256: str = ""  # of the file's bytes
    image: str | None = None  # path of a reference picture
    image_sha256: str = ""  # of its bytes
    commitment: str | None = None  # the unknown of this specification on whose answer it rests


class Answer(Model):
    """A closed answer: the words that take the unknown's place, the facts to be checked, and who says so."""

    words: str
    facts: tuple[Fact, ...] = ()
    sources: tuple[Source, ...] = ()
    alternatives: int = 0  # further candidates that were found, should this one prove wrong


class Reading(Model):
    """Which language model was asked to read a prompt, and what that cost; `note`: why its reading is not used."""

    kind: Literal["reading"] = "reading"
    language: str  # name@version
    replies: int
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0
    note: str = ""


class Note(Model):
    """Plain words. `passages`: how many were looked at, where something was searched."""

    kind: Literal["note"] = "note"
    note: str
    passages: int | None = None


class Grounding(Model):
    """The answer that an unknown stands for from now on."""

    kind: Literal["grounding"] = "grounding"
    answer: Answer


class Placing(Model):
    """Where a thing stands: a region for each that is drawn of it.

    Or why no layout keeps a commitment: what it clashes with, itself included, and that in words.
    """

    kind: Literal["placing"] = "placing"
    regions: tuple[Region, ...] = ()
    clash: tuple[str, ...] = ()
    note: str = ""


class Wording(Model):
    """The words of the request that carry a commitment."""

    kind: Literal["wording"] = "wording"
    words: str
    note: str = ""


class Judgement(Model):
    """What a verifier said of a draft; the whole verdict is kept beside the ledger.

    `regions` are those at fault; `strays` is where things stand that were put nowhere.
    """

    kind: Literal["judgement"] = "judgement"
    reason: str
    score: float | None = None
    regions: tuple[str, ...] = Field(default=(), exclude_if=lambda regions: not regions)
    strays: tuple[Box, ...] = Field(default=(), exclude_if=lambda strays: not strays)


class Strategy(StrEnum):
    """How a repair tries to get it right, from the mildest trust in the draft to the greatest."""

    REBIND = "rebind"  # word the request anew, what was missed first
    REGENERATE = "regenerate"  # the same words from other noise
    RESAMPLE = "resample"  # noise the draft in part, and draw on from there
    REDRAW = "redraw"  # draw the regions at fault anew, and keep the rest of the draft
    MOVE = "move"  # give what is at fault another place, draw it there, and keep the rest
    EDIT = "edit"  # change the picture itself


class Repairing(Model):
    """The repair that was chosen. `round` counts repairs from 1; `family` is the type that failed first.

    `mask` is the part of the draft that may change, white; None: what the strategy says.
    """

    kind: Literal["repairing"] = "repairing"
    strategy: Strategy
    family: str
    round: int = Field(ge=1)
    mask: ImageFile | None = Field(default=None, exclude_if=lambda mask: mask is None)


class Gating(Model):
    """What the draft of a repair mends and what it breaks, as ids, against the draft that it repairs.

    `kept`: whether it may be the best; one that is not is reverted, whatever it mends.
    """

    kind: Literal["gating"] = "gating"
    draft: str
    kept: bool
    mends: tuple[str, ...] = ()
    breaks: tuple[str, ...] = ()


Evidence = Annotated[
    Reading | Note | Grounding | Placing | Wording | Judgement | Repairing | Gating, Field(discriminator="kind")
]
