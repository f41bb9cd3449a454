"""What every tokenizer here is: images -> tokens z -> images, and latents at unit scale outside.

`PAE` and the tokenizers that it is measured against (baselines.py) differ in how they encode and in what their tokens
are asked for while they train (`training_forward`); all else is the same.
"""

from dataclasses import dataclass, field
from hashlib import sha256

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn

from scope.errors import ImageError
from scope.models.autoencoder_modules import Images, Tokens
from scope.nn.transformer import to_grid, to_tokens

Latents = Float[Tensor, "b d h w"]  # tokens at unit scale, on their grid


@dataclass(frozen=True)
class TrainOutput:
    """What one training step asks of a tokenizer: its pictures, and its own losses by name."""

    decoded: Images
    z: Tokens
    terms: dict[str, Tensor] = field(default_factory=dict)


class Autoencoder(nn.Module):
    """A tokenizer of square pictures: `size` pixels, one token of `d` numbers a `patch` x `patch` pixels.

    Latents are (b, d, size / patch, size / patch), of zero mean over the training pictures and of unit scale: per
    channel, or all channels together (`per_channel`), which keeps what differs among them. The statistics are buffers,
    set once by `set_statistics`, and `decode` undoes them exactly.
    """

    latent_mean: Tensor
    latent_std: Tensor

    def __init__(self, size: int, patch: int, d: int) -> None:
        super().__init__()
        self.size, self.patch, self.d = size, patch, d
        self.decoder: nn.Module
        self.register_buffer("latent_mean", torch.zeros(d))
        self.register_buffer("latent_std", torch.ones(d))
        self.per_channel = True  # whether each channel is brought to unit scale, and not all of them together

    def encode_tokens(self, images: Images) -> Tokens:
        """Return the tokens of images in [-1, 1], as they are before normalisation."""
        raise NotImplementedError

    def latents_sha256(self) -> str:
        """Return what tells these latents from those of other tokenizers: a hash of all but the decoder."""
        kept = (value for name, value in self.state_dict().items() if not name.startswith("decoder."))
        unsigned = (value.half() + 0.0 for value in kept)  # averages lose the sign of a zero
        parts = (value.cpu().numpy().tobytes() for value in unsigned)
        return sha256(b"".join(parts)).hexdigest()

    def chart(self, z: Tokens) -> Tokens:
        """Return tokens as a generator sees them, but for their scale; `project` undoes it."""
        return z

    def project(self, z: Tokens) -> Tokens:
        """Project tokens that a generator drew onto those that the tokenizer can mean."""
        return z

    def training_forward(self, images: Images, noise: torch.Generator) -> TrainOutput:
        """Encode and decode for a training step."""
        z = self.encode_tokens(images)
        return TrainOutput(self.decoder(z), z)

    def encode(self, images: Tensor) -> Latents:
        """(b, 3, size, size) in [-1, 1] -> latents (b, d, h, w).

        Raises: ImageError if the pictures are of another size, number of channels or range, or hold NaN.
        """
        check(images, self.size)
        return to_grid((self.chart(self.encode_tokens(images)) - self.latent_mean) / self.latent_std)

    def decode(self, latents: Tensor, fine: bool = False) -> Images:
        """(b, d, h, w) -> images (b, 3, size, size) in [-1, 1]; `fine`: of twice the size, where the decoder can.

        Raises: ImageError if the latents are of another shape or hold NaN.
        """
        side = self.size // self.patch
        if latents.shape[1:] != (self.d, side, side):
            raise ImageError(f"latents of shape {tuple(latents.shape)} are not (b, {self.d}, {side}, {side})")
        if not torch.isfinite(latents).all():
            raise ImageError("the latents hold NaN or infinity; there is no picture of them")
        z = self.tokens_of(latents)
        images: Tensor = self.decoder(z, fine=True) if fine else self.decoder(z)
        return images.float().clamp(-1, 1)

    def tokens_of(self, latents: Latents) -> Tokens:
        """Return the tokens that latents mean: those that the decoder reads."""
        return self.project(to_tokens(latents) * self.latent_std + self.latent_mean)

    @torch.no_grad()
    def set_statistics(self, z: Tokens) -> None:
        """Set the latents' mean and deviation from tokens."""
        each = rearrange(self.chart(z), "b n d -> (b n) d")
        self.latent_mean.copy_(each.mean(0))
        std = each.std(0)
        self.latent_std.copy_(std.clamp_min(1e-3) if self.per_channel else std.square().mean().sqrt().expand(self.d))


def check(images: Tensor, size: int | None = None) -> None:
    """Refuse what is no batch of RGB pictures in [-1, 1]; with `size`, of so many pixels a side.

    Raises: ImageError.
    """
    if images.ndim != 4 or images.shape[1] != 3:
        sides = f"{size}, {size}" if size else "H, W"
        raise ImageError(f"pictures of shape {tuple(images.shape)} are not (b, 3, {sides}): RGB, channels first")
    if size and images.shape[2:] != (size, size):
        raise ImageError(
            f"pictures of {images.shape[3]} x {images.shape[2]} pixels; this tokenizer takes {size} x {size}"
        )
    if not len(images):
        raise ImageError("there is no picture in this batch")
    if not images.is_floating_point():
        raise ImageError(f"pictures of {images.dtype}; give floats in [-1, 1] (pixels / 127.5 - 1)")
    if not torch.isfinite(images).all():
        raise ImageError("the pictures hold NaN or infinity")
    if images.abs().max() > 1.01:
        raise ImageError(f"pictures reach {float(images.abs().max()):.3g}; give floats in [-1, 1] (pixels / 127.5 - 1)")
