"""Where the work of one run is done: a draft made, a draft judged. Each call is paid for once.

Before a call its key is looked up: a hash of all that decides its result. After it, the result is recorded before
anything uses it. So a node that runs twice, because the process was killed in it, does its work once.
"""

import hashlib
import io
import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from PIL import Image

from scope.engine.outcome import Progress
from scope.engine.signals import Interrupts
from scope.engine.verification import judge, unknown_to
from scope.files import write_atomic
from scope.protocols import Editor, Generator, OnStep, Picture, Toolbox, Verifier
from scope.runs.store import Run
from scope.specification import Commitment, Draft, Request, Specification, Verdict, grounded, sha256_of

Tell = Callable[[Progress], None]


@dataclass(frozen=True)
class Desk:
    """A run, what it works with, and who is told: LangGraph's context, which is not stored."""

    run: Run
    tools: Toolbox
    tell: Tell
    interrupts: Interrupts = field(default_factory=Interrupts)

    def draw(self, draft_id: str, request: Request, on_step: OnStep, named: Sequence[Commitment] = ()) -> Draft:
        """Return the draft of a request, and have its picture in the run's folder.

        Args:
            draft_id: its name: "d1".
            request: what is asked for.
            on_step: who is told of each step.
            named: the commitments that an edit is to bring about.

        Raises: OutputError if the picture cannot be written; whatever the generator raises.
        """
        maker = self._maker(request)
        asked = [self.run.id, draft_id, request.model_dump(mode="json"), [c.id for c in named]]
        key = sha256_of([*asked, maker.name, maker.version, getattr(maker, "weights", {})])
        path = self.run.drafts / f"{draft_id}.png"
        recorded = self.run.recall(key)
        if recorded is not None and path.exists() and _sha256(path.read_bytes()) == recorded["sha256"]:
            return Draft.model_validate(recorded)
        began = time.monotonic()
        picture = self._made(request, on_step, named)
        likelihood = picture.log_likelihood
        png = _png(picture.image)
        write_atomic(path, png)
        draft = Draft(
            id=draft_id,
            path=f"{path.parent.name}/{path.name}",
            sha256=_sha256(png),
            request=request,
            generator=f"{maker.name}@{maker.version}",
            log_likelihood=likelihood if likelihood is not None and math.isfinite(likelihood) else None,
            seconds=time.monotonic() - began,
        )
        self.run.record(key, draft.model_dump(mode="json"))
        return draft

    def _maker(self, request: Request) -> Generator | Editor:
        """Return who makes a picture: the editor where a draft itself is to be changed, else the generator."""
        edits = request.start is not None and request.start.t is None
        return self.tools.editor if edits and self.tools.editor is not None else self.tools.generator

    def _made(self, request: Request, on_step: OnStep, named: Sequence[Commitment]) -> Picture:
        if request.start is None:
            # One at a time: a batch would save little, and a picture must not depend on what else is in its batch.
            return self.tools.generator.generate([request], on_step)[0]
        image = self._picture(request.start.path, request.start.sha256)
        if request.start.t is None and self.tools.editor is not None:
            return self.tools.editor.edit(image, request, named)
        here = request.start.model_copy(update={"path": str(self.run.folder / request.start.path)})
        return self.tools.generator.generate([request.model_copy(update={"start": here})], on_step)[0]

    def judge(self, draft: Draft, spec: Specification) -> tuple[Verdict, ...]:
        """Return one verdict per commitment on a draft.

        Raises: StateCorrupt if its picture is not the one that was made.
        """
        image, asked_of = self._picture(draft.path, draft.sha256), grounded(spec)

        def ask(verifier: Verifier, commitments: Sequence[Commitment]) -> Sequence[Verdict]:
            asked = [c.model_dump(mode="json") for c in commitments]
            key = sha256_of([self.run.id, draft.sha256, verifier.name, verifier.version, asked])
            recorded = self.run.recall(key)
            if recorded is None:
                verdicts = verifier.check(image, commitments, asked_of)
                recorded = {"verdicts": [v.model_dump(mode="json") for v in verdicts]}
                self.run.record(key, recorded)
            return [Verdict.model_validate(v) for v in recorded["verdicts"]]

        told = {c.id: c for c in (*spec.commitments, *asked_of.commitments)}
        return tuple(self._explained(v, told[v.commitment]) for v in judge(spec, self.tools.verifiers, ask))

    def _picture(self, path: str, sha256: str) -> Image.Image:
        file = self.run.folder / path
        if not file.exists() or _sha256(file.read_bytes()) != sha256:
            raise self.run.corrupt(f"{path} is not the picture that was made")
        with Image.open(file) as image:
            return image.convert("RGB")

    def unknown(self, spec: Specification) -> tuple[str, ...]:
        """Return what of a specification the generator's weights have never seen, in words."""
        found = [self._unknown(c) for c in grounded(spec).commitments]
        return tuple(dict.fromkeys(what for what in found if what is not None))

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


def _png(image: Image.Image) -> bytes:
    file = io.BytesIO()
    image.convert("RGB").save(file, "PNG")
    return file.getvalue()


def _sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()
