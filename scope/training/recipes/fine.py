"""Train the decoder of the lapped tokenizer on: at 128 and at 256 px, and on latents as generators give them.

Half of the pictures are decoded from their own latents, noised as in the first training (lapped.py), and half from what
the binding says of their regions: its errors are not noise, and what is regular in them a decoder can mend. What is
encoded is the picture of 256 px reduced to 128 by area, as whoever judges it at 128 px sees it. The encoder learns
nothing. The loss is that of the first training, of both sizes.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scope.models.binding import Binding
from scope.nn.ema import EMA
from scope.nn.transformer import to_grid
from scope.nn.weights import PACK_TOKENIZER, fill, load_file, load_shipped, read
from scope.tokenizers.lapped import Lapped, preset
from scope.training.data.bound_scenes import TRAINED_NOUNS, regions_of
from scope.training.data.cluttered_scenes import of_world
from scope.training.loop import Run
from scope.training.optimizers import adamw, warmup_cosine
from scope.training.recipes.lapped import LappedConfig, edge_loss
from scope.worlds.pocket import compose, sample_whole

SCALE = 2  # times the pixels of a side
_BATCH = 64


class FineConfig(LappedConfig):
    """The recipe. `start_from`: a file of weights of the tokenizer; `binding`: of the binding, else the shipped one."""

    start_from: str = ""
    binding: str = ""
    wide: int = 768  # of the binding
    own_p: float = 0.25  # share of pictures that are decoded from what the binding says
    noise: float = 0.12  # of the other latents' deviation, at most


PRESETS = {
    "tiny": FineConfig(
        steps=2, batch=2, lr=1e-3, size="tiny", images=4, wide=32, save_every=1, log_every=1, dtype="fp32"
    ),
    "pocket": FineConfig(steps=1_400, batch=8, lr=8e-4, warmup=50, seed=33, ema=0.995, images=3_000),
}  # fmt: skip


@dataclass(frozen=True)
class LargeScenes:
    """Scenes (n, 3, 256, 256) in bytes, and what the binding says of their regions, as latents (n, 8 * 8, d)."""

    images: Tensor
    said: Tensor


@torch.no_grad()
def large_scenes(binding: Binding, count: int, seed: int) -> LargeScenes:
    """Draw scenes at twice the size, and ask the binding what they look like."""
    rng, images, said = np.random.default_rng(seed), list[Tensor](), list[Tensor]()
    for start in range(0, count, _BATCH):
        numbers = range(start, min(start + _BATCH, count))
        scenes = [compose(sample_whole(rng, "train", TRAINED_NOUNS), (seed, i), SCALE) for i in numbers]
        pictures = torch.stack([torch.from_numpy(scene.image).permute(2, 0, 1) for scene in scenes])
        images.append(pictures)
        said.append(binding(regions_of([of_world(scene) for scene in scenes])).x_0)
        print(f"scenes of {SCALE} times the size: {numbers[-1] + 1} of {count}", flush=True)
    return LargeScenes(torch.cat(images), torch.cat(said))


def decoded(model: Lapped, images: Tensor, said: Tensor, own: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor]:
    """Return pictures and those of twice the size, from noised latents or, where `own` (b,), from what was said."""
    with torch.no_grad():
        noised = model.noised(model.encode_tokens(images), noise)
        z = torch.where(own[:, None, None], model.tokens_of(to_grid(said)), noised)
    decoder = model.decoder
    return decoder(z), decoder(z, fine=True)


def train(config: FineConfig, folder: Path) -> None:
    """Train, or continue training, the decoder; writes folder/fine.safetensors."""
    torch.manual_seed(config.seed)
    run, model = Run(folder, config), preset(config.size)
    if config.start_from:
        fill(model, read(Path(config.start_from)), config.start_from)
    model.noise = config.noise
    binding = Binding(model.size // model.patch, model.d, config.wide)
    _ = load_file(binding, Path(config.binding)) if config.binding else load_shipped(binding, "binding")
    data = large_scenes(binding, config.images, config.seed)
    model = model.to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model, decoded)
    for step in run.steps():
        noise = run.torch_rng(step)
        chosen = torch.randint(len(data.images), (run.batch,), generator=noise)
        large = data.images[chosen].to(run.device).float() / 127.5 - 1
        images, own = F.avg_pool2d(large, SCALE), torch.rand(run.batch, generator=noise) < config.own_p
        with run.autocast():
            coarse, fine = forward(images, data.said[chosen].to(run.device), own.to(run.device), noise)
        terms = {"l1": F.l1_loss(coarse, images) + F.l1_loss(fine, large)}
        terms["edges"] = edge_loss(coarse, images) + edge_loss(fine, large)
        loss = config.l1 * terms["l1"] + config.edges * terms["edges"]

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        mse = F.mse_loss(fine.detach().clamp(-1, 1), large)
        run.log(step, loss=loss, grad=grad, **terms, psnr=10 * torch.log10(4 / mse))
        if (step + 1) % 400 == 0:
            run.save_grid(f"{step + 1:06d}", torch.cat([large[:4], fine[:4].detach()]))
        run.checkpoint(step)
    run.write(ema.model, folder / "fine.safetensors", pack=PACK_TOKENIZER)
