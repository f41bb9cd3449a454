"""Pictures as tensors, and where they are."""

import math
from typing import TYPE_CHECKING

import numpy as np
import torch
from einops import rearrange
from jaxtyping import Float
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

if TYPE_CHECKING:
    from PIL import Image


def device() -> torch.device:
    """Return the GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def resized(image: "Image.Image", size: int) -> NDArray[np.uint8]:
    """Return the pixels (size, size, 3) of a picture of any size and mode."""
    return np.asarray(image.convert("RGB").resize((size, size)))


def to_tensor(images: list[NDArray[np.uint8]], where: torch.device) -> Float[Tensor, "b 3 h w"]:
    """Stack uint8 (h, w, 3) images into (b, 3, h, w) in [-1, 1]."""
    return rearrange(torch.from_numpy(np.stack(images)).to(where), "b h w c -> b c h w").float().div_(127.5).sub_(1)


def to_pixels(images: Float[Tensor, "b 3 h w"]) -> NDArray[np.uint8]:
    """Return images (b, 3, h, w) in [-1, 1] as uint8 (b, h, w, 3), the nearest value of each."""
    whole = ((images.detach().float() + 1) * 127.5).round().clamp(0, 255).byte()
    pixels: NDArray[np.uint8] = rearrange(whole, "b c h w -> b h w c").cpu().numpy()
    return pixels


def gaussian_blur(images: Float[Tensor, "b c h w"], sigma: float) -> Float[Tensor, "b c h w"]:
    """Return pictures or maps (b, c, h, w) under a Gaussian of `sigma` pixels, cut at three sigma; the edges repeat."""
    reach, channels = math.ceil(3 * sigma), images.shape[1]
    ticks = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (ticks / sigma).square())
    kernel = (kernel / kernel.sum()).expand(channels, 1, 1, -1)
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel, groups=channels), kernel.transpose(2, 3), groups=channels)
