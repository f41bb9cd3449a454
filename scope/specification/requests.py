"""What is asked of a generator, what it gave, and what a verifier said of it."""

from typing import Any, Literal

from scope.specification.commitments import Model, Span


class Binding(Model):
    """The words of a request that carry one commitment, so that it stays identifiable in conditioning.

    `group` numbers the entity that the words belong to (1, 2, ...; 0: the scene as a whole).
    """

    commitment: str
    group: int
    span: Span


class Start(Model):
    """A draft to start from instead of noise.

    Its picture, noised to time `t` in (0, 1), is drawn on from there; None: an editor changes the picture itself.
    """

    path: str  # relative to the run folder
    sha256: str
    t: float | None = None


class Request(Model):
    """One picture asked of a generator. `text` is what the generator reads; its spans are in `bindings`."""

    text: str
    bindings: tuple[Binding, ...] = ()
    quoted: tuple[str, ...] = ()  # words to be written in the picture
    seed: int = 0
    steps: int | None = None  # None: the generator's own default
    cfg_scale: float | None = None
    parent: str | None = None  # the draft that this one repairs
    start: Start | None = None


class Draft(Model):
    """A picture that was made: named by path and hash, never carried."""

    id: str  # "d1"
    path: str  # relative to the run folder
    sha256: str
    request: Request
    generator: str  # name@version
    log_likelihood: float | None = None
    seconds: float = 0.0

    @property
    def parent(self) -> str | None:
        """Return the id of the draft that this one repairs."""
        return self.request.parent


class Verdict(Model):
    """What one verifier says of one commitment on one draft. Outcome None: it could not be judged.

    `evidence` is plain JSON; boxes are [x0, y0, x1, y1] in pixels under the key "boxes".
    `blocked_by` names the entity without which the question makes no sense.
    """

    commitment: str
    outcome: Literal["met", "violated"] | None
    reason: str
    verifier: str  # name@version
    score: float | None = None
    evidence: dict[str, Any] = {}
    blocked_by: str | None = None


class RepairResult(Model):
    """What one repair did: ids that were not met and now are, ids that were met and now are not, seconds it took.

    Measured between the best draft before it and the best of its own.
    """

    strategy: str
    family: str
    fixed: tuple[str, ...]
    broke: tuple[str, ...]
    seconds: float
