"""Where the work of one run is done: drafts made, drafts judged. LangGraph's context, which is not stored.

Each call goes through `RunContext.call`: a node that runs twice does its work once.
"""

import hashlib
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import cast

from PIL import Image

from scope.engine.foreseen import unjudgeable
from scope.engine.masks import mask_of
from scope.engine.outcome import Progress
from scope.engine.signals import Interrupts
from scope.engine.verification import judge, unknown_to
from scope.engine.whereabouts import located
from scope.errors import ScopeError, StateCorrupt
from scope.files import write_atomic
from scope.protocols import Editor, Generator, OnStep, Picture, Toolbox, Verifier, limits, part_name, reads_of
from scope.runs.context import RunContext
from scope.runs.store import Run
from scope.skills.references import Shown, found, given
from scope.specification import (
    READS,
    Box,
    Commitment,
    Draft,
    ImageFile,
    Model,
    Reference,
    Region,
    Request,
    Specification,
    Verdict,
    answers,
    grounded,
    unread,
    with_files,
)
from scope.text import excerpt

Tell = Callable[[Progress], None]


class Verdicts(Model):
    """What one verifier said of one draft."""

    verdicts: tuple[Verdict, ...]


@dataclass(frozen=True)
class EngineContext(RunContext):
    """A run, what it works with, and who is told."""

    tools: Toolbox = field(kw_only=True)
    tell: Tell = field(kw_only=True)
    interrupts: Interrupts = field(default_factory=Interrupts, kw_only=True)

    @classmethod
    def of(cls, run: Run, tools: Toolbox, tell: Tell) -> "EngineContext":
        """Return the context of a run, within its own budget."""
        return cls(run, run.manifest.options.max_cost, tools=tools, tell=tell)

    def draw(
        self, requests: dict[str, Request], parent: Draft | None, on_step: OnStep, *, edits: bool = False
    ) -> list[Draft]:
        """Return the drafts of requests, and have their pictures in the run's folder.

        What was not drawn before is asked for in one call of the maker, so that it can be batched.

        Args:
            requests: by the name of the draft: "d1".
            parent: the draft that these repair.
            on_step: who is told of each step.
            edits: whether the editor is to change the picture of `Request.edit`, in place of the generator.

        Raises: OutputError if a picture cannot be written; BudgetSpent; ScopeError that names the part if it fails.
        """
        maker = self.maker(edits)
        names, made_by = list(requests), [maker.name, maker.version, getattr(maker, "weights", {})]
        keys = [[name, request.model_dump(mode="json"), *made_by] for name, request in requests.items()]

        def make(missing: list[int]) -> list[Draft]:
            began = time.monotonic()
            placed = [self._placed(requests[names[i]]) for i in missing]
            pictures = self._pictures(placed, on_step, edits)
            seconds = (time.monotonic() - began) / len(missing)
            drafts = []
            for i, picture in zip(missing, pictures, strict=True):
                png = _png(picture.image)
                path = self.run.drafts / f"{names[i]}.png"
                write_atomic(path, png)
                likelihood = picture.log_likelihood
                drafts.append(
                    Draft(
                        id=names[i],
                        path=f"{path.parent.name}/{path.name}",
                        sha256=_sha256(png),
                        request=requests[names[i]],
                        generator=f"{maker.name}@{maker.version}",
                        parent=parent.id if parent else None,
                        log_likelihood=likelihood if likelihood is not None and math.isfinite(likelihood) else None,
                        seconds=seconds,
                        cost=picture.cost,
                    )
                )
            return drafts

        return self.call_all("generator", keys, make, Draft, limits(maker).ceiling, valid=self._is_there)

    def maker(self, edits: bool) -> Generator | Editor:
        """Return who makes pictures: the editor where one is to be changed and there is one, else the generator."""
        return self.tools.editor if edits and self.tools.editor is not None else self.tools.generator

    def _pictures(self, requests: list[Request], on_step: OnStep, edits: bool) -> list[Picture]:
        """Return one picture per request, checked.

        Raises: ScopeError if the maker failed or gave something else.
        """
        name, editor = part_name(self.maker(edits)), self.tools.editor
        make = editor.edit if edits and editor is not None else self.tools.generator.generate
        try:
            made: object = make(requests, on_step)
            fault = _fault(made, len(requests))
        except ScopeError:
            raise
        except (Exception, SystemExit) as error:
            made, fault = error, f"failed: {type(error).__name__}: {excerpt(error)}"
        if fault:
            again = f"Nothing is lost: when the cause is gone, continue with: scope resume {self.run.id}"
            raise ScopeError(f"{name} {fault}. {again}") from (made if isinstance(made, BaseException) else None)
        return cast(list[Picture], made)

    def judge(self, draft: Draft, spec: Specification) -> tuple[Verdict, ...]:
        """Return one verdict per commitment on a draft, region by region where it has regions.

        Raises: StateCorrupt if its picture is not the one that was made.
        """
        image, asked_of = self._picture(draft.path, draft.sha256), grounded(spec)

        def ask(verifier: Verifier, commitments: Sequence[Commitment]) -> Sequence[Verdict]:
            def check() -> Verdicts:
                return Verdicts(verdicts=tuple(verifier.check(image, commitments, asked_of)))

            asked = [c.model_dump(mode="json") for c in commitments]
            key = [draft.sha256, verifier.name, verifier.version, asked]
            return self.call("verifier", key, check, Verdicts, limits(verifier).ceiling).verdicts

        commitments = {c.id: c for c in (*spec.commitments, *asked_of.commitments)}
        verdicts = located(spec, judge(spec, self.tools.verifiers, ask), draft.request.regions)
        return tuple(self._explained(v, commitments[v.commitment]) for v in verdicts)

    def unknown(self, spec: Specification) -> tuple[str, ...]:
        """Return what of a specification the generator's weights have never seen, in words."""
        found = [self._unknown(c) for c in grounded(spec).commitments]
        return tuple(dict.fromkeys(what for what in found if what is not None))

    def unjudged_answers(self, spec: Specification) -> tuple[str, ...]:
        """Return what none of the verifiers could judge of the answers that were found, in words."""
        known = answers(spec)
        return tuple(str(one) for one in unjudgeable(spec, self.tools.verifiers) if one.commitment in known)

    def passed_over(self, request: Request, edits: bool = False) -> tuple[str, ...]:
        """Return what of a request its maker does not read, in words.

        Raises: PluginError if it does not say what it reads.
        """
        maker = self.maker(edits)
        return tuple(f"{maker.name} does not read {READS[name]}" for name in unread(request, reads_of(maker)))

    def references(self, spec: Specification) -> tuple[Reference, ...]:
        """Return the pictures that show things, copied into the run's folder once.

        They are a person's and, where the generator reads any, those that were found with answers.

        Raises: UsageError if a person's is of no thing; ImageError if it cannot be read; OutputError.
        """
        options = self.run.manifest.options
        shown = given(spec, options.reference)
        if "references" in reads_of(self.tools.generator):
            named = {one.commitment for one in shown}
            shown += tuple(one for one in found(spec, options.knowledge) if one.commitment not in named)
        kept = ((one, self._kept(one)) for one in shown)
        return tuple(
            Reference(commitment=one.commitment, licence=one.licence, path=file.path, sha256=file.sha256)
            for one, file in kept
            if file.path
        )

    def _kept(self, shown: Shown) -> ImageFile:
        """Return the copy of a picture in the run's folder; one without a path, where it is gone or has changed."""

        def copy() -> ImageFile:
            image = shown.opened()
            if image is None:
                return ImageFile(path="", sha256="")
            png = _png(image, image.mode)
            path = self.run.folder / "references" / f"{_sha256(png)[:16]}.png"
            path.parent.mkdir(exist_ok=True)
            write_atomic(path, png)
            return ImageFile(path=f"references/{path.name}", sha256=_sha256(png))

        return self.call("reference", [list(map(str, shown.paths)), shown.sha256], copy, ImageFile)

    # -- pictures --------------------------------------------------------------------------------

    def _placed(self, request: Request) -> Request:
        """Return a request whose files of this run are named by their absolute paths, once they are as recorded."""

        def here(file: ImageFile) -> str:
            self._picture(file.path, file.sha256)
            return str(self.run.folder / file.path)

        return with_files(request, here)

    def mask(self, number: int, regions: Sequence[Region], at_fault: Sequence[Region], strays: Sequence[Box],
             of: Draft) -> ImageFile:  # fmt: skip
        """Return the mask of the repair of this number, which is in the run's folder then (`masks.mask_of`).

        Raises: OutputError; StateCorrupt if the picture of the draft is not the one that was made.
        """
        size = self._picture(of.path, of.sha256).size
        png = _png(mask_of(regions, at_fault, strays, size))
        path = self.run.folder / "masks" / f"r{number}.png"
        path.parent.mkdir(exist_ok=True)
        write_atomic(path, png)
        return ImageFile(path=f"masks/{path.name}", sha256=_sha256(png))

    def _is_there(self, draft: Draft) -> bool:
        try:
            return bool(self.run.picture(draft.path, draft.sha256))
        except StateCorrupt:
            return False

    def _picture(self, path: str, sha256: str) -> Image.Image:
        with Image.open(io.BytesIO(self.run.picture(path, sha256))) as image:
            return image.convert("RGB")

    # -- words that the weights do not know ------------------------------------------------------

    def _unknown(self, commitment: Commitment) -> str | None:
        vocabulary = self.tools.generator.vocabulary
        return unknown_to(vocabulary, commitment) if vocabulary is not None else None

    def _explained(self, verdict: Verdict, commitment: Commitment) -> Verdict:
        """Return the verdict with the plain reason where the weights could not have known."""
        what = self._unknown(commitment)
        if what is None or verdict.outcome == "met":
            return verdict
        reason = f"{verdict.reason}; the weights of {self.tools.generator.name} do not know {what}"
        return verdict.model_copy(update={"reason": reason})


def _fault(made: object, wanted: int) -> str:
    """Return what is wrong with what a generator or an editor gave for so many requests; "": nothing."""
    if not isinstance(made, list) or not all(isinstance(picture, Picture) for picture in made):
        return f"gave {excerpt(repr(made), 80)}, not a list of Pictures"
    if len(made) != wanted:
        return f"gave {len(made)} pictures for {wanted} requests"
    for picture in made:
        if not isinstance(picture.image, Image.Image):
            return f"gave a Picture that holds {excerpt(repr(picture.image), 80)}, not an image"
        if not math.isfinite(picture.cost) or picture.cost < 0:
            return f"gave a picture that costs {picture.cost}"
    return ""


def _png(image: Image.Image, mode: str = "RGB") -> bytes:
    file = io.BytesIO()
    image.convert(mode).save(file, "PNG")
    return file.getvalue()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
