"""`scope rerun`: a picture again, from the record inside it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scope.cli.console import give, give_json, say
from scope.cli.options import Json, Output
from scope.cli.target import target
from scope.errors import WeightsError

if TYPE_CHECKING:
    from scope.images import Record


def rerun(
    image: Annotated[Path, typer.Argument(help="A picture that scope made.", show_default=False)],
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Draw a picture again from its record: the same bytes, on the same machine with the same weights.

    The exit code is 3 if the bytes differ.
    """
    from scope import plugins
    from scope.images import png_bytes, read_record, save_png

    record = read_record(image)
    path = target(output, f"{image.stem}-rerun")
    generator = plugins.load("generators", record.draft.generator.partition("@")[0])()
    _check_weights(record, generator.weights)
    (picture,) = generator.generate([record.draft.request])
    same = png_bytes(picture.image, record) == image.read_bytes()
    save_png(path, picture.image, record)
    say("the same bytes" if same else "other bytes: another machine or another library draws slightly differently")
    if as_json:
        give_json({"schema": 1, "image": str(path), "same": same})
    else:
        give(str(path))
    raise typer.Exit(0 if same else 3)


def _check_weights(record: "Record", weights: dict[str, str]) -> None:
    other = sorted(name for name in record.weights.keys() | weights if record.weights.get(name) != weights.get(name))
    if other:
        made_with = record.versions.get("scope-t2i", "another version")
        raise WeightsError(
            f"this picture was drawn with other weights ({', '.join(other)}), so it cannot be drawn again here; "
            f"install scope {made_with}, or draw its prompt anew with: scope generate"
        )
