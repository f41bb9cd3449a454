"""The losses of PAE (arXiv 2605.07915): what tokens are held to while a tokenizer trains.

  SSR  = mean (G(z) - G(Z_T))^2, G the cosine Gram matrix over tokens          spatial structure
  SCR  = (1 - cos(GAP z, GAP Z_T)) + mean over tokens (1 - cos(z, Z_T))        semantics
  MCR  = D(x_m, sg x^) + D(x_l, sg x_m), x_m and x_l decoded from z turned on its sphere towards one random direction
         by angles whose tangents are r tan 42.5 and r tan 85 degrees          local continuity

Departures: SSR's Gram matrices are cosines and their difference is averaged, since the paper's scale is unknown. How
MCR perturbs is not stated either (`Perturbation`): the defaults turn each token by itself, exactly by the angle, with r
uniform in [0, 1]; the alternatives are fixed angles, no return to the sphere, and a direction a branch.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

MIDDLE, LARGE = 42.5, 85.0  # degrees

Distance = Callable[[Tensor, Tensor], Tensor]


@dataclass(frozen=True)
class Perturbation:
    """How MCR moves tokens: what the paper leaves open."""

    angles: Literal["jitter", "fixed"] = "jitter"
    renormalise: bool = True
    share_direction: bool = True


def sphere(z: Float[Tensor, "*batch d"]) -> Float[Tensor, "*batch d"]:
    """Scale each token to the sphere of radius sqrt(d)."""
    return F.rms_norm(z, z.shape[-1:])


def turn(
    z: Float[Tensor, "*batch d"],
    degrees: float | Float[Tensor, "..."],
    direction: Float[Tensor, "*batch d"],
    renormalise: bool = True,
) -> Float[Tensor, "*batch d"]:
    """Turn each token of z on its sphere by an angle towards `direction`.

    Without `renormalise` the token moves along the tangent by as much as makes that angle, and leaves the sphere.
    """
    tangent = direction - z * (direction * z).sum(-1, keepdim=True) / (z * z).sum(-1, keepdim=True)
    radians = torch.as_tensor(degrees, device=z.device) * (math.pi / 180)
    moved = torch.cos(radians) * z + torch.sin(radians) * sphere(tangent)
    return moved if renormalise else moved / torch.cos(radians)


def ssr(z: Float[Tensor, "b n d"], prior: Float[Tensor, "b n c"]) -> Float[Tensor, ""]:
    """Return the spatial-structure loss of tokens against those of the prior, which may be of another width."""
    unit, unit_prior = F.normalize(z, dim=-1), F.normalize(prior, dim=-1)
    return (unit @ unit.mT - unit_prior @ unit_prior.mT).square().mean()


def scr(z: Float[Tensor, "b n d"], prior: Float[Tensor, "b n d"]) -> Float[Tensor, ""]:
    """Return the semantic loss: one minus cosine, pooled and per token."""
    pooled = 1 - F.cosine_similarity(z.mean(1), prior.mean(1), dim=-1).mean()
    return pooled + (1 - F.cosine_similarity(z, prior, dim=-1)).mean()


def angles(
    how: Perturbation, count: int, noise: torch.Generator
) -> tuple[Float[Tensor, "{count} 1 1"], Float[Tensor, "{count} 1 1"]]:
    """Return the middle and the large angle of each sample, in degrees."""
    r = torch.ones(count, 1, 1) if how.angles == "fixed" else torch.rand(count, 1, 1, generator=noise)
    middle, large = (torch.rad2deg(torch.atan(r * math.tan(math.radians(most)))) for most in (MIDDLE, LARGE))
    return middle, large


def mcr(
    decoder: nn.Module,
    z: Float[Tensor, "b n d"],
    decoded: Float[Tensor, "b ..."],
    noise: torch.Generator,
    how: Perturbation,
    distance: Distance,
) -> Float[Tensor, ""]:
    """Return the continuity loss: a cascade of turned latents, each held to the one before it, and not the reverse."""
    middle, large = (a.to(z.device) for a in angles(how, len(z), noise))
    direction = torch.randn(z.shape, generator=noise).to(z.device)
    other = direction if how.share_direction else torch.randn(z.shape, generator=noise).to(z.device)
    x_m = decoder(turn(z, middle, direction, how.renormalise))
    x_l = decoder(turn(z, large, other, how.renormalise))
    return distance(x_m, decoded.detach()) + distance(x_l, x_m.detach())
