"""`scope rerun`: a picture again, from the record inside it."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scope.cli.console import emit, emit_json, log
from scope.cli.options import Json, Output
from scope.cli.target import target
from scope.errors import UsageError, WeightsError

if TYPE_CHECKING:
    from scope.runs.png import Record
    from scope.specification import Request


def rerun(
    image: Annotated[Path, typer.Argument(help="A picture that scope made.", show_default=False)],
    output: Output = None,
    as_json: Json = False,
) -> None:
    """Draw a picture again from its record: the same bytes, on the same machine with the same weights.

    The exit code is 3 if the bytes differ.
    """
    from scope.plugins import registry
    from scope.runs.png import png_bytes, read_record, save_png

    record = read_record(image)
    path = target(output, f"{image.stem}-rerun")
    generator = registry.load("generators", record.draft.generator.partition("@")[0])()
    _check_weights(record, generator.weights)
    (picture,) = generator.generate([_located(record, image)])
    same = png_bytes(picture.image, record) == image.read_bytes()
    save_png(path, picture.image, record)
    log("the same bytes" if same else "other bytes: another machine or another library draws slightly differently")
    if as_json:
        emit_json({"image": str(path), "same": same})
    else:
        emit(str(path))
    raise typer.Exit(0 if same else 3)


def _located(record: "Record", image: Path) -> "Request":
    """Return the request of a picture; the draft that it was drawn on from, if any, by its place on this machine.

    Raises: UsageError if that draft is not here any more.
    """
    from scope.files import sha256_of_file
    from scope.runs import store

    request = record.draft.request
    if request.start is None:
        return request
    draft = store.resolve(str(image)).folder / request.start.path
    if not draft.exists() or sha256_of_file(draft) != request.start.sha256:
        raise UsageError(f"{image} was drawn on from another draft, {draft}, which is not there any more")
    return request.model_copy(update={"start": request.start.model_copy(update={"path": str(draft)})})


def _check_weights(record: "Record", weights: dict[str, str]) -> None:
    other = sorted(name for name in record.weights.keys() | weights if record.weights.get(name) != weights.get(name))
    if other:
        made_with = record.versions.get("scope-t2i", "another version")
        raise WeightsError(
            f"this picture was drawn with other weights ({', '.join(other)}), so it cannot be drawn again here; "
            f"install scope {made_with}, or draw its prompt anew with: scope generate"
        )
