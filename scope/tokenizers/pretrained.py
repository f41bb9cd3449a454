"""Pretrained autoencoders of diffusers (`AutoencoderKL`: Stable Diffusion, SDXL, SD3, FLUX) as scope's `Tokenizer`.

  latents = (mu(x) - mean) / std       mu the mean of the encoder's Gaussian

Mean and deviation are the model's own: `latents_mean` and `latents_std / scaling_factor` of each channel where it has
them, else `shift_factor` and `1 / scaling_factor`. `measure` replaces them by those of pictures of yours: the model's
scale is one number for all channels, and a comparison that leaves it out is unfair to the model.
"""

from pathlib import Path
from typing import Any

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from scope.errors import ImageError, WeightsError
from scope.tokenizers.base import Latents, check
from scope.tokenizers.vfm import frozen


class PretrainedAutoencoder(nn.Module):
    """A frozen `AutoencoderKL`. A picture's sides may be any multiples of `patch`; latents have `d` channels."""

    mean: Tensor
    std: Tensor

    def __init__(self, model: Any) -> None:
        super().__init__()
        self.model: Any = frozen(model)
        config = model.config
        self.d, self.patch = int(config.latent_channels), 2 ** (len(config.block_out_channels) - 1)
        scale = float(config.scaling_factor or 1)
        mean, std = config.latents_mean, config.latents_std
        self.register_buffer("mean", self._channels(config.shift_factor or 0.0 if mean is None else mean))
        self.register_buffer("std", self._channels(1.0 if std is None else std) / scale)

    @classmethod
    def load(cls, name: str | Path, **options: Any) -> "PretrainedAutoencoder":
        """Return the autoencoder of a folder or of a repository on the hub, such as one with `subfolder="vae"`.

        Raises: WeightsError if there is none, or it cannot be read.
        """
        from diffusers import AutoencoderKL

        always = {"low_cpu_mem_usage": False, "use_safetensors": True}
        try:
            return cls(AutoencoderKL.from_pretrained(str(name), **(options | always)))
        except (OSError, ValueError, RuntimeError) as error:
            raise WeightsError(f"{name} holds no AutoencoderKL that can be read: {error}".partition("\n")[0]) from error

    def encode(self, images: Tensor) -> Latents:
        """(b, 3, H, W) in [-1, 1] -> latents (b, d, H / patch, W / patch).

        Raises: ImageError if the pictures have sides of other lengths, or another number of channels or range, or hold
            NaN.
        """
        check(images)
        if any(side % self.patch for side in images.shape[2:]):
            across, down = images.shape[3], images.shape[2]
            raise ImageError(f"pictures of {across} x {down} pixels; both sides must be multiples of {self.patch}")
        return (self._mu(images) - self.mean) / self.std

    def decode(self, latents: Tensor) -> Float[Tensor, "b 3 H W"]:
        """(b, d, h, w) -> images (b, 3, h * patch, w * patch) in [-1, 1].

        Raises: ImageError if the latents have another number of channels or hold NaN.
        """
        if latents.ndim != 4 or latents.shape[1] != self.d:
            raise ImageError(f"latents of shape {tuple(latents.shape)} are not (b, {self.d}, h, w)")
        if not torch.isfinite(latents).all():
            raise ImageError("the latents hold NaN or infinity; there is no picture of them")
        z = latents.float() * self.std + self.mean
        images: Tensor = self.model.decode(z.to(self.model.dtype)).sample
        return images.float().clamp(-1, 1)

    @torch.no_grad()
    def measure(self, images: Float[Tensor, "b 3 H W"]) -> None:
        """Take mean and deviation of each channel from pictures."""
        z = rearrange(self._mu(images), "b d h w -> d (b h w)")
        self.mean.copy_(self._channels(z.mean(1)))
        self.std.copy_(self._channels(z.std(1).clamp_min(1e-3)))

    def train(self, mode: bool = True) -> "PretrainedAutoencoder":
        """Switch mode; the autoencoder stays frozen."""
        super().train(mode)
        self.model.eval()
        return self

    def _mu(self, images: Tensor) -> Latents:
        mu: Tensor = self.model.encode(images.to(self.model.dtype)).latent_dist.mode()
        return mu.float()

    def _channels(self, value: Any) -> Tensor:
        """Return one number, or one a channel, as (1, d, 1, 1)."""
        return torch.as_tensor(value, dtype=torch.float32).expand(self.d).clone().view(1, -1, 1, 1)
