"""Sheets of all that the world draws: its nouns, and its settings, each with its name."""

from collections.abc import Sequence

import numpy as np
from PIL import Image, ImageDraw, ImageFont

from scope.worlds.pocket.background import background
from scope.worlds.pocket.catalogue import NOUNS, SETTING_NAMES
from scope.worlds.pocket.sprites import Pixels, sprite

_LINE, _LETTERS = 14, 11  # pixels
_DRAWN, _MARGIN = 76, 6  # of a noun


def all_nouns() -> Image.Image:
    """Return every noun of the world in its usual drawing, in the order of `NOUNS`."""
    return _sheet(NOUNS, [_noun(noun) for noun in NOUNS], 18)


def all_settings() -> Image.Image:
    """Return every setting of the world, in the order of `SETTING_NAMES`."""
    return _sheet(SETTING_NAMES, [_picture(background(setting)) for setting in SETTING_NAMES], 10)


def _sheet(names: Sequence[str], pictures: Sequence[Image.Image], columns: int) -> Image.Image:
    width, height = pictures[0].size
    high = height + _LINE
    sheet = Image.new("RGB", (columns * width, -(-len(names) // columns) * high), "white")
    pen, font = ImageDraw.Draw(sheet), ImageFont.load_default(_LETTERS)
    for number, (name, picture) in enumerate(zip(names, pictures, strict=True)):
        x, y = number % columns * width, number // columns * high
        sheet.paste(picture, (x, y))
        pen.text((x + width / 2, y + height + 1), name, "black", font, anchor="ma")
    return sheet


def _noun(noun: str) -> Image.Image:
    rgb, alpha = sprite(noun, None, _DRAWN)
    cell = Image.new("RGB", (_DRAWN + 2 * _MARGIN, _DRAWN + 2), "white")
    cell.paste(_picture(rgb * alpha + 1 - alpha), (_MARGIN, 2))
    return cell


def _picture(pixels: Pixels) -> Image.Image:
    return Image.fromarray((pixels * 255 + 0.5).clip(0, 255).astype(np.uint8))
