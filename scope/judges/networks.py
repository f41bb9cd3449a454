"""The judge's eyes: one network finds where things are, a second looks at each of them closely (two stages).

128-px images in [-1, 1]. `Finder`, after FCOS (arXiv 1904.01355): a U-Net whose every 4-px cell says whether it lies
in the middle of a thing, of whatever kind, and how far that thing's centre is and how large. Boxes that overlap are
one thing, the likeliest. `Namer`, after R-CNN (arXiv 1311.2524): each box is cut out of the picture at 36 px, whatever
its size, and named: noun, colour, who drew it, or nothing that it knows.

Departures: boxes are squares, as things of this world are; the crops are of pixels, so that the two share no weights.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.worlds.pocket.catalogue import COLORS, CONCEPTS, HELD_OUT_VENDORS, SETTINGS, VENDORS

NOUNS, COLOR_NAMES, SETTING_NAMES = tuple(CONCEPTS), tuple(COLORS), tuple(SETTINGS)
STYLES = (*VENDORS, *HELD_OUT_VENDORS)
NOTHING = len(NOUNS)  # the namer's class of what is no good drawing of any noun
STRIDE, CELLS = 4, 32  # pixels of a cell, cells of a side
CROP, MARGIN = 36, 1.125  # pixels of a crop's side; how much larger than its box the cut is
USUAL_SIDE = 48  # pixels
OVERLAP = 0.4  # intersection over union above which two boxes are one thing


@dataclass(frozen=True)
class Places:
    """What the finder says of each cell (b, 32, 32), and of the setting (b, settings)."""

    middle: Tensor  # logits
    offset: Tensor  # (b, 2, 32, 32): from the cell's middle to the thing's centre, x and y, in cells
    side: Tensor  # natural logarithm of side / 48 px
    setting: Tensor  # logits


@dataclass(frozen=True)
class Looks:
    """What the namer says of each crop: logits."""

    noun: Tensor  # (n, nouns + 1)
    color: Tensor  # (n, colours)
    style: Tensor  # (n, styles)


def _convolution(inside: int, outside: int, stride: int = 1) -> nn.Sequential:
    return nn.Sequential(nn.Conv2d(inside, outside, 3, stride, 1, bias=False), nn.BatchNorm2d(outside), nn.ReLU())


class Residual(nn.Module):
    """Two 3x3 convolutions around a shortcut."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.first = _convolution(width, width)
        self.second = nn.Sequential(nn.Conv2d(width, width, 3, 1, 1, bias=False), nn.BatchNorm2d(width))

    def forward(self, x: Tensor) -> Tensor:
        """(b, width, h, w) -> the same."""
        return F.relu(x + self.second(self.first(x)))


class Finder(nn.Module):
    """Where things are, and in which setting. `width`: features at 4-px cells."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        deep = 2 * width
        self.fine = nn.Sequential(
            _convolution(3, width // 2, 2), _convolution(width // 2, width, 2), Residual(width)
        )  # fmt: skip
        self.middle = nn.Sequential(_convolution(width, deep, 2), Residual(deep))
        self.coarse = nn.Sequential(_convolution(deep, deep, 2), Residual(deep))
        self.up = nn.Conv2d(deep, width, 1)
        self.joined = _convolution(width, width)
        self.head = nn.Conv2d(width, 4, 1)
        self.setting = nn.Sequential(nn.Linear(2 * deep, deep), nn.ReLU(), nn.Linear(deep, len(SETTING_NAMES)))
        nn.init.constant_(self.head.bias[:1], -3.0)  # type: ignore[index]

    def forward(self, images: Tensor) -> Places:
        """(b, 3, 128, 128) -> Places."""
        fine = self.fine(images.contiguous(memory_format=torch.channels_last))
        middle = self.middle(fine)
        coarse = self.coarse(middle)
        seen = self.up(middle + F.interpolate(coarse, scale_factor=2.0))
        cells = self.head(self.joined(fine + F.interpolate(seen, scale_factor=2.0))).float()
        whole = torch.cat([coarse.mean((2, 3)), middle.mean((2, 3))], 1)
        return Places(cells[:, 0], cells[:, 1:3], cells[:, 3], self.setting(whole).float())


class Namer(nn.Module):
    """What a crop shows. `width`: features at full size; they double, more or less, where the size halves."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        second, third, last = 2 * width, 7 * width // 2, 6 * width
        self.trunk = nn.Sequential(
            _convolution(3, width), _convolution(width, second, 2), Residual(second),
            _convolution(second, third, 2), Residual(third), Residual(third), _convolution(third, last, 2),
        )  # fmt: skip
        # Crops are aligned, so where a feature lies in them matters: each channel is pooled by two learned maps.
        self.pool = nn.Conv2d(last, 2 * last, 5, groups=last)
        self.head = nn.Linear(2 * last, NOTHING + 1 + len(COLOR_NAMES) + len(STYLES))

    def forward(self, crops: Tensor) -> Looks:
        """(n, 3, 36, 36) -> Looks."""
        features = self.trunk(crops.contiguous(memory_format=torch.channels_last))
        features = self.pool(features.contiguous())  # a grouped convolution of channels_last leaves holes in memory
        logits = self.head(F.relu(features).flatten(1)).float()
        return Looks(*logits.split([NOTHING + 1, len(COLOR_NAMES), len(STYLES)], 1))


