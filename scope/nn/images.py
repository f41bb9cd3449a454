"""Pictures as tensors, and where they are."""

import math
from typing import Any

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F


def device() -> torch.device:
    """Return the GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def to_tensor(images: list[np.ndarray[Any, Any]], where: torch.device) -> Tensor:
    """Stack uint8 (h, w, 3) images into (b, 3, h, w) in [-1, 1]."""
    return torch.from_numpy(np.stack(images)).to(where).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)


def gaussian_blur(images: Tensor, sigma: float) -> Tensor:
    """Return pictures or maps (b, c, h, w) under a Gaussian of `sigma` pixels, cut at three sigma; the edges repeat."""
    reach, channels = math.ceil(3 * sigma), images.shape[1]
    ticks = torch.arange(-reach, reach + 1, dtype=images.dtype, device=images.device)
    kernel = torch.exp(-0.5 * (ticks / sigma).square())
    kernel = (kernel / kernel.sum()).expand(channels, 1, 1, -1)
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel, groups=channels), kernel.transpose(2, 3), groups=channels)
