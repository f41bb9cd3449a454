"""PAE: a prior-aligned autoencoder (arXiv 2605.07915, "What Matters for Diffusion-Friendly Latent Manifold?").

Encoder   H = VFM(x), frozen;  (gamma, beta) = DAM(pixels, H);  Hz = LN(H * (1 + gamma) + beta)
          z = rms_norm(conv3x3(attention(Hz)) + skip(x))   each token on the sphere of radius sqrt(d)
Decoder   x^ = ViT(conv3x3(z)) + skip(chart(z))
Losses    L = L1 + 0.2 SSR + 0.5 MCR + 1.0 SCR           z against the prior's tokens Z_T
  SSR  = mean (G(z) - G(Z_T))^2, G the cosine Gram matrix over tokens
  SCR  = (1 - cos(GAP z, GAP Z_T)) + mean over tokens (1 - cos(z, Z_T))
  MCR  = |x_m - sg(x^)|_1 + |x_l - sg(x_m)|_1,  x_m, x_l decoded from z turned by 42.5 and 85 degrees
         along one shared random direction

Departures: the VFM is the pocket stand-in of vfm.py, not DINOv2-L; the prior is raw, its tokens Z_T are the
whitened principal components of H (no refinement stage); no GAN and no LPIPS: an L1 of image gradients takes
their place; the projector's attention has a residual path; L1 is weighted by `l1` (40) because it stands without
LPIPS and GAN, and MCR by 0.1, not 0.5. To save samples, training starts from the PCA of patches and not from
noise (`start_linear`): d - 1 channels and one constant, which the sphere's chart z[:-1] / z[-1] undoes, go
around encoder and decoder by linear skips, zero at construction; DAM, projector and decoder learn what is to be added.
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.nn.transformer import Attention, Block, patchify, to_grid, to_tokens, unpatchify
from scope.nn.weights import load_shipped
from scope.tokenizers.vfm import PocketVFM, frozen, principal_axes

SIDE, PATCH = 128, 16
TOKENS = (SIDE // PATCH) ** 2


def sphere(z: Tensor) -> Tensor:
    """Scale each token (..., d) to the sphere of radius sqrt(d)."""
    return F.rms_norm(z, z.shape[-1:])


def turn(z: Tensor, degrees: float | Tensor, direction: Tensor) -> Tensor:
    """Turn each token of z (b, n, d) on its sphere by an angle towards `direction` (b, n, d)."""
    tangent = direction - z * (direction * z).sum(-1, keepdim=True) / (z * z).sum(-1, keepdim=True)
    radians = torch.as_tensor(degrees, device=z.device) * (math.pi / 180)
    return torch.cos(radians) * z + torch.sin(radians) * sphere(tangent)


class PixelModulator(nn.Module):
    """DAM: looks at pixels and features, and returns a scale and a shift of the features; zero at first."""

    def __init__(self, dim: int, feature_dim: int, depth: int, heads: int) -> None:
        super().__init__()
        self.embed = nn.Linear(3 * PATCH * PATCH, dim)
        self.position = nn.Parameter(torch.randn(1, TOKENS, dim) * 0.02)
        self.blocks = nn.ModuleList(Block(dim, heads, feature_dim) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, 2 * feature_dim)
        nn.init.zeros_(self.out.weight)
        nn.init.zeros_(self.out.bias)

    def forward(self, images: Tensor, features: Tensor) -> tuple[Tensor, Tensor]:
        """Return (gamma, beta), each like `features` (b, n, c)."""
        x = self.embed(patchify(images, PATCH)) + self.position
        for block in self.blocks:
            x = block(x, features)
        gamma, beta = self.out(self.norm(x)).chunk(2, -1)
        return gamma, beta


class Decoder(nn.Module):
    """Latent tokens (b, n, d) -> images (b, 3, 128, 128)."""

    def __init__(self, d: int, dim: int, depth: int, heads: int) -> None:
        super().__init__()
        self.widen = nn.Conv2d(d, dim, 3, padding=1)
        self.position = nn.Parameter(torch.randn(1, TOKENS, dim) * 0.02)
        self.blocks = nn.ModuleList(Block(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.out = nn.Linear(dim, 3 * PATCH * PATCH)
        self.pole = float(d) ** 0.5  # the constant channel, as strong as all the others together
        self.skip = nn.Linear(d - 1, 3 * PATCH * PATCH)
        self.skip.requires_grad_(False)
        for layer in (self.out, self.skip):
            nn.init.zeros_(layer.weight)
            nn.init.zeros_(layer.bias)

    def forward(self, z: Tensor) -> Tensor:
        """Decode."""
        x = to_tokens(self.widen(to_grid(z))) + self.position
        for block in self.blocks:
            x = block(x)
        chart = z[..., :-1] / z[..., -1:].clamp_min(0.7)
        with torch.autocast(z.device.type, enabled=False):
            linear = self.skip(chart.float())
        return unpatchify(self.out(self.norm(x)).float() + linear, PATCH, SIDE)


class PAE(nn.Module):
    """The tokenizer. Latents are (b, d, 8, 8), of zero mean and unit scale per channel over the training scenes."""

    prior_mean: Tensor
    prior_axes: Tensor
    latent_mean: Tensor
    latent_std: Tensor

    def __init__(
        self, d: int = 32, dim: int = 256, depth: int = 3, modulator_depth: int = 1, heads: int = 4,
        vfm: PocketVFM | None = None,
    ) -> None:  # fmt: skip
        super().__init__()
        self.d = d
        self.vfm = frozen(vfm or PocketVFM())
        features = int(self.vfm.dim) if isinstance(self.vfm, PocketVFM) else 0
        self.modulator = PixelModulator(dim, features, modulator_depth, heads)
        self.mix = Attention(features, max(1, features // 64))
        self.project = nn.Conv2d(features, d, 3, padding=1)
        self.skip = nn.Linear(3 * PATCH * PATCH, d).requires_grad_(False)
        nn.init.zeros_(self.skip.weight)
        nn.init.zeros_(self.skip.bias)
        self.decoder = Decoder(d, dim, depth, heads)
        self.register_buffer("prior_mean", torch.zeros(features))
        self.register_buffer("prior_axes", torch.zeros(features, d))
        self.register_buffer("latent_mean", torch.zeros(d))
        self.register_buffer("latent_std", torch.ones(d))

    def train(self, mode: bool = True) -> "PAE":
        """Switch mode; the VFM stays frozen."""
        super().train(mode)
        self.vfm.eval()
        return self

    def features(self, images: Tensor) -> Tensor:
        """(b, 3, 128, 128) -> H (b, 64, c), without gradient."""
        with torch.no_grad():
            h: Tensor = self.vfm(images)
        return h

    def tokens(self, images: Tensor, features: Tensor) -> Tensor:
        """Return z (b, 64, d) on the sphere."""
        gamma, beta = self.modulator(images, features)
        hz = F.layer_norm(features * (1 + gamma) + beta, features.shape[-1:])
        hz = hz + self.mix(hz)
        with torch.autocast(images.device.type, enabled=False):
            pixels = self.skip(patchify(images, PATCH))
        return sphere(to_tokens(self.project(to_grid(hz))).float() + pixels)

    def prior(self, features: Tensor) -> Tensor:
        """Return Z_T (b, 64, d): what the tokens are aligned to."""
        return sphere((features - self.prior_mean) @ self.prior_axes)

    def encode(self, images: Tensor) -> Tensor:
        """(b, 3, 128, 128) in [-1, 1] -> latents (b, d, 8, 8)."""
        z = self.tokens(images, self.features(images))
        return to_grid((z - self.latent_mean) / self.latent_std)

    def decode(self, latents: Tensor) -> Tensor:
        """(b, d, 8, 8) -> images in [-1, 1]. Tokens that left the sphere are put back on it."""
        z = to_tokens(latents) * self.latent_std + self.latent_mean
        images: Tensor = self.decoder(sphere(z))
        return images.clamp(-1, 1)

    @torch.no_grad()
    def start_linear(self, images: Tensor) -> None:
        """Set the prior's axes, and make the untrained tokenizer the PCA of the patches of these images.

        The two skips stay as they are from here on: whitening has steep directions that gradient steps destroy.
        """
        features = self.features(images).flatten(0, 1)
        self.prior_mean.copy_(features.mean(0))
        self.prior_axes.copy_(principal_axes(features, self.d)[1])
        mean, axes = principal_axes(patchify(images, PATCH).flatten(0, 1), self.d - 1)
        self.project.weight.mul_(0.02)
        self.skip.weight[:-1] = axes.T
        self.skip.bias[:-1] = -mean @ axes
        self.skip.bias[-1] = self.decoder.pole
        self.decoder.skip.weight.copy_(self.decoder.pole * axes / axes.square().sum(0))
        self.decoder.skip.bias.copy_(mean)

    @torch.no_grad()
    def set_statistics(self, z: Tensor) -> None:
        """Set the latents' mean and deviation from tokens (b, n, d)."""
        self.latent_mean.copy_(z.flatten(0, 1).mean(0))
        self.latent_std.copy_(z.flatten(0, 1).std(0).clamp_min(1e-3))


