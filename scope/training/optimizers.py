"""The optimiser and the schedule that most recipes take their steps with."""

import math

import torch
from torch import nn
from torch.optim.lr_scheduler import LambdaLR

from scope.training.loop import TrainConfig


def adamw(model: nn.Module, config: TrainConfig, betas: tuple[float, float] = (0.9, 0.95)) -> torch.optim.AdamW:
    """Return AdamW (arXiv 1711.05101) over what of a model learns; only its matrices and kernels decay."""
    learns = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in learns if p.ndim >= 2], "weight_decay": config.weight_decay},
        {"params": [p for p in learns if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=config.lr, betas=betas, fused=True)


def warmup_cosine(optimizer: torch.optim.Optimizer, config: TrainConfig, lowest: float = 0.02) -> LambdaLR:
    """Return the schedule that rises linearly for `warmup` steps, and falls as a cosine to `lowest` of the peak."""

    def factor(step: int) -> float:
        warm = min(1.0, (step + 1) / max(1, config.warmup))
        return warm * (lowest + (1 - lowest) * 0.5 * (1 + math.cos(math.pi * step / config.steps)))

    return LambdaLR(optimizer, factor)


def warmup_linear(optimizer: torch.optim.Optimizer, config: TrainConfig, level: float = 0.4) -> LambdaLR:
    """Return the schedule that rises for `warmup` steps, stays, and falls to 0 after the share `level` of the steps."""

    def factor(step: int) -> float:
        left = (config.steps - step) / max(1.0, (1 - level) * config.steps)
        return min(1.0, (step + 1) / max(1, config.warmup), left)

    return LambdaLR(optimizer, factor)
