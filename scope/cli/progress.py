"""Live progress: one moving line on a terminal, one line per event elsewhere."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType
from typing import TYPE_CHECKING

from scope.cli.console import console, log
from scope.text import visible

if TYPE_CHECKING:
    from scope.engine.outcome import Progress


def describe(progress: "Progress") -> str:
    """Return one event in words: "drawing draft 2 of 2, repair 1"."""
    from scope.engine.outcome import STAGES

    words = STAGES[progress.stage]
    if progress.draft is not None:
        words += f" draft {progress.draft} of {progress.drafts}"
    if progress.round:
        words += f", repair {progress.round}"
    return f"{words}: {progress.text}" if progress.text else words


class ProgressView:
    """Shows what a run does while it is open. Hand it to `scope.engine.execution.generate` as `on_event`."""

    def __init__(self) -> None:
        self._last = ""
        self._live = console(stderr=True).is_terminal and os.environ.get("TERM") != "dumb"

    def __enter__(self) -> "ProgressView":
        if self._live:
            from rich.progress import BarColumn, Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

            columns = (
                SpinnerColumn(),
                TextColumn("{task.description}", markup=False),
                BarColumn(24),
                TimeElapsedColumn(),
            )
            self._bar = Progress(*columns, console=console(stderr=True), transient=True)
            self._bar.start()
            self._task = self._bar.add_task("starting", total=None)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._live:
            self._bar.stop()

    @contextmanager
    def paused(self) -> Iterator[None]:
        """Leave the terminal to somebody else for a while."""
        if self._live:
            self._bar.stop()
        yield
        if self._live:
            self._bar.start()

    def __call__(self, progress: "Progress") -> None:
        """Show one event."""
        words = describe(progress)
        if self._live and progress.text:
            console(stderr=True).print(visible(words), markup=False, soft_wrap=True)
        elif self._live:
            self._bar.update(self._task, description=visible(words), total=progress.steps, completed=progress.step or 0)
        elif progress.state != "end" and words != self._last:
            log(words)
        self._last = words
