"""Convolutions that the small networks share. Shapes: grids (b, c, h, w)."""

from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F


def conv_bn(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    """Return a 3x3 convolution and its batch norm."""
    return nn.Sequential(nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside))


def conv_bn_relu(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    """Return a 3x3 convolution, its batch norm and a ReLU."""
    return conv_bn(inside, outside, stride).append(nn.ReLU(inplace=True))


class ResidualBlock(nn.Module):
    """Two 3x3 convolutions with batch norm beside a shortcut (ResNet, arXiv 1512.03385)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.conv1, self.conv2 = conv_bn_relu(width, width), conv_bn(width, width)

    def forward(self, x: Float[Tensor, "b width h w"]) -> Float[Tensor, "b width h w"]:
        """Add what the convolutions say to x."""
        return F.relu(x + self.conv2(self.conv1(x)))


class Coarser(nn.Module):
    """Adds to a grid what is seen of it at half its size, where kernels reach farther; nothing at first."""

    def __init__(self, width: int, depth: int) -> None:
        super().__init__()
        self.down = nn.Sequential(conv_bn_relu(width, width, 2), *(ResidualBlock(width) for _ in range(depth)))
        self.back = nn.Conv2d(width, width, 1)
        nn.init.zeros_(self.back.weight)
        nn.init.zeros_(self.back.bias)  # type: ignore[arg-type]

    def forward(self, x: Float[Tensor, "b width h w"]) -> Float[Tensor, "b width h w"]:
        """Look at an even number of rows and columns, and add."""
        out: Tensor = x + self.back(F.interpolate(self.down(x), scale_factor=2.0))
        return out


class PreActResidualBlock(nn.Module):
    """Two 3x3 convolutions after group norm and SiLU beside a shortcut (arXiv 1603.05027); the identity at first."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        last = nn.Conv2d(dim, dim, 3, padding=1)
        nn.init.zeros_(last.weight)
        self.body = nn.Sequential(
            nn.GroupNorm(8, dim), nn.SiLU(), nn.Conv2d(dim, dim, 3, padding=1), nn.GroupNorm(8, dim), nn.SiLU(), last
        )

    def forward(self, x: Float[Tensor, "b dim h w"]) -> Float[Tensor, "b dim h w"]:
        """Add what the convolutions say to x."""
        out: Tensor = x + self.body(x)
        return out