# -- losses --------------------------------------------------------------------------------------


def ssr(z: Tensor, prior: Tensor) -> Tensor:
    """Return the spatial-structure loss: mean squared difference of cosine Gram matrices."""
    unit, unit_prior = F.normalize(z, dim=-1), F.normalize(prior, dim=-1)
    return (unit @ unit.mT - unit_prior @ unit_prior.mT).square().mean()


def scr(z: Tensor, prior: Tensor) -> Tensor:
    """Return the semantic loss: one minus cosine, pooled and per token."""
    pooled = 1 - F.cosine_similarity(z.mean(1), prior.mean(1), dim=-1).mean()
    return pooled + (1 - F.cosine_similarity(z, prior, dim=-1)).mean()


def mcr(decoder: nn.Module, z: Tensor, decoded: Tensor, direction: Tensor) -> Tensor:
    """Return the manifold-continuity loss: a cascade of turned latents, each held to the one before it."""
    middle, large = decoder(turn(z, 42.5, direction)), decoder(turn(z, 85.0, direction))
    return F.l1_loss(middle, decoded.detach()) + F.l1_loss(large, middle.detach())


def edges(decoded: Tensor, images: Tensor) -> Tensor:
    """Return the L1 of horizontal and vertical image gradients, which keeps outlines sharp."""
    return F.l1_loss(decoded.diff(dim=-1), images.diff(dim=-1)) + F.l1_loss(decoded.diff(dim=-2), images.diff(dim=-2))


def load() -> tuple[PAE, str]:
    """Return the shipped tokenizer and the sha256 of its weights."""
    model = PAE()
    return model, load_shipped(model, "pae")
