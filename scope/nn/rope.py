"""Rotary positions on a grid (RoFormer, arXiv 2104.09864): half of a head turns with the row, half with the column."""

import torch
from jaxtyping import Float
from torch import Tensor

BASE = 100.0  # grids are tens of cells wide, so the slowest pair turns once in some hundred cells


def angles(tokens: int, head_dim: int) -> Float[Tensor, "{tokens} {head_dim}//2"]:
    """Return the angles (n, head_dim / 2) of a square grid of n tokens, row by row."""
    side = round(tokens**0.5)
    rates = BASE ** -(torch.arange(head_dim // 4) / (head_dim // 4))
    place = torch.arange(tokens)
    return torch.cat([(place // side)[:, None] * rates, (place % side)[:, None] * rates], 1)


def apply_rope(x: Float[Tensor, "b h n d"], angles: Float[Tensor, "n d//2"]) -> Float[Tensor, "b h n d"]:
    """Turn pairs of x (b, heads, n, head_dim) by angles (n, head_dim / 2)."""
    cos, sin = angles.cos().to(x.dtype), angles.sin().to(x.dtype)
    first, second = x.chunk(2, -1)
    return torch.cat([first * cos - second * sin, first * sin + second * cos], -1)
