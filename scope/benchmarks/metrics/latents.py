"""What makes latents easy to model: structure, continuity, semantics and spread (PAE, arXiv 2605.07915).

SSC   NMI(spectral clusters of A, true labels) over the tokens of an image;  A_ij = exp(cos(z_i, z_j) / sigma), A_ii = 0
LPC   E[1/2 (dist(D(z + eps u), D(z)) + dist(D(z - eps u), D(z)))], u unit, eps = rho |z|, weights proportional to
      1 / rho over rho = 0.1, 0.5, 1, 2
GSQ   share of images whose nearest other image, by the cosine of pooled and centred latents, has the same label
eRank exp(H(s / sum s)) / c, s the singular values of all tokens

High is good, but for LPC. Departures: the paper's sigma and its number of directions u are not known to us (0.2 and 1
here); the tokens of the effective rank are centred first, as those of `Tokenizer.encode` nearly are.
"""

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from sklearn.cluster import spectral_clustering
from sklearn.metrics import normalized_mutual_info_score
from sklearn.neighbors import NearestNeighbors
from torch import Tensor

from scope.errors import ScopeError
from scope.worlds.pocket import Scene

Array = NDArray[np.floating[Any]]
Labels = NDArray[np.integer[Any]]
Double = NDArray[np.float64]

RHOS = (0.1, 0.5, 1.0, 2.0)


def cell_labels(scenes: Sequence[Scene]) -> Labels:
    """Return what most of each cell of a scene shows, row by row, (b, 64): 0 is no object, g + 1 is one of group g."""
    groups = [np.array([0, *(1 + item.group for item in scene.objects)]) for scene in scenes]
    return np.stack([of[scene.cells].ravel() for of, scene in zip(groups, scenes, strict=True)])


def ssc(z: Array, labels: Labels, sigma: float = 0.2) -> Double:
    """Return the spatial structure coherence of each image, (b,) in [0, 1].

    Tokens z (b, n, d) are grouped, image by image, into as many clusters as there are labels (b, n) in it. Chance is
    above 0: a few dozen tokens agree a little by accident.

    Raises: ScopeError if an image has tokens of one label only, or the shapes do not fit.
    """
    if z.shape[:2] != labels.shape:
        raise ScopeError(f"tokens {z.shape} need labels {z.shape[:2]}, not {labels.shape}")
    return np.array([_coherence(tokens, truth, sigma) for tokens, truth in zip(z, labels, strict=True)])


def _coherence(tokens: Array, truth: Labels, sigma: float) -> float:
    clusters = len(np.unique(truth))
    if clusters < 2:
        raise ScopeError("an image whose tokens have all the same label has no structure to find; leave it out")
    unit = _unit(np.asarray(tokens, np.float64))
    affinity = np.exp((unit @ unit.T - 1) / sigma)  # the constant factor changes no cluster, and cannot overflow
    np.fill_diagonal(affinity, 0)
    predicted = spectral_clustering(affinity, n_clusters=clusters, eigen_solver="arpack", random_state=0)
    return float(normalized_mutual_info_score(truth, predicted, average_method="geometric"))


Decode = Callable[[Tensor], Tensor]
Distance = Callable[[Tensor, Tensor], Tensor]


@torch.no_grad()
def lpc_curve(decode: Decode, z: Tensor, distance: Distance, rhos: Sequence[float] = RHOS, seed: int = 0) -> Tensor:
    """Return how far each latent's picture moves when the latent is pushed by rho times its norm, (len(rhos), b).

    z is (b, ...); `distance` takes pictures in pairs and returns (b,). The direction u of an image is the same for all
    rhos and for every tokenizer with latents of this shape.
    """
    u = torch.randn(z.shape, generator=torch.Generator().manual_seed(seed)).to(z)
    scale = z.flatten(1).norm(dim=1) / u.flatten(1).norm(dim=1)
    step = u * scale.view(-1, *[1] * (z.ndim - 1))
    centre = decode(z)
    pushed = [(decode(z + rho * step), decode(z - rho * step)) for rho in rhos]
    return torch.stack([(distance(there, centre) + distance(back, centre)) / 2 for there, back in pushed])


def lpc(decode: Decode, z: Tensor, distance: Distance, rhos: Sequence[float] = RHOS, seed: int = 0) -> Tensor:
    """Return the local perceptual continuity of each image, (b,), in units of `distance`; low is smooth."""
    curve = lpc_curve(decode, z, distance, rhos, seed)
    weights = torch.tensor([1 / rho for rho in rhos]).to(curve)
    return weights / weights.sum() @ curve


def gsq(z: Array, labels: Labels, classes: int = 100, per_class: int = 10, draws: int = 5, seed: int = 0) -> Double:
    """Return the global semantic quality of each draw of classes and images, (draws,) in [0, 1].

    Tokens z (b, n, d) with one label an image (b,). A draw takes `classes` labels (all, where there are fewer) and
    `per_class` images of each, so that chance is 1 / classes but for the image itself, which is no neighbour.

    Raises: ScopeError if fewer than two labels have `per_class` images, or `per_class` is less than 2.
    """
    names, counts = np.unique(labels, return_counts=True)
    names = names[counts >= per_class]
    if len(names) < 2 or per_class < 2:
        raise ScopeError(f"GSQ needs two labels with {per_class} images each, and two images of a label; draw more")
    pooled, rng = np.asarray(z, np.float64).mean(1), np.random.default_rng(seed)
    scores = []
    for _ in range(draws):
        chosen = rng.choice(names, min(classes, len(names)), replace=False)
        rows = np.concatenate([rng.choice(np.flatnonzero(labels == n), per_class, replace=False) for n in chosen])
        unit = _unit(pooled[rows] - pooled[rows].mean(0))
        nearest = NearestNeighbors(n_neighbors=1).fit(unit).kneighbors(return_distance=False)[:, 0]
        scores.append(float((labels[rows][nearest] == labels[rows]).mean()))
    return np.array(scores)


def effective_rank(z: Array) -> float:
    """Return the share of the c channels of tokens (..., c) that are in use: 1 / c for a line, 1 for a ball.

    Raises: ScopeError if all tokens are equal.
    """
    x = np.asarray(z, np.float64).reshape(-1, z.shape[-1])
    # The roots of the scatter matrix's eigenvalues are the singular values, and x is much longer than wide.
    x = x - x.mean(0)
    singular = np.sqrt(np.linalg.eigvalsh(x.T @ x).clip(0))
    if singular.sum() == 0:
        raise ScopeError("all tokens are equal: they have no rank; the encoder says nothing of its pictures")
    p = singular / singular.sum()
    return float(np.exp(-(p[p > 0] * np.log(p[p > 0])).sum()) / len(p))


def _unit(rows: Double) -> Double:
    unit: Double = rows / np.linalg.norm(rows, axis=-1, keepdims=True).clip(1e-12)
    return unit
