"""The use cases, which every door shares: the command line, Python, and whatever serves others.

    plan -> start -> finish        `generate` is the three of them, `resume` the last

A `Result` is the picture, its proof and its run. LangGraph and the parts of a run are loaded when a run is finished or
shown: plans and lists do without.
"""

import time
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scope.config import Options, resolve
from scope.engine import assemble, spec_file
from scope.engine.checking import Checker, checker
from scope.engine.editing import undrawn
from scope.engine.foreseen import Unjudgeable, unjudgeable
from scope.engine.ledger_updates import entered
from scope.engine.outcome import Outcome, Progress
from scope.engine.result import Result
from scope.engine.verification import drawn_apart, drawn_as, judge, unknown_to
from scope.errors import (
    ImageError,
    NotEnglish,
    OtherSchema,
    OutputError,
    PluginError,
    StateCorrupt,
    UsageError,
    WeightsError,
)
from scope.files import is_file, read_file, sha256_of_file, write_over
from scope.generators.metadata import vocabulary_of
from scope.parsing.cleaning import clean
from scope.parsing.notes import notes_of
from scope.plugins import registry
from scope.protocols import Editor, Generator, Reader
from scope.runs import store
from scope.runs.marks import sidecar
from scope.runs.png import (
    OTHER_PIXELS,
    Record,
    is_tied,
    open_draft,
    open_picture,
    open_png,
    png_bytes,
    read_record,
    save_png,
    sha256_of_pixels,
    tied,
)
from scope.runs.report import is_report
from scope.runs.store import MAX_PICTURE, Run
from scope.runs.target import Target, free_name, png_path, slug
from scope.skills import references
from scope.skills.layouts.own_boxes import with_own_boxes
from scope.specification import Cause, Draft, Edit, ImageFile, Request, Specification, Status, Verdict, with_files
from scope.weights import expected, read_metadata, weights_path

if TYPE_CHECKING:
    from collections.abc import Callable

    from PIL.Image import Image

    from scope.engine.review import Question

PathLike = str | Path


@dataclass(frozen=True)
class Plan:
    """What a run would do. `unknown` names, in words, what the chosen generator's weights have never seen.

    `otherwise`: what is drawn for words that say more than the weights know, or may mean several things; sentences.
    `unjudged`: what no verifier could judge, whatever is drawn.
    `notes`: what of the prompt is not supported, and which words may be slips of spelling; sentences.
    """

    specification: Specification
    options: Options
    output: Path | None  # None: the run's own folder
    metadata: bool
    unknown: tuple[str, ...]
    otherwise: tuple[str, ...] = ()
    unjudged: tuple[Unjudgeable, ...] = ()
    given: Specification | None = None  # what the prompt is to be read as; None: the run reads it
    notes: tuple[str, ...] = ()

    @property
    def most_drafts(self) -> int:
        """Return how many drafts it would make at most."""
        wanted = self.options.drafts * (1 + self.options.max_rounds)
        return min(wanted, self.options.max_images or wanted)


def ignore_progress(progress: Progress) -> None:
    """The `on_event` of those who do not watch."""


# -- from a prompt to a picture ------------------------------------------------------------------


def generate(
    prompt: str | Specification,
    *,
    output: PathLike | None = None,
    metadata: bool = True,
    options: Options | None = None,
    on_event: "Callable[[Progress], None]" = ignore_progress,
    ask: "Callable[[Question], str] | None" = None,
    **flags: Any,
) -> Result:
    """Draw a prompt, judge every commitment, repair what is violated.

        result = scope.generate("two red apples to the left of a blue car", drafts=4)
        result.image.show()
        print(result.proof)

    Args:
        prompt: what to draw, in English; or a specification, such as `load_spec` reads from a file.
        output: PNG to write; a folder: a new name in it that says what it is; None: in the folder of the run.
        metadata: whether the picture carries its record.
        options: how, wholly; None: what `flags` say before the environment before the configuration file.
        on_event: who is told of progress.
        ask: answers the questions that `confirm` asks for: gets one and returns its text, edited.
        flags: fields of `Options`.

    Raises: ScopeError, of which `scope.errors` has the tree. What is wrong with the order (`plan`) is raised before
    there is a run; after any other error but PromptError `resume` continues.
    """
    return finish(start(plan(prompt, _options(options, flags), output, metadata)), on_event, ask)


