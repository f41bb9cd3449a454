"""The tokenizers that PAE is measured against, in the same frame: same decoder, same reconstruction losses.

  AE       z = E(x)
  KLVAE    z ~ N(mu(x), sigma(x)^2), KL to N(0, I)                                   (arXiv 1312.6114, 2112.10752)
  RAE      z = VFM(x), frozen and as wide as it is; the decoder sees z + |N(0, tau)| noise   (arXiv 2510.11690)
  VAVAE    z = E(x), held to the VFM by two losses with margins                      (arXiv 2501.01423)
           mcos = mean relu(1 - m1 - cos(W z_i, h_i)),  mdms = mean relu(|cos(z_i, z_j) - cos(h_i, h_j)| - m2)

Departures: VAVAE is built on AE and its weights are fixed, not adaptive; m1 = .5 and m2 = .25 are the paper's.
"""

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.autoencoder_modules import Images, PixelDecoder, PixelEncoder, Tokens, unit
from scope.tokenizers import vfm as backbones
from scope.tokenizers.base import Autoencoder, TrainOutput


class AE(Autoencoder):
    """A plain autoencoder."""

    def __init__(self, size: int, patch: int, d: int, dim: int, depth: int) -> None:
        super().__init__(size, patch, d)
        self.encoder = PixelEncoder(patch, d, dim, depth)
        self.decoder = PixelDecoder(patch, d, dim, depth)

    def encode_tokens(self, images: Images) -> Tokens:
        """Return z."""
        z: Tensor = self.encoder(images).float()
        return z


class KLVAE(AE):
    """A variational autoencoder; `z` is the mean."""

    def __init__(self, size: int, patch: int, d: int, dim: int, depth: int) -> None:
        super().__init__(size, patch, d, dim, depth)
        self.encoder = PixelEncoder(patch, 2 * d, dim, depth)

    def moments(self, images: Images) -> tuple[Tokens, Tokens]:
        """Return (mean, log variance)."""
        mean, log_variance = self.encoder(images).float().chunk(2, -1)
        return mean, log_variance.clamp(-30, 20)

    def encode_tokens(self, images: Images) -> Tokens:
        """Return the mean."""
        return self.moments(images)[0]

    def training_forward(self, images: Images, noise: torch.Generator) -> TrainOutput:
        """Decode a sample; "kl" is the divergence in nats a number of the latent."""
        mean, log_variance = self.moments(images)
        eps = torch.randn(mean.shape, generator=noise).to(mean.device)
        z = mean + eps * torch.exp(log_variance / 2)
        kl = 0.5 * (mean.square() + log_variance.exp() - 1 - log_variance).mean()
        return TrainOutput(self.decoder(z), z, {"kl": kl})


class RAE(Autoencoder):
    """Frozen features as latents; only the decoder learns, on features with noise."""

    def __init__(self, size: int, patch: int, vfm: str | nn.Module, dim: int, depth: int, tau: float = 0.8) -> None:
        backbone = backbones.frozen(backbones.build(vfm) if isinstance(vfm, str) else vfm)
        features = int(backbone.dim)  # type: ignore[arg-type]
        super().__init__(size, patch, features)
        self.vfm, self.tau = backbone, tau
        self.decoder = PixelDecoder(patch, features, dim, depth)

    def train(self, mode: bool = True) -> "RAE":
        """Switch mode; the VFM stays frozen."""
        super().train(mode)
        self.vfm.eval()
        return self

    def encode_tokens(self, images: Images) -> Tokens:
        """Return the features."""
        with torch.no_grad():
            features: Tensor = self.vfm(images)
        return features

    def training_forward(self, images: Images, noise: torch.Generator) -> TrainOutput:
        """Decode features with as much noise as a sample's own draw says."""
        z = self.encode_tokens(images)
        sigma = self.tau * torch.randn(len(z), 1, 1, generator=noise).abs().to(z.device)
        return TrainOutput(self.decoder(z + sigma * torch.randn(z.shape, generator=noise).to(z.device)), z)


class VAVAE(AE):
    """An autoencoder whose tokens are held to a frozen VFM's features."""

    def __init__(self, size: int, patch: int, d: int, dim: int, depth: int, vfm: str | nn.Module) -> None:
        super().__init__(size, patch, d, dim, depth)
        self.vfm = backbones.frozen(backbones.build(vfm) if isinstance(vfm, str) else vfm)
        self.lift = nn.Linear(d, int(self.vfm.dim), bias=False)  # type: ignore[arg-type]

    def train(self, mode: bool = True) -> "VAVAE":
        """Switch mode; the VFM stays frozen."""
        super().train(mode)
        self.vfm.eval()
        return self

    def training_forward(self, images: Images, noise: torch.Generator) -> TrainOutput:
        """Encode and decode, with "mcos" and "mdms"."""
        with torch.no_grad():
            features: Tensor = self.vfm(images)
        z = self.encode_tokens(images)
        mcos = F.relu(1 - 0.5 - F.cosine_similarity(self.lift(z), features, dim=-1)).mean()
        gram, gram_vfm = (unit(a) @ unit(a).mT for a in (z, features))
        mdms = F.relu((gram - gram_vfm).abs() - 0.25).mean()
        return TrainOutput(self.decoder(z), z, {"mcos": mcos, "mdms": mdms})
