"""The pocket stand-in for a vision foundation model: a small ViT trained to name what each patch shows.

No self-supervised backbone with a redistributable licence comes in an ordinary package, so the pocket preset
trains its own: dense labelling of the pocket world, with a third of the patches hidden. Its weights are
shared with no verifier, reward or judge.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.nn.transformer import ViT
from scope.worlds.catalogue import COLORS, CONCEPTS, SETTINGS

#: Classes per patch: nothing or a noun; nothing, own colours or a colour; the setting.
CLASSES = (1 + len(CONCEPTS), 2 + len(COLORS), len(SETTINGS))


class PocketVFM(nn.Module):
    """Images (b, 3, 128, 128) in [-1, 1] -> features (b, 64, dim), layer-normalised without affine."""

    def __init__(self, dim: int = 192, depth: int = 4, heads: int = 3) -> None:
        super().__init__()
        self.dim = dim
        self.trunk = ViT(128, 16, dim, depth, heads)
        self.heads = nn.ModuleList(nn.Linear(dim, n) for n in CLASSES)

    def forward(self, images: Tensor) -> Tensor:
        """Return the features that a tokenizer is aligned to."""
        return F.layer_norm(self.trunk(images).float(), (self.dim,))

    def label(self, images: Tensor, hidden: Tensor) -> list[Tensor]:
        """Return the logits (b, 64, classes) of each label, with the patches of `hidden` (b, 64) blanked out."""
        tokens = self.trunk(images, hidden)
        return [head(tokens).float() for head in self.heads]


def frozen(vfm: nn.Module) -> nn.Module:
    """Return the model, never to be trained again."""
    return vfm.eval().requires_grad_(False)


@torch.no_grad()
def principal_axes(features: Tensor, d: int) -> tuple[Tensor, Tensor]:
    """Return (mean (c,), axes (c, d) divided by their standard deviation) of features (n, c)."""
    mean = features.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((features - mean).double().T))
    axes = vectors[:, -d:].flip(1) / values[-d:].flip(0).clamp_min(1e-8).sqrt()
    return mean, axes.float()