def plan(prompt: str | Specification, options: Options, output: PathLike | None = None, metadata: bool = True) -> Plan:
    """Return what a run would do, having drawn and written nothing. What is wrong with the order is found here.

    Raises: PluginError if a part is not installed; PromptError; UsageError; OutputError; WeightsError; TypeError.
    """
    assemble.check(options)
    given = None
    if isinstance(prompt, Specification):
        specification = given = undrawn(prompt)
    else:
        specification = _read(prompt, options)
    with_own_boxes(specification, options.region)  # refused before anything is drawn
    references.check(specification, options.reference)
    path = _png_path(output, specification.prompt, options) if output is not None else None
    unknown, otherwise = words_of(specification, options.generator)
    unjudged = unjudged_by(options, specification)
    notes = notes_of(specification.prompt)
    return Plan(specification, options, path, metadata, unknown, otherwise, unjudged, given, notes)


def _read(prompt: str, options: Options) -> Specification:
    """Return the commitments of a prompt; none yet of one in another language, if a language model is to read it."""
    try:
        return decompose(prompt)
    except NotEnglish:
        if options.language == "grammar":
            raise
        return Specification(prompt=clean(prompt).text)


def decompose(prompt: str) -> Specification:
    """Return the commitments of a prompt as the grammar reads them.

    Raises: PromptError if there is nothing that can be drawn; TypeError if it is no text.
    """
    if not isinstance(prompt, str):
        raise TypeError(f"a prompt is a text, not {type(prompt).__name__}")
    reader: Reader = registry.load("language", "grammar")()
    return reader.decompose(prompt)


def load_spec(path: PathLike) -> Specification:
    """Return the specification of a YAML or JSON file, as `scope spec -o` writes it; it may stand for a prompt.

    Raises: UsageError that names the file and the line or field that cannot be used.
    """
    return spec_file.read(Path(path), registry.load("language", assemble.GRAMMAR)())


