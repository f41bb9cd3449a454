"""The refined prior of PAE (arXiv 2605.07915), trained first and then frozen.

  Z_T = P(H) in R^{n x d},  H^ = Q(Z_T),  L = rep |H^ - H|^2 + gram |G(Z_T) - G(H_ref)|_F^2
  H_ref: H at a higher resolution, low-passed, and back on its grid

Departures: H is raised four times by bilinear interpolation instead of AnyUp, and low-passed by a Gaussian; P is one
3x3 convolution; Gram matrices are cosines and their difference is averaged; `rep` and `gram` are not stated (1 and 1).
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.autoencoder_modules import Features, Tokens
from scope.nn.images import gaussian_blur
from scope.nn.transformer import TransformerBlock, to_grid, to_tokens
from scope.tokenizers.losses import sphere, ssr

_SIGMA = 2.0  # of the low pass, in quarters of a patch


def low_passed(features: Features, strength: float = 0.4) -> Features:
    """Return H_ref: `strength` of the way from H to its blur."""
    grid = to_grid(features)
    side = grid.shape[-1]
    high = F.interpolate(grid, scale_factor=4, mode="bilinear")
    smooth = gaussian_blur(high, _SIGMA)
    back = F.interpolate(smooth, (side, side), mode="area")
    return to_tokens(grid + strength * (back - grid))


class RefinedPrior(nn.Module):
    """Features H (b, n, c) -> Z_T (b, n, d) on the sphere, and the decoder that reconstructs H from it."""

    def __init__(self, features: int, d: int, tokens: int, dim: int = 128, depth: int = 2, heads: int = 2) -> None:
        super().__init__()
        self.to_latent = nn.Conv2d(features, d, 3, padding=1)
        self.embed = nn.Linear(d, dim)
        self.pos_embed = nn.Parameter(torch.randn(1, tokens, dim) * 0.02)
        self.blocks = nn.ModuleList(TransformerBlock(dim, heads) for _ in range(depth))
        self.out = nn.Linear(dim, features)

    def forward(self, features: Features) -> Tokens:
        """Return Z_T."""
        return sphere(to_tokens(self.to_latent(to_grid(features))).float())

    def reconstruct(self, z: Tokens) -> Features:
        """Return H^."""
        x = self.embed(z) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        back: Tensor = self.out(x)
        return back

    def losses(self, features: Features) -> dict[str, Tensor]:
        """Return the parts of the loss of stage R."""
        z = self(features)
        return {
            "rep": F.mse_loss(self.reconstruct(z).float(), features),
            "gram": ssr(z, low_passed(features)),
        }


class WhitenedPrior(nn.Module):
    """The raw prior: the whitened principal components of H (b, n, c), as tokens (b, n, d) on the sphere."""

    mean: Tensor
    axes: Tensor

    def __init__(self, features: int, d: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(features))
        self.register_buffer("axes", torch.zeros(features, d))

    def forward(self, features: Features) -> Tokens:
        """Return Z_T."""
        return sphere((features - self.mean) @ self.axes)
