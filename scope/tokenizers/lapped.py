"""A tokenizer to be generated in: a linear encoder, and a decoder of overlapping convolutions that has seen noise.

    z = sphere([ s (x - mean) V, sqrt(d) ])     V: principal axes of patches x; channel i at lambda_i^(1/4), rms 1
    latents = sqrt(d) z / z_d                   the flat chart of the sphere: what the linear path gave
    x^ = D(z)                                   trained on latents with noise of up to `noise` of their deviation

A generator that is told what each cell is to show rests on latents that say what their own cell shows. PAE's alignment
(pae.py) takes that from them at this size: after 300 steps of SSR and SCR the best linear decoder gave 24 dB, where it
gives 31 here. The sphere, and MCR on the decoder (losses.py), are PAE's (arXiv 2605.07915).

Latents are of comparable scale and not whitened: of unit scale all together. Of unit deviation each, the last channels
would cost a generator as much as the first, and a decoder would enlarge their errors most.
"""

from pathlib import Path

import torch
from einops import rearrange
from torch import nn
from torch.nn import functional as F

from scope.models.autoencoder_modules import ConvDecoder, Images, Tokens
from scope.nn.transformer import patchify, zero_init
from scope.nn.weights import load_file, load_shipped
from scope.tokenizers.base import Autoencoder, TrainOutput
from scope.tokenizers.losses import Distance, Perturbation, mcr, sphere
from scope.tokenizers.vfm import principal_axes

POLE_LEAST = 0.7  # of a token's constant channel, whose mean square over channels is 1
PRESETS = {"tiny": (128, 16, 8), "pocket": (128, 16, 256)}  # pixels of a picture and of a token, and its numbers


class Lapped(Autoencoder):
    """The tokenizer. `noise`: of the latents' deviation, at most, in training; `mcr_share`: of the batch for MCR."""

    def __init__(
        self,
        size: int = 128,
        patch: int = 16,
        d: int = 128,
        noise: float = 0.35,
        mcr_share: float = 0.1,
        distance: Distance = F.l1_loss,
    ) -> None:
        super().__init__(size, patch, d)
        self.per_channel = False
        self.noise, self.mcr_share, self.distance = noise, mcr_share, distance
        self.pole = float(d) ** 0.5  # the constant channel, as strong as all the others together
        self.encoder = zero_init(nn.Linear(3 * patch * patch, d)).requires_grad_(False)
        self.decoder = ConvDecoder(patch, d, charted=True)

    def encode_tokens(self, images: Images) -> Tokens:
        """Return z on the sphere."""
        with torch.autocast(images.device.type, enabled=False):
            z: Tokens = self.encoder(patchify(images, self.patch))
        return sphere(z)

    def chart(self, z: Tokens) -> Tokens:
        """Return tokens as a generator sees them: flat, as the linear path gave them."""
        flat: Tokens = self.pole * z / z[..., -1:].clamp_min(POLE_LEAST)
        return flat

    def project(self, z: Tokens) -> Tokens:
        """Put flat tokens back on the sphere; the inverse of `chart`."""
        return sphere(z)

    def training_forward(self, images: Images, noise: torch.Generator) -> TrainOutput:
        """Encode, and decode what is noised as latents are that a generator draws; MCR on a share of the batch."""
        z = self.encode_tokens(images)
        decoded = self.decoder(self.noised(z, noise))
        few = max(1, round(self.mcr_share * len(images)))
        continuity = mcr(self.decoder, z[:few], decoded[:few], noise, Perturbation(), self.distance)
        return TrainOutput(decoded, z, {"mcr": continuity})

    def noised(self, z: Tokens, noise: torch.Generator) -> Tokens:
        """Return tokens with noise of up to `self.noise` of their own deviation, another share for each picture."""
        flat = self.chart(z)
        std = (flat - flat.mean((0, 1))).square().mean().sqrt()
        share = self.noise * torch.rand(len(z), 1, 1, generator=noise)
        return self.project(flat + std * (share * torch.randn(z.shape, generator=noise)).to(z.device))

    @torch.no_grad()
    def start(self, images: Images) -> None:
        """Make the encoder the PCA of the patches of these images, and the decoder the best linear one."""
        patches = rearrange(patchify(images, self.patch), "b n c -> (b n) c")
        mean, axes = principal_axes(patches, self.d - 1)
        std = axes.square().sum(0).rsqrt()
        axes = axes * (std / std.mean()).sqrt()  # mean square 1 over channels, as that of whitened ones
        self.encoder.weight[:-1] = axes.T
        self.encoder.bias[:-1] = -mean @ axes
        self.encoder.bias[-1] = self.pole
        z = self.encode_tokens(images)
        decoder: ConvDecoder = self.decoder  # type: ignore[assignment]  # what a base class declares is any module
        decoder.start(z, images)
        self.set_statistics(z)


def preset(name: str) -> Lapped:
    """Return an untrained tokenizer of a named size."""
    return Lapped(*PRESETS[name])


def load(weights: Path | None = None, name: str = "pocket") -> tuple[Lapped, str]:
    """Return the frozen tokenizer of a file and its preset, and the file's sha256; without a file, the shipped one.

    Raises: WeightsError if the weights are missing, damaged, or of another preset.
    """
    model = preset(name)
    return model, load_shipped(model, "lapped") if weights is None else load_file(model, weights)
