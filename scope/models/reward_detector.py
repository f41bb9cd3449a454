"""The reward's detector: what a training asks whether a picture keeps its prompt. Two stages on shared features.

128-px images in [-1, 1]. After Faster R-CNN (arXiv 1506.01497) on a feature pyramid (arXiv 1612.03144): a heat map at
4-px cells has its peaks at the centres of things and signs, and beside it how large they are; features of three levels
are averaged over 6 x 6 bins of each box (precise RoI pooling, arXiv 1807.11590) and say what stands there: noun, sign
or nothing; colour; style; and where its box really lies, which is that of its ink. Words are read from the pixels of a
sign, column by column (CRNN, arXiv 1507.05717).

Why it is so: the loop's detector names a thing from one cell of a coarse grid, and the judge's from pixels that it cuts
out; this one from features of several scales, over boxes of any shape. What deceives one of them need not deceive
another, so that no training is its own examiner.

Departures: boxes are proposed by a heat map and not by anchors; a box is asked about once, not once a class.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float
from torch import Tensor, nn
from torch.nn import functional as F

from scope.nn.boxes import Xywh, blunt_iou, nms, roi_pool, xywh, xyxy
from scope.nn.conv import Coarser, ResidualBlock, conv_bn_relu
from scope.worlds.pocket.catalogue import COLOR_NAMES, NOUNS, SETTING_NAMES, VENDORS
from scope.worlds.pocket.framing import frame_of

STRIDE, CELLS = 4, 32  # pixels of a cell of the heat map, cells of a side
USUAL_SIDE = 40  # pixels
BINS = 6  # of a box's side
SIGN, NOTHING = len(NOUNS), len(NOUNS) + 1  # classes beside the nouns
CHARACTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789"  # of signs; class 0 of the reader is none
BOARD, COLUMNS = (24, 120), 60  # rows and columns of pixels of a sign, columns of what is read
SIGN_MARGIN = 1.08  # how much larger than its box a sign is cut out
_SAME_IOU, _BLUNT = 0.5, 3.0  # intersection over union above which two boxes, wider by pixels, are of one thing
_PASSES = 2  # of the second stage: what it mends it sees better
_HEADS = (len(NOUNS) + 2, len(COLOR_NAMES), len(VENDORS), 4)


@dataclass(frozen=True)
class Proposals:
    """What the first stage says of each cell and of the setting, and the features that the second one pools."""

    heat: Float[Tensor, "b 32 32"]  # logits
    offset: Float[Tensor, "b 2 32 32"]  # from the cell's centre to the thing's, x and y, in cells
    log_size: Float[Tensor, "b 2 32 32"]  # natural logarithms of width and height / 40 px
    setting: Float[Tensor, "b settings"]  # logits
    features: tuple[tuple[int, Tensor], ...]  # (stride in pixels, (b, c, h, w))


@dataclass(frozen=True)
class Classes:
    """What the second stage says of r boxes a picture: logits, and how each box is to be mended."""

    noun: Tensor  # (b, r, nouns + 2)
    color: Tensor  # (b, r, colours)
    style: Tensor  # (b, r, vendors)
    shift: Tensor  # (b, r, 4): centre, in sides of the box; natural logarithm of how many times larger


@dataclass(frozen=True)
class Thing:
    """One found thing. Its probabilities are in the order of `COLOR_NAMES` and `VENDORS`."""

    noun: str
    score: float  # probability that this noun stands here
    color: tuple[float, ...]
    style: tuple[float, ...]
    box: Xywh  # its frame, in pixels


@dataclass(frozen=True)
class Seen:
    """What is found in one picture."""

    things: tuple[Thing, ...]
    words: tuple[str, ...]  # a text a sign, from top to bottom
    setting: tuple[float, ...]  # probabilities, in the order of SETTING_NAMES


class RewardDetector(nn.Module):
    """Both stages and the reader. `width`: features at 4-px cells."""

    def __init__(self, width: int = 48, reader: int = 16) -> None:
        super().__init__()
        at8, at16 = 2 * width, 3 * width
        self.down4 = nn.Sequential(
            conv_bn_relu(3, width // 2, 2), conv_bn_relu(width // 2, width, 2), ResidualBlock(width)
        )
        self.down8 = nn.Sequential(conv_bn_relu(width, at8, 2), ResidualBlock(at8), ResidualBlock(at8))
        self.down16 = nn.Sequential(conv_bn_relu(at8, at16, 2), ResidualBlock(at16))
        self.wider = Coarser(at16, 1)
        self.from16, self.from8, self.from4 = (nn.Conv2d(c, width, 1) for c in (at16, at8, width))
        self.merge = conv_bn_relu(width, width)
        self.heat = nn.Conv2d(width, 5, 1)
        self.setting = nn.Sequential(nn.Linear(at8 + at16, at8), nn.ReLU(), nn.Linear(at8, len(SETTING_NAMES)))
        self.boxes = BoxHead(width + at8 + at16, 2 * width)
        self.reader = Reader(reader)
        nn.init.constant_(self.heat.bias[:1], -3.0)  # type: ignore[index]

    def forward(self, images: Float[Tensor, "b 3 128 128"]) -> Proposals:
        """Propose boxes."""
        at4 = self.down4(images.contiguous(memory_format=torch.channels_last))
        at8 = self.down8(at4)
        at16 = self.wider(self.down16(at8))
        coarse = self.from8(at8) + F.interpolate(self.from16(at16), scale_factor=2.0)
        fine = self.merge(self.from4(at4) + F.interpolate(coarse, scale_factor=2.0))
        cells = self.heat(fine).float()
        pooled = torch.cat([at8.mean((2, 3)), at16.mean((2, 3))], 1)
        features = ((STRIDE, fine), (2 * STRIDE, at8), (4 * STRIDE, at16))
        return Proposals(cells[:, 0], cells[:, 1:3], cells[:, 3:], self.setting(pooled).float(), features)

    def classify(self, proposals: Proposals, boxes: Float[Tensor, "b r 4"]) -> Classes:
        """Say what stands in boxes (centre x, centre y, width, height) of each picture."""
        pooled = [roi_pool(maps, boxes, (BINS, BINS), stride) for stride, maps in proposals.features]
        logits = self.boxes(torch.cat(pooled, 2).flatten(0, 1)).float().view(*boxes.shape[:2], -1)
        return Classes(*logits.split(_HEADS, 2))

    def read(self, images: Float[Tensor, "b 3 h w"], boxes: Float[Tensor, "b r 4"]) -> Float[Tensor, "n 60 37"]:
        """Return the logits of characters in the columns of r signs a picture, n = b * r."""
        gray = images.mean(1, keepdim=True)
        larger = torch.cat([boxes[..., :2], boxes[..., 2:] * SIGN_MARGIN], -1)
        logits: Tensor = self.reader(roi_pool(gray, larger, BOARD, 1).flatten(0, 1))
        return logits


class BoxHead(nn.Module):
    """What stands in a box, from its 6 x 6 bins."""

    def __init__(self, inside: int, dim: int) -> None:
        super().__init__()
        self.mix = nn.Sequential(nn.Conv2d(inside, dim, 1, bias=False), nn.BatchNorm2d(dim), nn.ReLU(inplace=True))
        self.trunk = nn.Sequential(conv_bn_relu(dim, dim), conv_bn_relu(dim, 2 * dim, 2))
        self.hidden = nn.Sequential(nn.Linear(2 * dim * 9, 4 * dim), nn.BatchNorm1d(4 * dim), nn.ReLU(inplace=True))
        self.head = nn.Linear(4 * dim, sum(_HEADS))

    def forward(self, bins: Float[Tensor, "n inside 6 6"]) -> Float[Tensor, "n logits"]:
        """Return the logits of noun, colour and style, and the shift of the box."""
        logits: Tensor = self.head(self.hidden(self.trunk(self.mix(bins)).flatten(1)))
        return logits


class Reader(nn.Module):
    """The characters of a sign, column by column (CRNN without recurrence)."""

    def __init__(self, width: int) -> None:
        super().__init__()
        self.trunk = nn.Sequential(
            conv_bn_relu(1, width), conv_bn_relu(width, 2 * width, 2), ResidualBlock(2 * width),
            nn.Conv2d(2 * width, 4 * width, (3, 3), (2, 1), 1, bias=False), nn.BatchNorm2d(4 * width), nn.ReLU(True),
            nn.Conv2d(4 * width, 4 * width, (6, 3), 1, (0, 1), bias=False), nn.BatchNorm2d(4 * width), nn.ReLU(True),
        )  # fmt: skip
        self.head = nn.Conv1d(4 * width, 1 + len(CHARACTERS), 5, padding=2)

    def forward(self, boards: Float[Tensor, "n 1 24 120"]) -> Float[Tensor, "n 60 37"]:
        """Read gray boards in [-1, 1]."""
        logits: Tensor = self.head(self.trunk(boards)[:, :, 0]).mT.float()
        return logits


def cell_centers(device: torch.device | None = None) -> Float[Tensor, "2 32 32"]:
    """Return the pixel coordinates of the cells' centres, x and y."""
    ticks = (torch.arange(CELLS, device=device) + 0.5) * STRIDE
    return torch.stack([ticks[None].expand(CELLS, -1), ticks[:, None].expand(-1, CELLS)])


