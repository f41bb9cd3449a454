"""The Protocols that plugins fill. Nothing here imports torch."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, fields
from typing import TYPE_CHECKING, Any, Literal, Protocol, runtime_checkable

from scope.errors import PluginError
from scope.specification import READS, Commitment, Model, Request, Source, Specification, Verdict

if TYPE_CHECKING:
    from PIL.Image import Image
    from torch import Tensor

DEFAULT_GENERATOR = "ntm"  # what draws where nobody chose

OnStep = Callable[[int, int], None]  # (steps done, steps in all)


def ignore_steps(done: int, total: int) -> None:
    """The `OnStep` of those who do not watch."""


def steps_within(on_step: OnStep, place: int, of: int) -> OnStep:
    """Return the `OnStep` of the piece at `place` (from 0) of a call that works on `of` pieces, one after another."""
    return lambda done, total: on_step(place * total + done, of * total)


@dataclass(frozen=True)
class Limits:
    """How a part wants to be called. A part says so with attributes of these names; it need not."""

    batch: int = 1  # requests that one call takes best
    parallel: int = 1  # calls that may run side by side: more than one for servers
    ceiling: float = 0.0  # what one call costs at most (of a generator: one picture), in the configured prices


def limits(part: object) -> Limits:
    """Return the limits of a part.

    Raises: PluginError if it gives one that cannot be meant.
    """
    given = {f.name: getattr(part, f.name) for f in fields(Limits) if hasattr(part, f.name)}
    for name, value in given.items():
        whole = name != "ceiling"
        if type(value) not in ((int,) if whole else (int, float)) or not math.isfinite(value) or value < whole:
            wanted = "a whole number from 1 on" if whole else "a cost, 0 or more"
            raise PluginError(f"{part_name(part)}: {name} is {value!r}; it is to be {wanted}")
    return Limits(**given)


def reads_of(part: object) -> frozenset[str]:
    """Return what a generator or an editor reads of a request beside text and seed.

    Raises: PluginError if it does not say so with names of `specification.READS`.
    """
    reads = getattr(part, "reads", None)
    if not isinstance(reads, frozenset | set) or not reads <= READS.keys():
        raise PluginError(
            f"{part_name(part)}: reads is {reads!r}; it is to be a frozenset of some of {', '.join(READS)}"
        )
    return frozenset(reads)


def part_name(part: object) -> str:
    """Return "name@version" of a part, or its class where it has no name."""
    name, version = getattr(part, "name", None), getattr(part, "version", None)
    return f"{name}@{version}" if name and version else type(part).__name__


@dataclass(frozen=True)
class Vocabulary:
    """What a generator's weights can draw. Nouns are singular and lower case."""

    nouns: frozenset[str]
    colors: frozenset[str]
    settings: frozenset[str]
    max_count: int
    max_letters: int = 0  # bytes of a text that it can write; 0: it cannot write
    #: Word -> the nouns that it may mean, of which the first is drawn: the wider word, or the likeliest of several.
    drawn_as: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    #: Colour or setting -> the coarser one that is drawn for it: "turquoise" -> "blue", "road" -> "street".
    coarser: Mapping[str, str] = field(default_factory=dict)
    #: The sets of settings that one picture can show at once; None: nobody knows which.
    together: frozenset[frozenset[str]] | None = None


@dataclass(frozen=True)
class Picture:
    """One image that was made, with its exact log-likelihood (nats) where there is one, and what it cost."""

    image: "Image"
    log_likelihood: float | None = None
    cost: float = 0.0  # in the currency of the configured prices


@runtime_checkable
class Tokenizer(Protocol):
    """Images in [-1, 1] to latents of unit scale, and back."""

    def encode(self, images: "Tensor") -> "Tensor":
        """(b, 3, H, W) -> (b, d, h, w)."""
        ...

    def decode(self, latents: "Tensor") -> "Tensor":
        """(b, d, h, w) -> (b, 3, H, W)."""
        ...


@runtime_checkable
class Generator(Protocol):
    """Makes pictures. `weights` maps file names to sha256, for the record; `Limits` are what else it may say."""

    name: str
    version: str
    reads: frozenset[str]  # what it reads of a request beside text and seed: names in `specification.READS`

    @property
    def weights(self) -> dict[str, str]:
        """Return file name -> sha256 of every file of weights that decides the picture."""
        ...

    @property
    def vocabulary(self) -> Vocabulary | None:
        """Return what it can draw; None: no closed list."""
        ...

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        """Return one picture per request, in order. The same request gives the same picture, whatever is beside it.

        Paths in a request are absolute here. `on_step` counts over all requests of the call.
        """
        ...


