"""Train the judge of the benchmarks on crowded scenes of five vendors. It sees no generated image, and rewards none.

Detector: focal loss over cells, L1 of offset and size, cross-entropy of the setting. Classifier: cross-entropy of noun,
colour and style over crops (crops.py) of the true boxes, so that neither waits for the other.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch
from numpy.random import Generator as Random
from torch import Tensor
from torch.nn import functional as F

from scope.judges.networks import STRIDE, USUAL_SIDE, ClassifierOutput, DetectorOutput, TwoStageDetector, cell_centers
from scope.nn.ema import EMA
from scope.nn.images import to_tensor
from scope.training.data.cluttered_scenes import Crowd, crowd
from scope.training.data.crops import IGNORE, Crops, choose, smear, take
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_cosine
from scope.worlds.pocket.catalogue import SETTING_NAMES

_SURE, _NEAR = 5.8, 10.0  # pixels from a thing's centre: cells nearer than the first must find it, up to the second may

T = TypeVar("T", "Truth", Crops)


class JudgeConfig(TrainConfig):
    """The judge's recipe. `shown` and `missed`: crops a picture that show a thing of it, and that show none."""

    finder: int = 48
    namer: int = 32
    shown: int = 8
    missed: int = 2
    halved: float = 0.05  # share of crops that are made of two
    smeared: float = 0.06  # share of pictures that are blurred
    strange: float = 0.15  # share of crops whose colours are mixed at random, so that nouns are known by their shape
    noise: float = 0.04  # largest standard deviation


PRESETS = {
    "tiny": JudgeConfig(
        steps=2, batch=4, lr=1e-3, finder=8, namer=8, shown=3, missed=1, save_every=1, log_every=1, dtype="fp32"
    ),
    "pocket": JudgeConfig(steps=2300, batch=24, lr=3e-3, warmup=100, seed=77, ema=0.998),
}  # fmt: skip


@dataclass(frozen=True)
class Truth:
    """What a perfect detector would say of each cell (b, 32, 32): `sure` ones must find a thing, `near` ones may."""

    sure: Tensor
    near: Tensor
    offset: Tensor  # (b, 2, 32, 32), in cells
    log_size: Tensor  # natural logarithm of side / 48 px
    setting: Tensor  # (b,)


def truth(crowds: list[Crowd]) -> Truth:
    """Return the detector's targets. Each cell is asked about the thing whose centre is nearest."""
    where = cell_centers()
    shape = (len(crowds), *where.shape[1:])
    distance, side, offset = torch.full(shape, torch.inf), torch.zeros(shape), torch.zeros(shape[0], *where.shape)
    for i, scene in enumerate(crowds):
        for x, y, size in (m.box for m in scene.members):
            away = torch.tensor([x, y])[:, None, None] - where
            far = away.square().sum(0).sqrt()
            nearer = far < distance[i]
            distance[i] = torch.where(nearer, far, distance[i])
            offset[i] = torch.where(nearer, away / STRIDE, offset[i])
            side[i] = torch.where(nearer, float(np.log(size / USUAL_SIDE)), side[i])
    setting = torch.tensor([SETTING_NAMES.index(c.setting) for c in crowds])
    return Truth(distance < _SURE, distance < _NEAR, offset, side, setting)


def detector_loss(output: DetectorOutput, truth: Truth) -> dict[str, Tensor]:
    """Return the parts of the detector's loss; cells that may find a thing are not asked whether they do."""
    sure, n = truth.sure, truth.sure.sum().clamp_min(1)
    likely = output.objectness.sigmoid().detach()
    hard = torch.where(sure, 1 - likely, likely).square() * (sure | ~truth.near)
    raw = F.binary_cross_entropy_with_logits(output.objectness, sure.float(), reduction="none")
    return {
        "objectness": 4 * (raw * hard).sum() / n,
        "offset": 0.3 * ((output.offset - truth.offset).abs().sum(1) * sure).sum() / n,
        "log_size": 2 * ((output.log_size - truth.log_size).abs() * sure).sum() / n,
        "setting": 0.3 * F.cross_entropy(output.setting, truth.setting),
    }


def classifier_loss(output: ClassifierOutput, crops: Crops) -> dict[str, Tensor]:
    """Return the parts of the classifier's loss."""
    return {
        "noun": F.cross_entropy(output.noun, crops.noun),
        "color": 0.5 * _asked_cross_entropy(output.color, crops.color),
        "style": _asked_cross_entropy(output.style, crops.style),
    }


def _asked_cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the mean cross-entropy over what is asked; 0 where nothing is."""
    return F.cross_entropy(logits, truth, ignore_index=IGNORE, reduction="sum") / (truth != IGNORE).sum().clamp_min(1)


def batch(config: JudgeConfig, n: int, random: Random) -> tuple[Tensor, Truth, Tensor, Crops]:
    """Return a step's pictures (b, 3, 128, 128) and their truth, and its crops (n, 3, 36, 36) and theirs."""
    crowds = [crowd(random) for _ in range(n)]
    images = to_tensor([c.image for c in crowds], torch.device("cpu"))
    crops = choose(crowds, config.shown, config.missed, random)
    smear(images, crops, config.smeared, random)
    amount = config.noise * random.random((len(images), 1, 1, 1), np.float32)
    images += torch.from_numpy(amount * random.standard_normal(tuple(images.shape), np.float32))
    return images, truth(crowds), take(images, crops, config.halved, config.strange, random), crops


def _on(device: torch.device, targets: T) -> T:
    """Return targets whose tensors are on a device."""
    return type(targets)(*(getattr(targets, field.name).to(device) for field in fields(targets)))


def both(model: TwoStageDetector, images: Tensor, pieces: Tensor) -> tuple[DetectorOutput, ClassifierOutput]:
    """Return what the finder says of pictures, and the namer of crops, of whichever pictures they are."""
    return model.finder(images), model.namer(pieces)


def train(config: JudgeConfig, folder: Path) -> None:
    """Train, or continue training, the judge; writes folder/judge.safetensors."""
    torch.manual_seed(config.seed)
    run = Run(folder, config)
    model = TwoStageDetector(config.finder, config.namer).to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model, both)
    for step in run.steps():
        images, wanted, pieces, crops = batch(config, run.batch, run.rng(step))
        with run.autocast():
            boxes, classes = forward(images.to(run.device), pieces.to(run.device))
        parts = detector_loss(boxes, _on(run.device, wanted)) | classifier_loss(classes, _on(run.device, crops))
        right = (classes.noun.argmax(1).cpu() == crops.noun).float().mean()
        loss = torch.stack(list(parts.values())).sum()

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad, **parts, accuracy=right)
        run.checkpoint(step)
    run.write(ema.model, folder / "judge.safetensors")
