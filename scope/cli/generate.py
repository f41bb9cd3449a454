"""`scope generate` and its kin: from a prompt, or a record of one, to a picture and its proof."""

import re
import tempfile
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scope.cli.console import give, give_json, plain, say, table
from scope.cli.progress import Watch
from scope.errors import OutputError, UsageError, WeightsError
from scope.spec import Model, Request, Specification

if TYPE_CHECKING:
    from scope.images import Record
    from scope.outcome import Outcome
    from scope.protocols import LanguageModel, Toolbox
    from scope.runs import Options, Run

Prompt = Annotated[str, typer.Argument(help="What to draw, in English.", show_default=False)]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="PNG to write. Without it: a new name made from the prompt.")
]
Json = Annotated[bool, typer.Option("--json", help="Print the report as JSON instead of the path.")]
NoMetadata = Annotated[bool, typer.Option("--no-metadata", help="Write the pixels only: no record inside or beside.")]

_STYLES = {"met": "green", "broken": "bold red", "blocked": "yellow", "unjudged": "dim"}


class Order(Model):
    """Where the picture of a run is to go. It lies in the run's folder, so that `scope resume` knows it."""

    output: Path
    metadata: bool = True

    def keep(self, run: "Run") -> None:
        """Write it into the run's folder."""
        from scope.files import write_atomic

        write_atomic(run.folder / "order.json", self.model_dump_json().encode())

    @classmethod
    def of(cls, run: "Run") -> "Order | None":
        """Return the order of a run; None: it has none, or none that can be read."""
        try:
            return cls.model_validate_json((run.folder / "order.json").read_bytes())
        except (OSError, ValueError):
            return None


# -- commands ------------------------------------------------------------------------------------


def generate(
    prompt: Prompt,
    output: Output = None,
    seed: Annotated[int, typer.Option(min=0, help="The same seed gives the same picture.")] = 0,
    drafts: Annotated[int | None, typer.Option(min=1, max=64, help="Drafts per round.")] = None,
    max_rounds: Annotated[int | None, typer.Option(min=0, max=100, help="Repair rounds after the first.")] = None,
    max_time: Annotated[float | None, typer.Option(min=0.001, help="Seconds; the best draft so far is kept.")] = None,
    generator: Annotated[str | None, typer.Option(help="Which generator draws.")] = None,
    as_json: Json = False,
    no_metadata: NoMetadata = False,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Show the plan; draw and write nothing.")] = False,
) -> None:
    """Draw a prompt, judge every commitment, repair what is broken; print the path of the picture."""
    from scope import plugins, runs

    given = {"drafts": drafts, "max_rounds": max_rounds, "max_time": max_time, "generator": generator}
    options = _options(seed, {name: value for name, value in given.items() if value is not None})
    plugins.load("generators", options.generator)
    specification = _language().decompose(prompt)
    order = Order(output=_target(specification.prompt, seed, output), metadata=not no_metadata)
    if dry_run:
        return _show_plan(specification, options, order, as_json)
    if specification.prompt != prompt:
        say("the prompt was cleaned: hidden characters and line breaks do not count")
    run = runs.create(specification.prompt, options)
    order.keep(run)
    return _finish(run, order, as_json)


def spec(prompt: Prompt, as_json: Json = False) -> None:
    """Read a prompt into commitments and draw nothing."""
    specification = _language().decompose(prompt)
    if as_json:
        return give_json(specification.model_dump(mode="json"))
    return _show_commitments(specification)


