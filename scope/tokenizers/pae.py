"""PAE: a prior-aligned autoencoder (arXiv 2605.07915, "What Matters for Diffusion-Friendly Latent Manifold?").

Encoder   H = VFM(x), frozen;  (gamma, beta) = DAM(pixels, H);  Hz = LN(H * (1 + gamma) + beta)
          z = rms_norm(conv3x3(attention(Hz)))     each token on the sphere of radius sqrt(d)
Prior     Z_T = P(H), refined in a stage of its own and then frozen (prior.py)
Decoder   x^ = D(z)
Losses    L = L1 + 1.0 perceptual + 0.5 GAN + 0.2 SSR + 0.5 MCR + 1.0 SCR   z against Z_T (losses.py)

Departures: the pocket VFM stands in for DINOv2-L (vfm.py), and 32-px pictures are decoded by convolutions ("pixels"),
not by a vision transformer ("patches"). `attention` has a residual path, since the paper's unresidual one starts as
noise. `linear`: to save samples, the pocket preset starts from the PCA of patches and not from noise (`start_linear`):
d - 1 channels and one constant, which the sphere's chart z[:-1] / z[-1] undoes, go around encoder and decoder by linear
paths, zero at construction; DAM, projector and decoder learn what is to be added. It has d = 128, not 32: what a patch
loses with 32 is more than a judge of pictures forgives, and a decoder that invents it would take longer to train.
"""

from pathlib import Path

import torch
from einops import rearrange
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.autoencoder_modules import Features, Images, PatchDecoder, PixelDecoder, PixelModulator, Tokens
from scope.nn.transformer import Attention, patchify, to_grid, to_tokens, zero_init
from scope.nn.weights import load_file, load_shipped
from scope.tokenizers import vfm as backbones
from scope.tokenizers.base import Autoencoder, TrainOutput
from scope.tokenizers.losses import Distance, Perturbation, mcr, scr, sphere, ssr
from scope.tokenizers.prior import RefinedPrior, WhitenedPrior

#: Constructor arguments of the sizes that have a name; `full` is the paper's.
PRESETS: dict[str, dict[str, object]] = {
    "tiny": {
        "size": 128, "patch": 16, "d": 8, "dim": 32, "depth": 1, "modulator_depth": 1, "heads": 2,
        "vfm": "conv/16/32/1", "decoder": "pixels", "prior": "whitened", "linear": False,
    },
    "pocket": {
        "size": 128, "patch": 16, "d": 128, "dim": 256, "depth": 3, "modulator_depth": 1, "heads": 4,
        "vfm": "conv/16/192/2", "decoder": "patches", "prior": "refined", "linear": True,
    },
    "closeup": {
        "size": 32, "patch": 4, "d": 8, "dim": 96, "depth": 2, "modulator_depth": 1, "heads": 2,
        "vfm": "conv/4/96/2", "decoder": "pixels", "prior": "refined", "linear": False,
    },
    "full": {
        "size": 256, "patch": 16, "d": 32, "dim": 1024, "depth": 24, "modulator_depth": 6, "heads": 16,
        "vfm": "hf:facebook/dinov2-with-registers-large", "decoder": "patches", "prior": "refined", "linear": False,
    },
}  # fmt: skip


