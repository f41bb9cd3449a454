"""Train the bound flow-matching model on latents of the lapped tokenizer (arXiv 2210.02747); t = 0 is data.

Scenes are drawn and encoded once, with the regions that they show (bound_scenes.py), and noised afresh at every step.
The network predicts x_0, whose error counts 1 / t^2 as that of the velocity does, and more where a thing stands.
"""

from pathlib import Path

import torch
from torch import Tensor

from scope.errors import UsageError
from scope.generators.bound import SHIFT
from scope.generators.metadata import metadata_of
from scope.models.bound_dit import BoundDiT, velocity_fn
from scope.models.regions import Regions
from scope.nn import paths, samplers
from scope.nn.cells import covered
from scope.nn.ema import EMA
from scope.nn.transformer import to_grid
from scope.nn.weights import PACK_GENERATOR, fill, read
from scope.tokenizers import lapped
from scope.tokenizers.lapped import Lapped
from scope.training.data.bound_scenes import BoundScenes, load_or_build, phrase_table
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_linear
from scope.weights import expected
from scope.worlds.pocket.vocabulary import VOCABULARY


class BoundConfig(TrainConfig):
    """What recipes on bound scenes have. `tokenizer`: a file of weights of the lapped tokenizer."""

    tokenizer: str = ""
    tokenizer_preset: str = "pocket"
    scenes: int = 60_000
    crowd_p: float = 0.6  # share of crowded scenes


class BoundFlowConfig(BoundConfig):
    """The generator's recipe. `time_mean` and `time_std` are those of logit t."""

    dim: int = 256
    depth: int = 3
    heads: int = 4
    wide: int = 2048  # of the product of phrase and place
    hidden: int = 512
    time_mean: float = 1.6
    time_std: float = 1.2
    thing_weight: float = 3.0  # of the error where a thing stands; 1 elsewhere
    start_from: str = ""  # a file of weights to start from


PRESETS = {
    "tiny": BoundFlowConfig(
        steps=2, batch=4, lr=1e-3, dim=32, depth=1, heads=2, wide=32, hidden=32, scenes=8, save_every=1, log_every=1,
        dtype="fp32",
    ),
    "pocket": BoundFlowConfig(steps=3_400, batch=16, scenes=24_000, lr=2e-3, warmup=100, seed=41, ema=0.998),
}  # fmt: skip

_T_LEAST = 0.5  # below it the weight of an error grows no more
_PROBED = 64  # scenes
_PROBE = 0.97  # the time at which drawing is probed: what of a scene is not in its regions is noise there


def tokenizer_of(config: BoundConfig) -> tuple[Lapped, str]:
    """Return the frozen tokenizer of a recipe and the sha256 of its weights.

    Raises: UsageError if none is given and none ships.
    """
    if not config.tokenizer and "lapped" not in expected():
        raise UsageError(
            "a bound generator learns on the latents of the lapped tokenizer, and none ships; run: scope train lapped, "
            "then this with --set tokenizer=runs/lapped-pocket/start.safetensors (or lapped.safetensors, when it ends)"
        )
    return lapped.load(Path(config.tokenizer) if config.tokenizer else None, config.tokenizer_preset)


def scenes_of(run: Run, tokenizer: Lapped) -> BoundScenes:  # type: ignore[type-arg]  # any recipe on bound scenes
    """Return the data of a training, made by its main process."""
    config = run.config
    with run.first():
        return load_or_build(
            run.folder / "scenes.pt", tokenizer, config.scenes, config.seed, config.crowd_p, run.device
        )


def untrained(config: BoundFlowConfig, tokenizer: Lapped) -> BoundDiT:
    """Return the network of a recipe, which reads phrases in the axes of the world's."""
    side = tokenizer.size // tokenizer.patch
    model = BoundDiT(tokenizer.d, side, config.dim, config.depth, config.heads, config.wide, config.hidden)
    model.binding.whiten(phrase_table()[1:])
    if config.start_from:
        fill(model, read(Path(config.start_from)), config.start_from)
    return model


