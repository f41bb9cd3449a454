"""The adversary of a tokenizer's decoder, and how much it weighs.

Departures from PAE's sources: a small convolutional critic of patches (arXiv 1611.07004) with the hinge loss, not one
on DINO features; its weight is VQGAN's (arXiv 2012.09841, Eq 7): as strong as the rest of the loss at the last layer.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

MOST = 1e3  # what the adaptive weight is held under


class Critic(nn.Module):
    """Images (b, 3, s, s) -> how real each patch looks (b, h, w)."""

    def __init__(self, dim: int = 32) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, dim, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(dim, 2 * dim, 4, 2, 1), nn.GroupNorm(8, 2 * dim), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * dim, 2 * dim, 3, 1, 1), nn.GroupNorm(8, 2 * dim), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * dim, 1, 3, 1, 1),
        )  # fmt: skip

    def forward(self, images: Tensor) -> Tensor:
        """Return the scores."""
        scores: Tensor = self.body(images.contiguous(memory_format=torch.channels_last))[:, 0].float()
        return scores


def hinge(real: Tensor, made: Tensor) -> Tensor:
    """Return the critic's loss."""
    return (F.relu(1 - real) + F.relu(1 + made)).mean()


def adaptive(loss: Tensor, adversarial: Tensor, last: Tensor) -> Tensor:
    """Return |d loss / d last| / |d adversarial / d last|, without gradient."""
    grads = (torch.autograd.grad(part, last, retain_graph=True)[0].norm() for part in (loss, adversarial))
    strong, weak = grads
    ratio: Tensor = strong / (weak + 1e-4)
    return ratio.clamp(0, MOST).detach()
