"""The networks that tokenizers share: encoder of pixels, decoder, and the modulator of PAE.

A grid of tokens has `size / patch` tokens a side; convolutional parts halve or double log2(patch) times, with half the
width at twice the resolution.
"""

from itertools import pairwise

import torch
from einops import rearrange
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from scope.nn.conv import PreActResidualBlock
from scope.nn.transformer import TransformerBlock, patchify, to_grid, to_tokens, unpatchify, zero_init

LAST = torch.channels_last
Images = Float[Tensor, "b 3 side side"]  # in [-1, 1]
Tokens = Float[Tensor, "b n d"]  # one a patch, row by row
Features = Float[Tensor, "b n c"]  # of a frozen backbone, one a patch


def widths(dim: int, patch: int) -> list[int]:
    """Return the widths from pixels to tokens: `dim` at the tokens, half a doubling, at least 16."""
    return [max(16, dim >> n) for n in range(patch.bit_length() - 1, -1, -1)]


class PixelEncoder(nn.Module):
    """Images -> tokens, by convolutions."""

    def __init__(self, patch: int, d: int, dim: int, depth: int) -> None:
        super().__init__()
        at = widths(dim, patch)
        layers: list[nn.Module] = [nn.Conv2d(3, at[0], 3, padding=1)]
        for inside, outside in pairwise(at):
            layers += [nn.SiLU(), nn.Conv2d(inside, outside, 4, stride=2, padding=1)]
        layers += [PreActResidualBlock(dim) for _ in range(depth)]
        self.body = nn.Sequential(*layers, nn.GroupNorm(8, dim), nn.SiLU(), nn.Conv2d(dim, d, 3, padding=1))

    def forward(self, images: Images) -> Tokens:
        """Encode."""
        return to_tokens(self.body(images.contiguous(memory_format=LAST)))


class PixelDecoder(nn.Module):
    """Tokens -> images, by convolutions."""

    def __init__(self, patch: int, d: int, dim: int, depth: int) -> None:
        super().__init__()
        at = widths(dim, patch)[::-1]
        layers: list[nn.Module] = [nn.Conv2d(d, dim, 3, padding=1), *(PreActResidualBlock(dim) for _ in range(depth))]
        for inside, outside in pairwise(at):
            layers += [nn.Conv2d(inside, 4 * outside, 1), nn.PixelShuffle(2), PreActResidualBlock(outside)]
        self.body = nn.Sequential(*layers, nn.GroupNorm(8, at[-1]), nn.SiLU())
        self.out = nn.Conv2d(at[-1], 3, 3, padding=1)

    def forward(self, z: Tokens) -> Images:
        """Decode."""
        out: Tensor = self.out(self.body(to_grid(z).contiguous(memory_format=LAST))).float()
        return out


