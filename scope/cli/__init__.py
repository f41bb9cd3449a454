"""The command line. Tables, verdicts, JSON and paths go to stdout, the path last; progress, notes and errors to stderr.

Nothing heavy is imported before a command needs it: `scope --help` answers at once.
"""

import os
from typing import Annotated

import typer

from scope import __version__
from scope.cli import (
    bench,
    check,
    doctor,
    edit,
    generate,
    history,
    likelihood,
    plugins,
    reconstruct,
    rerun,
    train,
    world,
)
from scope.cli.console import Commands, emit

app = typer.Typer(
    name="scope",
    cls=Commands,
    help="Text to image that proves what it drew: one verdict per commitment of the prompt.",
    epilog="Exit codes: 0 every commitment is met, 3 one is not met or could not be judged, 4 a budget was spent "
    "first, 1 failure, 2 usage, 75 a server failed, 130 interrupted (scope resume goes on).",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _print_version(wanted: bool) -> None:
    if wanted:
        emit(f"scope {__version__}")
        raise typer.Exit


@app.callback()
def scope(
    version: Annotated[
        bool, typer.Option("--version", callback=_print_version, is_eager=True, help="Print the version and leave.")
    ] = False,
    no_third_party: Annotated[
        bool, typer.Option("--no-third-party", help="Use only the parts that come with scope. [SCOPE_NO_THIRD_PARTY]")
    ] = False,
) -> None:
    """Text to image that proves what it drew: one verdict per commitment of the prompt."""
    if no_third_party:
        os.environ["SCOPE_NO_THIRD_PARTY"] = "1"  # so that it holds in the processes that we start, too


app.command()(generate.generate)
app.command()(generate.spec)
app.command()(generate.resume)
app.command()(check.check)
app.command()(edit.edit)
app.command()(rerun.rerun)
app.command()(history.show)
app.command()(likelihood.likelihood)
app.command()(train.train)
app.command()(reconstruct.reconstruct)
app.command()(doctor.doctor)
app.add_typer(history.app, name="runs")
app.add_typer(world.app, name="world")
app.add_typer(bench.app, name="bench")
app.add_typer(plugins.app, name="plugins")


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    app()