def resume(
    run: Annotated[str | None, typer.Argument(help="Which run. Without it: the latest that is unfinished.")] = None,
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Continue a run that was interrupted or killed."""
    from scope import runs

    found = runs.open_run(run)
    manifest = found.manifest
    order = Order.of(found)
    if output is not None or order is None:
        metadata = order.metadata if order else True
        order = Order(output=_target(manifest.prompt, manifest.options.seed, output), metadata=metadata)
        order.keep(found)
    _check_writable(order.output)
    _finish(found, order, as_json)


def rerun(
    image: Annotated[Path, typer.Argument(help="A picture that scope made.")],
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Draw a picture again from the record inside it: the same bytes, on the same machine with the same weights."""
    from scope import plugins
    from scope.images import png_bytes, read_record, save_png

    record = read_record(image)
    request = record.draft.request
    name = record.draft.generator.partition("@")[0]
    target = _target(record.specification.prompt, request.seed, output)
    drawing = plugins.load("generators", name)()
    _same_weights(record, drawing.weights)
    (picture,) = drawing.generate([request])
    same = png_bytes(picture.image, record) == image.read_bytes()
    save_png(target, picture.image, record)
    say("the same bytes" if same else "not the same bytes: another machine or library draws slightly differently")
    if as_json:
        return give_json({"schema": 1, "image": str(target), "same": same})
    return give(str(target))


# -- steps ---------------------------------------------------------------------------------------


def toolbox(generator: str, folder: Path) -> "Toolbox":
    """Return everything that a run draws and judges with.

    Raises: PluginError, WeightsError.
    """
    from scope import plugins
    from scope.protocols import Toolbox

    return Toolbox(
        language=_language(),
        generator=plugins.load("generators", generator)(),
        verifiers=tuple(plugins.load("verifiers", name)() for name in plugins.names("verifiers")),
        folder=folder,
    )


def _language() -> "LanguageModel":
    from scope import plugins

    model: LanguageModel = plugins.load("language", "grammar")()
    return model


def _options(seed: int, given: dict[str, Any]) -> "Options":
    """Return the options: flags before the environment before the defaults."""
    from scope.config import Settings
    from scope.runs import Options

    settings = Settings.load().model_dump(include=set(Options.model_fields))
    return Options.model_validate(settings | given | {"seed": seed})


def _finish(run: "Run", order: Order, as_json: bool) -> None:
    """Run a run to its end, write its picture, and tell how it went."""
    from scope.graph import generate as draw
    from scope.outcome import json_report

    tools = toolbox(run.manifest.options.generator, run.drafts)
    try:
        with Watch() as watch:
            outcome = draw(run, tools, watch)
    except KeyboardInterrupt:
        say(f"scope: interrupted; nothing is lost. Continue with: scope resume {run.id}")
        raise typer.Exit(130) from None
    written = _write_picture(run, outcome, order, tools)
    _show_outcome(outcome)
    if as_json:
        give_json(json_report(outcome, image=str(written) if written else None))
    elif written:
        give(str(written))
    raise typer.Exit(outcome.exit)


def _write_picture(run: "Run", outcome: "Outcome", order: Order, tools: "Toolbox") -> Path | None:
    """Write the best draft to where it was ordered, with its record."""
    from scope.images import Record, open_png, save_png

    best = outcome.best
    if best is None:
        say("no draft was finished within the time budget")
        return None
    record = Record(
        run=run.id,
        specification=outcome.spec,
        draft=best,
        verdicts=outcome.verdicts.get(best.id, ()),
        options=run.manifest.options.model_dump(mode="json"),
        weights=dict(tools.generator.weights),
        versions=run.manifest.versions,
    )
    try:
        save_png(order.output, open_png(run.folder / best.path), record if order.metadata else None)
    except OutputError as error:
        raise OutputError(f"{error}. The drafts are kept: scope resume {run.id} -o PNG writes the picture") from error
    return order.output


def _same_weights(record: "Record", weights: dict[str, str]) -> None:
    other = sorted(name for name in record.weights.keys() | weights if record.weights.get(name) != weights.get(name))
    if other:
        raise WeightsError(
            f"this picture was drawn with other weights ({', '.join(other)} differ), so it cannot be drawn again; "
            "install the version of scope that its record names, or use: scope generate"
        )


# -- where the picture goes ----------------------------------------------------------------------


def _target(prompt: str, seed: int, output: Path | None) -> Path:
    """Return a path that can be written: the one asked for, or one that does not exist yet.

    Raises: UsageError if it is not named *.png; OutputError if it cannot be written.
    """
    if output is None or output.is_dir():
        output = _free_name(output or Path(), f"{slug(prompt)}-{seed}")
    if output.suffix.lower() != ".png":
        raise UsageError(f"{output}: scope writes PNG; end the name with .png")
    _check_writable(output)
    return output.absolute()


def slug(text: str, limit: int = 48) -> str:
    """Return a file name's worth of a text: ASCII words joined by dashes, never empty."""
    ascii_only = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode().lower()
    words = re.findall(r"[a-z0-9]+", ascii_only)
    name = ""
    for word in words:
        if name and len(name) + 1 + len(word) > limit:
            break
        name = f"{name}-{word}" if name else word[:limit]
    return name or "picture"


def _free_name(folder: Path, stem: str) -> Path:
    path, number = folder / f"{stem}.png", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}.png"
    return path


def _check_writable(path: Path) -> None:
    """Raise OutputError now rather than after minutes of drawing."""
    from scope.files import unwritable

    if path.exists() and not path.is_file():
        raise OutputError(f"cannot write {path}: it is not a file")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise unwritable(path, error) from error


# -- telling -------------------------------------------------------------------------------------


def _show_commitments(specification: Specification) -> None:
    table(
        ("id", "kind", "type", "commitment", "words", "depends on"),
        (
            (c.id, c.kind, c.type, c.claim, _words(specification, c.span), ", ".join(c.depends_on))
            for c in specification.commitments
        ),
    )


def _words(specification: Specification, span: Any) -> str:
    return specification.prompt[span.start : span.end] if span else ""


def _show_plan(specification: Specification, options: "Options", order: Order, as_json: bool) -> None:
    most = options.drafts * (1 + options.max_rounds)
    request = Request(text=specification.prompt, seed=options.seed)
    if as_json:
        plan = {
            "schema": 1,
            "specification": specification.model_dump(mode="json"),
            "options": options.model_dump(mode="json"),
            "request": request.model_dump(mode="json"),
            "image": str(order.output),
            "most_drafts": most,
        }
        return give_json(plan)
    _show_commitments(specification)
    say(f"generator {options.generator}, {options.drafts} drafts a round, at most {most} drafts in all")
    return say(f"would write {order.output}")


def _show_outcome(outcome: "Outcome") -> None:
    """Print the proof: one line per commitment, then what the reader should know."""
    from scope.outcome import json_report

    touched = {e.commitment: e.cause for e in outcome.spec.events if e.cause.startswith("skill:")}
    rows = [
        (
            row["id"],
            row["claim"],
            outcome_word(row),
            row["reason"],
            row["verifier"] or "",
            touched.get(row["id"], "").removeprefix("skill:"),
            str(row["attempts"]),
        )
        for row in json_report(outcome)["commitments"]
    ]
    table(("id", "commitment", "verdict", "evidence", "verifier", "skill", "attempts"), rows, styles=_STYLES)
    for note in outcome.notes:
        say(f"note: {note}")
    met = sum(row[2] == "met" for row in rows)
    say(f"{met} of {len(rows)} commitments met; {len(outcome.drafts)} drafts in {outcome.seconds['total']:.1f} s")
    say(f"the whole story: scope show {plain(outcome.run)}")


def outcome_word(row: dict[str, Any]) -> str:
    """Return a commitment's fate on the best draft in one word: met, broken, blocked or unjudged."""
    if row["status"] == "blocked":
        return "blocked"
    return str(row["outcome"] or "unjudged")


