"""Edits of how a picture looks: pure functions of its pixels and a parameter; what it holds stays as it is.

Each returns the new picture (128, 128, 3) and the area (128, 128) outside of which no pixel differs.
"""

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageDraw, ImageFilter

from scope.worlds.pocket.catalogue import COLORS
from scope.worlds.pocket.scene import Scene
from scope.worlds.pocket.sprites import SIZE

Picture = NDArray[np.uint8]
Area = NDArray[np.bool_]
AppearanceEdit = tuple[Picture, Area]

#: Rec. 601: how light each colour seems.
_LUMA = np.array([0.299, 0.587, 0.114])
#: The usual sepia matrix, rows R, G, B.
_SEPIA = np.array([[0.393, 0.769, 0.189], [0.349, 0.686, 0.168], [0.272, 0.534, 0.131]])
#: Time of day -> what each channel is multiplied by.
_LIGHT = {"night": (0.28, 0.33, 0.58), "dusk": (0.95, 0.62, 0.48), "dawn": (1.0, 0.84, 0.90)}
TIMES = tuple(_LIGHT)
WEATHERS = ("rain", "snow", "fog")

_EVERYWHERE = np.ones((SIZE, SIZE), bool)


def _to_bytes(values: NDArray[np.floating]) -> Picture:
    return (values + 0.5).clip(0, 255).astype(np.uint8)


def _everywhere(picture: Picture) -> AppearanceEdit:
    return picture, _EVERYWHERE


# -- colour --------------------------------------------------------------------------------------


def grayscale(scene: Scene, parameter: None) -> AppearanceEdit:
    """Keep the luma of each pixel only."""
    return _everywhere(np.repeat(_to_bytes(scene.image @ _LUMA)[..., None], 3, -1))


def sepia(scene: Scene, parameter: None) -> AppearanceEdit:
    """Tint it like an old photograph."""
    return _everywhere(_to_bytes(scene.image @ _SEPIA.T))


def invert(scene: Scene, parameter: None) -> AppearanceEdit:
    """Turn the picture into its negative."""
    return _everywhere(255 - scene.image)


def posterise(scene: Scene, levels: int) -> AppearanceEdit:
    """Round each channel to one of few levels."""
    return _everywhere(_to_bytes(np.round(scene.image / 255 * (levels - 1)) / (levels - 1) * 255))


def brightness(scene: Scene, factor: float) -> AppearanceEdit:
    """Multiply all values by a factor, up to white."""
    return _everywhere(_to_bytes(scene.image * factor))


def time_of_day(scene: Scene, time: str) -> AppearanceEdit:
    """Multiply each channel by the light of that time of day."""
    return _everywhere(_to_bytes(scene.image * np.array(_LIGHT[time])))


# -- sharpness -----------------------------------------------------------------------------------


def blur(scene: Scene, radius: float) -> AppearanceEdit:
    """Blur with a Gaussian of this radius in pixels."""
    return _everywhere(np.asarray(Image.fromarray(scene.image).filter(ImageFilter.GaussianBlur(radius))))


def pixelate(scene: Scene, block: int) -> AppearanceEdit:
    """Give each square of `block` pixels its mean colour."""
    means = Image.fromarray(scene.image).reduce(block)
    return _everywhere(np.asarray(means.resize((SIZE, SIZE), Image.Resampling.NEAREST)))


def noise(scene: Scene, parameter: tuple[float, int]) -> AppearanceEdit:
    """Add Gaussian noise of this standard deviation, drawn from this seed."""
    sigma, seed = parameter
    return _everywhere(_to_bytes(scene.image + np.random.default_rng(seed).normal(0, sigma, scene.image.shape)))


# -- what is laid over ---------------------------------------------------------------------------


def weather(scene: Scene, parameter: tuple[str, int]) -> AppearanceEdit:
    """Let it rain or snow from this seed, or be foggy."""
    kind, seed = parameter
    if kind == "fog":
        return _everywhere(_to_bytes(scene.image * 0.4 + 222 * 0.6))
    veil = Image.new("1", (SIZE, SIZE))
    brush = ImageDraw.Draw(veil)
    for x, y in np.random.default_rng(seed).integers(-8, SIZE, (130, 2)).tolist():
        if kind == "rain":
            brush.line((x, y, x - 3, y + 9), fill=1)
        else:
            brush.ellipse((x, y, x + 2, y + 2), fill=1)
    color, opacity = ((190, 205, 225), 0.75) if kind == "rain" else ((255, 255, 255), 1.0)
    return _paint(scene, np.asarray(veil), color, opacity)


def outline(scene: Scene, color: str) -> AppearanceEdit:
    """Draw a line of two pixels around all things, on the ground only."""
    things = scene.mask > 0
    around = np.asarray(Image.fromarray(things).convert("L").filter(ImageFilter.MaxFilter(5))) > 0
    return _paint(scene, around & ~things, COLORS[color])


def silhouette(scene: Scene, color: str) -> AppearanceEdit:
    """Fill all things with one colour."""
    return _paint(scene, scene.mask > 0, COLORS[color])


def frame(scene: Scene, parameter: tuple[str, int]) -> AppearanceEdit:
    """Draw a frame of this colour and width in pixels."""
    color, width = parameter
    inside = np.zeros((SIZE, SIZE), bool)
    inside[width:-width, width:-width] = True
    return _paint(scene, ~inside, COLORS[color])


def _paint(scene: Scene, where: Area, color: tuple[int, int, int], opacity: float = 1.0) -> AppearanceEdit:
    picture = scene.image.copy()
    picture[where] = _to_bytes(scene.image[where] * (1 - opacity) + np.array(color) * opacity)
    return picture, where
