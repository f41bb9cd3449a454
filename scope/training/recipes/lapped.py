"""Train the decoder of the lapped tokenizer; its encoder is the PCA of patches, and learns nothing.

L = l1 L1 + edges E + mcr MCR, E the error of the differences between neighbouring pixels; pictures are decoded from
noised latents. What the encoder needs is written first, as start.safetensors: a generator can learn on these latents
while the decoder learns to draw them.
"""

from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from scope.nn.ema import EMA
from scope.nn.weights import PACK_TOKENIZER
from scope.tokenizers.lapped import Lapped, preset
from scope.training.data.tokenizer_images import tokenizer_images
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_cosine

_STARTED_ON = 2048  # pictures


class LappedConfig(TrainConfig):
    """The recipe."""

    size: str = "pocket"  # of scope.tokenizers.lapped.PRESETS
    images: int = 16_000
    l1: float = 20.0
    edges: float = 20.0
    mcr: float = 0.05


PRESETS = {
    "tiny": LappedConfig(
        steps=2, batch=4, lr=1e-3, size="tiny", images=12, save_every=1, log_every=1, dtype="fp32"
    ),
    "pocket": LappedConfig(steps=4000, batch=12, lr=1e-3, seed=31, ema=0.998),
}  # fmt: skip


def edge_loss(decoded: Tensor, images: Tensor) -> Tensor:
    """Return the mean absolute error of the differences between neighbours, along both axes."""
    error = decoded - images
    return (error.diff(dim=2).abs().mean() + error.diff(dim=3).abs().mean()) / 2


def train(config: LappedConfig, folder: Path) -> None:
    """Train, or continue training, the decoder; writes folder/start.safetensors and folder/lapped.safetensors."""
    torch.manual_seed(config.seed)
    data, model = tokenizer_images("scenes", config.images, config.seed), preset(config.size)
    model.start(data.batch(torch.arange(min(_STARTED_ON, len(data))), torch.device("cpu")))
    run = Run(folder, config)
    model = model.to(run.device)
    run.write(model, folder / "start.safetensors", pack=PACK_TOKENIZER)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model, Lapped.training_forward)
    for step in run.steps():
        noise = run.torch_rng(step)
        images = data.batch(torch.randint(len(data), (run.batch,), generator=noise), run.device)
        with run.autocast():
            output = forward(images, noise)
        terms = {"l1": F.l1_loss(output.decoded, images), "edges": edge_loss(output.decoded, images), **output.terms}
        loss = torch.stack([getattr(config, name) * value for name, value in terms.items()]).sum()

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        mse = F.mse_loss(output.decoded.detach().clamp(-1, 1), images)
        run.log(step, loss=loss, grad=grad, **terms, psnr=10 * torch.log10(4 / mse))
        if (step + 1) % 400 == 0:
            run.save_grid(f"{step + 1:06d}", torch.cat([images[:8], output.decoded[:8].detach()]))
        run.checkpoint(step)
    run.write(ema.model, folder / "lapped.safetensors", pack=PACK_TOKENIZER)
