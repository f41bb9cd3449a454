"""Train the refined prior of PAE: stage R of arXiv 2605.07915, before the tokenizer and on the frozen VFM."""

from pathlib import Path

import torch
from torch import nn

from scope.nn.ema import EMA
from scope.tokenizers.prior import RefinedPrior
from scope.training.data.tokenizer_images import TokenizerImages
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_cosine


class PriorConfig(TrainConfig):
    """The recipe of stage R. `rep` and `gram` are not stated in the paper."""

    rep: float = 1.0
    gram: float = 1.0


def train(config: PriorConfig, folder: Path, prior: RefinedPrior, vfm: nn.Module, data: TokenizerImages) -> None:
    """Train, or continue training, `prior`; writes folder/prior.safetensors."""
    torch.manual_seed(config.seed)
    run = Run(folder, config)
    model = prior.requires_grad_(True).to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model, RefinedPrior.losses)
    vfm = vfm.to(run.device)
    for step in run.steps():
        chosen = torch.randint(len(data), (run.batch,), generator=run.torch_rng(step))
        with torch.no_grad():
            features = vfm(data.batch(chosen, run.device))
        parts = forward(features)
        loss = config.rep * parts["rep"] + config.gram * parts["gram"]

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad, **parts)
        run.checkpoint(step)
    prior.load_state_dict(ema.model.state_dict())
    prior.requires_grad_(False).zero_grad()  # what is left would count in the norms of the tokenizer's gradients
    run.write(prior, folder / "prior.safetensors")
