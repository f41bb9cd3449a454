"""What a door hands back: the picture, its proof, and the run that they come from."""

import base64
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path

from PIL.Image import Image

from scope.engine.outcome import Outcome
from scope.engine.proof import Proof
from scope.errors import ImageError, StateCorrupt
from scope.runs.png import open_draft, open_png, png_bytes
from scope.runs.report import render
from scope.runs.store import Run


@dataclass(frozen=True)
class Result:
    """A run as it stands, with the picture of its best draft. A notebook shows both picture and proof.

    `path` is that of the picture, absolute; None: there is no draft yet, or it lies in no file. `run` is None where the
    run is not on this machine, and all that is known is what the picture itself records. `judged` are the pixels of a
    picture that was checked, as they were judged.
    """

    outcome: Outcome
    path: Path | None
    run: Run | None = None
    judged: Image | None = None

    @cached_property
    def image(self) -> Image | None:
        """Return the picture in RGB; None: there is no draft yet.

        Raises: ImageError if somebody removed or damaged the file; StateCorrupt if it is a draft of the run and not
        the one that was made.
        """
        if self.judged is not None:
            return self.judged
        return self._opened(self.path).convert("RGB") if self.path is not None else None

    @cached_property
    def proof(self) -> Proof:
        """Return what of the prompt the picture keeps."""
        return Proof.of(self.outcome)

    @property
    def prompt(self) -> str:
        """Return what was asked for."""
        return self.outcome.spec.prompt

    def html(self) -> str:
        """Return the whole story as one page that opens offline: drafts with boxes, verdicts, timelines."""
        outcome = self.outcome
        return render(
            outcome.spec,
            outcome.drafts,
            outcome.verdicts,
            self.pictures,
            title=outcome.run or (self.path.name if self.path is not None else ""),
            best=outcome.best.id if outcome.best else None,
            seconds=outcome.seconds,
            notes=(*outcome.notes, *self.lost),
        )

    @property
    def pictures(self) -> dict[str, Image]:
        """Return the picture of each draft, by its id; one that is gone, or is not the one that was made, is not."""
        return self._drafts[0]

    @property
    def lost(self) -> tuple[str, ...]:
        """Return a sentence for each draft whose picture is gone, or is not the one that was made."""
        return self._drafts[1]

    @cached_property
    def _drafts(self) -> tuple[dict[str, Image], tuple[str, ...]]:
        """Return the pictures of the drafts, and what is to be said of those that cannot be shown.

        Without a run there is one draft, and it is the picture.
        """
        pictures, lost = {}, []
        for draft in self.outcome.drafts:
            try:
                if self.run is not None:
                    pictures[draft.id] = open_draft(self.run, draft)
                elif self.judged is not None:
                    pictures[draft.id] = self.judged
                elif self.path is not None:
                    pictures[draft.id] = open_png(self.path)
            except (ImageError, StateCorrupt):
                lost.append(f"the picture of draft {draft.id} is left out: it is gone, or not the one that was made")
        return pictures, tuple(lost)

    def _opened(self, path: Path) -> Image:
        best = self.outcome.best
        if self.run is not None and best is not None and path == (self.run.folder / best.path).absolute():
            return open_draft(self.run, best)
        return open_png(path)

    def _repr_png_(self) -> bytes | None:
        if self.judged is not None:
            return png_bytes(self.judged, None)
        if self.path is None:
            return None
        self._opened(self.path)  # refused if it is not what the proof speaks of
        return self.path.read_bytes()

    def _repr_html_(self) -> str:
        try:
            png = self._repr_png_()
        except (ImageError, StateCorrupt):  # the proof stands without it
            png = None
        data = base64.b64encode(png).decode() if png is not None else ""
        picture = f'<img alt="{escape(self.prompt)}" src="data:image/png;base64,{data}">' if data else ""
        return picture + self.proof._repr_html_()
