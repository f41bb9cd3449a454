"""Render the sprite atlas of the pocket world from packaged art. Maintainers only; the atlas ships.

Input: the npm package @iconify-json/noto (Apache-2.0), pinned by `NOTO_VERSION` and the sha256 of its icons.json.
Output: scope/data/pocket_atlas.png, one row of 64-px RGBA cells per 16 concepts in the order of `CONCEPTS`.
"""

import hashlib
import io
import json
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from scope.errors import ScopeError
from scope.worlds.catalogue import CONCEPTS

NOTO_VERSION = "1.2.9"
NOTO_SHA256 = "9eac6ef4e7ec122b6f0e7ac281d61008afdbc720d0ce861e398b939daaa347c6"
CELL, COLUMNS = 64, 16


def _svg(icons: dict[str, Any], name: str) -> str:
    name = icons.get("aliases", {}).get(name, {}).get("parent", name)
    width, height = icons.get("width", 16), icons.get("height", 16)
    body = icons["icons"][name]["body"]
    return f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}">{body}</svg>'


def render(icons: dict[str, Any], name: str) -> Image.Image:
    """Return one icon as a CELL x CELL RGBA image, cropped to its ink and centred."""
    import resvg_py

    png = bytes(resvg_py.svg_to_bytes(svg_string=_svg(icons, name), width=512))
    large = Image.open(io.BytesIO(png)).convert("RGBA")
    ink = large.crop(large.getchannel("A").point(lambda a: 255 if a > 8 else 0).getbbox())
    scale = (CELL - 4) / max(ink.size)
    ink = ink.resize((max(1, round(ink.width * scale)), max(1, round(ink.height * scale))), Image.Resampling.LANCZOS)
    cell = Image.new("RGBA", (CELL, CELL))
    cell.paste(ink, ((CELL - ink.width) // 2, (CELL - ink.height) // 2))
    return cell


def build(icons_json: Path, out: Path) -> None:
    """Write the atlas to `out`.

    Raises: ScopeError if `icons_json` is not the pinned release.
    """
    raw = icons_json.read_bytes()
    if hashlib.sha256(raw).hexdigest() != NOTO_SHA256:
        raise ScopeError(
            f"{icons_json} is not icons.json of @iconify-json/noto {NOTO_VERSION}; "
            f"run: npm pack @iconify-json/noto@{NOTO_VERSION}"
        )
    icons = json.loads(raw)
    rows = -(-len(CONCEPTS) // COLUMNS)
    atlas = Image.new("RGBA", (COLUMNS * CELL, rows * CELL))
    for i, concept in enumerate(CONCEPTS.values()):
        atlas.paste(render(icons, concept.icon), (i % COLUMNS * CELL, i // COLUMNS * CELL))
    pixels = np.asarray(atlas).copy()
    pixels[pixels[..., 3] == 0] = 0  # invisible colour would only cost bytes
    Image.fromarray(pixels, "RGBA").save(out, optimize=True)
