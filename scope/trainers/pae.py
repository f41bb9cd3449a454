"""Train the PAE tokenizer (arXiv 2605.07915) on the pocket world: the VFM first, then all but the VFM."""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from scope.nn.weights import fill, read, write
from scope.tokenizers.pae import PAE, edges, mcr, scr, ssr
from scope.tokenizers.vfm import PocketVFM
from scope.trainers import vfm as vfm_trainer
from scope.trainers.run import TrainConfig, TrainingRun, to_tensor
from scope.worlds.catalogue import CONCEPTS, FIRST
from scope.worlds.pocket import compose, sample


class PAEConfig(TrainConfig):
    """The tokenizer's recipe. `ssr` and `scr` are weighted as in the paper; the rest is ours (see pae.py)."""

    vfm: str = "pocket"
    d: int = 32
    dim: int = 256
    depth: int = 3
    modulator_depth: int = 1
    heads: int = 4
    l1: float = 40.0
    edges: float = 20.0
    ssr: float = 0.2
    mcr: float = 0.1
    scr: float = 1.0
    mcr_share: float = 0.125  # of the batch: two more decodes each
    first_share: float = 0.75  # of scenes drawn from the generator's first vocabulary


PRESETS = {
    "tiny": PAEConfig(
        steps=2,
        batch=4,
        lr=1e-3,
        vfm="tiny",
        d=8,
        dim=32,
        depth=1,
        modulator_depth=1,
        heads=2,
        save_every=1,
        log_every=1,
    ),
    "pocket": PAEConfig(steps=1100, batch=32, lr=5e-4, seed=31),
}


def build(config: PAEConfig, folder: Path) -> PAE:
    """Return a PAE over the trained VFM of this recipe, which is trained first where it is missing."""
    if not (folder / "vfm" / "vfm.safetensors").exists():
        vfm_trainer.train(vfm_trainer.PRESETS[config.vfm], folder / "vfm")
    model = untrained(config)
    fill(model.vfm, read(folder / "vfm" / "vfm.safetensors"), "vfm")
    return model


def untrained(config: PAEConfig) -> PAE:
    """Return the tokenizer of a recipe as it is constructed."""
    recipe = vfm_trainer.PRESETS[config.vfm]
    backbone = PocketVFM(recipe.dim, recipe.depth, recipe.heads)
    return PAE(config.d, config.dim, config.depth, config.modulator_depth, config.heads, vfm=backbone)


def scenes(run: TrainingRun[PAE], config: PAEConfig, step: int, count: int) -> Tensor:
    """Return the images of a step."""
    random = run.rng(step)
    images = []
    for i in range(count):
        nouns = FIRST if random.random() < config.first_share else CONCEPTS
        images.append(compose(sample(random, "train", tuple(nouns)), (config.seed, step, i)).image)
    return to_tensor(images, run.device)


def pae_loss(model: PAE, images: Tensor, direction: Tensor, config: PAEConfig) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss and its parts. `direction` (b, n, d) is noise for MCR."""
    features = model.features(images)
    z, prior = model.tokens(images, features), model.prior(features)
    decoded = model.decoder(z)
    few = max(1, round(config.mcr_share * len(images)))
    parts = {
        "l1": F.l1_loss(decoded, images),
        "edges": edges(decoded, images),
        "ssr": ssr(z, prior),
        "scr": scr(z, prior),
        "mcr": mcr(model.decoder, z[:few], decoded[:few], direction[:few]) if config.mcr else torch.zeros(()),
    }
    loss = sum((getattr(config, name) * part for name, part in parts.items()), torch.zeros((), device=images.device))
    mse = F.mse_loss(decoded.detach().clamp(-1, 1), images)
    return loss, parts | {"psnr": 10 * torch.log10(4 / mse)}


def train(config: PAEConfig, folder: Path) -> None:
    """Train, or continue training, the tokenizer; writes folder/pae.safetensors."""
    torch.manual_seed(config.seed)
    model = build(config, folder)
    run = TrainingRun(folder, config, model)
    held_back = scenes(run, config, config.steps, 256)  # a step that training never reaches
    if run.step == 0:
        model.start_linear(scenes(run, config, config.steps + 1, 1024))
        run.ema.model.load_state_dict(model.state_dict())
    for step in run.steps():
        images = scenes(run, config, step, config.batch)
        noise = torch.randn((config.batch, 64, config.d), generator=run.torch_rng(step)).to(run.device)
        with run.autocast():
            loss, parts = pae_loss(model, images, noise, config)
        run.update(loss, **parts)
        if step % 400 == 399:
            pair = torch.cat([held_back[:8], run.ema.model.decoder(z_of(run.ema.model, held_back[:8]))])
            run.save_grid(f"{step + 1:06d}", pair)
    finished = run.ema.model
    finished.set_statistics(torch.cat([z_of(finished, part) for part in torch.split(held_back, 32)]))
    print(write(finished, folder / "pae.safetensors"))


@torch.no_grad()
def z_of(model: PAE, images: Tensor) -> Tensor:
    """Return the tokens of images, without gradient."""
    return model.tokens(images, model.features(images))
