"""`scope world`: the pocket world that the shipped weights were trained on."""

from collections.abc import Collection
from pathlib import Path
from typing import Annotated

import typer

from scope.cli.console import Commands, give, say
from scope.errors import OutputError

app = typer.Typer(cls=Commands, help="The pocket world: look at it, or build its drawings.", no_args_is_help=True)


@app.command()
def words() -> None:
    """List what the world can draw, and what of it the shipped generator knows."""
    from scope.cli.console import table
    from scope.worlds.catalogue import COLORS, FIRST, MAX_COUNT, MORE, RELATIONS, SETTINGS

    kinds: dict[str, Collection[str]] = {
        "nouns that the shipped weights draw": FIRST,
        "nouns that only the world draws, and verifiers know": MORE,
        "colours": COLORS,
        "settings": [s for s in SETTINGS if s != "plain"],
        "relations": RELATIONS,
        "counts": [str(n) for n in range(1, MAX_COUNT + 1)],
    }
    table(("kind", "number", "words"), ((kind, str(len(of)), ", ".join(of)) for kind, of in kinds.items()))


@app.command()
def show(
    output: Annotated[Path, typer.Option("--output", "-o", help="PNG to write.")] = Path("world.png"),
    seed: Annotated[int, typer.Option(min=0, help="Which scenes.")] = 0,
    count: Annotated[int, typer.Option(min=1, max=256, help="How many.")] = 16,
    held_out: Annotated[bool, typer.Option("--held-out", help="Scenes that training never sees.")] = False,
) -> None:
    """Draw scenes of the world on one sheet; their captions go to stderr."""
    import numpy as np
    from PIL import Image

    from scope.images import save_png
    from scope.worlds.pocket import Split, caption, compose, sample
    from scope.worlds.sprites import SIZE

    split: Split = "held_out" if held_out else "train"
    random = np.random.default_rng(seed)
    columns = min(count, 8)
    sheet = Image.new("RGB", (columns * SIZE, -(-count // columns) * SIZE))
    for number in range(count):
        plan = sample(random, split)
        scene = compose(plan, (seed, number))
        sheet.paste(Image.fromarray(scene.image), (number % columns * SIZE, number // columns * SIZE))
        say(f"{number + 1}: {caption(plan, random).text}")
    save_png(output, sheet, None)
    give(str(output.absolute()))


@app.command()
def build(
    icons: Annotated[Path, typer.Argument(help="icons.json of @iconify-json/noto.", exists=True, dir_okay=False)],
    output: Annotated[
        Path | None, typer.Option("--output", "-o", help="PNG to write. Without it: the packaged one.")
    ] = None,
) -> None:
    """Draw the packaged sheet of sprites from the pinned release of the art (for maintainers)."""
    try:
        import resvg_py  # noqa: F401 - asked for here, so that the message can say what to install
    except ImportError as error:
        raise OutputError(
            "drawing vector art needs resvg-py; install it with: pip install 'scope-t2i[train]'"
        ) from error
    from scope import data
    from scope.worlds.build import build as draw

    path = output or Path(str(data.__path__[0])) / "pocket_atlas.png"
    draw(icons, path)
    give(str(path.absolute()))
