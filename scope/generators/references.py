"""Pictures that show what a thing is to look like, as a bound generator hears them (models/binding.py).

The thing is what does not lie on the picture's ground: what is opaque, or else what its border does not run into. It
is fitted into a square, as a drawing is into its box.
"""

import numpy as np
import torch
from jaxtyping import Float, UInt8
from numpy.typing import NDArray
from PIL import Image, ImageDraw
from torch import Tensor

from scope.errors import UsageError
from scope.models.regions import REFERENCE
from scope.specification import ImageFile, Request

Reference = Float[Tensor, "4 40 40"]

_LOOKED_AT = 256  # pixels a side, at most
_NEAR = 36  # of 3 * 255: how unlike its neighbours a pixel of the ground may be
_GROUND = (255, 0, 254)  # a colour that no ground has
_MARGIN = 0.04  # of the thing's longer side, left around it, as drawings leave some


def references_of(request: Request) -> dict[str, Reference]:
    """Return the pictures of a request by the id of the commitment that each of them shows.

    Raises: UsageError if one cannot be read, or is all ground.
    """
    return {file.commitment: opened(file) for file in request.references}


def opened(file: ImageFile) -> Reference:
    """Return a picture as a reference.

    Raises: UsageError if it cannot be read, or is all ground.
    """
    try:
        with Image.open(file.path) as picture:
            seen = without_ground(picture)
    except OSError as error:
        raise UsageError(f"the reference {file.path} cannot be read as a picture ({error})") from error
    if seen.getchannel("A").getbbox() is None:
        raise UsageError(f"the reference {file.path} shows nothing: all of it is ground, of one colour or transparent")
    pixels = np.asarray(fitted(seen), np.float32) / 255
    return reference_of(torch.from_numpy(reference_pixels(pixels[..., :3], pixels[..., 3:])))


def without_ground(picture: Image.Image) -> Image.Image:
    """Return a picture in which the ground is transparent: one that has none is asked where its border runs to."""
    rgba = picture.convert("RGBA")
    rgba.thumbnail((_LOOKED_AT, _LOOKED_AT))
    if np.asarray(rgba)[..., 3].min() < 255:
        return rgba
    filled, (width, height) = rgba.convert("RGB"), rgba.size
    rows = [(x, y) for x in range(width) for y in (0, height - 1)]
    for place in rows + [(x, y) for y in range(height) for x in (0, width - 1)]:
        if filled.getpixel(place) != _GROUND:
            ImageDraw.floodfill(filled, place, _GROUND, thresh=_NEAR)
    ground = (np.asarray(filled) == _GROUND).all(-1)
    rgba.putalpha(Image.fromarray(np.where(ground, 0, 255).astype(np.uint8)))
    return rgba


def fitted(picture: Image.Image) -> Image.Image:
    """Return what of a picture can be seen, in the middle of a square of 40 px."""
    seen = picture.crop(picture.getchannel("A").getbbox())
    side = round(max(seen.size) * (1 + 2 * _MARGIN))
    square = Image.new("RGBA", (side, side))
    square.paste(seen, ((side - seen.width) // 2, (side - seen.height) // 2))
    return square.convert("RGBa").resize((REFERENCE[1], REFERENCE[1]), Image.Resampling.BOX).convert("RGBA")


def reference_pixels(rgb: NDArray[np.floating], alpha: NDArray[np.floating]) -> NDArray[np.uint8]:
    """Return colours (h, w, 3) and opacity (h, w, 1) in [0, 1] as bytes, (4, h, w)."""
    return (np.concatenate([rgb, alpha], -1) * 255 + 0.5).clip(0, 255).astype(np.uint8).transpose(2, 0, 1)


def reference_of(pixels: UInt8[Tensor, "*b 4 s s"]) -> Float[Tensor, "*b 4 s s"]:
    """Return bytes of colours and opacity as a reference: colours in [-1, 1], multiplied by the opacity."""
    share = pixels.float() / 255
    opacity = share[..., 3:, :, :]
    return torch.cat([(2 * share[..., :3, :, :] - 1) * opacity, opacity], -3)
