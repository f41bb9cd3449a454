"""The settings: 128-px pictures told apart by colour and line.

"plain" and the ten after it are what the first shipped weights saw, and stay equal to the pixel.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from scope.worlds.pocket.sprites import SIZE, Pixels

Color = tuple[int, int, int]
#: What ImageDraw calls it, where it lies, and its colour.
Shape = tuple[str, tuple[int, ...], Color]

_SKY_LINE = 80

#: Setting -> horizontal bands: (first row, colour at its top, colour at its bottom).
_BANDS: dict[str, tuple[tuple[int, Color, Color], ...]] = {
    "plain": ((0, (206, 214, 220), (206, 214, 220)),),
    "beach": (
        (0, (120, 190, 240), (190, 225, 250)),
        (64, (30, 120, 190), (60, 150, 205)),
        (_SKY_LINE, (245, 220, 160), (235, 205, 140)),
    ),
    "night": ((0, (8, 10, 35), (28, 24, 70)),),
    "snow": ((0, (165, 185, 205), (205, 218, 230)), (_SKY_LINE, (250, 252, 255), (228, 236, 246))),
    "grass": ((0, (135, 195, 245), (200, 228, 250)), (_SKY_LINE, (110, 180, 80), (80, 150, 55))),
    "desert": ((0, (250, 225, 180), (250, 205, 140)), (_SKY_LINE, (222, 165, 95), (195, 135, 70))),
    "sea": ((0, (70, 190, 215), (10, 70, 130)),),
    "forest": ((0, (160, 205, 190), (120, 175, 150)), (_SKY_LINE, (70, 105, 50), (50, 80, 38))),
    "city": ((0, (190, 200, 215), (225, 228, 232)), (_SKY_LINE, (95, 98, 105), (75, 78, 85))),
    "sunset": ((0, (95, 60, 130), (250, 130, 80)), (_SKY_LINE, (130, 60, 70), (80, 35, 55))),
    "room": ((0, (240, 226, 200), (232, 214, 184)), (_SKY_LINE, (160, 110, 70), (135, 90, 55))),
    "space": ((0, (4, 4, 10), (10, 6, 16)),),
    "sky": ((0, (60, 140, 235), (170, 210, 248)),),
    "mountain": ((0, (175, 205, 235), (222, 232, 240)), (104, (92, 120, 84), (70, 98, 64))),
    "farm": ((0, (150, 205, 245), (225, 238, 225)), (64, (226, 190, 78), (186, 140, 48))),
    "kitchen": ((0, (214, 236, 228), (204, 228, 220)), (_SKY_LINE, (196, 60, 52), (160, 42, 40))),
    "rain": ((0, (82, 92, 104), (128, 138, 148)), (96, (70, 80, 88), (52, 60, 68))),
    "river": ((0, (120, 176, 92), (84, 146, 62)),),
    "cave": ((0, (44, 34, 30), (74, 56, 44)),),
}

#: Setting -> (seed, how many) of its stars.
_STARS = {"night": (7, 40), "space": (11, 90)}

#: Setting -> (tops, colour, pitch in pixels) of upright blocks that stand on the sky line, one pixel apart.
_BLOCKS: dict[str, tuple[tuple[int, ...], Color, int]] = {
    "forest": ((24, 40, 16, 32, 24, 44, 20, 36), (38, 84, 52), 16),
    "city": ((40, 24, 48, 32), (130, 138, 155), 32),
}


@cache
def background(setting: str, scale: int = 1) -> Pixels:
    """Return the picture of a setting (128 * scale, 128 * scale, 3), in [0, 1].

    Scale 2 is the same picture with twice the pixels: reduced by area it is near the one of scale 1. It is shared
    between calls: do not write into it.

    Raises: KeyError for a setting that the world does not have.
    """
    picture = _bands(scale, *_BANDS[setting])
    if setting in _STARS:
        seed, count = _STARS[setting]
        for x, y in np.random.default_rng(seed).integers(0, SIZE, (count, 2)) * scale:
            picture[y : y + scale, x : x + scale] = 0.85
    if setting in _BLOCKS:
        tops, color, pitch = _BLOCKS[setting]
        for i, top in enumerate(tops):
            block = np.s_[top * scale : _SKY_LINE * scale, i * pitch * scale : ((i + 1) * pitch - 1) * scale]
            picture[block] = np.asarray(color, np.float32) / 255
    shapes = tuple(_shapes(setting))
    return _drawn(picture, shapes, scale) if shapes else picture


def _bands(scale: int, *rows: tuple[int, Color, Color]) -> Pixels:
    picture = np.zeros((SIZE * scale, SIZE * scale, 3), np.float32)
    for (top, first, last), end in zip(rows, [r[0] for r in rows[1:]] + [SIZE], strict=True):
        t = np.linspace(0, 1, (end - top) * scale, dtype=np.float32)[:, None, None]
        picture[top * scale : end * scale] = np.asarray(first, np.float32) * (1 - t) + np.asarray(last, np.float32) * t
    return picture / 255


def _drawn(picture: Pixels, shapes: tuple[Shape, ...], scale: int) -> Pixels:
    image = Image.fromarray((picture * 255 + 0.5).astype(np.uint8))
    brush = ImageDraw.Draw(image)
    for kind, where, color in shapes:
        width = {"width": scale} if kind == "line" else {}
        getattr(brush, kind)(_scaled(kind, where, scale), fill=color, **width)
    return np.asarray(image, np.float32) / 255


def _scaled(kind: str, where: tuple[int, ...], scale: int) -> tuple[float, ...]:
    """Return where a shape lies among smaller pixels: boxes hold their last pixel, lines run through middles."""
    if kind in ("rectangle", "ellipse"):
        x0, y0, x1, y1 = where
        return x0 * scale, y0 * scale, (x1 + 1) * scale - 1, (y1 + 1) * scale - 1
    middle = scale // 2 if kind == "polygon" else (scale - 1) / 2
    return tuple(at * scale + middle for at in where)


def _shapes(setting: str) -> Iterator[Shape]:
    """Yield what is drawn over the bands, from back to front."""
    match setting:
        case "space":
            yield "ellipse", (58, 86, 186, 214), (150, 110, 170)
            yield "ellipse", (60, 90, 188, 218), (74, 44, 92)
        case "sky":
            for x, y in ((-10, 20), (70, 34), (26, 74), (84, 100), (-20, 112)):  # no clouds: those are things
                yield "ellipse", (x, y, x + 58, y + 4), (214, 232, 252)
        case "mountain":
            for x, y, half in ((30, 30, 50), (100, 18, 64), (66, 52, 40)):
                yield "polygon", (x, y, x + half, 104, x - half, 104), (106, 112, 134)
                yield "polygon", (x, y, x + half // 4, y + (104 - y) // 4, x - half // 4, y + (104 - y) // 4), _WHITE
        case "farm":
            for x in range(-16, 17, 2):
                yield "line", (64 + 4 * x, 64, 64 + 22 * x, 127), (150, 108, 40)
        case "kitchen":
            for at in range(0, SIZE, 16):
                yield "line", (at, 0, at, _SKY_LINE - 1), (168, 200, 190)
                yield "line", (0, min(at, _SKY_LINE), SIZE, min(at, _SKY_LINE)), (168, 200, 190)
            yield "rectangle", (0, _SKY_LINE, SIZE, _SKY_LINE + 5), _WHITE
        case "rain":
            for x, y in np.random.default_rng(13).integers(-8, SIZE, (110, 2)).tolist():
                yield "line", (x, y, x - 3, y + 8), (172, 186, 200)
        case "river":
            yield "polygon", (80, 0, 108, 0, 94, 127, 2, 127), (214, 200, 150)
            yield "polygon", (84, 0, 104, 0, 88, 127, 8, 127), (64, 140, 214)
        case "cave":
            yield "ellipse", (14, 22, 114, 190), (130, 104, 78)
            yield "ellipse", (24, 34, 104, 190), (206, 184, 142)


_WHITE = (240, 243, 246)
