"""`scope bench`: the commands that measure what docs/results.md shows. A benchmark is found by its entry point.

[project.entry-points."scope.benchmarks"]
mine = "my_package.module:measure"      # measure() -> scope.benchmarks.results.Results

One that yields several comparisons has each of them stored as it comes. One that takes `quick` also has a small sample,
which is shown and not stored, as is what it says of `weights` of your own. One that takes `results` gets the folder of
the results, for what lies there to be measured; one that takes `data`, a folder of what is not packaged.
"""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from scope.cli.console import Commands, emit, emit_path, log, quiet_stdout
from scope.errors import PluginError, ScopeError, UsageError
from scope.protocols import DEFAULT_GENERATOR

if TYPE_CHECKING:
    from scope.benchmarks.results import Results

#: Option of a benchmark -> what one has not that does not take it.
_LACKS = {
    "quick": "quick sample",
    "weights": "weights to choose",
    "count": "samples to count",
    "data": "data to read from a folder",
}

Folder = Annotated[Path, typer.Option("--results", help="Folder of the results.")]


class Benchmarks(Commands):
    """The commands of this page, and one for each benchmark that is installed. These are found when they are needed."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names of all commands."""
        self._find()
        return super().list_commands(ctx)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return one command; None: there is none of this name."""
        self._find()
        return super().get_command(ctx, cmd_name)

    def _find(self) -> None:
        from scope.plugins import registry

        for part in registry.installed("benchmarks"):
            self.commands.setdefault(part.name, _command(part.name, part.summary))


app = typer.Typer(cls=Benchmarks, help="Measure, and render what was measured.", no_args_is_help=True)


@app.callback()
def bench() -> None:
    """Measure, and render what was measured."""


@app.command()
def render(
    files: Annotated[
        list[Path] | None, typer.Argument(metavar="[PAGE]...", help="Without them: README.md and the pages in docs/.")
    ] = None,
    results: Folder = Path("results"),
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail if a table is stale.")] = False,
) -> None:
    """Fill the tables of the documents from the results."""
    from scope.benchmarks.tables import pages, rendered
    from scope.files import write_atomic

    for page in files or pages(Path()):
        before = page.read_text(encoding="utf-8")
        after = rendered(before, results)
        if check and after != before:
            raise ScopeError(f"the tables of {page} are stale; fill them with: scope bench render")
        if after != before:
            write_atomic(page, after.encode())
            log(f"{page}: filled")
    log("all tables are up to date")


@app.command()
def plots(
    results: Folder = Path("results"),
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the plots.")] = Path("docs/img"),
) -> None:
    """Plot stored results as curves, and what the shipped weights reconstruct and draw."""
    from scope.benchmarks.experiments.plots import plot_generators, plot_reconstructions, plot_tokenizers

    emit_path(plot_reconstructions(output))
    emit_path(plot_tokenizers(results, output))
    emit_path(plot_generators(output))


@app.command()
def pictures(
    generator: Annotated[str, typer.Option(help="Which generator draws.")] = DEFAULT_GENERATOR,
    results: Folder = Path("results"),
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the sheet.")] = Path("docs/img"),
) -> None:
    """Draw the sheet of the documents: eight prompts by three seeds with the defaults, and their proofs."""
    from scope.benchmarks.experiments.pictures import make

    picture = output / "pictures.png"
    with quiet_stdout():
        proofs = make(picture, generator).save(results)
    emit_path(picture)
    emit_path(proofs)


@app.command()
def sheet(
    generator: Annotated[str, typer.Option(help="Which generator draws.")] = DEFAULT_GENERATOR,
    count: Annotated[int, typer.Option(min=1, max=900, help="Pictures.")] = 100,
    output: Annotated[Path, typer.Option("--output", "-o", help="Folder of the sheets.")] = Path("results/by_hand"),
) -> None:
    """Draw numbered contact sheets of bound pictures, with questions for a person; `by_hand` reads the answers."""
    from scope.benchmarks.by_hand import make
    from scope.plugins import registry

    with quiet_stdout():
        paths = make(registry.load("generators", generator)(), count, output)
    for path in paths:
        emit_path(path)


def _command(name: str, summary: str) -> Any:
    """Return the command that runs one benchmark, stores its results, and shows them; a quick one's are only shown."""
    group = typer.Typer(add_completion=False)

    @group.command(name, help=summary)
    def measure(
        results: Folder = Path("results"),
        quick: Annotated[bool, typer.Option("--quick", help="A small sample; it is shown and not stored.")] = False,
        weights: Annotated[Path | None, typer.Option(help="Weights of your own; what they do is shown only.")] = None,
        count: Annotated[
            int | None, typer.Option(min=2, help="Samples of each kind; the results say how many they are of.")
        ] = None,
        data: Annotated[Path | None, typer.Option(help="Folder of what is measured and not packaged.")] = None,
    ) -> None:
        from scope.benchmarks.tables import markdown

        given = (("quick", quick), ("weights", weights), ("count", count), ("data", data))
        options = {option: value for option, value in given if value}
        for comparison in _measure(name, options, results):
            path = None if quick or weights else comparison.save(results)
            for line in markdown(comparison).splitlines():
                emit(line)
            if path is not None:
                emit_path(path)

    return typer.main.get_command(group)


def _measure(name: str, options: dict[str, Any], folder: Path) -> Iterator["Results"]:
    """Run a benchmark; yield its comparisons as they come.

    Raises: UsageError if it has no such option; PluginError if it gives something else.
    """
    from inspect import signature

    from scope.benchmarks.results import Results
    from scope.plugins import registry

    measure = registry.load("benchmarks", name)
    taken = signature(measure).parameters
    for option, lacks in _LACKS.items():
        if option in options and option not in taken:
            raise UsageError(f"the benchmark {name!r} has no {lacks}; leave --{option} out")
    if "results" in taken:
        options = options | {"results": folder}
    with quiet_stdout():
        answer = measure(**options)
    comparisons = answer if isinstance(answer, Iterator) else iter((answer,))
    while True:
        with quiet_stdout():
            comparison = next(comparisons, comparisons)
        if comparison is comparisons:
            return
        if not isinstance(comparison, Results):
            kind = type(comparison).__name__
            raise PluginError(f"the benchmark {name!r} gave {kind}, not scope.benchmarks.results.Results")
        yield comparison
