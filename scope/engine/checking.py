"""A picture that others made, judged by a prompt: the verdicts of a run without a run. Nothing is drawn or kept.

The prompt is read, looked up and worked out as a run does it; then the verifiers are asked. One that says that it can
see nothing in a picture like this (`why_blind`) is not asked: it could only guess.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from tempfile import TemporaryDirectory

from PIL.Image import Image

from scope.config import Options
from scope.engine import assemble
from scope.engine.editing import undrawn
from scope.engine.foreseen import unjudgeable
from scope.engine.grounding import grounded_by
from scope.engine.ledger_updates import entered
from scope.engine.outcome import Outcome
from scope.engine.verification import judge
from scope.engine.whereabouts import located
from scope.errors import ScopeError, UsageError
from scope.protocols import OnStep, Picture, Toolbox, Verifier, Vocabulary, ignore_steps, part_name
from scope.runs.context import RunContext
from scope.runs.png import png_bytes
from scope.runs.store import Run
from scope.skills.decompose import Decompose
from scope.skills.layouts.own_boxes import with_own_boxes
from scope.specification import Cause, Commitment, Draft, Note, Request, Specification, Status, Verdict, grounded
from scope.specification.placements import regions
from scope.text import excerpt

CAUSE = Cause(kind="engine", name="check")
_UNBOUND = (Status.DECLARED, Status.OPEN, Status.GROUNDED, Status.PLACED)


class Given:
    """Stands where a run has its generator: the picture was made elsewhere."""

    name, version, reads = "given", "1", frozenset[str]()
    weights: dict[str, str] = {}
    vocabulary: Vocabulary | None = None

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        """Raise UsageError."""
        raise UsageError("a picture that was given is judged, and none is drawn")


class Blind:
    """A verifier before a picture in which it can see nothing: it says so, and is not asked."""

    def __init__(self, verifier: Verifier, why: str) -> None:
        self.name, self.version, self.verifier, self.why = verifier.name, verifier.version, verifier, why

    def handles(self, commitment: Commitment) -> bool:
        """Return whether it would be asked about another picture."""
        return self.verifier.handles(commitment)

    def check(self, image: Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        """Return one verdict per commitment: none could be judged."""
        name = part_name(self.verifier)
        return [Verdict(commitment=c.id, outcome=None, reason=self.why, verifier=name) for c in commitments]


@dataclass(frozen=True)
class Checker:
    """What pictures are checked with: loaded once, for as many as there are. Make it with `checker`."""

    options: Options
    tools: Toolbox
    context: RunContext

    def check(self, image: Image, asked: str | Specification, name: str) -> Outcome:
        """Return the outcome that a picture is, as a run's only draft.

        Args:
            image: in RGB.
            asked: what is to be in it.
            name: what the picture is called, in reports.

        Raises: PromptError; UsageError if a region is of no thing; ScopeError if a part fails.
        """
        try:
            return self._outcome(image, asked, name)
        except ScopeError:
            raise
        except (Exception, SystemExit) as error:
            raise ScopeError(f"{name} could not be checked: {type(error).__name__}: {excerpt(error)}") from error

    def _outcome(self, image: Image, asked: str | Specification, name: str) -> Outcome:
        clock = [time.monotonic()]
        if isinstance(asked, Specification):
            spec = undrawn(asked)
        else:
            spec = Decompose().run(Specification(prompt=asked), self.tools)
        spec = with_own_boxes(spec, self.options.region)
        clock.append(time.monotonic())
        spec, notes = grounded_by(spec, self.tools, self.options.without)
        clock.append(time.monotonic())
        verdicts = self._verdicts(image, spec)
        clock.append(time.monotonic())
        request = Request(text=spec.prompt, regions=regions(spec))
        digest = sha256(png_bytes(image, None)).hexdigest()
        draft = Draft(id="d1", path=name, sha256=digest, request=request, generator=part_name(self.tools.generator))
        for commitment in spec.where(*_UNBOUND):
            spec = spec.move(commitment.id, Status.BOUND, CAUSE, evidence=Note(note="the picture was given"))
        seconds = {s: b - a for s, a, b in zip(("decompose", "ground", "verify"), clock, clock[1:], strict=False)}
        return Outcome(
            run="",
            exit=0 if all(verdict.outcome == "met" for verdict in verdicts) else 3,
            best=draft,
            spec=entered(spec, draft, verdicts),
            drafts=(draft,),
            verdicts={draft.id: verdicts},
            seconds=seconds | {"total": clock[-1] - clock[0]},
            notes=(*notes, *map(str, unjudgeable(spec, self.tools.verifiers))),
            cost=self.context.run.spent(),
        )

    def _verdicts(self, image: Image, spec: Specification) -> tuple[Verdict, ...]:
        """Return one verdict per commitment, with the regions that a person gave where they gave any."""
        asked_of = grounded(spec)
        verifiers = [_as_it_sees(verifier, image) for verifier in self.tools.verifiers]
        verdicts = judge(spec, verifiers, lambda verifier, asked: verifier.check(image, asked, asked_of))
        return located(spec, verdicts, regions(spec))


def _as_it_sees(verifier: Verifier, image: Image) -> Verifier:
    """Return a verifier, blind where it says that it can see nothing in this picture."""
    why_blind = getattr(verifier, "why_blind", None)
    why = str(why_blind(image)) if why_blind is not None else ""
    return Blind(verifier, why) if why else verifier


@contextmanager
def checker(options: Options) -> Iterator[Checker]:
    """Load what pictures are checked with. What it costs counts against `max_cost`, for all pictures together.

    Raises: PluginError, WeightsError; UsageError if a folder of knowledge cannot be read.
    """
    with TemporaryDirectory(prefix="scope-check-") as folder:
        context = RunContext(Run(Path(folder)), options.max_cost)
        yield Checker(options, assemble.toolbox(options, context, Given()), context)