def words_of(specification: Specification, generator: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Return what the shipped weights of a generator were not trained on, in words, and what they draw otherwise.

    Nothing where none ship. What an open unknown speaks of may yet be found. The weights themselves are not loaded.
    """
    vocabulary = vocabulary_of(read_metadata(weights_path(generator))) if generator in expected() else None
    if vocabulary is None:
        return (), ()
    open_ = {target for unknown in specification.where(Status.OPEN) for target in unknown.targets}
    sure = [c for c in specification.commitments if c.id not in open_]
    unknown, otherwise = ([said(vocabulary, c) for c in sure] for said in (unknown_to, drawn_as))
    otherwise.append(drawn_apart(vocabulary, sure))
    return tuple(filter(None, dict.fromkeys(unknown))), tuple(filter(None, dict.fromkeys(otherwise)))


def unjudged_by(options: Options, specification: Specification) -> tuple[Unjudgeable, ...]:
    """Return what the verifiers that the options name could not judge on any picture. No language model is made.

    Raises: as of `assemble.verifiers`.
    """
    asks_model = assemble.VLM in assemble.verifier_names(options)
    return unjudgeable(specification, assemble.verifiers(options, None), asks_model)


def start(plan: Plan) -> Run:
    """Make the run of a plan; nothing is drawn yet.

    Raises: OutputError.
    """
    run = store.create(plan.specification.prompt, plan.options, registry.versions(), plan.given)
    Target(path=plan.output or Target.of(run).path, metadata=plan.metadata).keep(run)
    return run


def finish(
    run: Run,
    on_event: "Callable[[Progress], None]" = ignore_progress,
    ask: "Callable[[Question], str] | None" = None,
) -> Result:
    """Run a run to its end, from wherever it stands, and write its picture.

    Raises: whatever `scope.engine.execution.generate` raises; OutputError if the picture cannot be written;
    StateCorrupt if the best draft is not the picture that was made.
    """
    from scope.engine import execution

    target = Target.of(run)
    target.check()
    tools = assemble.assemble(run)
    outcome = execution.generate(run, tools, on_event, ask)
    return Result(outcome, _write_picture(run, outcome, target, dict(tools.generator.weights)), run)


def resume(
    run: str | None = None,
    *,
    output: PathLike | None = None,
    on_event: "Callable[[Progress], None]" = ignore_progress,
    ask: "Callable[[Question], str] | None" = None,
) -> Result:
    """Continue a run that was interrupted or killed, to the picture that it was asked for.

    Args:
        run: its id; None: the latest that is unfinished.
        output: where the picture is to go instead, as of `generate`.
        on_event: as of `generate`.
        ask: as of `generate`.
    """
    found = store.open_run(run)
    if output is not None:
        redirect(found, output)
    return finish(found, on_event, ask)


def redirect(run: Run, output: PathLike) -> None:
    """Have the picture of a run written to another place than was asked for."""
    path = _png_path(output, run.manifest.prompt, run.manifest.options)
    Target.of(run).model_copy(update={"path": path}).keep(run)


def _options(options: Options | None, flags: dict[str, Any]) -> Options:
    if options is not None and flags:
        raise TypeError(f"give options, or their fields ({', '.join(flags)}), not both")
    return options or resolve(flags)


def _png_path(output: PathLike, prompt: str, options: Options) -> Path:
    return png_path(Path(output), f"{slug(prompt)}-{options.seed}")


def _write_picture(run: Run, outcome: Outcome, target: Target, weights: dict[str, str]) -> Path | None:
    """Write the best draft to where it was asked for, with its record; None: there is no draft.

    Raises: StateCorrupt if its picture is not the one that was made; OutputError.
    """
    best = outcome.best
    if best is None:
        return None
    picture = open_draft(run, best)
    record = Record(
        run=run.id,
        pixels=sha256_of_pixels(picture),
        specification=outcome.spec,
        draft=best,
        verdicts=outcome.verdicts.get(best.id, ()),
        options=run.manifest.options.model_dump(mode="json"),
        weights=weights,
        versions=run.manifest.versions,
    )
    try:
        if not target.metadata:
            target.with_written(png_bytes(picture, None)).keep(run)
        save_png(target.path, picture, record if target.metadata else None)
    except OutputError as error:
        raise OutputError(f"{error}. The drafts are kept: scope resume {run.id} -o PNG") from error
    return target.path


# -- a picture changed ---------------------------------------------------------------------------


def edit(
    image: Result | PathLike,
    prompt: str,
    *,
    output: PathLike | None = None,
    metadata: bool = True,
    options: Options | None = None,
    **flags: Any,
) -> Result:
    """Change a picture towards a prompt with an installed editor, and judge every commitment of the prompt.

        scope.edit("mine.png", "a green apple")

    Args:
        image: a result, or a PNG, JPEG or WebP.
        prompt: what the picture is to show then, in English.
        output: PNG to write; a folder or None: a new name in it (here).
        metadata: whether the picture carries its record.
        options: as of `generate`; `editor` and `seed` are looked at.
        flags: fields of `Options`.

    Raises: PluginError if no editor is installed; UsageError if it knows no edit towards any of the commitments;
    ImageError; PromptError; OutputError.
    """
    path = image.path if isinstance(image, Result) else Path(image)
    if path is None:
        raise UsageError("this result has no picture yet")
    options = _options(options, flags)
    editor = _editor(options.editor)
    open_picture(path)  # refused before anything is loaded
    specification = decompose(prompt)
    toward = [c for c in specification.commitments if editor.handles(c)]
    if not toward:
        claims = "; ".join(c.claim for c in specification.commitments)
        raise UsageError(f"the editor {editor.name} knows no edit towards any of: {claims}")
    target = Target(path=png_path(Path(output or ""), f"{path.stem}-edited"), metadata=metadata)
    request = Request(
        text=specification.prompt,
        seed=options.seed,
        edit=Edit(image=ImageFile(path=str(path.absolute()), sha256=sha256_of_file(path)), toward=tuple(toward)),
    )
    began = time.monotonic()
    picture = editor.edit([request])[0].image
    draft = Draft(
        id="d1",
        path=target.path.name,
        sha256=sha256(png_bytes(picture, None)).hexdigest(),
        request=request,
        generator=f"{editor.name}@{editor.version}",
        seconds=time.monotonic() - began,
    )
    verdicts = _verdicts(specification, picture, options)
    for commitment in specification.commitments:
        specification = specification.move(
            commitment.id, Status.BOUND, Cause(kind="editor", name=editor.name, version=editor.version)
        )
    record = Record(
        pixels=sha256_of_pixels(picture),
        specification=entered(specification, draft, verdicts),
        draft=draft,
        verdicts=verdicts,
        options=options.model_dump(mode="json"),
        versions=registry.versions() | store.versions(),
    )
    save_png(target.path, picture, record if metadata else None)
    return Result(_outcome(record), target.path)


def _editor(name: str | None) -> Editor:
    editor = assemble.editor(name)
    if editor is None:
        raise PluginError(
            "no editor is installed, so no picture can be changed: install a package that brings one "
            "(an entry point in scope.editors), or draw the picture anew with: scope generate"
        )
    return editor


def _verdicts(specification: Specification, picture: "Image", options: Options) -> tuple[Verdict, ...]:
    """Return one verdict per commitment, of the verifiers that need no language model."""
    verifiers = assemble.verifiers(options, None)
    return judge(specification, verifiers, lambda verifier, asked: verifier.check(picture, asked, specification))


# -- a picture that others made ------------------------------------------------------------------


def check(
    image: "PathLike | Image",
    prompt: str | Specification,
    *,
    options: Options | None = None,
    **flags: Any,
) -> Result:
    """Judge a picture by a prompt, and draw nothing: the proof for what others made.

        scope.check("theirs.jpg", "two red apples on a beach").proof

    Args:
        image: a PNG, JPEG or WebP, or a PIL image.
        prompt: what is to be in it, in English; or a specification, such as `load_spec` reads from a file.
        options: as of `generate`; what draws is not looked at.
        flags: fields of `Options`.

    Raises: ImageError; PromptError; UsageError; PluginError; WeightsError.
    """
    with checker(_options(options, flags)) as pictures:
        return checked(pictures, image, prompt)


def checked(pictures: "Checker", image: "PathLike | Image", prompt: str | Specification) -> Result:
    """Return the result for one of several pictures that are checked with the same parts (`scope.engine.checking`).

    Raises: ImageError; PromptError; UsageError.
    """
    if not isinstance(prompt, str | Specification):
        raise TypeError(f"a prompt is a text or a specification, not {type(prompt).__name__}")
    if isinstance(image, str | Path):
        path, judged = Path(image).absolute(), open_picture(Path(image))
        return Result(pictures.check(judged, prompt, path.name), path, judged=judged)
    judged = image.convert("RGB")
    return Result(pictures.check(judged, prompt, "picture"), None, judged=judged)


# -- what was made -------------------------------------------------------------------------------


def load_run(what: PathLike) -> Result:
    """Return a run as it stands, by its id, its folder, one of its drafts, or a picture that it made.

    A picture whose run is not on this machine, or is damaged, is explained by the record inside it. One of other pixels
    than those that were judged is not explained at all.

    Raises: UsageError if it means no run, or one that never began; ImageError; StateCorrupt; OtherSchema.
    """
    path = Path(what)
    if not is_file(path):
        return _of_run(_resolved(str(what)))
    try:
        result = _of_run(store.resolve(str(path)))
    except UsageError:
        return _of_picture(path, "Its run is not on this machine")
    except (StateCorrupt, OtherSchema):
        if not is_file(sidecar(path)):  # a draft, of which only the damaged run could tell
            raise
        return _of_picture(path, "Its run cannot be read")
    return result if _drew(result, path) else _of_picture(path, "The run that is named beside it drew another picture")


def show(what: Result | PathLike, output: PathLike | None = None) -> Path:
    """Write the whole story of a result, or of what `load_run` takes, as one HTML file that opens offline.

    Returns: its path: `output`, else in the run's folder, else beside the picture, under a name that is free.

    Raises: OutputError, also if `output` is a file that scope did not write; whatever `load_run` raises.
    """
    result = what if isinstance(what, Result) else load_run(what)
    path = Path(output or _own_report(result)).absolute()
    write_over(path, result.html().encode(), is_report)
    return path


def _own_report(result: Result) -> Path:
    if result.run is not None:
        return result.run.folder / "report.html"
    path = result.path or Path("report")
    return free_name(path.parent, path.stem, ".html")


def _drew(result: Result, path: Path) -> bool:
    """Return whether one of the drafts of a run has the pixels of a picture."""
    wanted = sha256_of_pixels(open_png(path))
    return any(sha256_of_pixels(picture) == wanted for picture in result.pictures.values())


def _resolved(name: str) -> Run:
    if Path(name).suffix.lower() == ".png":
        raise ImageError(f"{name}: there is no such file")
    return store.resolve(name)


def _of_run(run: Run) -> Result:
    from scope.engine import execution

    outcome = execution.load(run)
    if outcome is None:
        raise UsageError(f"run {run.id} never began; start it with: scope resume {run.id}")
    best = (run.folder / outcome.best.path).absolute() if outcome.best is not None else None
    return Result(outcome, best, run)


def _of_picture(path: Path, why: str) -> Result:
    """Return the result that a picture's own record tells.

    Raises: ImageError if there is none, or it speaks of other pixels.
    """
    record = tied(path)
    return Result(_outcome(record, f"{why}: this is what the picture itself records."), path.absolute())


def _outcome(record: Record, *notes: str) -> Outcome:
    """Return the outcome that one draft is, without a run."""
    all_met = all(verdict.outcome == "met" for verdict in record.verdicts)
    return Outcome(
        run="",
        exit=0 if all_met else 3,
        best=record.draft,
        spec=record.specification,
        drafts=(record.draft,),
        verdicts={record.draft.id: record.verdicts},
        seconds={},
        notes=notes,
    )


# -- a picture again -----------------------------------------------------------------------------


@dataclass(frozen=True)
class Rerun:
    """A picture that was drawn again. `same`: byte by byte; `notes`: sentences for the reader."""

    path: Path
    same: bool
    notes: tuple[str, ...] = ()


def rerun(image: PathLike, *, output: PathLike | None = None) -> Rerun:
    """Draw a picture again from its record: the same bytes, on the same machine with the same weights.

    Args:
        image: a PNG that scope made, with its record inside.
        output: PNG to write; a folder or None: a new name in it (here).

    Raises: ImageError if there is no record; WeightsError if other weights are installed; UsageError if the draft is
    gone that it was drawn on from; OutputError.
    """
    image = Path(image)
    record = read_record(image)
    path = png_path(Path(output or ""), f"{image.stem}-rerun")
    generator: Generator = registry.load("generators", record.draft.generator.partition("@")[0])()
    _check_weights(record, generator.weights)
    (picture,) = generator.generate([_located(record, image)])
    same = png_bytes(picture.image, record) == read_file(image, MAX_PICTURE)
    notes = () if is_tied(record, image) else (f"{OTHER_PIXELS}: what its record says is drawn again",)
    if record.pixels is not None:  # what is written speaks of what was drawn now
        record = record.model_copy(update={"pixels": sha256_of_pixels(picture.image)})
    save_png(path, picture.image, record)
    return Rerun(path, same, notes)


def _located(record: Record, image: Path) -> Request:
    """Return the request of a picture; the pictures that it was drawn from, if any, by their place on this machine.

    Raises: UsageError if one of them is not here any more.
    """

    def here(file: ImageFile) -> str:
        run = store.resolve(str(image))
        try:
            run.picture(file.path, file.sha256)
        except StateCorrupt as error:
            raise UsageError(
                f"{image} was drawn from another picture of run {run.id}, {file.path}, which is not there any more"
            ) from error
        return str(run.folder / file.path)

    return with_files(record.draft.request, here)


def _check_weights(record: Record, weights: dict[str, str]) -> None:
    other = sorted(name for name in record.weights.keys() | weights if record.weights.get(name) != weights.get(name))
    if other:
        made_with = record.versions.get("scope-t2i", "another version")
        raise WeightsError(
            f"this picture was drawn with other weights ({', '.join(other)}), so it cannot be drawn again here; "
            f"install scope {made_with}, or draw its prompt anew with: scope generate"
        )
