"""`scope generate`, `spec` and `resume`: from a prompt to a picture and its proof."""

import json
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scope.cli.asking import asker, check_editor
from scope.cli.console import emit, emit_json, log
from scope.cli.options import Json, MaybePrompt, Output, SpecFile, asked, flag_name, option_flags
from scope.cli.progress import ProgressView
from scope.cli.proof import log_words, show_commitments, show_plan, show_result, show_words
from scope.config import Options, misspelt, resolve
from scope.text import visible

if TYPE_CHECKING:
    from scope.runs.store import Run


@option_flags(*Options.model_fields)
def generate(
    prompt: MaybePrompt = None,
    spec_file: SpecFile = None,
    output: Output = None,
    as_json: Json = False,
    no_metadata: Annotated[
        bool, typer.Option("--no-metadata", help="No record inside the picture or beside it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan; draw and write nothing.")] = False,
    **flags: Any,
) -> None:
    """Draw a prompt, judge every commitment, repair what is violated; print the path of the picture."""
    from scope import app

    options = resolve(flags, flag_name)
    for note in misspelt():
        log(f"note: {note}")
    check_editor(options.confirm)
    plan = app.plan(asked(prompt, spec_file), options, output or Path(), metadata=not no_metadata)
    log_words(plan.notes, plan.unknown, plan.otherwise, plan.unjudged)
    if dry_run:
        return show_plan(plan, as_json)
    return _finish(app.start(plan), as_json, (*plan.notes, *plan.unknown))


def spec(
    prompt: MaybePrompt = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", help="YAML or JSON file to write, to be edited and taken by --spec."),
    ] = None,
    as_json: Json = False,
    schema: Annotated[bool, typer.Option("--schema", help="Print the JSON Schema of such a file.")] = False,
    explain: Annotated[bool, typer.Option("--explain", help="Show which words made which commitment.")] = False,
) -> None:
    """Read a prompt into commitments and draw nothing."""
    from scope import app
    from scope.config import resolve
    from scope.engine import spec_file
    from scope.parsing.notes import notes_of

    if schema:
        return emit(json.dumps(spec_file.schema(), indent=1))
    if prompt is None:
        raise typer.BadParameter("give a prompt; or --schema for the form of a file")
    specification = app.decompose(prompt)
    if output is not None:
        spec_file.write(specification, output)
        return emit(visible(str(output)))
    if as_json:
        return emit_json(specification.model_dump(mode="json"))
    if explain:
        show_words(specification)
    else:
        show_commitments(specification)
    return log_words(notes_of(specification.prompt), *app.words_of(specification, resolve({}).generator))


def resume(
    run: Annotated[str | None, typer.Argument(help="Which run. Without it: the latest that is unfinished.")] = None,
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Continue a run that was interrupted or killed, to the picture that it was asked for."""
    from scope import app
    from scope.runs.store import open_run

    found = open_run(run)
    if output is not None:
        app.redirect(found, output)
    _finish(found, as_json)


def _finish(run: "Run", as_json: bool, told: tuple[str, ...] = ()) -> None:
    """Run a run to its end, and tell how it went. What was `told` already is not told again."""
    try:
        with ProgressView() as view:
            from scope import app

            result = app.finish(run, view, asker(view))
    except KeyboardInterrupt:
        log(f"scope: interrupted; nothing is lost. Continue with: scope resume {run.id}")
        raise typer.Exit(130) from None
    show_result(result, as_json, told)
    log(f"the whole story: scope show {run.id}")
    raise typer.Exit(result.outcome.exit)
