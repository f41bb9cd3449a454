"""The detector behind the `objects` verifier: a small convolutional net that finds the centres of drawings.

128-px images in [-1, 1]. Each 8-px cell says: is a centre here, and where, how large is the thing, which noun, which
colour (after CenterNet, arXiv 1904.07850). What it finds is the box of the ink, of which the noun says the frame. The
mean cell says which setting it is.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from itertools import pairwise
from types import MappingProxyType

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from scope.nn.boxes import blunt_iou, nms, xyxy
from scope.nn.conv import Coarser, ResidualBlock, conv_bn_relu
from scope.worlds.pocket.catalogue import COLOR_NAMES, NOUNS, SETTING_NAMES
from scope.worlds.pocket.framing import frame_of

SIGN = "sign"
NAMED = (*NOUNS, SIGN)  # what it tells apart
CELL = 8  # pixels
SIDE = 16  # cells
USUAL_SIDE = 40  # pixels
_NONE: Mapping[str, float] = MappingProxyType({})
_SHIFTS = tuple((x, y) for x in (0, CELL // 2) for y in (0, CELL // 2))
_DOUBTFUL = 0.3  # probability of a centre under which one look does not count
_SAME_IOU, _BLUNT = 0.5, 3.0  # intersection over union above which two boxes, wider by pixels, are of one thing


@dataclass(frozen=True)
class DetectorOutput:
    """What the network says of each cell and of the setting."""

    center: Float[Tensor, "b 16 16"]  # logits
    offset: Float[Tensor, "b 2 16 16"]  # from the cell's centre to the thing's, x and y, in cells
    log_size: Float[Tensor, "b 2 16 16"]  # natural logarithms of width and height / 40 px
    noun: Float[Tensor, "b nouns 16 16"]  # logits
    color: Float[Tensor, "b colors 16 16"]  # logits
    setting: Float[Tensor, "b settings"]  # logits


@dataclass(frozen=True)
class Detection:
    """One found thing. `color` is its nearest colour name, whether or not it was asked for."""

    noun: str
    color: str
    score: float  # probability of (a centre here) x (this noun)
    color_score: float
    xyxy_px: tuple[float, float, float, float]  # its frame

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
        blocks = [ResidualBlock(width) for _ in range(depth)]
        self.trunk = nn.Sequential(*stem, *blocks[: depth // 2], Coarser(width, 2), *blocks[depth // 2 :])
        self.head = nn.Conv2d(width, 5 + len(NAMED) + len(COLOR_NAMES), 1)
        self.setting_head = nn.Linear(width, len(SETTING_NAMES))

    def forward(self, images: Float[Tensor, "b 3 128 128"]) -> DetectorOutput:
        """Look at images in [-1, 1]."""
        cells = self.trunk(images.contiguous(memory_format=torch.channels_last))
        parts = self.head(cells).float().split([1, 2, 2, len(NAMED), len(COLOR_NAMES)], 1)
        center, offset, log_size, noun, color = parts
        setting = self.setting_head(cells.mean((2, 3))).float()
        return DetectorOutput(center[:, 0], offset, log_size, noun, color, setting)


def cell_centers() -> Float[Tensor, "2 16 16"]:
    """Return the coordinates of the cells' centres, x and y, in cells."""
    ticks = torch.arange(SIDE) + 0.5
    return torch.stack([ticks[None].expand(SIDE, -1), ticks[:, None].expand(-1, SIDE)])


@dataclass(frozen=True)
class Candidates:
    """Places in one image where a thing may be: boxes (centre x, centre y, width, height) and probabilities."""

    boxes: Float[Tensor, "n 4"]
    center: Float[Tensor, " n"]
    noun: Float[Tensor, "n nouns"]
    color: Float[Tensor, "n colors"]


def candidates(output: DetectorOutput, index: int, threshold: float) -> Candidates:
    """Return the cells of image `index` that are likelier centres than their neighbours."""
    center = output.center[index].sigmoid()
    peaks = (F.max_pool2d(center[None], 3, 1, 1)[0] == center) & (center >= threshold)
    middles = (cell_centers().to(center.device) + output.offset[index]) * CELL
    boxes = torch.cat([middles, USUAL_SIDE * output.log_size[index].exp()])[:, peaks].T
    noun, color = (logits[index].softmax(0)[:, peaks].T for logits in (output.noun, output.color))
    return Candidates(boxes, center[peaks], noun, color)


@torch.no_grad()
def detect(output: DetectorOutput, index: int, threshold: float = 0.5) -> list[Detection]:
    """Return what is found in image `index`: one thing for each box."""
    return _fused([candidates(output, index, threshold)], threshold)


@torch.inference_mode()
def look(
    model: Detector, image: Float[Tensor, "1 3 128 128"], threshold: float = 0.5, likely: Mapping[str, float] = _NONE
) -> tuple[list[Detection], str]:
    """Return what is found in an image, and its setting. The model is in eval mode.

    `likely`: names -> their odds before looking, those of all others being 1.

    It looks four times, the image moved by half a cell each way, since what is small is named best from the middle of
    a cell; what it says of one box is averaged (after OverFeat, arXiv 1312.6229).
    """
    moved = [_moved(image, x, y) for x, y in _SHIFTS]
    output = model(torch.cat(moved))
    views = [candidates(output, i, _DOUBTFUL) for i in range(len(_SHIFTS))]
    back = [
        replace(view, boxes=view.boxes - view.boxes.new_tensor([x, y, 0, 0]))
        for view, (x, y) in zip(views, _SHIFTS, strict=True)
    ]
    prior = torch.tensor([likely.get(name, 1.0) for name in NAMED], device=image.device)
    back = [replace(view, noun=F.normalize(view.noun * prior, 1, 1)) for view in back]
    return _fused(back, threshold), SETTING_NAMES[int(output.setting.mean(0).argmax())]


def _moved(image: Float[Tensor, "1 3 128 128"], x: int, y: int) -> Float[Tensor, "1 3 128 128"]:
    """Return an image moved to the right and down; its edges repeat."""
    side = SIDE * CELL
    return F.pad(image, (x, 0, y, 0), mode="replicate")[:, :, :side, :side]


def _fused(views: list[Candidates], threshold: float) -> list[Detection]:
    """Return one detection for each box: the mean of what the views say of it, if its centre is likely enough."""
    boxes, center, noun, color = (
        torch.cat([getattr(view, name) for view in views]) for name in ("boxes", "center", "noun", "color")
    )
    order = center.argsort(descending=True)
    same = blunt_iou(boxes[order], _BLUNT) > _SAME_IOU
    found = []
    for i in nms(same):
        group = order[same[i]]
        score = float(center[group].sum()) / len(views)
        if score >= threshold:
            found.append(_detection(score, noun[group].mean(0), color[group].mean(0), boxes[group].mean(0)))
    return found


def _detection(score: float, nouns: Tensor, colors: Tensor, box: Tensor) -> Detection:
    (p_noun, noun), (p_color, color) = nouns.max(0), colors.max(0)
    name, corners = NAMED[int(noun)], xyxy(tuple(box.tolist()))
    frame = corners if name == SIGN else frame_of(corners, name)
    x0, y0, x1, y1 = (min(128.0, max(0.0, edge)) for edge in frame)
    score = min(1.0, score) * float(p_noun)
    return Detection(name, COLOR_NAMES[int(color)], score, float(p_color), (x0, y0, x1, y1))
