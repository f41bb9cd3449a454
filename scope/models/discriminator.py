"""The adversary of a tokenizer's decoder, its losses, and how much it weighs.

    L_D = E[relu(1 - D(x))] + E[relu(1 + D(x^))]      hinge (arXiv 1705.02894)
    L_G = -E[D(x^)]
    weight = |dL / dlast| / |dL_G / dlast|            as strong as the rest of the loss at the decoder's last layer

Departures from PAE's sources: PatchGAN's discriminator of patches (arXiv 1611.07004), small and convolutional, not one
on DINO features; its weight is VQGAN's (arXiv 2012.09841, Eq 7).
"""

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

MAX_WEIGHT = 1e3  # of the adaptive weight


class PatchDiscriminator(nn.Module):
    """Images -> how real each patch looks."""

    def __init__(self, dim: int = 32) -> None:
        super().__init__()
        self.body = nn.Sequential(
            nn.Conv2d(3, dim, 4, 2, 1), nn.LeakyReLU(0.2),
            nn.Conv2d(dim, 2 * dim, 4, 2, 1), nn.GroupNorm(8, 2 * dim), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * dim, 2 * dim, 3, 1, 1), nn.GroupNorm(8, 2 * dim), nn.LeakyReLU(0.2),
            nn.Conv2d(2 * dim, 1, 3, 1, 1),
        )  # fmt: skip

    def forward(self, images: Float[Tensor, "b 3 side side"]) -> Float[Tensor, "b h w"]:
        """Return the scores."""
        scores: Tensor = self.body(images.contiguous(memory_format=torch.channels_last))[:, 0].float()
        return scores


def hinge_d_loss(real: Float[Tensor, "*scores"], fake: Float[Tensor, "*scores"]) -> Float[Tensor, ""]:
    """Return the discriminator's loss of its scores of real and of decoded images."""
    return (F.relu(1 - real) + F.relu(1 + fake)).mean()


def g_loss(fake: Float[Tensor, "*scores"]) -> Float[Tensor, ""]:
    """Return the decoder's loss of the discriminator's scores of decoded images."""
    return -fake.mean()


def adaptive_weight(
    loss: Float[Tensor, ""], g_loss: Float[Tensor, ""], last_layer: Float[Tensor, "..."]
) -> Float[Tensor, ""]:
    """Return |d loss / d last_layer| / |d g_loss / d last_layer|, without gradient."""
    grads = (torch.autograd.grad(part, last_layer, retain_graph=True)[0].norm() for part in (loss, g_loss))
    of_loss, of_g_loss = grads
    ratio: Tensor = of_loss / (of_g_loss + 1e-4)
    return ratio.clamp(0, MAX_WEIGHT).detach()
