"""Render the sprite atlases of the pocket world from packaged art. Maintainers only; the atlases ship.

Input: a folder with the unpacked packages of `SOURCES`, each pinned by its version and a sha256.
Output: scope/data/atlas/<vendor>.webp, one row of square RGBA cells per 16 drawings, and index.json, which names them.

A cell is 128 px, and half of that for the vendors that only the judge sees. docs/world.md says why, and why sheets are
lossless.
"""

import io
import json
from collections.abc import Callable, Iterable
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scope.errors import ScopeError
from scope.worlds.pocket.catalogue import DRAWN, TONED, TONES
from scope.worlds.pocket.packages import CELL, SOURCES, opened
from scope.worlds.pocket.sprites import COLUMNS

DRAWN_HERE = "*"


#: fxemoji's own names, where they are not the usual one without its hyphens.
FX_NAMES = {
    "dog-face": "dog", "cat-face": "cat", "cow-face": "cowface", "horse-face": "horseface", "pizza": "sliceofpizza",
    "birthday-cake": "birthdaycake", "chair": "seat", "open-book": "openbook", "backpack": "schoolsatchel",
    "house": "housebuilding", "rabbit-face": "bunny", "pig-face": "pig", "tiger-face": "tiger",
    "monkey-face": "monkeyface", "delivery-truck": "deliverytruck", "vertical-traffic-light": "verticaltrafficlight",
    "mobile-phone": "cellphone", "scissors": "blackscissors", "necktie": "tie", "wine-glass": "wineglass",
    "teacup-without-handle": "teacupwithouthandle", "wrapped-gift": "present", "snowman": "snowmanwithoutsnow",
    "tropical-fish": "tropicalfish", "alarm-clock": "alarmclock", "deciduous-tree": "deciduoustree", "ewe": "sheep",
    "skis": "skiandskiboot", "camel": "dromedarycamel", "fox": "foxgrin", "panda": "pandaface", "eggplant": "aubergine",
    "ear-of-corn": "earofmaize", "light-bulb": "lightbulb", "top-hat": "tophat", "running-shoe": "mensrunner",
    "hourglass-done": "hourglass", "castle": "europeancastle", "red-heart": "redheart",
    "computer-mouse": "onebuttonmouse",
    "keyboard": "wiredkeyboard",
    # These would come with a background of their own, or are of something else.
    "sailboat": "", "tent": "", "desert-island": "", "ship": "", "carousel-horse": "", "fountain": "",
    "statue-of-liberty": "", "ferris-wheel": "", "roller-coaster": "", "volcano": "", "tram-car": "", "sunglasses": "",
    "desktop-computer": "", "boar": "", "nail-polish": "", "window": "", "construction": "", "hospital": "",
    "spider": "",
    "raised-hand": "hand", "kitchen-knife": "hocho", "hot-pepper": "chilipepper", "honeybee": "honeybee",
    "soft-ice-cream": "softicecream", "fire-engine": "fireengine", "lady-beetle": "ladybeetle", "person": "",
    "flashlight": "electrictorch", "t-shirt": "mansshirt", "red-apple": "redapple", "soccer-ball": "soccerball",
    "game-die": "gamedie", "palm-tree": "palmtree", "baby-bottle": "babybottle",
}  # fmt: skip

_FILLED = 15 / 16  # share of a cell's side that the ink of a drawing takes

Draw = Callable[[str], Image.Image | None]


