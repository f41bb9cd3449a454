"""The optimiser and the schedule that most recipes take their steps with."""

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from scope.training.loop import TrainConfig


def adamw(model: nn.Module, config: TrainConfig) -> torch.optim.AdamW:
    """Return AdamW (arXiv 1711.05101) over what of a model learns; only its matrices and kernels decay."""
    learns = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learns if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in learns if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, betas=(0.9, 0.95), fused=True)


def warmup_cosine(optimizer: torch.optim.Optimizer, config: TrainConfig, lowest: float = 0.02) -> LambdaLR:
    """Return the schedule that rises linearly for `warmup` steps, and falls as a cosine to `lowest` of the peak."""

    def factor(step: int) -> float:
        warm = min(1.0, (step + 1) / max(1, config.warmup))
        return warm * (lowest + (1 - lowest) * 0.5 * (1 + math.cos(math.pi * step / config.steps)))

    return LambdaLR(optimizer, factor)
