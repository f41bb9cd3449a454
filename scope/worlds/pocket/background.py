"""The settings: pictures told apart by colour and line.

"plain" and the ten after it are what the first shipped weights saw, and stay equal to the pixel.
"""

from collections.abc import Iterator
from functools import cache

import numpy as np
from PIL import Image, ImageDraw

from scope.worlds.pocket.settings import parts
from scope.worlds.pocket.sprites import SIZE, Pixels

Color = tuple[int, int, int]
#: What ImageDraw calls it, where it lies, and its colour.
Shape = tuple[str, tuple[int, ...], Color]

#: First row, colour at its top, colour at its bottom.
Band = tuple[int, Color, Color]

_SKY_LINE = 80

#: Setting -> horizontal bands: (first row, colour at its top, colour at its bottom).
_BANDS: dict[str, tuple[Band, ...]] = {
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
    "street": (
        (0, (186, 206, 226), (206, 218, 230)),
        (40, (172, 98, 80), (158, 86, 70)),
        (92, (192, 190, 184), (178, 176, 170)),
        (102, (74, 76, 82), (60, 62, 68)),
    ),
    "garden": (
        (0, (150, 205, 245), (190, 225, 250)),
        (36, (40, 104, 58), (52, 124, 66)),
        (72, (128, 196, 88), (104, 172, 70)),
    ),
    "park": ((0, (140, 198, 240), (214, 236, 246)), (62, (146, 196, 96), (112, 168, 72))),
    "playground": ((0, (160, 214, 248), (206, 234, 250)), (72, (232, 146, 78), (214, 118, 58))),
    "bedroom": ((0, (190, 180, 216), (176, 166, 204)), (88, (124, 98, 146), (102, 78, 124))),
    "bathroom": ((0, (224, 240, 250), (206, 228, 244)), (96, (64, 108, 150), (48, 88, 128))),
    "living room": ((0, (178, 198, 166), (164, 186, 152)), (92, (156, 106, 64), (134, 88, 52))),
    "library": ((0, (74, 46, 28), (62, 38, 22)), (100, (126, 72, 44), (104, 58, 34))),
    "classroom": ((0, (240, 234, 206), (230, 222, 190)), (98, (182, 140, 94), (160, 120, 78))),
    "office": ((0, (220, 224, 230), (206, 212, 220)), (90, (94, 108, 130), (78, 90, 110))),
    "cafe": (
        (0, (126, 46, 54), (110, 38, 46)),
        (74, (88, 56, 38), (76, 48, 32)),
        (100, (220, 204, 178), (202, 184, 156)),
    ),
    "stage": ((0, (34, 12, 24), (56, 20, 34)), (94, (178, 122, 70), (140, 92, 50))),
    "lake": (
        (0, (160, 212, 246), (222, 238, 246)),
        (40, (62, 122, 84), (78, 138, 92)),
        (56, (64, 134, 188), (124, 186, 220)),
        (114, (196, 190, 150), (180, 172, 130)),
    ),
    "volcano": ((0, (66, 30, 40), (176, 72, 48)), (100, (46, 36, 36), (32, 26, 28))),
    "jungle": ((0, (28, 88, 52), (18, 62, 40)), (100, (66, 52, 30), (52, 40, 24))),
    "swamp": ((0, (150, 160, 128), (120, 134, 100)), (60, (86, 94, 54), (58, 68, 40))),
    "arctic": (
        (0, (186, 214, 244), (232, 240, 252)),
        (58, (40, 86, 130), (58, 110, 152)),
        (84, (234, 244, 252), (204, 226, 244)),
    ),
    "harbor": (
        (0, (176, 210, 232), (212, 230, 240)),
        (48, (52, 104, 140), (70, 126, 158)),
        (96, (150, 120, 88), (126, 98, 70)),
    ),
    "pool": ((0, (236, 232, 220), (226, 220, 206)), (36, (88, 206, 226), (54, 176, 208))),
    "sunrise": ((0, (120, 172, 228), (255, 214, 150)), (84, (118, 140, 84), (84, 104, 62))),
    "storm": ((0, (38, 42, 58), (72, 78, 96)), (88, (34, 50, 62), (24, 36, 46))),
    "fog": ((0, (176, 180, 184), (150, 154, 158)),),
    "autumn": ((0, (240, 220, 182), (248, 232, 200)), (_SKY_LINE, (176, 94, 42), (146, 72, 32))),
    "flower field": ((0, (148, 206, 250), (214, 236, 252)), (52, (214, 96, 168), (176, 60, 132))),
    "sports field": ((0, (120, 130, 150), (96, 106, 126)), (48, (58, 150, 74), (44, 128, 62))),
    "seaside": (
        (0, (136, 198, 242), (226, 240, 248)),
        (56, (26, 98, 152), (74, 160, 196)),
        (104, (122, 112, 100), (96, 88, 80)),
    ),
}

