"""`scope runs` and `scope show`: what was made, how it went, and what of it to delete."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from scope.cli.console import Commands, emit, emit_json, emit_path, emit_table, log
from scope.cli.options import Json
from scope.cli.proof import log_notes, show_proof
from scope.errors import OutputError, RunBusy

if TYPE_CHECKING:
    from scope.runs.listing import Listed, Which

app = typer.Typer(cls=Commands, help="List runs, newest first; delete some.", invoke_without_command=True)

State = Annotated[Literal["finished", "unfinished", "damaged"] | None, typer.Option(help="Only these.")]
Verdict = Annotated[
    Literal["met", "unmet"] | None, typer.Option(help="Only finished ones of which all is met, or something is not.")
]
Prompt = Annotated[str | None, typer.Option(help="Only those whose prompt has these words.", metavar="WORDS")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Say what would go; delete nothing.")]

_WORDS = 60  # characters of a prompt in the table


@app.callback()
def runs(
    context: typer.Context,
    state: State = None,
    verdict: Verdict = None,
    since: Annotated[str | None, typer.Option(help="Only those since then: 30d, 12h, 2026-11-28 (UTC).")] = None,
    before: Annotated[str | None, typer.Option(help="Only those before then.")] = None,
    prompt: Prompt = None,
    limit: Annotated[int, typer.Option(min=0, help="Lines of the table; 0: all.")] = 50,
    as_json: Json = False,
) -> None:
    """List runs, newest first: when, how it went, what was asked, and where the picture is."""
    from scope.runs.listing import listed

    if context.invoked_subcommand is not None:
        return None
    found = listed(_which(state, verdict, since, before, prompt))
    if as_json:
        return emit_json({"runs": [vars(run) for run in found]})
    if not found:
        return log("no runs yet: scope generate PROMPT" if not listed() else "no such runs; scope runs lists all")
    shown = found[: limit or None]
    emit_table(("run", "made (UTC)", "state", "met", "prompt", "picture"), map(_row, shown))
    return log(f"{len(shown)} of {len(found)} runs; --limit 0 shows all") if len(shown) < len(found) else None


@app.command()
def delete(runs: Annotated[list[str], typer.Argument(metavar="RUN...", help="Their ids.", show_default=False)]) -> None:
    """Delete runs, with their drafts; pictures that were written elsewhere stay."""
    from scope.runs.store import find_run

    for run in [find_run(name) for name in dict.fromkeys(runs)]:  # all are there, or none goes
        run.delete()
        emit(run.id)


@app.command()
def prune(
    older_than: Annotated[str | None, typer.Option(help="Those made before then: 30d, 12h, 2026-11-28 (UTC).")] = None,
    keep: Annotated[int | None, typer.Option(min=0, help="All but the newest so many.")] = None,
    state: State = None,
    verdict: Verdict = None,
    prompt: Prompt = None,
    dry_run: DryRun = False,
) -> None:
    """Delete old runs, with their drafts; pictures that were written elsewhere stay. With both, what is kept stays.

    What another process works on stays, too.
    """
    from scope.runs.listing import listed, moment, to_prune
    from scope.runs.store import find_run

    found = listed(_which(state, verdict, None, None, prompt))
    gone = 0
    for run in to_prune(found, keep, moment(older_than) if older_than is not None else None):
        try:
            if not dry_run:
                find_run(run.id).delete()
        except (RunBusy, OutputError) as error:
            log(f"note: {error}")
            continue
        emit(run.id)
        gone += 1
    log(f"{gone} of {len(found)} runs {'would be' if dry_run else 'are'} deleted")


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
    emit_path(path)


def _which(
    state: str | None,
    verdict: Literal["met", "unmet"] | None,
    since: str | None,
    before: str | None,
    prompt: str | None,
) -> "Which":
    from scope.runs.listing import Which, moment

    return Which(
        state=state,
        verdict=verdict,
        since=moment(since) if since is not None else None,
        before=moment(before) if before is not None else None,
        prompt=prompt,
    )


def _row(run: "Listed") -> tuple[str, ...]:
    """Return one line of the table; the number after a state is the exit code."""
    prompt = run.prompt or ""
    return (
        run.id,
        (run.created or "")[:16].replace("T", " "),
        run.state if run.exit is None else f"{run.state} ({run.exit})",
        "" if run.met is None else f"{run.met} of {run.commitments}",
        prompt if len(prompt) <= _WORDS else prompt[: _WORDS - 3] + "...",
        run.image or "",
    )
