"""Train one small DiT on the latents of any tokenizer: the same network, data order, steps and optimiser for all.

The pictures are close-ups (scope/worlds/closeups.py), encoded once. `evaluate` is given the averaged model at each of
`eval_steps`, which is how tokenizers are compared: quality against steps.
"""

from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

from scope.models.dit import DiT
from scope.models.text_encoder import Conditioning
from scope.nn.ema import EMA
from scope.nn.transformer import to_tokens
from scope.training.flow_matching import flow_loss, sample_cond_mask, sample_path
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_cosine

Evaluate = Callable[[int, DiT], None]


class LatentFlowConfig(TrainConfig):
    """The recipe of the DiT."""

    dim: int = 96
    depth: int = 3
    heads: int = 2
    drop_text: float = 0.1
    eval_steps: tuple[int, ...] = (30, 60, 120, 240)


PRESETS = {
    "tiny": LatentFlowConfig(
        steps=2, batch=4, lr=1e-3, dim=32, depth=1, eval_steps=(1, 2), save_every=1, log_every=1, dtype="fp32", warmup=1
    ),
    "closeup": LatentFlowConfig(steps=240, batch=64, lr=2e-3, warmup=20, ema=0.97, save_every=120, dtype="bf16"),
}


def select(text: Conditioning, rows: Tensor) -> Conditioning:
    """Return some rows of a batch of texts."""
    return text.each(lambda a: a[rows])


def train(config: LatentFlowConfig, folder: Path, latents: Tensor, text: Conditioning, evaluate: Evaluate) -> DiT:
    """Train, or continue training, a DiT on latents (n, d, h, w) with their texts; return the averaged model."""
    torch.manual_seed(config.seed)
    _, d, side, _ = latents.shape
    run = Run(folder, config)
    model = DiT(d, side * side, config.dim, config.depth, config.heads, text_depth=1).to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model)
    for step in run.steps():
        noise = run.torch_rng(step)
        chosen = torch.randint(len(latents), (run.batch,), generator=noise)
        path = sample_path(latents[chosen].to(run.device), noise)
        cond_mask = sample_cond_mask(run.batch, config.drop_text, noise).to(run.device)
        with run.autocast():
            output = forward(to_tokens(path.x_t), path.t, select(text, chosen).to(run.device), cond_mask)
        loss = flow_loss(output.velocity, to_tokens(path.velocity))

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad)
        if run.main and step + 1 in config.eval_steps:
            evaluate(step + 1, ema.model)
        run.checkpoint(step)
    return ema.model
