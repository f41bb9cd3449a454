"""`scope bench`: the commands that measure what the README shows."""

from importlib import import_module
from pathlib import Path
from typing import Annotated

import typer

from scope.cli.console import Commands, give, quiet_stdout, say
from scope.errors import ScopeError

app = typer.Typer(cls=Commands, help="Measure, and render what was measured.", no_args_is_help=True)

Folder = Annotated[Path, typer.Option("--results", help="Folder of the figures.")]


@app.command()
def parser(results: Folder = Path("results")) -> None:
    """How many prompts are read exactly; writes parser.json."""
    _measure("parser", results)


@app.command()
def verifiers(results: Folder = Path("results")) -> None:
    """How often the verifiers are right on scenes whose truth is known; writes verifiers.json."""
    _measure("verifiers", results)


@app.command()
def generators(results: Folder = Path("results")) -> None:
    """How many held-out prompts one draft meets, by kind of promise; writes generators.json."""
    _measure("generators", results)


@app.command()
def speed(results: Folder = Path("results")) -> None:
    """Seconds, shares and megabytes of this machine; writes speed.json."""
    _measure("speed", results)


@app.command()
def durability(results: Folder = Path("results")) -> None:
    """What is lost when runs are killed, interrupted, damaged or shared; writes durability.json."""
    _measure("durability", results)


@app.command()
def render(
    readme: Annotated[Path, typer.Option(help="File whose tables are filled.")] = Path("README.md"),
    results: Folder = Path("results"),
    check: Annotated[bool, typer.Option("--check", help="Change nothing; fail if the tables are stale.")] = False,
) -> None:
    """Fill the README's tables from the figures."""
    from scope.benchmarks.results import rendered
    from scope.files import write_atomic

    before = readme.read_text(encoding="utf-8")
    after = rendered(before, results)
    if check and after != before:
        raise ScopeError(f"the tables of {readme} are stale; fill them with: scope bench render")
    if not check:
        write_atomic(readme, after.encode())
    say("the tables are up to date" if after == before else "the tables were filled")


def _measure(name: str, folder: Path) -> None:
    """Run `scope.benchmarks.NAME.measure() -> Results`, store it, and show it."""
    from scope.benchmarks.results import markdown

    with quiet_stdout():
        results = import_module(f"scope.benchmarks.{name}").measure()
    path = results.save(folder)
    for line in markdown(results).splitlines():
        say(line)
    give(str(path))
