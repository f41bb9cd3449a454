"""`scope runs` and `scope show`: what was made, and how it went."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scope.cli.console import emit, emit_json, emit_table, log
from scope.cli.options import Json
from scope.errors import ImageError, OtherSchema, ScopeError, UsageError
from scope.text import visible

if TYPE_CHECKING:
    from PIL.Image import Image

    from scope.runs.store import Run


def runs(as_json: Json = False) -> None:
    """List all runs, newest first."""
    from scope.runs.store import list_runs

    rows = [_row(run) for run in list_runs()]
    if as_json:
        return emit_json({"runs": rows})
    if not rows:
        return log("no runs yet: scope generate PROMPT")
    return emit_table(("run", "state", "prompt"), ((r["id"], r["state"], r["prompt"] or "") for r in rows))


def show(
    what: Annotated[str, typer.Argument(metavar="RUN|IMG", help="A run's id, or a picture that scope made.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="HTML file to write.")] = None,
    browse: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Write the report of a run or a picture as one HTML file that opens offline; print its path."""
    from scope.files import write_atomic

    run = _run_of(Path(what)) if Path(what).is_file() else _resolved(what)
    page = _page_of_run(run) if run else _page_of_picture(Path(what))
    path = (output or (run.folder / "report.html" if run else Path(what).with_suffix(".html"))).absolute()
    write_atomic(path, page.encode())
    if browse:
        import webbrowser

        webbrowser.open(path.as_uri())
    emit(str(path))


def _row(run: "Run") -> dict[str, Any]:
    """Return one line of the list; a damaged run is still listed."""
    try:
        prompt: str | None = run.manifest.prompt
        state = f"finished ({run.result()['exit']})" if run.finished else "unfinished"
    except OtherSchema:
        prompt, state = None, "made by another version of scope"
    except (ScopeError, KeyError):
        prompt, state = None, "damaged"
    return {"id": run.id, "state": state, "prompt": prompt}


def _resolved(name: str) -> "Run":
    from scope.runs.store import resolve

    if Path(name).suffix.lower() == ".png":
        raise ImageError(f"{name}: there is no such file")
    return resolve(name)


def _run_of(picture: Path) -> "Run | None":
    """Return the run that made a picture, if its folder is on this machine."""
    from scope.runs.png import Record, sidecar
    from scope.runs.store import open_run, resolve

    try:
        if sidecar(picture).is_file():
            return open_run(Record.model_validate_json(sidecar(picture).read_bytes()).run)
        return resolve(str(picture))
    except (UsageError, ValueError, OSError):
        return None


def _page_of_run(run: "Run") -> str:
    from scope.engine.graph import load
    from scope.runs.report import render

    outcome = load(run)
    if outcome is None:
        raise UsageError(f"run {visible(run.id)} never began; start it with: scope resume {visible(run.id)}")
    return render(
        outcome.spec,
        outcome.drafts,
        outcome.verdicts,
        {draft.id: picture for draft in outcome.drafts if (picture := _draft(run.folder / draft.path))},
        title=outcome.run,
        best=outcome.best.id if outcome.best else None,
        seconds=outcome.seconds,
        notes=outcome.notes,
    )


def _draft(path: Path) -> "Image | None":
    """Return a draft's picture; None: somebody removed it."""
    from scope.runs.png import open_png

    return open_png(path) if path.is_file() else None


def _page_of_picture(path: Path) -> str:
    from scope.runs.png import open_png, read_record
    from scope.runs.report import render

    record = read_record(path)
    return render(
        record.specification,
        [record.draft],
        {record.draft.id: record.verdicts},
        {record.draft.id: open_png(path)},
        title=path.name,
        best=record.draft.id,
        notes=["Its run is not on this machine: this is what the picture itself records."],
    )
