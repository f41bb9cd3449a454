"""The detector behind the `objects` verifier: a small convolutional net that finds the centres of drawings.

128-px images in [-1, 1]. Each 8-px cell says: is a centre here, which noun, which colour, how large (after
CenterNet, arXiv 1904.07850). The mean cell says which setting it is.
"""

from dataclasses import dataclass
from itertools import pairwise

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from scope.nn.conv import ResidualBlock, conv_bn_relu
from scope.worlds.pocket.catalogue import COLOR_NAMES, NOUNS, SETTING_NAMES

CELL = 8  # pixels
SIDE = 16  # cells


@dataclass(frozen=True)
class DetectorOutput:
    """What the network says of each cell and of the setting."""

    center: Float[Tensor, "b 16 16"]  # logits
    noun: Float[Tensor, "b nouns 16 16"]  # logits
    color: Float[Tensor, "b colors 16 16"]  # logits
    side: Float[Tensor, "b 16 16"]  # of the box / 64 px
    setting: Float[Tensor, "b settings"]  # logits


@dataclass(frozen=True)
class Detection:
    """One found thing. `color` is its nearest colour name, whether or not it was asked for."""

    noun: str
    color: str
    score: float  # probability of (a centre here) x (this noun)
    color_score: float
    xyxy_px: tuple[float, float, float, float]

    @property
    def center(self) -> tuple[float, float]:
        """Return (x, y) in pixels."""
        x0, y0, x1, y1 = self.xyxy_px
        return (x0 + x1) / 2, (y0 + y1) / 2


class Detector(nn.Module):
    """The network."""

    def __init__(self, width: int = 128, depth: int = 4) -> None:
        super().__init__()
        stem = (conv_bn_relu(a, b, 2) for a, b in pairwise((3, width // 4, width // 2, width)))
        self.trunk = nn.Sequential(*stem, *(ResidualBlock(width) for _ in range(depth)))
        self.head = nn.Conv2d(width, 2 + len(NOUNS) + len(COLOR_NAMES), 1)
        self.setting_head = nn.Linear(width, len(SETTING_NAMES))

    def forward(self, images: Float[Tensor, "b 3 128 128"]) -> DetectorOutput:
        """Look at images in [-1, 1]."""
        cells = self.trunk(images.contiguous(memory_format=torch.channels_last))
        center, size, noun, color = self.head(cells).float().split([1, 1, len(NOUNS), len(COLOR_NAMES)], 1)
        return DetectorOutput(
            center[:, 0], noun, color, size[:, 0].sigmoid() * 2, self.setting_head(cells.mean((2, 3))).float()
        )


@torch.no_grad()
def detect(output: DetectorOutput, index: int, threshold: float = 0.5) -> list[Detection]:
    """Return what is found in image `index`: cells that are the likeliest centre within 20 px."""
    center = output.center[index].sigmoid()
    peaks = (F.max_pool2d(center[None], 5, 1, 2)[0] == center) & (center >= threshold)
    nouns, colors = output.noun[index].softmax(0), output.color[index].softmax(0)
    detections = []
    for row, column in peaks.nonzero().tolist():
        p_noun, noun = nouns[:, row, column].max(0)
        p_color, color = colors[:, row, column].max(0)
        x, y, half = (column + 0.5) * CELL, (row + 0.5) * CELL, float(output.side[index, row, column]) * 32
        box = (max(0.0, x - half), max(0.0, y - half), min(128.0, x + half), min(128.0, y + half))
        score = float(center[row, column] * p_noun)
        detections.append(Detection(NOUNS[int(noun)], COLOR_NAMES[int(color)], score, float(p_color), box))
    return detections
