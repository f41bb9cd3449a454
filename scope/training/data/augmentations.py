"""Changes of pictures that a detector must not mind, and which of a batch they were made to.

Pictures are (b, 3, h, w) in [-1, 1]. What is drawn at random comes from the numpy generator of the step.
"""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from scope.tokenizers.base import Autoencoder
from scope.worlds.pocket.rng import Rng


def pick_share(rng: Rng, n: int, p: float) -> Tensor:
    """Return which of n pictures (n,) are changed, each with probability p."""
    return torch.from_numpy(rng.random(n) < p)


def sample_shifts(rng: Rng, n: int, largest: int, p: float = 0.5) -> NDArray[np.int64]:
    """Return by how many pixels (n, 2) to the right and down pictures are moved, a share p of them at all."""
    moved = rng.random((n, 1)) < p
    shifts: NDArray[np.int64] = rng.integers(-largest, largest + 1, (n, 2)) * moved
    return shifts


def shift(images: list[NDArray[np.uint8]], shifts: NDArray[np.int64]) -> list[NDArray[np.uint8]]:
    """Move pictures (h, w, 3); what leaves on one side comes in on the other."""
    return [np.roll(image, (dy, dx), (0, 1)) for image, (dx, dy) in zip(images, shifts, strict=True)]


@torch.no_grad()
def reconstruct(images: Tensor, chosen: Tensor, tokenizer: Autoencoder) -> Tensor:
    """Return pictures of which the chosen are as a tokenizer keeps them: as a generator could at best draw them."""
    changed = images.clone()
    if chosen.any():
        changed[chosen] = tokenizer.decode(tokenizer.encode(images[chosen]))
    return changed


def box_blur(images: Tensor, chosen: Tensor) -> Tensor:
    """Return pictures of which the chosen are means of 3x3 pixels."""
    return torch.where(chosen.to(images.device)[:, None, None, None], F.avg_pool2d(images, 3, 1, 1), images)


def sample_noise(rng: Rng, normal: torch.Generator, shape: torch.Size, largest_std: float) -> Tensor:
    """Return Gaussian noise of `shape`, with a standard deviation of its own for each picture, up to the largest."""
    std = largest_std * torch.from_numpy(rng.random((shape[0], 1, 1, 1)).astype(np.float32))
    return std * torch.randn(shape, generator=normal)


def color_jitter(images: Tensor, chosen: Tensor, rng: Rng) -> Tensor:
    """Return pictures of which the chosen have their channels mixed at random, so that nouns are known by their shape.

    Each new channel is a mean of the old ones, some of them negated, with weights from Dirichlet(1/2).
    """
    n = len(images)
    mixing = rng.dirichlet((0.5, 0.5, 0.5), (n, 3)) * rng.choice((-1, 1), (n, 1, 3))
    mixing[~chosen.numpy()] = np.eye(3)
    weights = torch.from_numpy(mixing.astype(np.float32)).to(images.device)
    return torch.einsum("bij,bjhw->bihw", weights, images).contiguous()