class PAE(Autoencoder):
    """The tokenizer. `vfm` is a name that `vfm.build` reads, or a module with `dim` that gives features."""

    def __init__(
        self, size: int = 128, patch: int = 16, d: int = 32, dim: int = 256, depth: int = 3, modulator_depth: int = 1,
        heads: int = 4, vfm: str | nn.Module = "conv/16/192/2", decoder: str = "pixels", prior: str = "refined",
        linear: bool = False, perturbation: Perturbation | None = None, mcr_share: float = 1.0,
        distance: Distance = F.l1_loss,
    ) -> None:  # fmt: skip
        super().__init__(size, patch, d)
        self.perturbation = perturbation or Perturbation()
        self.mcr_share, self.distance = mcr_share, distance
        self.vfm = backbones.frozen(backbones.build(vfm) if isinstance(vfm, str) else vfm)
        features, tokens = int(self.vfm.dim), (size // patch) ** 2  # type: ignore[arg-type]
        self.modulator = PixelModulator(tokens, patch, dim, features, modulator_depth, heads)
        self.attn = Attention(features, max(1, features // 64))
        self.to_latent = nn.Conv2d(features, d, 3, padding=1)
        self.skip = zero_init(nn.Linear(3 * patch * patch, d)).requires_grad_(False) if linear else None
        self.decoder = (
            PatchDecoder(size, patch, d, dim, depth, heads)
            if decoder == "patches"
            else PixelDecoder(patch, d, dim, depth)
        )
        self.prior = RefinedPrior(features, d, tokens) if prior == "refined" else WhitenedPrior(features, d)
        self.prior.requires_grad_(False)

    def train(self, mode: bool = True) -> "PAE":
        """Switch mode; the VFM stays frozen."""
        super().train(mode)
        self.vfm.eval()
        return self

    def features(self, images: Images) -> Features:
        """Return H, without gradient."""
        with torch.no_grad():
            h: Tensor = self.vfm(images)
        return h

    def tokens(self, images: Images, features: Features) -> Tokens:
        """Return z on the sphere."""
        gamma, beta = self.modulator(images, features)
        hz = F.layer_norm(features * (1 + gamma) + beta, features.shape[-1:])
        hz = hz + self.attn(hz)
        z = to_tokens(self.to_latent(to_grid(hz))).float()
        if self.skip is not None:
            with torch.autocast(images.device.type, enabled=False):
                z = z + self.skip(patchify(images, self.patch))
        return sphere(z)

    def freeze_encoder(self) -> None:
        """Let only the decoder learn from here on, so that latents stay what they are."""
        for part in (self.modulator, self.attn, self.to_latent):
            part.requires_grad_(False)

    def encode_tokens(self, images: Images) -> Tokens:
        """Return z on the sphere."""
        return self.tokens(images, self.features(images))

    def project(self, z: Tokens) -> Tokens:
        """Put tokens that left the sphere back on it."""
        return sphere(z)

    def training_forward(self, images: Images, noise: torch.Generator) -> TrainOutput:
        """Encode and decode for a training step, with SSR, SCR and MCR; MCR on the first `mcr_share` of the batch."""
        features = self.features(images)
        z, prior = self.tokens(images, features), self.prior(features)
        decoded = self.decoder(z)
        few = max(1, round(self.mcr_share * len(images)))
        continuity = mcr(self.decoder, z[:few], decoded[:few], noise, self.perturbation, self.distance)
        return TrainOutput(decoded, z, {"ssr": ssr(z, prior), "scr": scr(z, prior), "mcr": continuity})

    @torch.no_grad()
    def whiten(self, images: Images) -> None:
        """Set the axes of a raw prior to the principal components of these images' features."""
        if not isinstance(self.prior, WhitenedPrior):
            return
        mean, axes = backbones.principal_axes(rearrange(self.features(images), "b n c -> (b n) c"), self.d)
        self.prior.mean.copy_(mean)
        self.prior.axes.copy_(axes)

    @torch.no_grad()
    def start_linear(self, images: Images) -> None:
        """Make the untrained tokenizer the PCA of the patches of these images.

        The two linear paths stay as they are from here on: whitening has steep directions that gradient steps destroy.
        """
        if self.skip is None or not isinstance(self.decoder, PatchDecoder):
            raise ValueError("only a tokenizer with linear=True and a decoder of patches has linear paths")
        patches = patchify(images, self.patch)
        mean, axes = backbones.principal_axes(rearrange(patches, "b n c -> (b n) c"), self.d - 1)
        self.to_latent.weight.mul_(0.02)
        self.skip.weight[:-1] = axes.T
        self.skip.bias[:-1] = -mean @ axes
        self.skip.bias[-1] = self.decoder.pole
        self.decoder.skip.weight.copy_(self.decoder.pole * axes / axes.square().sum(0))
        self.decoder.skip.bias.copy_(mean)


def preset(name: str, **changes: object) -> PAE:
    """Return an untrained PAE of a named size."""
    return PAE(**(PRESETS[name] | changes))  # type: ignore[arg-type]


def load(weights: Path | None = None, name: str = "pocket") -> tuple[PAE, str]:
    """Return the frozen tokenizer of a file and its preset, and the file's sha256; without a file, the shipped one.

    Raises: WeightsError if the weights are missing, damaged, or of another preset.
    """
    model = preset(name)
    return model, load_shipped(model, "pae") if weights is None else load_file(model, weights)


def shipped() -> PAE:
    """Return the shipped tokenizer, as a plugin."""
    return load()[0]
