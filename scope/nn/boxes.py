"""Boxes of pixels in tensors: (centre x, centre y, width, height), the rows of (n, 4)."""

import torch
from jaxtyping import Bool, Float
from torch import Tensor

Xywh = tuple[float, float, float, float]
_Number = float | int
Corners = tuple[_Number, _Number, _Number, _Number]


def xywh(corners: Corners) -> Xywh:
    """Return corners (x0, y0, x1, y1) as centre, width and height."""
    x0, y0, x1, y1 = corners
    return (x0 + x1) / 2, (y0 + y1) / 2, float(x1 - x0), float(y1 - y0)


def xyxy(box: Xywh) -> Xywh:
    """Return centre, width and height as corners (x0, y0, x1, y1)."""
    x, y, width, height = box
    return x - width / 2, y - height / 2, x + width / 2, y + height / 2


def pairwise_iou(boxes: Float[Tensor, "n 4"], others: Float[Tensor, "m 4"]) -> Float[Tensor, "n m"]:
    """Return the intersection over union of each of one set with each of another."""
    a, b = boxes[:, None], others[None]
    shared = (a[..., 2:] + b[..., 2:]) / 2 - (a[..., :2] - b[..., :2]).abs()
    shared = shared.clamp_min(0).minimum(a[..., 2:]).minimum(b[..., 2:]).prod(-1)
    return shared / (a[..., 2:].prod(-1) + b[..., 2:].prod(-1) - shared).clamp_min(1e-9)


def blunt_iou(boxes: Float[Tensor, "n 4"], blunt: float) -> Float[Tensor, "n n"]:
    """Return the intersection over union of each box with each, all of them wider and higher by `blunt`.

    So it asks no more of thin things than that their edges are known to a few pixels, as those of others are.
    """
    wider = torch.cat([boxes[:, :2], boxes[:, 2:] + blunt], 1)
    return pairwise_iou(wider, wider)


def nms(same: Bool[Tensor, "n n"]) -> list[int]:
    """Return which of n boxes, best first, are left when each takes away the later ones that are the same as it.

    `same` says of two boxes whether they are of one thing.
    """
    chosen = list[int]()
    for i in range(len(same)):
        if not same[i, chosen].any():
            chosen.append(i)
    return chosen


def roi_pool(
    features: Float[Tensor, "b c h w"], boxes: Float[Tensor, "b r 4"], bins: tuple[int, int], stride: int
) -> Float[Tensor, "b r c rows columns"]:
    """Return the mean of features over (rows, columns) bins of each box (precise RoI pooling, arXiv 1807.11590).

    Features lie at the centres of cells of `stride` pixels, and are linear between them; the edges repeat. The mean is
    the exact integral, so boxes of any size and place may be asked for, and boxes of one picture share its features.
    """
    rows = _bin_weights(boxes[..., 1], boxes[..., 3], bins[0], features.shape[2], stride)
    columns = _bin_weights(boxes[..., 0], boxes[..., 2], bins[1], features.shape[3], stride)
    b, r, c, h, w = *boxes.shape[:2], *features.shape[1:]
    by_row = rows.flatten(1, 2) @ features.transpose(1, 2).reshape(b, h, c * w)  # (b, r * rows, c * w)
    return by_row.view(b, r, bins[0], c, w).transpose(2, 3) @ columns.mT[:, :, None]


def _bin_weights(
    center: Float[Tensor, "b r"], side: Float[Tensor, "b r"], bins: int, cells: int, stride: int
) -> Float[Tensor, "b r bins cells"]:
    """Return by how much each cell counts in each bin of an interval: the integral of its hat function over the bin."""
    edges = torch.arange(bins + 1, device=center.device) / bins - 0.5
    edges = ((center[..., None] + side[..., None] * edges) / stride - 0.5)[..., None]  # in cells from the first centre
    inside = edges.clamp(0, cells - 1)
    away = inside - torch.arange(cells, device=center.device)
    near = away.clamp(-1, 1)
    # The integral of max(0, 1 - |x|) up to `near`; beyond the last centres the hat keeps the height that it has there.
    below = 0.5 + near - 0.5 * near * near.abs() + (edges - inside) * (1 - away.abs()).clamp_min(0)
    weights = below.diff(dim=-2)
    return weights / weights.sum(-1, keepdim=True).clamp_min(1e-6)
