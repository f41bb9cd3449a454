"""The board with words: lettered in one of several fonts, all free to pass on (NOTICE names their licences)."""

import io
from functools import cache, lru_cache
from importlib.resources import files

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFont

from scope.worlds.pocket.relations import XyxyPx

#: Aileron is the one that Pillow carries, and that the first shipped weights saw; the others lie in scope/data/fonts.
FONTS = ("aileron", "roboto-slab", "permanent-marker", "special-elite")
#: In permanent-marker a 1 is a stroke and a 7 a 1: people could not tell what a number says, nor can a judge.
NUMBER_FONTS = tuple(font for font in FONTS if font != "permanent-marker")
WIDTH, HEIGHT = 112, 32  # pixels

Font = ImageFont.FreeTypeFont | ImageFont.ImageFont
Ink = tuple[float, float, float, float]


@cache
def _file(font: str) -> bytes:
    return files("scope.data").joinpath("fonts", f"{font}.woff").read_bytes()


@cache
def _font(font: str, points: int) -> Font:
    if font == FONTS[0]:
        return ImageFont.load_default(points)
    return ImageFont.truetype(io.BytesIO(_file(font)), points)


@lru_cache(maxsize=4096)
def sign(
    text: str, font: str = FONTS[0], width: int = WIDTH, height: int = HEIGHT, scale: int = 1
) -> NDArray[np.floating]:
    """Return a white board (height, width, 3) with a dark frame and `text` as large as fits, in [0, 1].

    Frame and letters are `scale` times as large as those of a 128-px scene.

    The array is shared between calls: do not write into it.
    """
    board = Image.new("RGB", (width, height), (40, 40, 46))
    draw = ImageDraw.Draw(board)
    frame = 2 * scale
    draw.rectangle((frame, frame, width - 1 - frame, height - 1 - frame), fill=(250, 250, 246))
    letters, (left, top, right, bottom) = _fitted(text, font, width, height, scale)
    draw.text(((width - left - right) / 2, (height - top - bottom) / 2), text, fill=(20, 20, 24), font=letters)
    return np.asarray(board, np.float32) / 255


def _fitted(text: str, font: str, width: int, height: int, scale: int = 1) -> tuple[Font, Ink]:
    """Return the largest letters of a font whose text fits into a board, and the box of their ink."""
    for points in range(24 * scale, 8 * scale - 1, -1):
        letters = _font(font, points)
        left, top, right, bottom = letters.getbbox(text)
        if right - left <= width - 10 * scale and bottom - top <= height - 8 * scale:
            break
    return letters, (left, top, right, bottom)


def letter_boxes(text: str, board: XyxyPx, font: str = FONTS[0]) -> list[tuple[str, Ink]]:
    """Return each character of a text on a board, and its box (x0, y0, x1, y1) in pixels; blanks have none.

    A character is as wide as its advance, and as high as the line: where a typesetter puts it, not its ink.
    """
    x0, y0, x1, y1 = board
    letters, (left, top, right, bottom) = _fitted(text, font, x1 - x0, y1 - y0)
    start, middle, half = x0 + (x1 - x0 - left - right) / 2, (y0 + y1) / 2, (bottom - top) / 2
    ends = [start + letters.getlength(text[:n]) for n in range(len(text) + 1)]
    boxes = ((ends[i], middle - half, ends[i + 1], middle + half) for i in range(len(text)))
    return [(character, box) for character, box in zip(text, boxes, strict=True) if not character.isspace()]
