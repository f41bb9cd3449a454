"""The atlas in memory: every drawing in every colour and size, and how much of its frame it fills. numpy only."""

from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scope.worlds.pocket.catalogue import COLORS, VENDORS, drawings

Pixels = NDArray[np.floating]
Corners = tuple[int, int, int, int]  # x0, y0, x1, y1 in pixels

COLUMNS = 16  # cells of a row of an atlas
SIZE = 128  # pixels of a scene's side
GRID = 16  # pixels of a cell: of the latents, and of the grid on which edits put things


@cache
def _atlas(vendor: str) -> NDArray[np.uint8]:
    with files("scope.data").joinpath("atlas", f"{vendor}.webp").open("rb") as file:
        return np.asarray(Image.open(file).convert("RGBA"))


def _master(name: str, vendor: str) -> NDArray[np.uint8]:
    names = drawings()[vendor]
    if name not in names and vendor != VENDORS[0]:
        return _master(name, VENDORS[0])
    atlas = _atlas(vendor)
    side = atlas.shape[1] // COLUMNS
    row, column = divmod(names.index(name), COLUMNS)
    return atlas[row * side : (row + 1) * side, column * side : (column + 1) * side]


def _recolor(rgb: Pixels, alpha: Pixels, color: str) -> Pixels:
    """Repaint the body of a drawing, keeping its light and shade.

    The body is what is coloured; where a drawing is mostly grey or white, it is all that is not dark.
    rgb (h, w, 3) and alpha (h, w) in [0, 1].
    """
    light = rgb @ np.array([0.299, 0.587, 0.114], np.float32)
    chroma = rgb.max(-1) - rgb.min(-1)
    ink = alpha > 0.5
    if (chroma[ink] > 0.18).mean() >= 0.35:
        body = np.clip((chroma - 0.10) / 0.12, 0, 1)
    else:
        body = np.clip((light - 0.18) / 0.12, 0, 1)
    mean = float((light * body * ink).sum() / max(1e-6, (body * ink).sum()))
    ratio = (light / max(mean, 0.05))[..., None]
    base = np.asarray(COLORS[color], np.float32) / 255
    shade = base * np.clip(ratio, 0.25, 1) ** 0.8
    shine = shade + (1 - shade) * np.clip(ratio - 1, 0, 1) * 0.5
    mix = body[..., None].astype(np.float32)
    painted: Pixels = rgb * (1 - mix) + shine * mix
    return painted


@cache
def _halved(drawing: str, vendor: str) -> NDArray[np.uint8]:
    return np.asarray(Image.fromarray(_master(drawing, vendor)).convert("RGBa").reduce(2).convert("RGBA"))


@lru_cache(maxsize=16384)
def _painted(drawing: str, color: str | None, vendor: str, half: bool) -> Image.Image:
    """Return a drawing as large as its cell or half of it, recoloured if `color`, its colours multiplied by alpha."""
    master = _halved(drawing, vendor) if half else _master(drawing, vendor)
    if color is not None:
        pixels: Pixels = master.astype(np.float32) / 255
        painted = _recolor(pixels[..., :3], pixels[..., 3], color)
        master = np.concatenate([(painted * 255 + 0.5).clip(0, 255).astype(np.uint8), master[..., 3:]], -1)
    return Image.fromarray(master).convert("RGBa")


@lru_cache(maxsize=4096)
def sprite(
    drawing: str, color: str | None, size: int | tuple[int, int], vendor: str = VENDORS[0]
) -> tuple[Pixels, Pixels]:
    """Return (rgb (h, w, 3), alpha (h, w, 1)) in [0, 1] of a drawing, recoloured if `color`.

    `drawing` may be "person/dark": one of TONED in one of TONES. `size` is its side in pixels, or (width, height). The
    arrays are shared between calls: do not write into them.
    """
    width, height = (size, size) if isinstance(size, int) else size
    half = 2 * max(width, height) <= _atlas(vendor).shape[1] // COLUMNS  # a quarter of the pixels to paint
    painted = _painted(drawing, color, vendor, half)
    shrinks = max(width, height) <= min(painted.size)
    scaled = painted.resize((width, height), Image.Resampling.BOX if shrinks else Image.Resampling.BICUBIC)
    premultiplied: Pixels = np.asarray(scaled, np.float32) / 255
    alpha = premultiplied[..., 3:]
    return premultiplied[..., :3] / np.maximum(alpha, 1e-4), alpha


def bounding_box(area: NDArray[np.bool_]) -> Corners:
    """Return the smallest box around what is true of an area (h, w), some of which is."""
    ys, xs = np.flatnonzero(area.any(1)), np.flatnonzero(area.any(0))
    return int(xs[0]), int(ys[0]), int(xs[-1]) + 1, int(ys[-1]) + 1


def ink_of(alpha: Pixels) -> Corners:
    """Return the smallest box around what is opaque of a drawing (h, w, 1); of the palest lines, what is most so."""
    return bounding_box(alpha[..., 0] > min(0.5, 0.5 * float(alpha.max())))


@lru_cache(maxsize=4096)
def ink(drawing: str, size: int | tuple[int, int], vendor: str = VENDORS[0]) -> Corners:
    """Return the smallest box around the ink of a drawing, from the corner of its frame of that `size`."""
    return ink_of(sprite(drawing, None, size, vendor)[1])
