"""`scope generate`, `spec` and `resume`: from a prompt to a picture and its proof."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scope.cli.asking import asker, check_editor
from scope.cli.console import emit, emit_json, log
from scope.cli.options import Json, Output, Prompt, flag_name, with_option_flags
from scope.cli.progress import Watch
from scope.cli.proof import log_notes, show_commitments, show_outcome, show_plan, show_unknown
from scope.cli.target import Order, check_writable, slug, target
from scope.errors import OutputError

if TYPE_CHECKING:
    from scope.engine.outcome import Outcome
    from scope.protocols import Reader
    from scope.runs.store import Run


@with_option_flags
def generate(
    prompt: Prompt,
    output: Output = None,
    as_json: Json = False,
    no_metadata: Annotated[
        bool, typer.Option("--no-metadata", help="No record inside the picture or beside it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan; draw and write nothing.")] = False,
    **flags: Any,
) -> None:
    """Draw a prompt, judge every commitment, repair what is violated; print the path of the picture."""
    from scope.config import resolve
    from scope.plugins import registry
    from scope.runs import store
    from scope.worlds.pocket.vocabulary import EMBEDDED

    options = resolve(flags, flag_name)
    check_editor(options.confirm)
    registry.load("generators", options.generator)  # a typo is told before anything else is done
    registry.load("language", options.language)
    specification = _reader().decompose(prompt)
    order = Order(output=target(output, f"{slug(specification.prompt)}-{options.seed}"), metadata=not no_metadata)
    if options.generator in EMBEDDED:
        show_unknown(specification)
    if dry_run:
        return show_plan(specification, options, order, as_json)
    run = store.create(specification.prompt, options, registry.versions())
    order.keep(run)
    return _finish(run, order, as_json)


def spec(prompt: Prompt, as_json: Json = False) -> None:
    """Read a prompt into commitments and draw nothing."""
    specification = _reader().decompose(prompt)
    if as_json:
        return emit_json(specification.model_dump(mode="json"))
    show_commitments(specification)
    return show_unknown(specification)


def resume(
    run: Annotated[str | None, typer.Argument(help="Which run. Without it: the latest that is unfinished.")] = None,
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Continue a run that was interrupted or killed, to the picture that it was asked for."""
    from scope.runs import store

    found = store.open_run(run)
    options, order = found.manifest.options, Order.of(found)
    if output is not None or order is None:
        path = target(output, f"{slug(found.manifest.prompt)}-{options.seed}")
        order = Order(output=path, metadata=order is None or order.metadata)
        order.keep(found)
    check_writable(order.output)
    _finish(found, order, as_json)


def _reader() -> "Reader":
    from scope.plugins import registry

    model: Reader = registry.load("language", "grammar")()
    return model


def _finish(run: "Run", order: Order, as_json: bool) -> None:
    """Run a run to its end, write its picture, and tell how it went."""
    from scope.engine.outcome import json_report

    try:
        outcome, weights = _draw(run)
    except KeyboardInterrupt:
        log(f"scope: interrupted; nothing is lost. Continue with: scope resume {run.id}")
        raise typer.Exit(130) from None
    written = _write_picture(run, outcome, order, weights)
    log_notes(outcome)
    if as_json:
        emit_json(json_report(outcome, image=str(written) if written else None))
        raise typer.Exit(outcome.exit)
    show_outcome(outcome)
    if written:
        emit(str(written))
    raise typer.Exit(outcome.exit)


def _draw(run: "Run") -> tuple["Outcome", dict[str, str]]:
    """Return how a run ended, and the hashes of the weights that drew."""
    from scope.engine import assemble

    with Watch() as watch:
        from scope.engine.graph import generate as finish

        tools = assemble.of(run)
        return finish(run, tools, watch, asker(watch)), dict(tools.generator.weights)


def _write_picture(run: "Run", outcome: "Outcome", order: Order, weights: dict[str, str]) -> Path | None:
    """Write the best draft to where it was ordered, with its record; None: there is no draft."""
    from scope.runs.png import Record, open_png, save_png

    best = outcome.best
    if best is None:
        return None
    record = Record(
        run=run.id,
        specification=outcome.spec,
        draft=best,
        verdicts=outcome.verdicts.get(best.id, ()),
        options=run.manifest.options.model_dump(mode="json"),
        weights=weights,
        versions=run.manifest.versions,
    )
    try:
        save_png(order.output, open_png(run.folder / best.path), record if order.metadata else None)
    except OutputError as error:
        raise OutputError(f"{error}. The drafts are kept: scope resume {run.id} -o PNG") from error
    return order.output
