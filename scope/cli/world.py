"""`scope world`: the pocket world, from which everything that ships was learnt."""

from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from scope.cli.console import Commands, emit_path, log
from scope.errors import UsageError

if TYPE_CHECKING:
    from scope.worlds.pocket.samples import Selection

app = typer.Typer(
    cls=Commands, help="The pocket world: look at it, export it, or build its drawings.", no_args_is_help=True
)

Seed = Annotated[int, typer.Option(min=0, help="Which samples.")]
Split = Annotated[Literal["train", "held_out"], typer.Option(help="What training sees, or never sees.")]
Vendor = Annotated[str, typer.Option(help="Whose drawings: noto, flat or 3d; held out: twemoji, fxemoji.")]
Edits = Annotated[str, typer.Option(help="Edit pairs: all, trained, held_out, or families with commas between.")]
Core = Annotated[bool, typer.Option("--core", help="Only what the first shipped weights saw.")]


@app.command()
def words() -> None:
    """List what the world can draw, and what of it the shipped generator knows."""
    from scope.cli.console import emit_table
    from scope.worlds.pocket.catalogue import COLORS, HELD_OUT_NOUNS, MAX_COUNT, NOUNS, RELATIONS, SETTINGS, VENDORS
    from scope.worlds.pocket.edits import FAMILIES

    kinds: dict[str, Collection[str]] = {
        "nouns that the shipped weights draw": [noun for noun in NOUNS if noun not in HELD_OUT_NOUNS],
        "nouns that they draw from a reference alone": [noun for noun in NOUNS if noun in HELD_OUT_NOUNS],
        "colours": COLORS,
        "settings": [s for s in SETTINGS if s != "plain"],
        "relations": RELATIONS,
        "counts": [str(n) for n in range(1, MAX_COUNT + 1)],
        "styles": VENDORS,
        "edits": FAMILIES,
    }
    emit_table(("kind", "number", "words"), ((kind, str(len(of)), ", ".join(of)) for kind, of in kinds.items()))