@runtime_checkable
class Verifier(Protocol):
    """Judges commitments on a picture.

    One that handles what it cannot always judge may have a method `why_not(commitment, spec)` beside: why it could
    judge this on no picture, in words; "": it could. Pure and cheap. So it is said before anything is drawn. One that
    would only guess on some pictures may have `why_blind(image)`: why it can see nothing in this one; "": it can. It is
    asked of pictures that others made.
    """

    name: str
    version: str

    def handles(self, commitment: Commitment) -> bool:
        """Return whether it can judge this commitment at all. Pure and cheap."""
        ...

    def check(self, image: "Image", commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        """Return one verdict per commitment, in order. What cannot be judged has outcome None."""
        ...


@runtime_checkable
class Skill(Protocol):
    """A conditional step around the open or violated commitments of a specification."""

    @property
    def name(self) -> str:
        """Return its name."""
        ...

    @property
    def version(self) -> str:
        """Return its version."""
        ...

    def needed(self, spec: Specification) -> bool:
        """Return whether there is anything for it to do. Pure: it is the conditional edge."""
        ...

    def run(self, spec: Specification, tools: "Toolbox") -> Specification:
        """Return the specification with what it did appended to the ledger."""
        ...


@runtime_checkable
class Reader(Protocol):
    """Reads prompts into commitments. The embedded one is a grammar."""

    name: str
    version: str

    def decompose(self, prompt: str) -> Specification:
        """Return the declared commitments of a prompt."""
        ...


class Message(Model):
    """One turn of a conversation. What is `untrusted` came from outside and is handed over as data, never as orders."""

    role: Literal["system", "user", "assistant"]
    content: str
    untrusted: bool = False


class Reply(Model):
    """What a language model answered: an object that obeys the schema that it was asked for, and what that cost."""

    data: dict[str, Any]
    tokens_in: int = 0
    tokens_out: int = 0
    cost: float = 0.0  # in the currency of the configured prices
    seconds: float = 0.0
    probabilities: dict[str, float] = {}  # of the first answer token, where the server tells


@runtime_checkable
class LanguageModel(Protocol):
    """Answers questions with JSON objects."""

    @property
    def name(self) -> str:
        """Return its name."""
        ...

    @property
    def version(self) -> str:
        """Return its version: the model that answers."""
        ...

    @property
    def ceiling(self) -> float:
        """Return what one call costs at most, in the currency of the configured prices."""
        ...

    def complete(self, messages: Sequence[Message], schema: dict[str, Any], images: Sequence["Image"] = ()) -> Reply:
        """Return an object that obeys `schema` (JSON Schema of an object); images are shown after the last message.

        Raises: LanguageError if no such answer could be had.
        """
        ...


class Passage(Model):
    """Words or a picture that were found, with their source. `score` is a cosine in [-1, 1].

    A picture that was found `by_sight` was found by what it shows. Its text only names it, and says nothing; its score
    is on a scale of its own.
    """

    text: str
    source: Source
    score: float
    by_sight: bool = False


@runtime_checkable
class Knowledge(Protocol):
    """Something that can be searched."""

    name: str
    version: str

    def search(self, query: str, count: int = 5) -> list[Passage]:
        """Return the nearest passages, best first."""
        ...


@runtime_checkable
class Editor(Protocol):
    """Changes one thing in a picture and leaves the rest."""

    name: str
    version: str
    reads: frozenset[str]  # as a generator's

    def handles(self, commitment: Commitment) -> bool:
        """Return whether it knows an edit towards this commitment. Pure and cheap."""
        ...

    def edit(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        """Return one picture per request, in order: `request.edit.image` changed towards `request.edit.toward`.

        Paths are absolute here. Outside `request.edit.mask`, where there is one, nothing changes.
        """
        ...


@dataclass(frozen=True)
class Toolbox:
    """What a run works with. Skills get it."""

    reader: Reader
    generator: Generator
    verifiers: tuple[Verifier, ...] = ()
    language: LanguageModel | None = None
    knowledge: tuple[Knowledge, ...] = ()
    editor: Editor | None = None
    skills: tuple[Skill, ...] = ()  # what `ground` may run, in this order
    seed: int = 0  # of the run, for what is decided by chance
    canvas: tuple[int, int] = (1, 1)  # width and height of the picture, in a unit of its own
