"""Train a classifier of close-ups: noun, colour and setting.

Two are made for the comparison of tokenizers, with seeds and widths of their own: one whose maps are the perceptual
loss, and one whose features and answers measure (FD, object accuracy).
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.features import FeatureNet
from scope.nn.ema import EMA
from scope.nn.weights import fill, read
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_cosine
from scope.worlds import closeups
from scope.worlds.pocket.catalogue import SETTING_NAMES

CLASSES = (len(closeups.NOUNS), len(closeups.COLORS), len(SETTING_NAMES))


class CloseupClassifierConfig(TrainConfig):
    """The recipe of a classifier."""

    dim: int = 64
    images: int = 16_000


PRESETS = {
    "tiny": CloseupClassifierConfig(
        steps=2, batch=4, lr=1e-3, dim=16, images=16, save_every=1, log_every=1, dtype="fp32"
    ),
    "perceptual": CloseupClassifierConfig(steps=500, batch=64, lr=3e-3, seed=51, ema=0.99, dtype="bf16"),
    "measure": CloseupClassifierConfig(steps=1000, batch=64, lr=3e-3, seed=61, dim=96, ema=0.99, dtype="bf16"),
}


class CloseupClassifier(nn.Module):
    """Pictures (b, 3, H, W) in [-1, 1] -> logits of noun, colour and setting."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.network, self.head = FeatureNet(dim), nn.Linear(dim, sum(CLASSES))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return logits (b, classes) of each: of noun and colour the largest over positions, of setting the mean."""
        positions = self.head(self.network.maps(images)[-1].flatten(2).mT).float()
        noun, color, setting = torch.split(positions, list(CLASSES), 2)
        return [noun.amax(1), color.amax(1), setting.mean(1)]


def load_or_train(config: CloseupClassifierConfig, folder: Path) -> CloseupClassifier:
    """Return the classifier of a recipe, trained where folder/closeup_classifier.safetensors is missing."""
    if not (folder / "closeup_classifier.safetensors").exists():
        train(config, folder)
    model = CloseupClassifier(config.dim)
    fill(model, read(folder / "closeup_classifier.safetensors"), "closeup_classifier")
    return model.eval().requires_grad_(False)


def train(config: CloseupClassifierConfig, folder: Path) -> None:
    """Train, or continue training, a classifier; writes folder/closeup_classifier.safetensors."""
    torch.manual_seed(config.seed)
    run = Run(folder, config)
    model = CloseupClassifier(config.dim).to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model)
    drawn = closeups.closeups(config.images, config.seed)
    images = torch.from_numpy(drawn.images).permute(0, 3, 1, 2).contiguous()
    truth = torch.stack([torch.from_numpy(a) for a in (drawn.nouns, drawn.colors, drawn.settings)], 1)
    for step in run.steps():
        chosen = torch.randint(len(images), (run.batch,), generator=run.torch_rng(step))
        with run.autocast():
            logits = forward(images[chosen].to(run.device).float().div_(127.5).sub_(1))
        classes = truth[chosen].to(run.device)
        parts = [F.cross_entropy(x, classes[:, i]) for i, x in enumerate(logits)]
        accuracy = (logits[0].argmax(1) == classes[:, 0]).float().mean()
        loss = torch.stack(parts).sum()

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad, noun=parts[0], color=parts[1], setting=parts[2], accuracy=accuracy)
        run.checkpoint(step)
    run.write(ema.model, folder / "closeup_classifier.safetensors")
