"""The atlas in memory: every drawing in every colour and size, and the backgrounds. numpy only."""

from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from scope.worlds.catalogue import COLORS, VENDORS, drawings

Pixels = NDArray[np.floating]

CELL, COLUMNS = 64, 16
SIZE = 128  # pixels of a scene's side
GRID = 16  # objects stand on multiples of this
_SKY_LINE = 80


@cache
def _atlas(vendor: str) -> NDArray[np.uint8]:
    with files("scope.data").joinpath("atlas", f"{vendor}.webp").open("rb") as file:
        return np.asarray(Image.open(file).convert("RGBA"))


def _master(name: str, vendor: str) -> NDArray[np.uint8]:
    names = drawings()[vendor]
    if name not in names:
        return _master(name, VENDORS[0])
    row, column = divmod(names.index(name), COLUMNS)
    return _atlas(vendor)[row * CELL : (row + 1) * CELL, column * CELL : (column + 1) * CELL]


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
def sprite(noun: str, color: str | None, size: int, vendor: str = VENDORS[0]) -> tuple[Pixels, Pixels]:
    """Return (rgb (size, size, 3), alpha (size, size, 1)) in [0, 1] of a drawing, recoloured if `color`.

    `noun` may be "person/dark": one of TONED in one of TONES.
    """
    master: Pixels = _master(noun, vendor).astype(np.float32) / 255
    rgb, alpha = master[..., :3], master[..., 3]
    if color is not None:
        rgb = _recolor(rgb, alpha, color)
    premultiplied = np.concatenate([rgb * alpha[..., None], alpha[..., None]], -1)
    if size != CELL:
        channels = [
            np.asarray(Image.fromarray(premultiplied[..., i]).resize((size, size), Image.Resampling.BOX))
            for i in range(4)
        ]
        premultiplied = np.stack(channels, -1)
    alpha = premultiplied[..., 3:]
    return premultiplied[..., :3] / np.maximum(alpha, 1e-4), alpha


def _bands(*rows: tuple[int, tuple[int, int, int], tuple[int, int, int]]) -> Pixels:
    """Return a picture of horizontal bands: (first row, colour at its top, colour at its bottom)."""
    picture = np.zeros((SIZE, SIZE, 3), np.float32)
    for (top, first, last), end in zip(rows, [r[0] for r in rows[1:]] + [SIZE], strict=True):
        t = np.linspace(0, 1, end - top, dtype=np.float32)[:, None, None]
        picture[top:end] = np.asarray(first, np.float32) * (1 - t) + np.asarray(last, np.float32) * t
    return picture / 255


def _stars(picture: Pixels) -> Pixels:
    for x, y in np.random.default_rng(7).integers(0, SIZE, (40, 2)):
        picture[y, x] = 0.85
    return picture


def _columns(picture: Pixels, tops: tuple[int, ...], color: tuple[int, int, int], pitch: int) -> Pixels:
    """Draw upright blocks from each top down to the sky line, `pitch` pixels apart, one pixel of gap."""
    for i, top in enumerate(tops):
        picture[top:_SKY_LINE, i * pitch : (i + 1) * pitch - 1] = np.asarray(color, np.float32) / 255
    return picture


@cache
def background(setting: str) -> Pixels:
    """Return the (128, 128, 3) picture of a setting, in [0, 1]. Settings are told apart by colour and line."""
    match setting:
        case "plain":
            return _bands((0, (206, 214, 220), (206, 214, 220)))
        case "beach":
            return _bands(
                (0, (120, 190, 240), (190, 225, 250)), (64, (30, 120, 190), (60, 150, 205)),
                (_SKY_LINE, (245, 220, 160), (235, 205, 140)),
            )  # fmt: skip
        case "night":
            return _stars(_bands((0, (8, 10, 35), (28, 24, 70))))
        case "snow":
            return _bands((0, (165, 185, 205), (205, 218, 230)), (_SKY_LINE, (250, 252, 255), (228, 236, 246)))
        case "grass":
            return _bands((0, (135, 195, 245), (200, 228, 250)), (_SKY_LINE, (110, 180, 80), (80, 150, 55)))
        case "desert":
            return _bands((0, (250, 225, 180), (250, 205, 140)), (_SKY_LINE, (222, 165, 95), (195, 135, 70)))
        case "sea":
            return _bands((0, (70, 190, 215), (10, 70, 130)))
        case "forest":
            picture = _bands((0, (160, 205, 190), (120, 175, 150)), (_SKY_LINE, (70, 105, 50), (50, 80, 38)))
            return _columns(picture, (24, 40, 16, 32, 24, 44, 20, 36), (38, 84, 52), 16)
        case "city":
            picture = _bands((0, (190, 200, 215), (225, 228, 232)), (_SKY_LINE, (95, 98, 105), (75, 78, 85)))
            return _columns(picture, (40, 24, 48, 32), (130, 138, 155), 32)
        case "sunset":
            return _bands((0, (95, 60, 130), (250, 130, 80)), (_SKY_LINE, (130, 60, 70), (80, 35, 55)))
        case "room":
            return _bands((0, (240, 226, 200), (232, 214, 184)), (_SKY_LINE, (160, 110, 70), (135, 90, 55)))
    raise KeyError(setting)


@lru_cache(maxsize=4096)
def sign(text: str, width: int = 112, height: int = 32) -> Pixels:
    """Return a white board (height, width, 3) with a dark frame and `text` as large as fits, in [0, 1]."""
    board = Image.new("RGB", (width, height), (40, 40, 46))
    draw = ImageDraw.Draw(board)
    draw.rectangle((2, 2, width - 3, height - 3), fill=(250, 250, 246))
    for points in range(24, 7, -1):
        font = ImageFont.load_default(points)
        left, top, right, bottom = draw.textbbox((0, 0), text, font=font)
        if right - left <= width - 10:
            break
    draw.text(((width - left - right) / 2, (height - top - bottom) / 2), text, fill=(20, 20, 24), font=font)
    return np.asarray(board, np.float32) / 255
