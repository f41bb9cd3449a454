"""What is asked of a generator, what it gave, and what a verifier said of it.

    Request    text, size, negative, regions, setting, style, references, edit, seed, steps, cfg_scale
    Region     one drawn instance: its box, its phrase, its words and every commitment that it carries
    Draft      the picture that came of it
    Verdict    what a verifier says of one commitment on one draft

A generator names the fields that it reads (`Generator.reads`); `unread` says which of a request's it does not.
"""

from collections.abc import Callable, Collection
from typing import Any, Literal, TypeVar

from pydantic import Field, field_validator, model_validator

from scope.specification.boxes import Box
from scope.specification.commitments import Commitment, Model, Span

LARGEST_SEED = 2**63 - 1  # what every source of random numbers takes
_LARGEST_SIDE = 16_384  # pixels
_MOST_STEPS = 10_000


class Binding(Model):
    """The words of a request that carry one commitment, so that it stays identifiable in conditioning.

    `group` numbers the entity that the words belong to (1, 2, ...; 0: the scene as a whole).
    """

    commitment: str
    group: int
    span: Span


class Region(Model):
    """One drawn instance of an entity: "two red apples" are `e1#1` and `e1#2`.

    Verdicts, reports and repairs name it by `id`. `commitments` are all that the instance carries: its entity, colour,
    text, style. `phrase` says what it is, with its qualities: "red apple", of each of two red apples as well; `text` is
    what is to be written on it.
    """

    id: str = Field(pattern=r"^[a-z]+\d+#[1-9]\d*$")
    commitments: tuple[str, ...] = Field(min_length=1)
    phrase: str
    text: str = Field(default="", exclude_if=lambda text: not text)
    box: Box

    @property
    def said(self) -> str:
        """Return its phrase and its words: 'sign that says "FRESH"'."""
        return f'{self.phrase} that says "{self.text}"' if self.text else self.phrase


class ImageFile(Model):
    """A picture by path and hash. Inside a run the path is relative to the run's folder."""

    path: str
    sha256: str


class Reference(ImageFile):
    """A picture that shows what a commitment is to look like. `licence` "": not stated."""

    commitment: str
    licence: str = ""


F = TypeVar("F", bound=ImageFile)


class Edit(Model):
    """A picture to be changed, in place of noise to begin with.

    `mask` is an image of the same size, white where it may change; None: everywhere. `exemplar` shows the change on
    another picture: (before, after). `strength` is the time in (0, 1] to which the picture is noised before it is drawn
    again: what is below keeps its places. `toward` are the commitments that the change is to bring about.
    """

    image: ImageFile
    mask: ImageFile | None = None
    exemplar: tuple[ImageFile, ImageFile] | None = None
    strength: float = Field(default=1.0, gt=0, le=1)
    toward: tuple[Commitment, ...] = ()


class Request(Model):
    """One picture asked of a generator. `text` is what it reads; the spans of `bindings` lie in it.

    `setting` and `style` are phrases for what lies in no region: "beach", "3-D"; "" where nothing is asked.
    """

    text: str
    width: int | None = Field(default=None, gt=0, le=_LARGEST_SIDE)  # pixels; None: the generator's own
    height: int | None = Field(default=None, gt=0, le=_LARGEST_SIDE)
    negative: str = ""  # what is not wanted, where a generator can be told
    regions: tuple[Region, ...] = ()
    setting: str = Field(default="", exclude_if=lambda text: not text)
    style: str = Field(default="", exclude_if=lambda text: not text)
    references: tuple[Reference, ...] = ()
    edit: Edit | None = None
    bindings: tuple[Binding, ...] = ()
    quoted: tuple[str, ...] = ()  # words to be written in the picture
    seed: int = Field(default=0, ge=0, le=LARGEST_SEED)
    steps: int | None = Field(default=None, ge=1, le=_MOST_STEPS)  # None: the generator's own
    cfg_scale: float | None = Field(default=None, allow_inf_nan=False)

    @field_validator("regions")
    @classmethod
    def _one_region_a_name(cls, regions: tuple[Region, ...]) -> tuple[Region, ...]:
        names = [region.id for region in regions]
        if twice := sorted({name for name in names if names.count(name) > 1}):
            raise ValueError(f"two regions are called {', '.join(twice)}")
        return regions


#: What a generator may read beside the text and the seed, in the words of a sentence.
READS = {
    "size": "the size",
    "negative": "what is not wanted",
    "regions": "the regions",
    "references": "the references",
    "edit": "the picture to be changed",
    "steps": "the number of steps",
    "cfg_scale": "the guidance",
}


def unread(request: Request, reads: Collection[str]) -> tuple[str, ...]:
    """Return which of `READS` a request asks for and a generator that reads `reads` would pass over."""
    asked = {name: bool(getattr(request, name)) for name in ("negative", "regions", "references")}
    asked |= {name: getattr(request, name) is not None for name in ("edit", "steps", "cfg_scale")}
    asked["size"] = request.width is not None or request.height is not None
    return tuple(name for name in READS if asked[name] and name not in reads)


def with_files(request: Request, place: Callable[[ImageFile], str]) -> Request:
    """Return a request whose pictures, of its edit and its references, lie at the paths that `place` gives."""

    def moved(file: F) -> F:
        return file.model_copy(update={"path": place(file)})

    edit = request.edit
    if edit is not None:
        mask = moved(edit.mask) if edit.mask is not None else None
        exemplar = (moved(edit.exemplar[0]), moved(edit.exemplar[1])) if edit.exemplar is not None else None
        edit = edit.model_copy(update={"image": moved(edit.image), "mask": mask, "exemplar": exemplar})
    return request.model_copy(update={"edit": edit, "references": tuple(map(moved, request.references))})


class Draft(Model):
    """A picture that was made: named by path and hash, never carried."""

    id: str  # "d1"
    path: str  # relative to the run folder
    sha256: str
    request: Request
    generator: str  # name@version of who made it, generator or editor
    parent: str | None = None  # the draft that this one repairs
    log_likelihood: float | None = None
    seconds: float = 0.0
    cost: float = 0.0


class Observation(Model):
    """One thing that a verifier saw: what it is, where, and how sure it is (in [0, 1]).

    `fits`: whether it is as the commitment asks, where a verifier can say so of each. `region` is where it was put, as
    the run finds by their boxes.
    """

    label: str
    box: Box | None = None
    score: float | None = None
    fits: bool = Field(default=True, exclude_if=lambda fits: fits)
    region: str | None = Field(default=None, exclude_if=lambda region: region is None)


class Verdict(Model):
    """What one verifier says of one commitment on one draft. Outcome None: it could not be judged.

    `evidence` is what the verdict rests on; `details` is plain JSON of the verifier's own.
    `blocked_by` names the entity without which the question makes no sense. `regions` are those at fault, where it is
    violated: the run finds them.
    """

    commitment: str
    outcome: Literal["met", "violated"] | None
    reason: str
    verifier: str  # name@version
    score: float | None = None
    evidence: tuple[Observation, ...] = ()
    details: dict[str, Any] = {}
    blocked_by: str | None = None
    regions: tuple[str, ...] = Field(default=(), exclude_if=lambda regions: not regions)

    @model_validator(mode="after")
    def _blocked_is_not_judged(self) -> "Verdict":
        if self.blocked_by is not None and self.outcome is not None:
            raise ValueError(f"{self.commitment} is blocked by {self.blocked_by}, so it is not {self.outcome}")
        return self
