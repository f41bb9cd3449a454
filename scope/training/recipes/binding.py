"""Train the binding alone (models/binding.py): what regions say of a picture, before any noise is taken from one.

It is a regression from regions to latents, and a step of it costs half as much as one of a generator. Both bound
generators start from its weights.
"""

from pathlib import Path

import torch
from torch import Tensor

from scope.models.binding import Binding, Heard
from scope.models.regions import Regions
from scope.nn.ema import EMA
from scope.nn.transformer import to_grid
from scope.nn.weights import PACK_TOKENIZER
from scope.training.data.bound_scenes import words
from scope.training.loop import Run
from scope.training.on_regions import PROBED, BoundConfig, cell_weight, of_things, r_squared, scenes_of, tokenizer_of
from scope.training.optimizers import adamw, warmup_linear


class BindingConfig(BoundConfig):
    """The recipe."""


PRESETS = {
    "tiny": BindingConfig(
        steps=2, batch=4, lr=1e-3, wide=32, scenes=8, save_every=1, log_every=1, dtype="fp32"
    ),
    "pocket": BindingConfig(steps=6_000, batch=16, scenes=40_000, lr=4e-3, warmup=60, seed=40, ema=0.995),
}  # fmt: skip


def sketch(model: Binding, regions: Regions) -> Tensor:
    """Return what a binding alone says of the latents (b, n, d)."""
    heard: Heard = model(regions)
    return heard.x_0


def train(config: BindingConfig, folder: Path) -> None:
    """Train, or continue training, a binding; writes folder/binding.safetensors."""
    torch.manual_seed(config.seed)
    tokenizer = tokenizer_of(config)
    run = Run(folder, config)
    tokenizer = tokenizer.to(run.device)
    model = Binding(tokenizer.size // tokenizer.patch, tokenizer.d, config.wide)
    model.fit(words())
    model = model.to(run.device)
    optimizer, ema = adamw(model, config, betas=(0.9, 0.97)), EMA(model, config.ema)
    schedule = warmup_linear(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model, sketch)
    data = scenes_of(run, tokenizer)
    probed = torch.arange(min(PROBED, len(data) // 2))
    for step in run.steps():
        noise = run.torch_rng(step)
        chosen = torch.randint(len(probed), len(data), (run.batch,), generator=noise)
        truth, regions = data.tokens(chosen).to(run.device), data.condition(chosen, noise).to(run.device)
        with run.autocast():
            x_0 = forward(regions)
        loss = ((x_0 - truth).square() * cell_weight(regions, model.side, config.thing_weight)).mean()

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad)
        if run.main and (step + 1) % 500 == 0:
            regions = data.regions(probed).to(run.device)
            with torch.no_grad():
                x_0 = sketch(ema.model, regions)
                run.save_grid(f"{step + 1:06d}", tokenizer.decode(to_grid(x_0[:32])))
            run.note(step, r2=r_squared(x_0.cpu(), data.tokens(probed), of_things(regions, model.side).cpu()))
        run.checkpoint(step)
    run.write(ema.model, folder / "binding.safetensors", pack=PACK_TOKENIZER)