@app.command()
def show(
    name: Annotated[str, typer.Argument(help="A thing by any of its names: its drawings, not scenes.")] = "",
    output: Annotated[Path, typer.Option("--output", "-o", help="PNG to write.")] = Path("world.png"),
    seed: Seed = 0,
    count: Annotated[int, typer.Option(min=1, max=256, help="How many.")] = 16,
    split: Split = "train",
    vendor: Vendor = "",
    edits: Edits = "",
    core: Core = False,
    nouns: Annotated[bool, typer.Option("--nouns", help="Every thing that there is, with its name.")] = False,
    settings: Annotated[bool, typer.Option("--settings", help="Every setting, with its name.")] = False,
) -> None:
    """Draw scenes or edit pairs on one sheet, their captions to stderr; or, by NAME, the drawings of one thing."""
    from PIL import Image

    from scope.runs.png import save_png

    if name:
        return _show_entry(name, output)
    if nouns or settings:
        from scope.worlds.pocket.sheets import all_nouns, all_settings

        save_png(output, all_nouns() if nouns else all_settings(), None)
        return emit_path(output.absolute())

    from scope.worlds.pocket.samples import draw_sample
    from scope.worlds.pocket.sprites import SIZE

    selection = _selection(seed, split, vendor, edits, core)
    wide = 2 * SIZE if selection.edits else SIZE
    columns = min(count, 8 * SIZE // wide)
    sheet = Image.new("RGB", (columns * wide, -(-count // columns) * SIZE))
    for number in range(count):
        sample = draw_sample(selection, number)
        x, y = number % columns * wide, number // columns * SIZE
        shown = ("before.png", "after.png") if selection.edits else ("png",)
        for i, name in enumerate(shown):
            sheet.paste(Image.fromarray(sample.pictures[name]), (x + i * SIZE, y))
        log(f"{number + 1}: {sample.text}")
    save_png(output, sheet, None)
    return emit_path(output.absolute())


def _show_entry(name: str, output: Path) -> None:
    """Say what a thing is called and whose its drawings are, and draw them on one sheet."""
    from PIL import Image

    from scope.cli.console import emit_table
    from scope.runs.png import save_png
    from scope.worlds.pocket.entry import find, sheet

    entry = find(name)
    noun = entry.concept.noun
    if entry.wider:
        log(f"{name!r} is a kind of {noun}, which is what the world draws")
    if entry.concept.held_out:
        log(f"{noun!r} is held out: generators draw it from a reference alone")
    emit_table(("called", "names"), [(noun, ", ".join((entry.concept.plural, *entry.names)))])
    rows = [(d.vendor, d.style or "the usual one", d.source, d.licence) for d in entry.drawings]
    emit_table(("drawn by", "style", "source", "licence"), rows)
    save_png(output, Image.fromarray(sheet(entry)), None)
    emit_path(output.absolute())


@app.command()
def export(
    folder: Annotated[Path, typer.Argument(help="Folder to write; an export that was stopped is continued.")],
    count: Annotated[int, typer.Option(min=1, help="How many samples.")] = 10_000,
    shard: Annotated[int, typer.Option(min=1, help="How many of them in one file.")] = 1000,
    seed: Seed = 0,
    split: Split = "train",
    vendor: Vendor = "",
    edits: Edits = "",
    core: Core = False,
) -> None:
    """Write scenes or edit pairs as WebDataset shards, with captions, masks and all that is true of them."""
    from scope.worlds.pocket import shards

    selection = _selection(seed, split, vendor, edits, core)
    dataset = shards.Dataset(**selection.model_dump(), count=count, shard=shard)
    for path in shards.export(folder, dataset, lambda done: log(f"{done:,} of {count:,}")):
        emit_path(path.absolute())


@app.command()
def build(
    art: Annotated[Path, typer.Argument(help="Folder of unpacked packages of art.", exists=True, file_okay=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="Folder to write. Without it: the packaged one.")
    ] = None,
) -> None:
    """Draw the packaged sheets, and list licences and names, from pinned releases (for maintainers)."""
    from scope import data
    from scope.files import write_atomic
    from scope.worlds.pocket import abstract, licences, naming, shown
    from scope.worlds.pocket.atlas import build as draw

    folder = output or Path(str(data.__path__[0]))
    tables = {table.FILE: table.table(art) for table in (naming, abstract, shown)}
    drawn = draw(art, folder / "atlas")
    write_atomic(folder / "atlas" / licences.FILE, licences.table(drawn).encode())
    for file, rows in tables.items():
        write_atomic(folder / "world" / file, rows.encode())
    for vendor, drawings in drawn.items():
        log(f"{vendor}: {len(drawings)} drawings")
    emit_path(folder.absolute())


def _selection(seed: int, split: Literal["train", "held_out"], vendor: str, edits: str, core: bool) -> "Selection":
    """Return the samples that the options name.

    Raises: UsageError for a vendor or a family of edits that there is not, and for options that exclude each other.
    """
    from scope.worlds.pocket.catalogue import HELD_OUT_VENDORS, VENDORS
    from scope.worlds.pocket.edits import families
    from scope.worlds.pocket.samples import Selection

    if vendor and vendor not in (*VENDORS, *HELD_OUT_VENDORS):
        raise UsageError(f"no vendor named {vendor!r}; there are {', '.join((*VENDORS, *HELD_OUT_VENDORS))}")
    if core and (vendor or edits):
        raise UsageError("--core goes with neither --vendor nor --edits: it has Noto's drawings, and no edits")
    if vendor and edits:
        raise UsageError("--vendor and --edits exclude each other: edits are drawn by all vendors")
    styles = (vendor,) if vendor else VENDORS
    return Selection(seed=seed, split=split, styles=styles, edits=families(edits), core=core)
