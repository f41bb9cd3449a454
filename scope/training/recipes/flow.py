"""Train the flow-matching model on latents of the lapped tokenizer (arXiv 2210.02747); t = 0 is data.

Scenes are drawn and encoded once, with the regions that they show (bound_scenes.py), and noised afresh at every step.
The network predicts x_0, whose error counts 1 / t^2 as that of the velocity does, and more where a thing stands.
"""

from pathlib import Path

import torch
from torch import Tensor

from scope.generators.flow import SHIFT
from scope.generators.metadata import metadata_of
from scope.models.binding import Binding, Heard
from scope.models.bound_dit import BoundDiT, velocity_fn
from scope.nn import paths, samplers
from scope.nn.ema import EMA
from scope.nn.transformer import to_grid
from scope.nn.weights import PACK_GENERATOR, fill, read
from scope.tokenizers.lapped import Lapped
from scope.training.data.bound_scenes import BoundScenes
from scope.training.loop import Run
from scope.training.on_regions import PROBED, BoundConfig, cell_weight, frozen_of, of_things, r_squared, scenes_of
from scope.training.optimizers import adamw, warmup_linear
from scope.worlds.pocket.vocabulary import VOCABULARY


class FlowConfig(BoundConfig):
    """The generator's recipe. `time_mean` and `time_std` are those of logit t."""

    dim: int = 256
    depth: int = 3
    heads: int = 4
    time_mean: float = 1.2
    time_std: float = 1.3
    start_from: str = ""  # a file of weights to start from


PRESETS = {
    "tiny": FlowConfig(
        steps=2, batch=4, lr=1e-3, dim=32, depth=1, heads=2, scenes=8, wide=32, save_every=1, log_every=1, dtype="fp32"
    ),
    "pocket": FlowConfig(steps=6_000, batch=16, scenes=60_000, lr=2e-3, warmup=100, seed=41, ema=0.998),
}  # fmt: skip

_T_LEAST = 0.5  # below it the weight of an error grows no more
_PROBE = 0.97  # the time at which drawing is probed: what of a scene is not in its regions is noise there


def untrained(config: FlowConfig, tokenizer: Lapped) -> BoundDiT:
    """Return the network of a recipe."""
    side = tokenizer.size // tokenizer.patch
    model = BoundDiT(tokenizer.d, side, config.dim, config.depth, config.heads)
    if config.start_from:
        fill(model, read(Path(config.start_from)), config.start_from)
    return model


def x0_loss(x_0: Tensor, truth: Tensor, t: Tensor, weight: Tensor) -> Tensor:
    """Return the squared error of x_0, counted as that of the velocity is where t is not small."""
    weight = weight / t.clamp_min(_T_LEAST).square()[:, None, None]
    return ((x_0 - truth).square() * weight).mean()


@torch.no_grad()
def probe(model: BoundDiT, x_0: Tensor, heard: Heard, asked: Tensor, noise: torch.Generator) -> float:
    """Return R^2 of the cells `asked` (b, n) when x_0 is predicted near the noise."""
    t = torch.full((len(x_0),), _PROBE, device=x_0.device)
    x_t = paths.add_noise(x_0, torch.randn(x_0.shape, generator=noise).to(x_0.device), t)
    return r_squared(model(x_t, t, heard).x_0, x_0, asked)


@torch.no_grad()
def sample_grid(model: BoundDiT, tokenizer: Lapped, heard: Heard, steps: int = 8) -> Tensor:
    """Draw with fixed noise in a few Euler steps."""
    noise = torch.randn(heard.x_0.shape, generator=torch.Generator().manual_seed(0)).to(heard.x_0.device)
    x_0 = samplers.euler(velocity_fn(model, heard), noise, samplers.times(steps, SHIFT))
    return tokenizer.decode(to_grid(x_0))


def fit(run: Run[FlowConfig], scenes: BoundScenes, binding: Binding, tokenizer: Lapped) -> BoundDiT:
    """Train, or continue training, the network on scenes as a frozen binding hears them; return its average."""
    config, tokenizer, binding = run.config, tokenizer.to(run.device), binding.to(run.device)
    model = untrained(config, tokenizer).to(run.device)
    optimizer, ema = adamw(model, config, betas=(0.9, 0.97)), EMA(model, config.ema)
    schedule = warmup_linear(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model)
    probed = torch.arange(min(PROBED, len(scenes) // 2))  # scenes that are not trained on
    asked = scenes.regions(probed).to(run.device)
    for step in run.steps():
        noise = run.torch_rng(step)
        chosen = torch.randint(len(probed), len(scenes), (run.batch,), generator=noise)
        x_0, regions = scenes.tokens(chosen).to(run.device), scenes.condition(chosen, noise).to(run.device)
        eps = torch.randn(x_0.shape, generator=noise).to(run.device)
        t = paths.logit_normal(run.batch, noise, config.time_mean, config.time_std).to(run.device)
        with run.autocast():
            with torch.no_grad():
                heard = binding(regions)
            output = forward(paths.add_noise(x_0, eps, t), t, heard)
        loss = x0_loss(output.x_0, x_0, t, cell_weight(regions, model.side, config.thing_weight))

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad)
        if run.main and (step + 1) % 500 == 0:
            with torch.no_grad():
                heard = binding(asked)
            truth, cells = scenes.tokens(probed).to(run.device), of_things(asked, model.side)
            run.note(
                step,
                r2=probe(ema.model, truth, heard, cells, run.torch_rng(0)),
                sketch=r_squared(heard.x_0, truth, cells),
            )
            if (step + 1) % 1000 == 0:
                run.save_grid(f"{step + 1:06d}", sample_grid(ema.model, tokenizer, heard)[:32])
        run.checkpoint(step)
    return ema.model


def train(config: FlowConfig, folder: Path) -> None:
    """Train, or continue training, the generator; writes folder/flow.safetensors."""
    torch.manual_seed(config.seed)
    tokenizer, binding, sha256 = frozen_of(config)
    run = Run(folder, config)
    model = fit(run, scenes_of(run, tokenizer.to(run.device)), binding, tokenizer)
    run.write(model, folder / "flow.safetensors", pack=PACK_GENERATOR, metadata=metadata_of(VOCABULARY, sha256))