class Eyes(nn.Module):
    """Both networks, so that they are one file of weights."""

    def __init__(self, finder: int = 48, namer: int = 32) -> None:
        super().__init__()
        self.finder, self.namer = Finder(finder), Namer(namer)


def cut(images: Tensor, which: Tensor, boxes: Tensor) -> Tensor:
    """Cut squares out of images and bring them to 36 px. What lies outside an image repeats its edge.

    Shapes: images (b, 3, h, w); which (n,), the image of each box; boxes (n, 3): centre x, centre y, side, in pixels;
    returns (n, 3, 36, 36). Each pixel is the mean of four samples, so that large things are not aliased.
    """
    height, width = images.shape[2:]
    ticks = (torch.arange(2 * CROP, device=images.device) + 0.5) / CROP - 1  # the cut's own [-1, 1]
    half = boxes[:, 2:] * MARGIN / 2
    x = ((boxes[:, :1] + half * ticks) * 2 / width - 1)[:, None, :].expand(-1, 2 * CROP, -1)
    y = ((boxes[:, 1:2] + half * ticks) * 2 / height - 1)[:, :, None].expand(-1, -1, 2 * CROP)
    large = F.grid_sample(images[which], torch.stack([x, y], -1), padding_mode="border", align_corners=False)
    return F.avg_pool2d(large, 2)


def overlaps(boxes: Tensor, others: Tensor) -> Tensor:
    """Return the intersection over union (n, m) of squares (n, 3) and (m, 3): centre x, centre y, side."""
    a, b = boxes[:, None], others[None]
    shared = (a[..., 2:] + b[..., 2:]) / 2 - (a[..., :2] - b[..., :2]).abs()
    shared = shared.clamp_min(0).minimum(a[..., 2:]).minimum(b[..., 2:]).prod(-1)
    return shared / (a[..., 2] ** 2 + b[..., 2] ** 2 - shared).clamp_min(1e-9)


def middles(device: torch.device | None = None) -> Tensor:
    """Return the pixel coordinates (2, 32, 32) of the cells' middles, x and y."""
    ticks = (torch.arange(CELLS, device=device) + 0.5) * STRIDE
    return torch.stack([ticks[None].expand(CELLS, -1), ticks[:, None].expand(-1, CELLS)])


@torch.no_grad()
def found(places: Places, index: int, threshold: float = 0.4) -> tuple[Tensor, Tensor]:
    """Return the boxes (n, 3) of image `index`, likeliest first, and their probabilities (n,)."""
    likely = places.middle[index].sigmoid()
    keep = likely > threshold
    centers = middles(likely.device) + places.offset[index] * STRIDE
    boxes = torch.cat([centers, USUAL_SIDE * places.side[index].exp()[None]])[:, keep].T
    order = likely[keep].argsort(descending=True)
    boxes, likely = boxes[order], likely[keep][order]
    same, chosen = overlaps(boxes, boxes) > OVERLAP, list[int]()
    for i in range(len(boxes)):
        if not same[i, chosen].any():
            chosen.append(i)
    return boxes[chosen], likely[chosen]
