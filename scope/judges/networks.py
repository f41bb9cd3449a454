"""The judge's two-stage detector: one network finds where objects are, a second classifies a crop of each.

128-px images in [-1, 1]. `ObjectDetector`, after FCOS (arXiv 1904.01355): a U-Net whose every 4-px cell says whether
it lies in the middle of an object, of whatever class, how far the object's centre is, how wide and high its ink is;
non-maximum suppression keeps one box an object. `CropClassifier`, after R-CNN (arXiv 1311.2524): each box is cropped,
resized to 36 px and classified: noun, colour, vendor of the drawing, or background.

A box is that of an object's ink: how far the frame of a drawing reaches beyond it cannot be seen.

Departures: the crops are of pixels, so that the two share no weights, and a crop is a square whatever its box is; of
what is thin it shows more beside it, so that its shape is not lost.
"""

from dataclasses import dataclass

import torch
from jaxtyping import Float, Int
from torch import Tensor, nn
from torch.nn import functional as F

from scope.nn.boxes import blunt_iou, nms
from scope.nn.conv import Coarser, ResidualBlock, conv_bn_relu
from scope.worlds.pocket.catalogue import ALL_VENDORS, COLOR_NAMES, NOUNS, SETTING_NAMES

BACKGROUND = len(NOUNS)  # the class of crops that are no good drawing of any noun
STRIDE, CELLS = 4, 32  # pixels of a cell, cells of a side
CROP, MARGIN = 36, 1.2  # pixels of a crop's side; how much larger than its box a crop is
_THIN = 0.5  # of the longer side: a crop's shorter one is no less
USUAL_SIDE = 48  # pixels
NMS_IOU = 0.4  # intersection over union above which two boxes are one object
_BLUNT = 3.0  # pixels that are added to sides where boxes are compared: the edges of thin things are known no better
_VOTE_IOU, VOTES = 0.5, 5  # above which a box has a say in another one, and how many of these are looked at


@dataclass(frozen=True)
class DetectorOutput:
    """What the detector says of each cell and of the setting."""

    objectness: Float[Tensor, "b 32 32"]  # logits
    offset: Float[Tensor, "b 2 32 32"]  # from the cell's centre to the object's, x and y, in cells
    log_size: Float[Tensor, "b 2 32 32"]  # natural logarithms of width and height of the ink / 48 px
    setting: Float[Tensor, "b settings"]  # logits


@dataclass(frozen=True)
class ClassifierOutput:
    """What the classifier says of each crop: logits."""

    noun: Tensor  # (n, nouns + 1)
    color: Tensor  # (n, colours)
    style: Tensor  # (n, styles)


