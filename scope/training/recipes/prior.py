"""Train the refined prior of PAE: stage R of arXiv 2605.07915, before the tokenizer and on the frozen VFM."""

from pathlib import Path

import torch
from torch import nn

from scope.nn.weights import write
from scope.tokenizers.prior import RefinedPrior
from scope.training.data.tokenizer_images import Views
from scope.training.loop import TrainConfig, TrainingRun


class PriorConfig(TrainConfig):
    """The recipe of stage R. `rep` and `gram` are not stated in the paper."""

    rep: float = 1.0
    gram: float = 1.0


def train(config: PriorConfig, folder: Path, prior: RefinedPrior, vfm: nn.Module, pool: Views) -> None:
    """Train, or continue training, `prior`; writes folder/prior.safetensors."""
    torch.manual_seed(config.seed)
    run = TrainingRun(folder, config, prior.requires_grad_(True))
    vfm = vfm.to(run.device)
    for step in run.steps():
        chosen = torch.randint(len(pool), (config.batch,), generator=run.torch_rng(step))
        with torch.no_grad():
            features = vfm(pool.batch(chosen, run.device))
        parts = run.model.losses(features)
        run.update(config.rep * parts["rep"] + config.gram * parts["gram"], **parts)
    prior.load_state_dict(run.ema.model.state_dict())
    prior.requires_grad_(False).zero_grad()  # what is left would count in the norms of the tokenizer's gradients
    write(prior, folder / "prior.safetensors")
