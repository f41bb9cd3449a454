"""`scope edit`: a picture changed towards a prompt, and its proof."""

from pathlib import Path
from typing import Annotated, Any

import typer

from scope.cli.console import quiet_stdout
from scope.cli.options import Json, Output, Prompt, flag_name, option_flags
from scope.cli.proof import show_result
from scope.config import resolve


@option_flags("editor", "seed")
def edit(
    image: Annotated[Path, typer.Argument(help="A picture: PNG, JPEG or WebP.", show_default=False)],
    prompt: Prompt,
    output: Output = None,
    as_json: Json = False,
    **flags: Any,
) -> None:
    """Change a picture towards a prompt and judge every commitment; print the path of the new picture."""
    from scope import app

    options = resolve(flags, flag_name)
    with quiet_stdout():
        result = app.edit(image, prompt, output=output, options=options)
    show_result(result, as_json)
    raise typer.Exit(result.outcome.exit)