#: Light or weather -> the share of each colour of a place that it leaves.
_LEAVES: dict[str, tuple[float, float, float]] = {
    "night": (0.24, 0.27, 0.46),
    "sunset": (0.66, 0.42, 0.44),
    "sunrise": (1.0, 0.87, 0.70),
    "rain": (0.58, 0.64, 0.70),
}
#: Light or weather -> the bands of its sky, over a place whose own sky is free there.
_SKIES: dict[str, tuple[Band, ...]] = {
    "sunset": ((0, (95, 60, 130), (250, 130, 80)), (80, (250, 130, 80), (250, 130, 80))),
    "sunrise": ((0, (120, 172, 228), (255, 214, 150)), (80, (255, 214, 150), (255, 214, 150))),
    "rain": ((0, (82, 92, 104), (128, 138, 148)),),
}
#: Light -> the sun, which stands behind what the place has.
_SUNS: dict[str, Shape] = {"sunrise": ("ellipse", (74, 22, 102, 50), (255, 240, 170))}

#: Setting -> (seed, how many) of its stars.
_STARS = {"night": (7, 40), "space": (11, 90)}
_STARS_BY_NIGHT = (17, 60)

#: Setting -> (tops, colour, pitch in pixels) of upright blocks that stand on the sky line, one pixel apart.
_BLOCKS: dict[str, tuple[tuple[int, ...], Color, int]] = {
    "forest": ((24, 40, 16, 32, 24, 44, 20, 36), (38, 84, 52), 16),
    "city": ((40, 24, 48, 32), (130, 138, 155), 32),
    "autumn": ((20, 34, 14, 40, 26, 38, 18, 30), (218, 120, 46), 16),
}


@cache
def background(setting: str, scale: int = 1) -> Pixels:
    """Return the picture of a setting (128 * scale, 128 * scale, 3), in [0, 1].

    Scale 2 is the same picture with twice the pixels: reduced by area it is near the one of scale 1. It is shared
    between calls: do not write into it.

    Raises: KeyError for a setting that the world does not have.
    """
    place, *light = parts(setting)
    if light:
        return _lit(place, light[0], scale)
    picture = _bands(scale, *_BANDS[setting])
    if setting in _STARS:
        _shine(picture, *_STARS[setting], scale)
    if setting in _BLOCKS:
        tops, color, pitch = _BLOCKS[setting]
        for i, top in enumerate(tops):
            block = np.s_[top * scale : _SKY_LINE * scale, i * pitch * scale : ((i + 1) * pitch - 1) * scale]
            picture[block] = np.asarray(color, np.float32) / 255
    shapes = tuple(_shapes(setting))
    return _drawn(picture, shapes, scale) if shapes else picture


def _shine(picture: Pixels, seed: int, count: int, scale: int, sky: Pixels | None = None) -> None:
    """Put stars into a picture; with `sky` (h, w), only where it is true."""
    for x, y in np.random.default_rng(seed).integers(0, SIZE, (count, 2)) * scale:
        if sky is None or sky[y, x]:
            picture[y : y + scale, x : x + scale] = 0.85