def propose(proposals: Proposals, index: int, threshold: float = 0.5, most: int = 40) -> Float[Tensor, "n 4"]:
    """Return the boxes at the peaks of picture `index`, likeliest first: cells that no neighbour exceeds."""
    heat = proposals.heat[index].sigmoid()
    peaks = (F.max_pool2d(heat[None], 3, 1, 1)[0] == heat) & (heat >= threshold)
    centers = cell_centers(heat.device) + proposals.offset[index] * STRIDE
    boxes = torch.cat([centers, USUAL_SIDE * proposals.log_size[index].exp()])[:, peaks].T
    return boxes[heat[peaks].argsort(descending=True)][:most]


def mended(boxes: Float[Tensor, "*n 4"], shift: Float[Tensor, "*n 4"]) -> Float[Tensor, "*n 4"]:
    """Return boxes moved and resized as the second stage says."""
    sides = boxes[..., 2:]
    return torch.cat([boxes[..., :2] + sides * shift[..., :2], sides * shift[..., 2:].clamp(-1, 1).exp()], -1)


def text_of(logits: Float[Tensor, "columns 37"]) -> str:
    """Return the likeliest text of a sign: the likeliest class of each column, repetitions and blanks left out."""
    best = logits.argmax(1).tolist()
    changed = [now for before, now in zip([0, *best], best, strict=False) if now != before]
    return "".join(CHARACTERS[i - 1] for i in changed if i)


