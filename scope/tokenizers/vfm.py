"""Frozen backbones that a tokenizer is aligned to: images (b, 3, s, s) in [-1, 1] -> features (b, n, dim).

Features are layer-normalised without affine. The pocket presets train their own backbone, since no self-supervised one
with a redistributable licence comes in an ordinary package: it learns to name what each patch of the pocket world
shows (training/recipes/vfm.py) and shares its weights with no verifier, reward or judge. The `full` preset asks a hub
for DINOv2.

`build` reads a backbone's name:  "conv/PATCH/DIM/DEPTH"   "vit/SIZE/PATCH/DIM/DEPTH/HEADS"   "hf:OWNER/NAME"
"""

from typing import Any

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from scope.errors import UsageError, WeightsError
from scope.models.autoencoder_modules import Features, Images, PixelEncoder
from scope.nn.transformer import ViT


class ViTBackbone(nn.Module):
    """A small vision transformer."""

    def __init__(self, size: int, patch: int, dim: int, depth: int, heads: int) -> None:
        super().__init__()
        self.dim = dim
        self.trunk = ViT(size, patch, dim, depth, heads)

    def forward(self, images: Images) -> Features:
        """Return the features."""
        return F.layer_norm(self.trunk(images).float(), (self.dim,))


class ConvBackbone(nn.Module):
    """A small convolutional network."""

    def __init__(self, patch: int, dim: int, depth: int) -> None:
        super().__init__()
        self.dim = dim
        self.trunk = PixelEncoder(patch, dim, dim, depth)

    def forward(self, images: Images) -> Features:
        """Return the features."""
        return F.layer_norm(self.trunk(images).float(), (self.dim,))


class DINOv2(nn.Module):
    """DINOv2 with registers (arXiv 2304.07193, 2309.16588) at 14/16 of the tokenizer's resolution.

    Its 14-px patches then lie on the tokenizer's 16-px grid. The final norm's affine, the class token and the registers
    are left out, as in the paper's code.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model: Any = model
        self.config: Any = model.config
        self.dim, self.extra = int(self.config.hidden_size), 1 + int(self.config.num_register_tokens)
        self.register_buffer("mean", torch.tensor([0.485, 0.456, 0.406]).view(1, 3, 1, 1), persistent=False)
        self.register_buffer("std", torch.tensor([0.229, 0.224, 0.225]).view(1, 3, 1, 1), persistent=False)

    @classmethod
    def from_hub(cls, name: str) -> "DINOv2":
        """Load a model from the Hugging Face hub, or from a folder in its format.

        Raises: WeightsError if there is none.
        """
        from transformers import Dinov2WithRegistersModel

        try:
            return cls(Dinov2WithRegistersModel.from_pretrained(name))
        except OSError as error:
            raise WeightsError(f"the backbone {name} is neither a folder nor a model that the hub gives us") from error

    @classmethod
    def from_config(cls, config: dict[str, Any]) -> "DINOv2":
        """Return an untrained model of this configuration; nothing is downloaded."""
        from transformers import Dinov2WithRegistersConfig, Dinov2WithRegistersModel

        return cls(Dinov2WithRegistersModel(Dinov2WithRegistersConfig.from_dict(config)))

    def forward(self, images: Images) -> Features:
        """Return the features."""
        small = F.interpolate(images / 2 + 0.5, scale_factor=14 / 16, mode="bicubic", antialias=True)
        # The model itself would end with the final norm, affine included.
        hidden = self.model.encoder(self.model.embeddings((small - self.mean) / self.std)).last_hidden_state
        return F.layer_norm(hidden[:, self.extra :].float(), (self.dim,), eps=self.config.layer_norm_eps)


def build(name: str) -> nn.Module:
    """Return the backbone of a name, untrained unless it comes from a hub.

    Raises: UsageError if the name cannot be read.
    """
    kind, _, rest = name.partition("/")
    numbers = [int(n) for n in rest.split("/")] if rest.replace("/", "").isdecimal() else []
    if name.startswith("hf:"):
        return DINOv2.from_hub(name.removeprefix("hf:"))
    if kind == "conv" and len(numbers) == 3:
        return ConvBackbone(*numbers)
    if kind == "vit" and len(numbers) == 5:
        return ViTBackbone(*numbers)
    raise UsageError(f"no backbone is called {name!r}; see `scope.tokenizers.vfm`, such as conv/16/192/2")


def frozen(vfm: nn.Module) -> nn.Module:
    """Return the model, never to be trained again."""
    return vfm.eval().requires_grad_(False)


@torch.no_grad()
def principal_axes(features: Float[Tensor, "n c"], d: int) -> tuple[Float[Tensor, " c"], Float[Tensor, "c {d}"]]:
    """Return the mean of features and their d principal axes, divided by their standard deviation."""
    mean = features.mean(0)
    values, vectors = torch.linalg.eigh(torch.cov((features - mean).double().T))
    axes = vectors[:, -d:].flip(1) / values[-d:].flip(0).clamp_min(1e-8).sqrt()
    return mean, axes.float()
