"""How far pictures are from pictures: one by one (PSNR), and as two sets of features (Fréchet).

FD   |mu_1 - mu_2|^2 + tr(S_1) + tr(S_2) - 2 tr((S_1^1/2 S_2 S_1^1/2)^1/2)      (FID, arXiv 1706.08500, Eq 6)

rFD is FD between true scenes and their reconstructions, gFD between held-out true scenes and generated ones; both are
as good as the features that they are given. FD is too high by a term that falls as 1 / n: compare only sets of equal
size.

Departures: the root is taken by symmetric eigenvalues in fp64, never by `sqrtm`, which is not exact for covariances
without full rank.
"""

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from scope.errors import ScopeError

Array = NDArray[np.floating[Any]]
Double = NDArray[np.float64]


def psnr(images: Tensor, others: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio of each pair (b, ...) in [-1, 1], in dB, (b,); infinite for equal ones.

    Raises: ScopeError if the shapes differ.
    """
    if images.shape != others.shape:
        raise ScopeError(f"PSNR compares pairs: {tuple(images.shape)} and {tuple(others.shape)} have no pairs")
    error = (images.double() - others.double()).flatten(1).square().mean(1)
    return 10 * torch.log10(4 / error)


def tile_edge(images: Tensor, patch: int = 16) -> float:
    """Return how much larger the jumps between neighbouring pixels are at the borders of patches than elsewhere.

    Pictures (b, c, h, w) that know nothing of patches have about 1, and tiled ones more.
    """
    at_borders, elsewhere = [], []
    for jumps in (images.diff(dim=3).abs(), images.diff(dim=2).abs().mT):
        border = (torch.arange(jumps.shape[3]) + 1) % patch == 0
        at_borders.append(jumps[..., border].double().mean())
        elsewhere.append(jumps[..., ~border].double().mean())
    return float(sum(at_borders) / sum(elsewhere))


@dataclass(frozen=True)
class Moments:
    """A Gaussian: mean (d,) and covariance (d, d)."""

    mean: Double
    covariance: Double


def moments(features: Array) -> Moments:
    """Return the mean and the unbiased covariance of features (n, d).

    Raises: ScopeError if there are fewer than two rows, or one is not finite.
    """
    x = _rows(features)
    return Moments(x.mean(0), np.cov(x, rowvar=False).reshape(x.shape[1], x.shape[1]))


def frechet_distance(a: Moments, b: Moments) -> float:
    """Return the squared Fréchet distance of two Gaussians, in squared units of the features, at least 0.

    Raises: ScopeError if they are not of one dimension.
    """
    if a.mean.shape != b.mean.shape:
        raise ScopeError(f"features of {len(a.mean)} and {len(b.mean)} dimensions cannot be compared; use one network")
    values, axes = np.linalg.eigh(a.covariance)
    root = (axes * np.sqrt(values.clip(0))) @ axes.T
    overlap = np.sqrt(np.linalg.eigvalsh(root @ b.covariance @ root).clip(0)).sum()
    spread = np.trace(a.covariance) + np.trace(b.covariance) - 2 * overlap
    return max(0.0, float(np.square(a.mean - b.mean).sum() + spread))


def _rows(features: Array) -> Double:
    """Return features in fp64, if they are a set of finite vectors."""
    x = np.asarray(features, np.float64)
    if x.ndim != 2 or len(x) < 2:
        raise ScopeError(f"features are (n, d) with n of at least 2; these are {x.shape}")
    if not math.isfinite(x.sum()):
        raise ScopeError("features hold NaN or infinity; look at the pictures that they are of")
    return x
