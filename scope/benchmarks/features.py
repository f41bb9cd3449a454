"""The features that FD compares pictures by: their network is no prior, no perceptual loss, no verifier, no reward."""

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scope.models.features import FeatureNet
from scope.nn.weights import load_shipped


def load() -> tuple[FeatureNet, str]:
    """Return the shipped network and the sha256 of its weights.

    Raises: WeightsError if they are missing or not the shipped ones.
    """
    network = FeatureNet()
    return network, load_shipped(network, "features")


@torch.no_grad()
def features_of(network: FeatureNet, images: Tensor, batch: int = 256) -> NDArray[np.float64]:
    """Return the features of images (n, 3, H, W) in [-1, 1], (n, dim)."""
    return torch.cat([network(part).cpu() for part in torch.split(images, batch)]).double().numpy()