def fitted(large: Image.Image, side: int = CELL) -> Image.Image:
    """Return a picture cropped to its ink, scaled to fill a cell of `side` pixels and centred in it."""
    large = large.convert("RGBA")
    ink = large.crop(large.getchannel("A").point(lambda a: 255 if a > 8 else 0).getbbox())
    scale = side * _FILLED / max(ink.size)
    ink = ink.resize((max(1, round(ink.width * scale)), max(1, round(ink.height * scale))), Image.Resampling.LANCZOS)
    cell = Image.new("RGBA", (side, side))
    cell.paste(ink, ((side - ink.width) // 2, (side - ink.height) // 2))
    return cell


def _svg(text: str) -> Image.Image:
    try:
        import resvg_py
    except ImportError as error:
        raise ScopeError(
            "drawing vector art needs resvg-py; install it with: pip install 'scope-t2i[train]'"
        ) from error

    return Image.open(io.BytesIO(bytes(resvg_py.svg_to_bytes(svg_string=text, width=512))))


def _iconify(icons: dict[str, Any], rename: dict[str, str]) -> Draw:
    """Return what draws an icon of an iconify set, or None where the set lacks it."""

    def draw(name: str) -> Image.Image | None:
        name = rename.get(name, name)
        name = icons.get("aliases", {}).get(name, {}).get("parent", name)
        icon = icons["icons"].get(name)
        if icon is None:
            return None
        box = f"0 0 {icon.get('width', icons.get('width', 16))} {icon.get('height', icons.get('height', 16))}"
        return _svg(f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="{box}">{icon["body"]}</svg>')

    return draw


def _numbered(folder: Path, points: dict[str, list[str]]) -> Draw:
    """Return what draws an icon of a set whose files are named by code point."""

    def draw(name: str) -> Image.Image | None:
        for point in points.get(name, ()):
            for stem in (point, f"{point}-fe0f", point.replace("-fe0f", "")):
                if (folder / f"{stem}.webp").exists():
                    return Image.open(folder / f"{stem}.webp")
        return None

    return draw


def _painter(vendor: str, art: Path) -> Draw:
    package = opened(SOURCES[vendor], art)
    if vendor != "3d":
        rename = {} if vendor != "fxemoji" else FX_NAMES
        icons = json.loads((package / "icons.json").read_text())
        loose = {name: name.replace("-", "") for name in (c.icon for c in DRAWN.values())}
        return _iconify(icons, (loose | rename) if vendor == "fxemoji" else rename)
    points: dict[str, list[str]] = {}
    for point, name in json.loads((opened(SOURCES["noto"], art) / "chars.json").read_text()).items():
        points.setdefault(name, []).append(point)
    return _numbered(package / "assets", points)


def _names(vendor: str) -> Iterable[tuple[str, str]]:
    """Yield (name of the drawing, icon): nouns, and for Noto people in their skin tones."""
    for noun, concept in DRAWN.items():
        yield noun, concept.icon
    if vendor == "noto":
        yield from ((f"{noun}/{tone}", f"{DRAWN[noun].icon}-{tone}-skin-tone") for noun in TONED for tone in TONES)


def _drawn_here(noun: str) -> Image.Image:
    path = files("scope.data").joinpath("drawings", f"{noun.replace(' ', '-')}.svg")
    return _svg(path.read_text(encoding="utf-8"))


def _sheet(cells: list[Image.Image]) -> Image.Image:
    side = cells[0].width
    sheet = Image.new("RGBA", (COLUMNS * side, -(-len(cells) // COLUMNS) * side))
    for i, cell in enumerate(cells):
        sheet.paste(cell, (i % COLUMNS * side, i // COLUMNS * side))
    pixels = np.asarray(sheet).copy()
    pixels[pixels[..., 3] == 0] = 0  # invisible colour would only cost bytes
    return Image.fromarray(pixels, "RGBA")


def build(art: Path, out: Path) -> dict[str, list[str]]:
    """Write the atlases to the folder `out` and return what each vendor draws.

    Raises: ScopeError if a package is missing or is not the pinned release.
    """
    out.mkdir(parents=True, exist_ok=True)
    index: dict[str, list[str]] = {}
    for vendor, source in SOURCES.items():
        draw, cells = _painter(vendor, art), dict[str, Image.Image]()
        for name, icon in _names(vendor):
            here = icon == DRAWN_HERE
            picture = (_drawn_here(name) if vendor == "noto" else None) if here else draw(icon)
            if picture is not None:
                cells[name] = fitted(picture, source.cell)
        _sheet(list(cells.values())).save(out / f"{vendor}.webp", lossless=True, exact=True, quality=90, method=5)
        index[vendor] = list(cells)
    (out / "index.json").write_text(json.dumps(index, indent=1) + "\n")
    return index