@torch.inference_mode()
def look(
    model: RewardDetector, images: Float[Tensor, "b 3 128 128"], whole: Float[Tensor, "b 3 H W"] | None = None
) -> list[Seen]:
    """Return what is found in each of some pictures. The model is in eval mode.

    Words are read in the `whole` pictures, which may have more pixels.
    """
    proposals, whole = model(images), images if whole is None else whole
    settings = proposals.setting.softmax(1)
    return [
        Seen(*_look_at(model, whole[i : i + 1], _only(proposals, i)), tuple(settings[i].tolist()))
        for i in range(len(images))
    ]


def _only(proposals: Proposals, i: int) -> Proposals:
    one = slice(i, i + 1)
    maps = tuple((stride, maps[one]) for stride, maps in proposals.features)
    p = proposals
    return Proposals(p.heat[one], p.offset[one], p.log_size[one], p.setting[one], maps)


def _look_at(
    model: RewardDetector, image: Float[Tensor, "1 3 H W"], proposals: Proposals
) -> tuple[tuple[Thing, ...], tuple[str, ...]]:
    """Return the things of one picture, and the words on its signs."""
    boxes = propose(proposals, 0)
    if not len(boxes):
        return (), ()
    for _ in range(_PASSES):
        classes = model.classify(proposals, boxes[None])
        boxes = mended(boxes, classes.shift[0])
    scores, nouns = classes.noun[0].softmax(1).max(1)
    order = scores.argsort(descending=True)
    order = order[nouns[order] != NOTHING]
    order = order[nms(blunt_iou(boxes[order], _BLUNT) > _SAME_IOU)]
    colors, styles = classes.color[0].softmax(1), classes.style[0].softmax(1)
    things = [
        _thing(NOUNS[nouns[i]], float(scores[i]), colors[i], styles[i], boxes[i])
        for i in order.tolist()
        if nouns[i] < SIGN
    ]
    signs = boxes[order[nouns[order] == SIGN]]
    signs = signs[signs[:, 1].argsort()] * (torch.tensor(image.shape[2:]).flip(0).repeat(2) / (STRIDE * CELLS))
    words = [text_of(logits) for logits in model.read(image, signs[None])] if len(signs) else []
    return tuple(things), tuple(words)


def _thing(
    noun: str, score: float, color: Float[Tensor, " colors"], style: Float[Tensor, " vendors"], ink: Float[Tensor, "4"]
) -> Thing:
    frame = frame_of(xyxy(tuple(ink.tolist())), noun, (VENDORS[int(style.argmax())],))
    return Thing(noun, score, tuple(color.tolist()), tuple(style.tolist()), xywh(frame))
