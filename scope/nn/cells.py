"""Boxes seen from the cells of a grid: how much of each cell a box covers, and where in the box the cell lies.

Boxes are (x0, y0, x1, y1) as shares of the picture; cells are counted row by row, n = side * side.
"""

import math

import torch
from jaxtyping import Bool, Float, Integer
from torch import Tensor

OCTAVES = 6
#: Numbers that say a place: x and y in the box and their octaves, log sides and two octaves of them, the share covered.
PLACE = 2 * (1 + 2 * OCTAVES) + 2 * (1 + 2 * 2) + 1


def covered(boxes: Float[Tensor, "b r 4"], side: int) -> Float[Tensor, "b r n"]:
    """Return the share of each cell that each box covers."""
    edges = torch.arange(side + 1, device=boxes.device) / side
    low, high = edges[:-1], edges[1:]

    def along(start: Tensor, end: Tensor) -> Tensor:
        shared = torch.minimum(end[..., None], high) - torch.maximum(start[..., None], low)
        return shared.clamp_min(0) * side

    x, y = along(boxes[..., 0], boxes[..., 2]), along(boxes[..., 1], boxes[..., 3])
    return (y[..., :, None] * x[..., None, :]).flatten(2)


def owners(
    boxes: Float[Tensor, "b r 4"], mask: Bool[Tensor, "b r"], side: int, k: int
) -> tuple[Integer[Tensor, "b n {k}"], Float[Tensor, "b n {k}"]]:
    """Return the k boxes that cover most of each cell, and how much; of equals the later. A share of 0: none does."""
    share = covered(boxes, side) * mask[..., None]
    later = 1 + 1e-4 * torch.arange(boxes.shape[1], device=boxes.device)[:, None]
    pad = max(0, k - boxes.shape[1])
    if pad:
        share = torch.cat([share, share.new_zeros(len(share), pad, share.shape[2])], 1)
        later = torch.cat([later, later.new_ones(pad, 1)])
    order = (share * later).topk(k, 1).indices
    most = share.gather(1, order)
    return order.clamp_max(boxes.shape[1] - 1).mT, most.mT


def places(
    boxes: Float[Tensor, "p 4"], cell: Integer[Tensor, " p"], share: Float[Tensor, " p"], side: int
) -> Float[Tensor, "p place"]:
    """Return where cells lie in boxes, pair by pair, and what share of the cell the box covers."""
    middle = torch.stack([cell % side, cell // side], -1).to(boxes.dtype).add(0.5).div(side)
    sides = (boxes[:, 2:] - boxes[:, :2]).clamp_min(1 / 256)
    where = (middle - boxes[:, :2]) / sides - 0.5
    log_sides = sides.log() + 1.2  # about zero for usual things
    fine = [2.0**o * math.pi * where for o in range(OCTAVES)]
    coarse = [2.0**o * math.pi * log_sides / 4 for o in range(2)]
    waves = [wave for angle in (*fine, *coarse) for wave in (angle.sin(), angle.cos())]
    return torch.cat([where, log_sides, *waves, share[:, None]], -1)
