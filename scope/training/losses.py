"""Losses that several recipes share."""

from torch import Tensor
from torch.nn import functional as F

IGNORE = -100  # the class of what is not asked


def masked_cross_entropy(logits: Tensor, classes: Tensor) -> Tensor:
    """Return the mean cross-entropy over the classes that are not IGNORE; 0 where all are.

    Shapes: logits (n, classes, ...), classes (n, ...).
    """
    total = F.cross_entropy(logits, classes, ignore_index=IGNORE, reduction="sum")
    return total / (classes != IGNORE).sum().clamp_min(1)
