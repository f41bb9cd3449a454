"""What the judge's classifier learns from: crops of cluttered scenes, each with the classes of what it shows.

Most show an object, a little jittered. The others are background, which the judge may not call by a name: boxes
beside objects, parts of large ones, halves of two objects (after CutMix, arXiv 1905.04899), and blurred objects, for a
judge must see blur.
"""

from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from scope.judges.networks import BACKGROUND, CROP, roi_crop
from scope.nn.boxes import Xywh, pairwise_iou, xywh, xyxy
from scope.nn.images import gaussian_blur
from scope.training.data.augmentations import color_jitter, pick_share
from scope.training.data.cluttered_scenes import ClutteredScene
from scope.training.data.parts import part_of
from scope.training.losses import IGNORE
from scope.worlds.pocket.catalogue import ALL_VENDORS, COLOR_NAMES, NOUNS
from scope.worlds.pocket.rng import Rng

_BACKGROUND_IOU = 0.45  # with any object, under which a box shows none of them
_BLUR_SIGMA = (2.0, 4.0)  # pixels
_OFF_PX, _OFF = 0.7, 0.035  # deviation of an edge of a found box: in pixels, and besides in sides of the box
_LEAST = 2.0  # pixels of a side
_PART_P = 0.6  # of background boxes, those that are parts of an object
_OUTSIDE = (-32.0, -32.0, 32.0, 32.0)


@dataclass(frozen=True)
class Crops:
    """Boxes (n, 4) of pictures `which` (n,), and the classes of what they show."""

    which: Tensor
    boxes: Tensor
    noun: Tensor
    color: Tensor
    style: Tensor

    def mark_background(self, chosen: Tensor) -> None:
        """Say of some (n,) that they show nothing."""
        self.noun[chosen], self.color[chosen], self.style[chosen] = BACKGROUND, IGNORE, IGNORE


def sample_crops(scenes: list[ClutteredScene], positives: int, negatives: int, rng: Rng) -> Crops:
    """Choose in each picture as many boxes that show one of its objects, and as many that show none."""
    boxes: list[Xywh] = []
    classes: list[tuple[int, int, int, int]] = []
    for i, scene in enumerate(scenes):
        if not scene.objects:  # a sign took all the room
            continue
        for index in _spread(len(scene.objects), positives, rng):
            shown = scene.objects[index]
            color = IGNORE if shown.color is None else COLOR_NAMES.index(shown.color)
            style = IGNORE if shown.style is None else ALL_VENDORS.index(shown.style)
            boxes.append(_jitter(shown.ink, rng))
            classes.append((i, NOUNS.index(shown.noun), color, style))
        boxes += [_background_box([o.ink for o in scene.objects], rng) for _ in range(negatives)]
        classes += [(i, BACKGROUND, IGNORE, IGNORE)] * negatives
    which, noun, color, style = torch.tensor(classes).T.contiguous()
    return Crops(which, torch.tensor(boxes, dtype=torch.float32), noun, color, style)


def _spread(n: int, wanted: int, rng: Rng) -> list[int]:
    """Return `wanted` of n indices, each as often as any other or once more."""
    return [int(i) for _ in range(-(-wanted // n)) for i in rng.permutation(n)][:wanted]


def _jitter(box: Xywh, rng: Rng) -> Xywh:
    """Return a box as the detector may find it: each edge is off by itself, more so of what is large."""
    sides = np.array(box[2:] * 2)
    edges = np.array(xyxy(box)) + rng.normal(0, 1, 4).clip(-2, 2) * (_OFF_PX + _OFF * sides)
    x, y, width, height = xywh(tuple(edges.tolist()))
    return x, y, max(_LEAST, width), max(_LEAST, height)


def _background_box(objects: list[Xywh], rng: Rng) -> Xywh:
    """Return a box that overlaps no object well: moved and resized, a part, or else outside the picture."""
    for _ in range(10):
        box = (part_of if rng.random() < _PART_P else _beside)(objects, rng)
        if pairwise_iou(torch.tensor([box]), torch.tensor(objects)).max() < _BACKGROUND_IOU:
            return box
    return _OUTSIDE


def _beside(objects: list[Xywh], rng: Rng) -> Xywh:
    """Return the box of an object, moved and resized."""
    x, y, width, height = objects[rng.integers(len(objects))]
    dx, dy = rng.uniform(-0.8, 0.8, 2)
    times = rng.choice([0.5, 0.7, 1.0, 1.4, 1.9])
    return x + dx * width, y + dy * height, width * times, height * times


def blur_augment(images: Tensor, crops: Crops, p: float, rng: Rng) -> None:
    """Blur a share p of the pictures (b, 3, h, w), in place; their crops are background then."""
    for i in np.flatnonzero(rng.random(len(images)) < p):
        images[i] = gaussian_blur(images[i : i + 1], float(rng.uniform(*_BLUR_SIGMA)))[0]
        crops.mark_background(crops.which == int(i))


def extract(images: Tensor, crops: Crops, cutmix_p: float, color_jitter_p: float, rng: Rng) -> Tensor:
    """Cut the crops (n, 3, 36, 36) out of their pictures (b, 3, h, w).

    A share has its colours mixed, and is asked about neither colour nor vendor then; another share gets a half of
    another crop, and is background then.
    """
    pieces = roi_crop(images, crops.which.to(images.device), crops.boxes.to(images.device))
    jittered = pick_share(rng, len(pieces), color_jitter_p)
    pieces = color_jitter(pieces, jittered, rng)
    crops.color[jittered], crops.style[jittered] = IGNORE, IGNORE
    _cutmix(pieces, crops, round(cutmix_p * len(pieces)), rng)
    return pieces


def _cutmix(pieces: Tensor, crops: Crops, n: int, rng: Rng) -> None:
    """Give n crops the top or the left half of others, in place, where they show different nouns."""
    order, others = rng.permutation(len(pieces)), rng.permutation(len(pieces))
    for one, other in zip(order[:n].tolist(), others[:n].tolist(), strict=True):
        if crops.noun[one] != crops.noun[other]:
            half = {"dim": int(rng.integers(1, 3)), "start": 0, "length": CROP // 2}
            pieces[one].narrow(**half).copy_(pieces[other].narrow(**half))
            crops.mark_background(torch.tensor([one]))
