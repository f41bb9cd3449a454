"""Train a network that names a close-up: its noun, colour and setting.

Two are made for the comparison of tokenizers, with seeds and widths of their own: one whose maps are the perceptual
loss, and one whose features and answers measure (FD, object accuracy).
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.features import FeatureNet
from scope.nn.weights import fill, read, write
from scope.training.loop import TrainConfig, TrainingRun
from scope.worlds import closeups
from scope.worlds.pocket.catalogue import SETTING_NAMES

ANSWERS = (len(closeups.NOUNS), len(closeups.COLORS), len(SETTING_NAMES))


class NamesConfig(TrainConfig):
    """The recipe of a namer."""

    dim: int = 64
    pool: int = 16_000


PRESETS = {
    "tiny": NamesConfig(steps=2, batch=4, lr=1e-3, dim=16, pool=16, save_every=1, log_every=1),
    "perceptual": NamesConfig(steps=500, batch=64, lr=3e-3, seed=51, ema=0.99),
    "measure": NamesConfig(steps=1000, batch=64, lr=3e-3, seed=61, dim=96, ema=0.99),
}


class Namer(nn.Module):
    """Pictures (b, 3, H, W) in [-1, 1] -> logits of noun, colour and setting."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.network, self.head = FeatureNet(dim), nn.Linear(dim, sum(ANSWERS))

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return three times (b, answers). The place that speaks the loudest for a noun or a colour speaks for all."""
        places = self.head(self.network.maps(images)[-1].flatten(2).mT).float()
        noun, color, setting = torch.split(places, list(ANSWERS), 2)
        return [noun.amax(1), color.amax(1), setting.mean(1)]


def trained(config: NamesConfig, folder: Path) -> Namer:
    """Return the namer of a recipe, trained where folder/closeup_classifier.safetensors is missing."""
    if not (folder / "closeup_classifier.safetensors").exists():
        train(config, folder)
    model = Namer(config.dim)
    fill(model, read(folder / "closeup_classifier.safetensors"), "closeup_classifier")
    return model.eval().requires_grad_(False)


def train(config: NamesConfig, folder: Path) -> None:
    """Train, or continue training, a namer; writes folder/closeup_classifier.safetensors."""
    torch.manual_seed(config.seed)
    run = TrainingRun(folder, config, Namer(config.dim))
    drawn = closeups.closeups(config.pool, config.seed)
    images = torch.from_numpy(drawn.images).permute(0, 3, 1, 2).contiguous()
    truth = torch.stack([torch.from_numpy(a) for a in (drawn.nouns, drawn.colors, drawn.settings)], 1)
    for step in run.steps():
        chosen = torch.randint(len(images), (config.batch,), generator=run.torch_rng(step))
        with run.autocast():
            logits = run.model(images[chosen].to(run.device).float().div_(127.5).sub_(1))
        asked = truth[chosen].to(run.device)
        parts = [F.cross_entropy(x, asked[:, i]) for i, x in enumerate(logits)]
        right = (logits[0].argmax(1) == asked[:, 0]).float().mean()
        run.update(torch.stack(parts).sum(), noun=parts[0], color=parts[1], setting=parts[2], accuracy=right)
    print(write(run.ema.model, folder / "closeup_classifier.safetensors"))
