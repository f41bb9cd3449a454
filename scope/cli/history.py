"""`scope runs` and `scope show`: what was made, and how it went."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scope.cli.console import emit, emit_json, emit_table, log
from scope.cli.options import Json
from scope.cli.proof import log_notes, show_proof
from scope.errors import OtherSchema, ScopeError

if TYPE_CHECKING:
    from scope.runs.store import Run


def runs(as_json: Json = False) -> None:
    """List all runs, newest first."""
    from scope.runs.store import list_runs

    rows = [_row(run) for run in list_runs()]
    if as_json:
        return emit_json({"runs": rows})
    if not rows:
        return log("no runs yet: scope generate PROMPT")
    return emit_table(("run", "state", "prompt"), ((r["id"], _state(r), r["prompt"] or "") for r in rows))


def show(
    what: Annotated[str, typer.Argument(metavar="RUN|IMG", help="A run's id, or a picture that scope made.")],
    output: Annotated[Path | None, typer.Option("--output", "-o", help="HTML file to write.")] = None,
    browse: Annotated[bool, typer.Option("--open", help="Open it in the browser.")] = False,
) -> None:
    """Print the proof of a run or a picture, and write its report as one HTML file that opens offline."""
    from scope import app

    result = app.load_run(what)
    path = app.show(result, output)
    if browse:
        import webbrowser

        webbrowser.open(path.as_uri())
    log_notes(result.outcome)
    for note in result.lost:
        log(f"note: {note}")
    show_proof(result)
    emit(str(path))


def _row(run: "Run") -> dict[str, Any]:
    """Return one line of the list; a damaged run is still listed. `exit` is the exit code of a finished one."""
    prompt, code = None, None
    try:
        prompt = run.manifest.prompt
        code = run.result()["exit"] if run.finished else None
        state = "finished" if run.finished else "unfinished"
    except OtherSchema:
        state = "made by another version of scope"
    except (ScopeError, KeyError):
        prompt, state = None, "damaged"
    return {"id": run.id, "state": state, "exit": code, "prompt": prompt}


def _state(row: dict[str, Any]) -> str:
    return row["state"] if row["exit"] is None else f"{row['state']} ({row['exit']})"