def cell_weight(regions: Regions, side: int, thing_weight: float) -> Tensor:
    """Return how much the error of each cell counts, (b, n, 1)."""
    things = (covered(regions.boxes, side) * regions.mask[..., None]).amax(1) > 0.05
    return torch.where(things, thing_weight, 1.0)[..., None]


def x0_loss(x_0: Tensor, truth: Tensor, t: Tensor, weight: Tensor) -> Tensor:
    """Return the squared error of x_0, counted as that of the velocity is where t is not small."""
    weight = weight / t.clamp_min(_T_LEAST).square()[:, None, None]
    return ((x_0 - truth).square() * weight).mean()


@torch.no_grad()
def probe(model: BoundDiT, x_0: Tensor, regions: Regions, noise: torch.Generator) -> float:
    """Return R^2 of things' cells when x_0 is predicted near the noise."""
    t = torch.full((len(x_0),), _PROBE, device=x_0.device)
    x_t = paths.add_noise(x_0, torch.randn(x_0.shape, generator=noise).to(x_0.device), t)
    things = cell_weight(regions, model.side, 2.0).squeeze(-1) > 1
    truth = x_0[things]
    error = (model(x_t, t, regions).x_0[things] - truth).square().sum()
    return float(1 - error / (truth - truth.mean(0)).square().sum())


@torch.no_grad()
def sample_grid(model: BoundDiT, tokenizer: Lapped, regions: Regions, steps: int = 8) -> Tensor:
    """Draw regions with fixed noise in a few Euler steps."""
    shape = (len(regions.mask), model.side**2, model.d)
    noise = torch.randn(shape, generator=torch.Generator().manual_seed(0)).to(regions.boxes.device)
    x_0 = samplers.euler(velocity_fn(model, regions), noise, samplers.times(steps, SHIFT))
    return tokenizer.decode(to_grid(x_0))


def train(config: BoundFlowConfig, folder: Path) -> None:
    """Train, or continue training, the generator; writes folder/bound.safetensors."""
    torch.manual_seed(config.seed)
    tokenizer, tokenizer_sha256 = tokenizer_of(config)
    run = Run(folder, config)
    tokenizer, model = tokenizer.to(run.device), untrained(config, tokenizer).to(run.device)
    optimizer, ema = adamw(model, config, betas=(0.9, 0.97)), EMA(model, config.ema)
    schedule = warmup_linear(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model)
    data = scenes_of(run, tokenizer)
    probed = torch.arange(min(_PROBED, len(data) // 2))  # scenes that are not trained on
    for step in run.steps():
        noise = run.torch_rng(step)
        chosen = torch.randint(len(probed), len(data), (run.batch,), generator=noise)
        x_0, regions = data.latents[chosen].float().to(run.device), data.regions(chosen).to(run.device)
        eps = torch.randn(x_0.shape, generator=noise).to(run.device)
        t = paths.logit_normal(run.batch, noise, config.time_mean, config.time_std).to(run.device)
        with run.autocast():
            output = forward(paths.add_noise(x_0, eps, t), t, regions)
        loss = x0_loss(output.x_0, x_0, t, cell_weight(regions, model.side, config.thing_weight))

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad)
        if run.main and (step + 1) % 500 == 0:
            regions = data.regions(probed).to(run.device)
            drawn = probe(ema.model, data.latents[probed].float().to(run.device), regions, run.torch_rng(0))
            run.note(step, r2=drawn)
            if (step + 1) % 1000 == 0:
                run.save_grid(f"{step + 1:06d}", sample_grid(ema.model, tokenizer, data.regions(probed[:32])))
        run.checkpoint(step)
    metadata = metadata_of(VOCABULARY, tokenizer_sha256)
    run.write(ema.model, folder / "bound.safetensors", pack=PACK_GENERATOR, metadata=metadata)
