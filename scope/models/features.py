"""A small convolutional network whose pooled activations say what a picture is like, for comparing sets of pictures.

Pictures of any size are looked at in 64 x 64 pixels. A trained one must be neither the prior nor the perceptual loss of
what it measures, or the comparison is circular.
"""

from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from scope.nn.conv import conv_bn_relu

SIDE = 64  # pixels


class FeatureNet(nn.Module):
    """Pictures of any size in [-1, 1] -> features."""

    def __init__(self, dim: int = 128) -> None:
        super().__init__()
        self.dim = dim
        widths = (3, dim // 4, dim // 2, dim)
        self.stages = nn.ModuleList(
            nn.Sequential(conv_bn_relu(inside, outside, 2), conv_bn_relu(outside, outside))
            for inside, outside in pairwise(widths)
        )

    def maps(self, images: Float[Tensor, "b 3 H W"]) -> list[Float[Tensor, "b _ _ _"]]:
        """Return what each stage says: (b, dim / 4, 32, 32), (b, dim / 2, 16, 16) and (b, dim, 8, 8)."""
        x = F.adaptive_avg_pool2d(images, SIDE).contiguous(memory_format=torch.channels_last)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        return maps

    def forward(self, images: Float[Tensor, "b 3 H W"]) -> Float[Tensor, "b {self.dim}"]:
        """Return the mean of the last maps."""
        return self.maps(images)[-1].float().mean((2, 3))


def perceptual_distance(
    network: FeatureNet, images: Float[Tensor, "b 3 H W"], others: Float[Tensor, "b 3 H W"]
) -> Float[Tensor, " b"]:
    """Return how different pairs look to a network, in [0, 6].

    Each place of each stage's maps is a unit vector; their squared differences are averaged over places and summed over
    stages, as LPIPS does it without its learned weights (arXiv 1801.03924, Eq 1).
    """
    pairs = zip(network.maps(images), network.maps(others), strict=True)
    parts = [(F.normalize(a.float()) - F.normalize(b.float())).square().sum(1).mean((1, 2)) for a, b in pairs]
    return torch.stack(parts).sum(0)
