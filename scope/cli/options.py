"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

Prompt = Annotated[str, typer.Argument(help="What to draw, in English.", show_default=False)]
Output = Annotated[
    Path | None, typer.Option("--output", "-o", help="PNG to write. Without it: a new name that says what it is.")
]
Json = Annotated[bool, typer.Option("--json", help="Print JSON on stdout.")]
