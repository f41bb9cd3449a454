"""`scope rerun`: a picture again, from the record inside it."""

from pathlib import Path
from typing import Annotated

import typer

from scope.cli.console import emit_json, emit_path, log
from scope.cli.options import Json, Output


def rerun(
    image: Annotated[Path, typer.Argument(help="A picture that scope made.", show_default=False)],
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Draw a picture again from its record: the same bytes, on the same machine with the same weights.

    The exit code is 3 if the bytes differ.
    """
    from scope import app

    again = app.rerun(image, output=output)
    for note in again.notes:
        log(f"note: {note}")
    if again.same:
        log("the same bytes")
    else:
        log("other bytes: another machine or another library draws slightly differently")
    if as_json:
        emit_json({"image": str(again.path), "same": again.same})
    else:
        emit_path(again.path)
    raise typer.Exit(0 if again.same else 3)