class ConvDecoder(nn.Module):
    """Tokens -> images, by overlapping convolutions: what one token says runs into what its neighbours say.

    A transposed convolution draws a window of twice the patch for each token, half over its neighbours' (as lapped
    transforms do); `start` makes it the best linear decoder of noisy tokens. Convolutions add the rest; their last two
    doublings are one shuffle, so that none works at full size. A head of twice the size adds to the enlarged picture
    what it lacks. Both are zero at construction.
    """

    def __init__(self, patch: int, d: int, widths: tuple[int, ...] = (256, 128, 64, 32), charted: bool = False) -> None:
        """`charted`: the last channel of a token is its pole, and the transposed convolution reads z / pole."""
        super().__init__()
        self.charted = charted
        self.patch, widths = patch, widths[: patch.bit_length() - 1]
        self.lapped = nn.ConvTranspose2d(d, 3, 2 * patch, patch, patch // 2)
        self.stem = nn.Sequential(nn.Conv2d(d, widths[0], 3, padding=1), PreActResidualBlock(widths[0]))
        stages: list[nn.Module] = [PreActResidualBlock(widths[0])]
        for inside, outside in pairwise(widths):
            stages += [nn.Conv2d(inside, 4 * outside, 1), nn.PixelShuffle(2), PreActResidualBlock(outside)]
        self.body = nn.Sequential(*stages, nn.GroupNorm(8, widths[-1]), nn.SiLU())
        self.out = zero_init(nn.Conv2d(widths[-1], 12, 3, padding=1))
        self.fine = nn.Sequential(
            nn.Conv2d(widths[-1], 4 * 24, 1), nn.PixelShuffle(2), nn.Conv2d(24, 24, 3, padding=1), nn.SiLU()
        )
        self.fine_out = zero_init(nn.Conv2d(24, 12, 3, padding=1))

    @torch.no_grad()
    def start(self, z: Tokens, images: Images) -> None:
        """Make the transposed convolution the least-squares map from tokens to patches."""
        patches = patchify(images, self.patch).flatten(0, 1).double()
        tokens = self._flat(z).flatten(0, 1).double()
        mean, at = patches.mean(0), tokens.mean(0)
        gram = torch.cov(tokens.T, correction=0)
        ridge = gram + 1e-6 * gram.diagonal().mean() * torch.eye(len(gram), dtype=gram.dtype)
        maps = torch.linalg.solve(ridge, (tokens - at).T @ (patches - mean) / len(tokens))
        inside = slice(self.patch // 2, self.patch // 2 + self.patch)
        self.lapped.weight.zero_()
        self.lapped.weight[..., inside, inside] = rearrange(
            maps, "d (c p q) -> d c p q", p=self.patch, q=self.patch
        ).float()
        offset = rearrange(mean - at @ maps, "(c p q) -> c p q", p=self.patch, q=self.patch)
        assert self.lapped.bias is not None
        self.lapped.bias.copy_(offset.mean((1, 2)))

    def _flat(self, z: Tokens) -> Tokens:
        flat: Tensor = z / z[..., -1:].clamp_min(0.1) if self.charted else z
        return flat

    def forward(self, z: Tokens, fine: bool = False) -> Images:
        """Decode; `fine`: to twice the size."""
        x = self.body(self.stem(to_grid(z).contiguous(memory_format=LAST)))
        picture: Tensor = F.pixel_shuffle(self.out(x), 2).float() + self.lapped(to_grid(self._flat(z))).float()
        if not fine:
            return picture
        large = F.interpolate(picture, scale_factor=2.0, mode="bicubic", align_corners=False)
        return large + F.pixel_shuffle(self.fine_out(self.fine(x)), 2).float()


class PatchDecoder(nn.Module):
    """Tokens -> images, by a vision transformer (PAE's own decoder, MAE's style).

    Beside it goes a linear path from the chart z[:-1] / z[-1] of the sphere, zero at construction (PAE.start_linear).
    """

    def __init__(self, size: int, patch: int, d: int, dim: int, depth: int, heads: int) -> None:
        super().__init__()
        self.size, self.patch = size, patch
        self.embed = nn.Conv2d(d, dim, 3, padding=1)
        self.pos_embed = nn.Parameter(torch.randn(1, (size // patch) ** 2, dim) * 0.02)
        self.blocks = nn.ModuleList(TransformerBlock(dim, heads) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.out = zero_init(nn.Linear(dim, 3 * patch * patch))
        self.pole = float(d) ** 0.5  # the constant channel, as strong as all the others together
        self.skip = zero_init(nn.Linear(d - 1, 3 * patch * patch)).requires_grad_(False)

    def forward(self, z: Tokens) -> Images:
        """Decode."""
        x = to_tokens(self.embed(to_grid(z))) + self.pos_embed
        for block in self.blocks:
            x = block(x)
        chart = z[..., :-1] / z[..., -1:].clamp_min(0.7)
        with torch.autocast(z.device.type, enabled=False):
            linear = self.skip(chart.float())
        return unpatchify(self.out(self.norm(x)).float() + linear, self.patch, self.size)


class PixelModulator(nn.Module):
    """PAE's DAM: from pixels and features, a scale and a shift of the features; zero at first."""

    def __init__(self, tokens: int, patch: int, dim: int, feature_dim: int, depth: int, heads: int) -> None:
        super().__init__()
        self.patch = patch
        self.embed = nn.Linear(3 * patch * patch, dim)
        self.pos_embed = nn.Parameter(torch.randn(1, tokens, dim) * 0.02)
        self.blocks = nn.ModuleList(TransformerBlock(dim, heads, feature_dim) for _ in range(depth))
        self.norm = nn.LayerNorm(dim)
        self.out = zero_init(nn.Linear(dim, 2 * feature_dim))

    def forward(self, images: Images, features: Features) -> tuple[Features, Features]:
        """Return (gamma, beta)."""
        x = self.embed(patchify(images, self.patch)) + self.pos_embed
        for block in self.blocks:
            x = block(x, features)
        gamma, beta = self.out(self.norm(x)).chunk(2, -1)
        return gamma, beta


def unit(x: Float[Tensor, "*shape"]) -> Float[Tensor, "*shape"]:
    """Scale the last axis to length one."""
    return F.normalize(x.float(), dim=-1)
