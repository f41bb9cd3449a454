"""What the judge's classifier learns from: crops of crowds, each with the classes of what it shows.

Most show a thing, a little askew. The others show nothing that the judge may call by a name: squares beside things,
two halves of different things, and things that are smeared, for a judge must see blur.
"""

from dataclasses import dataclass

import numpy as np
import torch
from numpy.random import Generator as Random
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from scope.judges.networks import BACKGROUND, CROP, pairwise_iou, roi_crop
from scope.training.data.cluttered_scenes import Crowd
from scope.worlds.pocket.catalogue import ALL_VENDORS, COLOR_NAMES, NOUNS

IGNORE = -100  # nothing is asked
_ELSEWHERE = 0.45  # intersection over union with any thing under which a square shows none of them
_SMEAR = (2.0, 4.0)  # pixels
Square = tuple[float, float, float]  # centre x, centre y, side, in pixels


@dataclass(frozen=True)
class Crops:
    """Squares (n, 3) of pictures `which` (n,), and the classes of what they show."""

    which: Tensor
    boxes: Tensor
    noun: Tensor
    color: Tensor
    style: Tensor

    def spoil(self, spoiled: Tensor) -> None:
        """Say of some (n,) that they show nothing."""
        self.noun[spoiled], self.color[spoiled], self.style[spoiled] = BACKGROUND, IGNORE, IGNORE


def choose(crowds: list[Crowd], shown: int, missed: int, random: Random) -> Crops:
    """Choose in each picture `shown` squares that show one of its things, and `missed` that do not."""
    boxes: list[Square] = []
    classes: list[tuple[int, int, int, int]] = []
    for i, scene in enumerate(crowds):
        for index in _spread(len(scene.members), shown, random):
            member = scene.members[index]
            color = IGNORE if member.color is None else COLOR_NAMES.index(member.color)
            style = IGNORE if member.style is None else ALL_VENDORS.index(member.style)
            boxes.append(_askew(member.box, random))
            classes.append((i, NOUNS.index(member.noun), color, style))
        things = [m.box for m in scene.members]
        boxes += [_elsewhere(things, random) for _ in range(missed)]
        classes += [(i, BACKGROUND, IGNORE, IGNORE)] * missed
    which, noun, color, style = torch.tensor(classes).T.contiguous()
    return Crops(which, torch.tensor(boxes, dtype=torch.float32), noun, color, style)


def _spread(n: int, wanted: int, random: Random) -> list[int]:
    """Return `wanted` of n indices, each as often as any other or once more."""
    return [int(i) for _ in range(-(-wanted // n)) for i in random.permutation(n)][:wanted]


def _askew(box: Square, random: Random) -> Square:
    x, y, side = box
    dx, dy = random.uniform(-0.06, 0.06, 2) * side
    return x + dx, y + dy, side * random.uniform(0.92, 1.08)


def _elsewhere(things: list[Square], random: Random) -> Square:
    """Return a square that overlaps no thing well: one of them moved or resized, or else one outside the picture."""
    for _ in range(10):
        x, y, side = things[random.integers(len(things))]
        dx, dy = random.uniform(-0.8, 0.8, 2) * side
        square = (x + dx, y + dy, side * random.choice([0.5, 0.7, 1.0, 1.4, 1.9]))
        if pairwise_iou(torch.tensor([square]), torch.tensor(things)).max() < _ELSEWHERE:
            return square
    return -32.0, -32.0, 32.0


def smear(images: Tensor, crops: Crops, share: float, random: Random) -> None:
    """Blur a share of the pictures (b, 3, h, w), in place; their crops show nothing then."""
    for i in np.flatnonzero(random.random(len(images)) < share):
        images[i] = blur(images[i : i + 1], float(random.uniform(*_SMEAR)))[0]
        crops.spoil(crops.which == int(i))


def blur(images: Tensor, sigma: float) -> Tensor:
    """Return images (b, 3, h, w) under a Gaussian of `sigma` pixels; the edges repeat."""
    reach = int(np.ceil(3 * sigma))
    ticks = torch.arange(-reach, reach + 1, dtype=torch.float32, device=images.device)
    kernel = torch.exp(-0.5 * (ticks / sigma).square())
    kernel = (kernel / kernel.sum()).expand(3, 1, 1, -1)
    padded = F.pad(images, (reach,) * 4, mode="replicate")
    return F.conv2d(F.conv2d(padded, kernel, groups=3), kernel.transpose(2, 3), groups=3)


def take(images: Tensor, crops: Crops, halved: float, strange: float, random: Random) -> Tensor:
    """Cut the crops (n, 3, 36, 36) out of their pictures (b, 3, h, w).

    A share `halved` gets a half of another crop and shows nothing then. A share `strange` has its colours mixed, so
    that nouns are known by their shape; it is not asked about colour and style.
    """
    pieces = roi_crop(images, crops.which.to(images.device), crops.boxes.to(images.device))
    pieces = _mixed(pieces, crops, random.random(len(pieces)) < strange, random)
    order, others = random.permutation(len(pieces)), random.permutation(len(pieces))
    n = round(halved * len(pieces))
    for one, other in zip(order[:n].tolist(), others[:n].tolist(), strict=True):
        if crops.noun[one] != crops.noun[other]:
            narrow = {"dim": int(random.integers(1, 3)), "start": 0, "length": CROP // 2}  # the top or the left
            pieces[one].narrow(**narrow).copy_(pieces[other].narrow(**narrow))
            crops.spoil(torch.tensor([one]))
    return pieces


def _mixed(pieces: Tensor, crops: Crops, strange: NDArray[np.bool_], random: Random) -> Tensor:
    """Return crops of which the strange ones have their colours mixed."""
    mixing = random.dirichlet((0.5, 0.5, 0.5), (len(pieces), 3)) * random.choice((-1, 1), (len(pieces), 1, 3))
    mixing[~strange] = np.eye(3)
    crops.color[strange], crops.style[strange] = IGNORE, IGNORE
    weights = torch.from_numpy(mixing.astype(np.float32)).to(pieces.device)
    return torch.einsum("nij,njhw->nihw", weights, pieces).contiguous()
