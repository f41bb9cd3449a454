"""Boxes seen from the places of a grid: how much of a cell a box covers, and what is laid into a box, seen from there.

Boxes are (x0, y0, x1, y1) as shares of the picture; cells are counted row by row, n = side * side.
"""

import torch
from jaxtyping import Float
from torch import Tensor

_LEAST = 1 / 256  # of a picture: a box's side is never less


def covered(boxes: Float[Tensor, "*b 4"], side: int) -> Float[Tensor, "*b n"]:
    """Return the share of each cell that each box covers."""
    x, y = (_shares(boxes[..., i], boxes[..., i + 2], side) for i in (0, 1))
    return (y[..., :, None] * x[..., None, :]).flatten(-2)


def laid(maps: Float[Tensor, "p c s t"], boxes: Float[Tensor, "p 4"], side: int) -> Float[Tensor, "p c side side"]:
    """Lay maps into boxes of a picture of side * side places; outside of its box a map is 0.

    It is linear interpolation, and the mean of what lies under a place where a map is finer than the picture.
    """
    x0, y0, x1, y1 = boxes.unbind(-1)
    rows, columns = _weights(y0, y1, maps.shape[2], side), _weights(x0, x1, maps.shape[3], side)
    return torch.matmul(torch.matmul(rows[:, None], maps), columns.mT[:, None])


def _shares(start: Float[Tensor, " *b"], end: Float[Tensor, " *b"], side: int) -> Float[Tensor, "*b side"]:
    """Return the share of each of `side` parts of an axis that lies between start and end."""
    edges = torch.arange(side + 1, device=start.device) / side
    shared = torch.minimum(end[..., None], edges[1:]) - torch.maximum(start[..., None], edges[:-1])
    return shared.clamp_min(0) * side


def _weights(start: Float[Tensor, " p"], end: Float[Tensor, " p"], points: int, side: int) -> Float[Tensor, "p side s"]:
    """Return how much each of `points` numbers between start and end counts at each of `side` places of an axis."""
    length = (end - start).clamp_min(_LEAST)
    ticks = (torch.arange(points, device=start.device) + 0.5) / points
    places = (torch.arange(side, device=start.device) + 0.5) / side
    away = places[:, None] - (start[:, None] + length[:, None] * ticks)[:, None]
    reach = (length / points).clamp_min(1 / side)[:, None, None]
    near = (1 - away.abs() / reach).clamp_min(0)
    return near / near.sum(-1, keepdim=True).clamp_min(1e-6) * _shares(start, end, side)[..., None]
