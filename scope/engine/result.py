"""What a door hands back: the picture, its proof, and the run that they come from."""

import base64
from dataclasses import dataclass
from functools import cached_property
from html import escape
from pathlib import Path

from PIL.Image import Image

from scope.engine.outcome import Outcome
from scope.engine.proof import Proof
from scope.runs.png import open_png
from scope.runs.report import render
from scope.runs.store import Run


@dataclass(frozen=True)
class Result:
    """A run as it stands, with the picture of its best draft. A notebook shows both picture and proof.

    `path` is that of the picture, absolute; None: there is no draft yet. `run` is None where the run is not on this
    machine, and all that is known is what the picture itself records.
    """

    outcome: Outcome
    path: Path | None
    run: Run | None = None

    @cached_property
    def image(self) -> Image | None:
        """Return the picture in RGB; None: there is no draft yet.

        Raises: ImageError if somebody removed or damaged the file.
        """
        return open_png(self.path).convert("RGB") if self.path is not None else None

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
        outcome, files = self.outcome, self._drafts()
        return render(
            outcome.spec,
            outcome.drafts,
            outcome.verdicts,
            {draft: open_png(path) for draft, path in files.items() if path.is_file()},
            title=outcome.run or (self.path.name if self.path is not None else ""),
            best=outcome.best.id if outcome.best else None,
            seconds=outcome.seconds,
            notes=outcome.notes,
        )

    def _drafts(self) -> dict[str, Path]:
        """Return where each draft lies. Without a run there is one, and it is the picture."""
        if self.run is not None:
            return {draft.id: self.run.folder / draft.path for draft in self.outcome.drafts}
        return {draft.id: self.path for draft in self.outcome.drafts if self.path is not None}

    def _repr_png_(self) -> bytes | None:
        return self.path.read_bytes() if self.path is not None else None

    def _repr_html_(self) -> str:
        png = self._repr_png_()
        data = base64.b64encode(png).decode() if png is not None else ""
        picture = f'<img alt="{escape(self.prompt)}" src="data:image/png;base64,{data}">' if data else ""
        return picture + self.proof._repr_html_()
