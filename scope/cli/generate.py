"""`scope generate`, `spec` and `resume`: from a prompt to a picture and its proof."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scope.cli.asking import asker, check_editor
from scope.cli.console import emit, emit_json, log
from scope.cli.options import Json, Output, Prompt
from scope.cli.progress import Watch
from scope.cli.proof import log_notes, show_commitments, show_outcome, show_plan, show_unknown
from scope.cli.target import Order, check_writable, slug, target
from scope.errors import OutputError, UsageError

if TYPE_CHECKING:
    from scope.engine.outcome import Outcome
    from scope.protocols import Reader
    from scope.runs.store import Options, Run

SKILLS, QUESTIONS = ("retrieve", "reason", "repair"), ("spec", "repair")


def generate(
    prompt: Prompt,
    output: Output = None,
    seed: Annotated[int, typer.Option(min=0, help="Decides all noise; the same seed gives the same drafts.")] = 0,
    drafts: Annotated[int | None, typer.Option(min=1, max=64, help="Drafts per round.")] = None,
    max_rounds: Annotated[int | None, typer.Option(min=0, max=100, help="Repair rounds after the first.")] = None,
    max_time: Annotated[float | None, typer.Option(min=0.001, help="Seconds; the best draft so far is kept.")] = None,
    max_images: Annotated[int | None, typer.Option(min=1, help="Drafts in all.")] = None,
    max_cost: Annotated[float | None, typer.Option(min=0, help="Spent on language models, at their prices.")] = None,
    generator: Annotated[str | None, typer.Option(help="Which generator draws.")] = None,
    language: Annotated[str | None, typer.Option(help="Which language model reads and reasons: openai, vllm.")] = None,
    knowledge: Annotated[
        list[Path] | None, typer.Option(help="A folder to look things up in; may be repeated.")
    ] = None,
    without: Annotated[str, typer.Option(help="Skills to leave out: retrieve,reason,repair.")] = "",
    confirm: Annotated[str, typer.Option(help="Ask before: spec,repair. You edit YAML in $EDITOR.")] = "",
    no_learned: Annotated[
        bool, typer.Option("--no-learned", help="Choose repairs as if this were the first run.")
    ] = False,
    as_json: Json = False,
    no_metadata: Annotated[
        bool, typer.Option("--no-metadata", help="No record inside the picture or beside it.")
    ] = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan; draw and write nothing.")] = False,
) -> None:
    """Draw a prompt, judge every commitment, repair what is violated; print the path of the picture."""
    from scope.plugins import registry
    from scope.runs import store
    from scope.worlds.pocket.vocabulary import EMBEDDED

    flags = {
        "drafts": drafts,
        "max_rounds": max_rounds,
        "max_time": max_time,
        "max_images": max_images,
        "max_cost": max_cost,
        "generator": generator,
        "language": language,
        "knowledge": tuple(str(_folder(path)) for path in knowledge or ()),
        "without": _listed(without, "--without", SKILLS),
        "learned": not no_learned,
        "confirm": _listed(confirm, "--confirm", QUESTIONS),
    }
    options = _options(seed, {name: value for name, value in flags.items() if value is not None})
    check_editor(options.confirm)
    registry.load("generators", options.generator)  # a typo is told before anything else is done
    registry.load("language", options.language)
    specification = _reader().decompose(prompt)
    order = Order(output=target(output, f"{slug(specification.prompt)}-{seed}"), metadata=not no_metadata)
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
        return emit_json({"schema": 1} | specification.model_dump(mode="json"))
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


def _listed(text: str, option: str, known: tuple[str, ...]) -> tuple[str, ...]:
    """Return the names in a comma-separated option. Raises: UsageError naming the one that is not known."""
    names = tuple(dict.fromkeys(name for name in re.split(r"[,\s]+", text) if name))
    wrong = [name for name in names if name not in known]
    if wrong:
        raise UsageError(f"{option} {wrong[0]}: choose from {', '.join(known)}")
    return names


def _folder(path: Path) -> Path:
    if not path.is_dir():
        raise UsageError(f"--knowledge {path}: this is not a folder")
    return path.absolute()


def _options(seed: int, flags: dict[str, Any]) -> "Options":
    """Return the options: flags before the environment before the defaults."""
    from scope.config import Settings
    from scope.runs.store import Options

    settings = Settings.load().model_dump(include=set(Options.model_fields))
    return Options.model_validate(settings | flags | {"seed": seed})


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