def _lit(place: str, light: str, scale: int) -> Pixels:
    """Return a place in another light: all of it in the light's colours, and where its sky is free, the light's own."""
    bright = background(place, scale)
    sky = np.abs(bright - _bands(scale, *_BANDS[place])).max(-1) < 1 / 128
    sky[(_BANDS[place][1][0] if len(_BANDS[place]) > 1 else SIZE) * scale :] = False
    picture = bright * np.asarray(_LEAVES[light], np.float32)
    if light in _SKIES:
        above = _bands(scale, *_SKIES[light])
        if light in _SUNS:
            above = _drawn(above, (_SUNS[light],), scale)
        picture[sky] = above[sky]
    if light == "night":
        _shine(picture, *_STARS_BY_NIGHT, scale, sky)
    return _drawn(picture, tuple(_rain()), scale) if light == "rain" else picture


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
            yield from _rain()
        case "river":
            yield "polygon", (80, 0, 108, 0, 94, 127, 2, 127), (214, 200, 150)
            yield "polygon", (84, 0, 104, 0, 88, 127, 8, 127), (64, 140, 214)
        case "cave":
            yield "ellipse", (14, 22, 114, 190), (130, 104, 78)
            yield "ellipse", (24, 34, 104, 190), (206, 184, 142)
        case "street":
            for x in range(4, SIZE, 20):
                for y in (46, 68):
                    yield "rectangle", (x, y, x + 9, y + 13), (218, 226, 190)
            for x in range(0, SIZE, 24):
                yield "rectangle", (x, 114, x + 12, 116), (240, 214, 90)
        case "garden":
            for i, (x, y) in enumerate(_scattered(19, 46, (76, 124))):
                yield "ellipse", (x, y, x + 4, y + 4), _PETALS[i % len(_PETALS)]
        case "park":
            yield "polygon", (54, 62, 66, 62, 100, 127, 28, 127), (222, 204, 160)
            for x, y in ((14, 28), (38, 36), (88, 34), (112, 26)):
                yield "rectangle", (x - 2, y + 12, x + 2, 66), (112, 78, 48)
                yield "ellipse", (x - 14, y - 12, x + 14, y + 16), (66, 136, 62)
        case "playground":
            for i, x in enumerate(range(0, SIZE, 8)):
                yield "rectangle", (x, 50, x + 5, 71), _TOYS[i % len(_TOYS)]
        case "bedroom":
            yield "rectangle", (38, 14, 90, 58), (156, 208, 244)
            yield "polygon", (30, 10, 52, 10, 40, 64, 30, 64), (232, 190, 210)
            yield "polygon", (98, 10, 76, 10, 88, 64, 98, 64), (232, 190, 210)
        case "bathroom":
            for at in range(0, 96, 12):
                yield "line", (0, at, 127, at), (176, 206, 226)
            for at in range(0, SIZE, 12):
                yield "line", (at, 0, at, 95), (176, 206, 226)
            yield "rectangle", (0, 44, 127, 50), (60, 170, 180)
        case "living room":
            yield "rectangle", (14, 18, 52, 50), (110, 78, 46)
            yield "rectangle", (18, 22, 48, 46), (236, 214, 160)
            yield "rectangle", (78, 12, 114, 60), _WHITE
            yield "rectangle", (82, 16, 110, 56), (150, 206, 244)
        case "library":
            for row, top in enumerate((4, 37, 70)):
                for i, x in enumerate(range(2, 124, 7)):
                    yield (
                        "rectangle",
                        (x, top + (i * 5 + row) % 7, x + 5, top + 25),
                        _SPINES[(i * 3 + row) % len(_SPINES)],
                    )
                yield "rectangle", (0, top + 26, 127, top + 29), (150, 100, 58)
        case "classroom":
            yield "rectangle", (16, 12, 112, 66), (150, 104, 60)
            yield "rectangle", (20, 16, 108, 62), (34, 88, 66)
        case "office":
            for x in range(6, SIZE, 30):
                yield "rectangle", (x, 10, x + 24, 62), (132, 184, 222)
            yield "rectangle", (0, 34, 127, 37), (220, 224, 230)
        case "cafe":
            for x in range(0, SIZE, 14):
                for y in (100, 114):
                    if (x + y) // 14 % 2:
                        yield "rectangle", (x, y, x + 13, y + 13), (70, 44, 36)
            for x in (20, 64, 108):
                yield "ellipse", (x - 9, 14, x + 9, 32), (250, 214, 130)
        case "stage":
            yield "ellipse", (24, 84, 104, 116), (236, 200, 140)
            for x in range(0, 28, 7):
                yield "rectangle", (x, 0, x + 5, 93), (176, 24, 44)
                yield "rectangle", (122 - x, 0, 127 - x, 93), (176, 24, 44)
            yield "rectangle", (0, 0, 127, 12), (140, 16, 34)
        case "lake":
            for x, y in _scattered(23, 20, (62, 110)):
                yield "rectangle", (x - 8, y, x + 8, y), (176, 214, 236)
        case "volcano":
            yield "polygon", (52, 30, 76, 30, 124, 101, 4, 101), (58, 44, 46)
            yield "polygon", (54, 30, 74, 30, 68, 58, 72, 100, 58, 100, 60, 60), (250, 110, 30)
            yield "ellipse", (40, 4, 88, 28), (96, 84, 88)
        case "jungle":
            for x, y in _scattered(29, 36, (-8, 88)):
                yield "ellipse", (x - 10, y, x + 12, y + 9), ((46, 134, 66), (34, 112, 70), (86, 158, 60))[(x + y) % 3]
            for x in (18, 52, 97):
                yield "line", (x, 0, x + 6, 99), (20, 48, 28)
        case "swamp":
            for x, y in _scattered(31, 16, (66, 118)):
                yield "ellipse", (x - 9, y, x + 9, y + 5), (112, 140, 66)
            for x in (16, 46, 104):
                yield "rectangle", (x, 8, x + 4, 78), (66, 60, 44)
        case "arctic":
            for x, half in ((20, 26), (66, 18), (108, 30)):
                yield "polygon", (x - half, 66, x - half // 3, 34, x + half // 4, 44, x + half, 66), (212, 234, 250)
        case "harbor":
            for x in (16, 56, 96):
                yield "rectangle", (x, 76, x + 7, 127), (92, 70, 50)
            for y in range(104, SIZE, 9):
                yield "line", (0, y, 127, y), (106, 80, 58)
        case "pool":
            for y in range(48, SIZE, 16):
                yield "rectangle", (0, y, 127, y + 1), (190, 240, 248)
            yield "rectangle", (0, 30, 127, 36), (48, 110, 150)
        case "sunrise":
            yield "ellipse", (44, 62, 84, 102), (255, 240, 170)
            yield "rectangle", (0, 84, 127, 127), (102, 122, 74)
        case "storm":
            for x, y in ((10, -8), (50, -14), (86, -6)):
                yield "ellipse", (x, y, x + 56, y + 30), (24, 26, 38)
            yield "polygon", (36, 20, 44, 20, 38, 44, 46, 44, 28, 84, 34, 54, 26, 54), (255, 246, 170)
        case "flower field":
            for i, (x, y) in enumerate(_scattered(37, 150, (52, 124))):
                yield "ellipse", (x, y, x + 3, y + 3), _PETALS[i % len(_PETALS)]
        case "seaside":
            for x, y in _scattered(43, 26, (60, 100)):
                yield "rectangle", (x - 7, y, x + 7, y), (150, 204, 226)
            for x, half in ((4, 34), (62, 26), (120, 30)):
                yield "ellipse", (x - half, 98, x + half, 114), (122, 112, 100)
        case "sports field":
            for i, (x, y) in enumerate(_scattered(41, 160, (0, 44))):
                yield "rectangle", (x, y, x + 2, y + 2), _TOYS[i % len(_TOYS)]
            for y in (48, 80, 112):
                yield "rectangle", (0, y, 127, y + 1), _WHITE
            yield "rectangle", (63, 48, 64, 127), _WHITE


def _rain() -> Iterator[Shape]:
    for x, y in np.random.default_rng(13).integers(-8, SIZE, (110, 2)).tolist():
        yield "line", (x, y, x - 3, y + 8), (172, 186, 200)


def _scattered(seed: int, count: int, rows: tuple[int, int]) -> list[tuple[int, int]]:
    """Return places (x, y), the farthest first."""
    rng = np.random.default_rng(seed)
    ys = np.sort(rng.integers(*rows, count))
    return list(zip(rng.integers(0, SIZE, count).tolist(), ys.tolist(), strict=True))


_PETALS = ((230, 60, 90), (250, 214, 70), (250, 250, 245), (160, 90, 200), (250, 150, 60))
_TOYS = ((226, 66, 58), (58, 120, 214), (246, 206, 66), (76, 170, 84), (240, 240, 240))
_SPINES = ((150, 50, 44), (46, 84, 130), (60, 110, 66), (196, 150, 66), (110, 70, 120), (214, 204, 180))
_WHITE = (240, 243, 246)
