"""Pictures as tensors, and where they are."""

from typing import Any

import numpy as np
import torch
from torch import Tensor


def device() -> torch.device:
    """Return the GPU if there is one."""
    return torch.device("cuda" if torch.cuda.is_available() else "cpu")


def to_tensor(images: list[np.ndarray[Any, Any]], where: torch.device) -> Tensor:
    """Stack uint8 (h, w, 3) images into (b, 3, h, w) in [-1, 1]."""
    return torch.from_numpy(np.stack(images)).to(where).permute(0, 3, 1, 2).float().div_(127.5).sub_(1)
