"""The terminal: what goes where, what is safe to print, and how an error looks."""

import json
import os
import sys
from collections.abc import Iterable
from contextlib import AbstractContextManager, redirect_stdout
from functools import cache
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperGroup

from scope.errors import ScopeError
from scope.text import shell_word, visible

if TYPE_CHECKING:
    from pathlib import Path

    from rich.console import Console

_PIPE_WIDTH = 160  # columns of a table that goes into a file or a pipe
_LONG = 500  # lines of a table


class Commands(TyperGroup):
    """Turns whatever ends a command into one line and an exit code. SCOPE_DEBUG=1 shows the traceback instead."""

    def parse_args(self, ctx: Any, args: list[str]) -> list[str]:
        """Read the arguments. None at all asks for help, which is no error."""
        if not args and self.no_args_is_help and not ctx.resilient_parsing:
            typer.echo(ctx.get_help())
            ctx.exit()
        return super().parse_args(ctx, args)

    def invoke(self, ctx: Any) -> Any:
        """Run the command."""
        try:
            return super().invoke(ctx)
        except (typer.Exit, typer.Abort, BrokenPipeError):
            raise
        except KeyboardInterrupt:
            log("scope: interrupted")
            raise typer.Exit(130) from None
        except ScopeError as error:
            if os.environ.get("SCOPE_DEBUG"):
                raise
            log(f"scope: {error}")
            raise typer.Exit(error.exit_code) from None
        except Exception as error:
            if os.environ.get("SCOPE_DEBUG") or _is_usage(error):
                raise
            log(f"scope: unexpected {type(error).__name__}: {error}. This is a bug; SCOPE_DEBUG=1 shows where it is")
            raise typer.Exit(1) from None


def _is_usage(error: Exception) -> bool:
    """Return whether typer itself says what is wrong with the arguments."""
    return hasattr(error, "format_message")


@cache
def console(*, stderr: bool) -> "Console":
    """Return the console on stderr or stdout. Rich itself honours NO_COLOR, TERM=dumb and pipes."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, highlight=False, width=None if stream.isatty() else _PIPE_WIDTH)


def log(text: str) -> None:
    """Print one line of news on stderr: progress, a note, an error."""
    typer.echo(visible(text), err=True)


def emit(text: str) -> None:
    """Print one line of the result on stdout, without hidden characters. A path goes through `emit_path`."""
    typer.echo(visible(text))


def emit_path(path: "Path") -> None:
    """Print the path of what was made on stdout, as a shell reads it: never with a raw control character."""
    typer.echo(shell_word(str(path)))


def emit_json(document: dict[str, Any]) -> None:
    """Print a document on stdout: readable on a terminal, one line in a pipe; never with a raw control character."""
    from scope.runs.store import SCHEMA

    typer.echo(json.dumps({"schema": SCHEMA} | document, indent=1 if sys.stdout.isatty() else None))


def quiet_stdout() -> AbstractContextManager[Any]:
    """Send to stderr what others print meanwhile: stdout is for the result."""
    return redirect_stdout(sys.stderr)


def emit_table(columns: Iterable[str], rows: Iterable[Iterable[str]], *, styles: dict[str, str] | None = None) -> None:
    """Print a table on stdout. A cell that is a key of `styles` is coloured so; no cell is read as markup.

    A long one is plain lines: it goes through a pager or a pipe, and rich would take seconds for it.
    """
    from rich import box
    from rich.table import Table
    from rich.text import Text

    rows = [tuple(map(visible, row)) for row in rows]
    if len(rows) > _LONG:
        cells = [tuple(columns), *rows]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        lines = ("  ".join(map(str.ljust, row, widths)).rstrip() for row in cells)
        return typer.echo("\n".join(lines))
    grid = Table(box=box.SIMPLE_HEAD, pad_edge=False, header_style="bold")
    for column in columns:
        grid.add_column(column, overflow="fold")
    for row in rows:
        grid.add_row(*(Text(cell, style=(styles or {}).get(cell, "")) for cell in row))
    return console(stderr=False).print(grid)