class ObjectDetector(nn.Module):
    """Where objects are, and in which setting. `width`: features at 4-px cells."""

    def __init__(self, width: int = 48) -> None:
        super().__init__()
        deep = 2 * width
        self.down4 = nn.Sequential(
            conv_bn_relu(3, width // 2, 2), conv_bn_relu(width // 2, width, 2), ResidualBlock(width)
        )
        self.down8 = nn.Sequential(conv_bn_relu(width, deep, 2), ResidualBlock(deep))
        self.down16 = nn.Sequential(conv_bn_relu(deep, deep, 2), ResidualBlock(deep))
        self.wider = Coarser(deep, 1)
        self.lateral = nn.Conv2d(deep, width, 1)
        self.merge = conv_bn_relu(width, width)
        self.head = nn.Conv2d(width, 5, 1)
        self.setting_head = nn.Sequential(nn.Linear(2 * deep, deep), nn.ReLU(), nn.Linear(deep, len(SETTING_NAMES)))
        nn.init.constant_(self.head.bias[:1], -3.0)  # type: ignore[index]

    def forward(self, images: Float[Tensor, "b 3 128 128"]) -> DetectorOutput:
        """Look at images in [-1, 1]."""
        at4 = self.down4(images.contiguous(memory_format=torch.channels_last))
        at8 = self.down8(at4)
        at16 = self.down16(at8)
        coarse = self.lateral(at8 + F.interpolate(self.wider(at16), scale_factor=2.0))
        cells = self.head(self.merge(at4 + F.interpolate(coarse, scale_factor=2.0))).float()
        pooled = torch.cat([at16.mean((2, 3)), at8.mean((2, 3))], 1)
        return DetectorOutput(cells[:, 0], cells[:, 1:3], cells[:, 3:], self.setting_head(pooled).float())


class CropClassifier(nn.Module):
    """What a crop shows. `width`: features at full size; they double, more or less, where the size halves."""

    def __init__(self, width: int = 32) -> None:
        super().__init__()
        second, third, last = 2 * width, 7 * width // 2, 6 * width
        self.trunk = nn.Sequential(
            conv_bn_relu(3, width), conv_bn_relu(width, second, 2), ResidualBlock(second),
            conv_bn_relu(second, third, 2), ResidualBlock(third), ResidualBlock(third), conv_bn_relu(third, last, 2),
        )  # fmt: skip
        # Crops are aligned, so where a feature lies in them matters: each channel is pooled by two learned maps.
        self.pool = nn.Conv2d(last, 2 * last, 5, groups=last)
        self.head = nn.Linear(2 * last, BACKGROUND + 1 + len(COLOR_NAMES) + len(ALL_VENDORS))

    def forward(self, crops: Float[Tensor, "n 3 36 36"]) -> ClassifierOutput:
        """Classify crops in [-1, 1]."""
        features = self.trunk(crops.contiguous(memory_format=torch.channels_last))
        features = self.pool(features.contiguous())  # a grouped convolution of channels_last leaves holes in memory
        logits = self.head(F.relu(features).flatten(1)).float()
        return ClassifierOutput(*logits.split([BACKGROUND + 1, len(COLOR_NAMES), len(ALL_VENDORS)], 1))


class TwoStageDetector(nn.Module):
    """Both networks, so that they are one file of weights."""

    def __init__(self, detector: int = 48, classifier: int = 32) -> None:
        super().__init__()
        self.detector, self.classifier = ObjectDetector(detector), CropClassifier(classifier)


def roi_crop(
    images: Float[Tensor, "b 3 h w"], which: Int[Tensor, " n"], boxes: Float[Tensor, "n 4"]
) -> Float[Tensor, "n 3 36 36"]:
    """Crop rectangles and resize them to squares of 36 px. What lies outside an image repeats its edge.

    `which` is the image of each box; boxes are centre x, centre y, width, height, in pixels. A crop is `MARGIN` times
    as large, and what is thin gets a wider one. Each pixel is the mean of four samples, so that large objects are not
    aliased.
    """
    height, width = images.shape[2:]
    sides = boxes[:, 2:].maximum(_THIN * boxes[:, 2:].amax(1, keepdim=True))
    ticks = (torch.arange(2 * CROP, device=images.device) + 0.5) / CROP - 1  # of a crop, in [-1, 1]
    half = sides * MARGIN / 2
    x = ((boxes[:, :1] + half[:, :1] * ticks) * 2 / width - 1)[:, None, :].expand(-1, 2 * CROP, -1)
    y = ((boxes[:, 1:2] + half[:, 1:] * ticks) * 2 / height - 1)[:, :, None].expand(-1, -1, 2 * CROP)
    large = F.grid_sample(images[which], torch.stack([x, y], -1), padding_mode="border", align_corners=False)
    return F.avg_pool2d(large, 2)


def cell_centers(device: torch.device | None = None) -> Float[Tensor, "2 32 32"]:
    """Return the pixel coordinates of the cells' centres, x and y."""
    ticks = (torch.arange(CELLS, device=device) + 0.5) * STRIDE
    return torch.stack([ticks[None].expand(CELLS, -1), ticks[:, None].expand(-1, CELLS)])


@torch.no_grad()
def decode_boxes(
    output: DetectorOutput, index: int, threshold: float = 0.4
) -> tuple[Float[Tensor, "n 4"], Float[Tensor, " n"]]:
    """Return the boxes of image `index` in pixels, likeliest first, and their probabilities.

    Cells below `threshold` are left out; several boxes of one object are not.
    """
    scores = output.objectness[index].sigmoid()
    positive = scores > threshold
    centers = cell_centers(scores.device) + output.offset[index] * STRIDE
    boxes = torch.cat([centers, USUAL_SIDE * output.log_size[index].exp()])[:, positive].T
    order = scores[positive].argsort(descending=True)
    return boxes[order], scores[positive][order]


def detect_boxes(output: DetectorOutput, index: int) -> Float[Tensor, "n views 4"]:
    """Return the boxes of each object that is found in image `index`: centre x, centre y, width, height, in pixels.

    The first is the mean of what its cells say, by their probabilities; the others are some of these.
    """
    boxes, scores = decode_boxes(output, index)
    iou = blunt_iou(boxes, _BLUNT)
    voted = [_views(boxes[iou[i] > _VOTE_IOU], scores[iou[i] > _VOTE_IOU]) for i in nms(iou > NMS_IOU)]
    return torch.stack(voted) if voted else boxes.new_zeros(0, 1 + VOTES, 4)


def _views(boxes: Float[Tensor, "n 4"], scores: Float[Tensor, " n"]) -> Float[Tensor, "views 4"]:
    mean = (boxes * scores[:, None]).sum(0) / scores.sum()
    return torch.cat([mean[None], boxes[torch.linspace(0, len(boxes) - 1, VOTES).long()]])
