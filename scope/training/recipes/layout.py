"""Train the learned layout (models/layout_flow.py): flow matching (arXiv 2210.02747) from prompts to box slots.

The network predicts x_0, whose error counts 1 / t^2 as that of the velocity does; the box of an empty slot is not
asked. Every 500 steps it places prompts that it does not train on, and metrics.jsonl says of how many groups the number
is right, and of how many prompts no two boxes share much of the smaller one.
"""

from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from scope.generators.layouts import SHIFT, STEPS
from scope.models.layout_flow import SLOT, SLOTS, LayoutFlow, from_slots, velocity_fn
from scope.models.text_encoder import Conditioning
from scope.nn import paths, samplers
from scope.nn.ema import EMA
from scope.nn.weights import PACK_GENERATOR, write
from scope.training.data.layouts import Layouts, load_or_build
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_linear
from scope.worlds.pocket.free_placing import shared


class LayoutConfig(TrainConfig):
    """The recipe."""

    dim: int = 192
    depth: int = 4
    heads: int = 4
    layouts: int = 24_000
    relation_p: float = 0.6  # share of layouts that have a relation for sure
    time_mean: float = 0.4
    time_std: float = 1.2


PRESETS = {
    "tiny": LayoutConfig(
        steps=2, batch=4, lr=1e-3, dim=32, depth=1, heads=2, layouts=8, save_every=1, log_every=1, dtype="fp32"
    ),
    "pocket": LayoutConfig(steps=2600, batch=64, lr=1e-3, seed=43, ema=0.999),
}

_T_LEAST, _PROBED, _OVERLAP = 0.1, 256, 0.3


def layout_loss(x_0: Tensor, truth: Tensor, t: Tensor) -> Tensor:
    """Return the squared error of slots (b, s, slot), without the boxes of empty ones."""
    asked = torch.ones_like(truth)
    asked[..., :4] = (truth[..., 4] < 0)[..., None]  # the first group is nobody's
    weight = asked / t.clamp_min(_T_LEAST).square()[:, None, None]
    return ((x_0 - truth).square() * weight).mean()


@torch.no_grad()
def probe(model: LayoutFlow, text: Conditioning, truth: Tensor) -> dict[str, float]:
    """Return the shares of groups with the right number of boxes, and of prompts whose boxes are clear."""
    noise = torch.randn((len(truth), SLOTS, SLOT), generator=torch.Generator().manual_seed(0)).to(truth.device)
    boxes, groups = from_slots(samplers.euler(velocity_fn(model, text), noise, samplers.times(STEPS, SHIFT)))
    wanted = from_slots(truth)[1]
    numbers = [[int((row == g).sum()) for g in range(1, 8)] for row in (*groups, *wanted)]
    drawn, asked = np.array(numbers[: len(groups)]), np.array(numbers[len(groups) :])
    return {
        "counts": float((drawn == asked)[asked > 0].mean()),
        "clear": float(np.mean([_is_clear(b[g > 0]) for b, g in zip(boxes, groups, strict=True)])),
    }


def _is_clear(boxes: Tensor) -> bool:
    rows = [tuple(round(1000 * v) for v in box) for box in boxes.tolist()]
    return all(shared(a, b) <= _OVERLAP for i, a in enumerate(rows) for b in rows[:i])


def train(config: LayoutConfig, folder: Path) -> None:
    """Train, or continue training, the layout; writes folder/layout.safetensors."""
    torch.manual_seed(config.seed)
    run = Run(folder, config)
    model = LayoutFlow(config.dim, config.depth, config.heads).to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_linear(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model)
    with run.first():
        data: Layouts = load_or_build(folder / "layouts.pt", config.layouts, config.seed, config.relation_p)
    probed = torch.arange(min(_PROBED, len(data) // 2))  # what is not trained on
    for step in run.steps():
        noise = run.torch_rng(step)
        chosen = torch.randint(len(probed), len(data), (run.batch,), generator=noise)
        x_0, text = data.slots[chosen].to(run.device), data.text(chosen).to(run.device)
        eps = torch.randn(x_0.shape, generator=noise).to(run.device)
        t = paths.logit_normal(run.batch, noise, config.time_mean, config.time_std).to(run.device)
        with run.autocast():
            predicted = forward(paths.add_noise(x_0, eps, t), t, text)
        loss = layout_loss(predicted, x_0, t)

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad)
        if run.main and (step + 1) % 500 == 0:
            found = probe(ema.model, data.text(probed).to(run.device), data.slots[probed].to(run.device))
            run.note(step, **found)
            write(ema.model, folder / f"layout-{step + 1:06d}.safetensors", pack=PACK_GENERATOR)
        run.checkpoint(step)
    run.write(ema.model, folder / "layout.safetensors", pack=PACK_GENERATOR)
