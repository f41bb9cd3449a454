"""Train the judge of the benchmarks on cluttered scenes of five vendors. It sees no generated image, and rewards none.

Detector: focal loss over cells, L1 of offset and size, cross-entropy of the setting. Classifier: cross-entropy of noun,
colour and style over crops (crops.py) of the true boxes, so that neither waits for the other.
"""

from dataclasses import dataclass, fields
from pathlib import Path
from typing import Literal, TypeVar

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scope.judges.networks import STRIDE, USUAL_SIDE, ClassifierOutput, DetectorOutput, TwoStageDetector, cell_centers
from scope.nn.ema import EMA
from scope.nn.images import to_tensor
from scope.nn.weights import PACK_GENERATOR, fill, read
from scope.training.data.cluttered_scenes import Clutter, ClutteredScene, cluttered_scene
from scope.training.data.crops import Crops, blur_augment, extract, sample_crops
from scope.training.loop import Run, TrainConfig
from scope.training.losses import masked_cross_entropy
from scope.training.optimizers import adamw, warmup_cosine
from scope.worlds.pocket.catalogue import SETTING_NAMES
from scope.worlds.pocket.rng import Rng

#: Its scenes: two of five are of a few things, as most prompts are.
CLUTTER = Clutter(roomy_p=0.4)

#: Pixels from an object's centre: cells nearer than the first are positive, cells farther than the second negative.
_POSITIVE_RADIUS, _NEGATIVE_RADIUS = 5.8, 10.0

T = TypeVar("T", "DetectorTargets", Crops)


class JudgeConfig(TrainConfig):
    """The judge's recipe. `positives` and `negatives`: crops a picture that show an object of it, and background."""

    detector_width: int = 48
    classifier_width: int = 32
    positives: int = 8
    negatives: int = 2
    cutmix_p: float = 0.05  # share of crops that are made of two
    blur_p: float = 0.06  # share of pictures
    color_jitter_p: float = 0.15  # share of crops whose colours are mixed, so that nouns are known by their shape
    noise_std: float = 0.04  # the largest
    start_from: str = ""  # a file of weights to start from
    keep: Literal["", "detector", "classifier"] = ""  # which of the two learns nothing


PRESETS = {
    "tiny": JudgeConfig(
        steps=2, batch=4, lr=1e-3, detector_width=8, classifier_width=8, positives=3, negatives=1, save_every=1,
        log_every=1, dtype="fp32",
    ),
    "pocket": JudgeConfig(steps=2300, batch=24, lr=3e-3, warmup=100, seed=77, ema=0.998),
    # On from other weights, as the shipped ones were.
    "continued": JudgeConfig(
        steps=3000, batch=24, lr=2e-3, warmup=100, seed=80, ema=0.998, positives=4, negatives=2, cutmix_p=0.04,
        blur_p=0.04, color_jitter_p=0.1, save_every=250,
    ),
}  # fmt: skip


@dataclass(frozen=True)
class DetectorTargets:
    """What a perfect detector would say of each cell (b, 32, 32); those neither positive nor negative are free."""

    positive: Tensor
    negative: Tensor
    offset: Tensor  # (b, 2, 32, 32), in cells
    log_size: Tensor  # (b, 2, 32, 32), natural logarithms of width and height / 48 px
    setting: Tensor  # (b,)


def detector_targets(scenes: list[ClutteredScene]) -> DetectorTargets:
    """Return the detector's targets. Each cell is asked about the object whose centre is nearest."""
    centers = cell_centers()
    shape = (len(scenes), *centers.shape[1:])
    distance = torch.full(shape, torch.inf)
    offset, log_size = (torch.zeros(shape[0], *centers.shape) for _ in range(2))
    for i, scene in enumerate(scenes):
        for x, y, *sides in (shown.ink for shown in scene.objects):
            away = torch.tensor([x, y])[:, None, None] - centers
            far = away.square().sum(0).sqrt()
            nearer = far < distance[i]
            distance[i] = torch.where(nearer, far, distance[i])
            offset[i] = torch.where(nearer, away / STRIDE, offset[i])
            size = (torch.tensor(sides) / USUAL_SIDE).log()[:, None, None]
            log_size[i] = torch.where(nearer, size, log_size[i])
    setting = torch.tensor([SETTING_NAMES.index(scene.setting) for scene in scenes])
    return DetectorTargets(distance < _POSITIVE_RADIUS, distance >= _NEGATIVE_RADIUS, offset, log_size, setting)


def detector_loss(output: DetectorOutput, truth: DetectorTargets) -> dict[str, Tensor]:
    """Return the parts of the detector's loss."""
    positive, n = truth.positive, truth.positive.sum().clamp_min(1)
    likely = output.objectness.sigmoid().detach()
    focal = torch.where(positive, 1 - likely, likely).square() * (positive | truth.negative)
    raw = F.binary_cross_entropy_with_logits(output.objectness, positive.float(), reduction="none")
    return {
        "objectness": 4 * (raw * focal).sum() / n,
        "offset": 0.3 * ((output.offset - truth.offset).abs().sum(1) * positive).sum() / n,
        "log_size": ((output.log_size - truth.log_size).abs().sum(1) * positive).sum() / n,
        "setting": 0.3 * F.cross_entropy(output.setting, truth.setting),
    }


def classifier_loss(output: ClassifierOutput, crops: Crops) -> dict[str, Tensor]:
    """Return the parts of the classifier's loss."""
    return {
        "noun": F.cross_entropy(output.noun, crops.noun),
        "color": 0.5 * masked_cross_entropy(output.color, crops.color),
        "style": masked_cross_entropy(output.style, crops.style),
    }


def batch(config: JudgeConfig, n: int, rng: Rng) -> tuple[Tensor, DetectorTargets, Tensor, Crops]:
    """Return n pictures (n, 3, 128, 128) and their targets, and their crops (m, 3, 36, 36) and theirs."""
    scenes = [cluttered_scene(rng, CLUTTER) for _ in range(n)]
    images = to_tensor([scene.image for scene in scenes], torch.device("cpu"))
    crops = sample_crops(scenes, config.positives, config.negatives, rng)
    blur_augment(images, crops, config.blur_p, rng)
    std = config.noise_std * rng.random((n, 1, 1, 1), np.float32)
    images += torch.from_numpy(std * rng.standard_normal(tuple(images.shape), np.float32))
    pieces = extract(images, crops, config.cutmix_p, config.color_jitter_p, rng)
    return images, detector_targets(scenes), pieces, crops


def _on(device: torch.device, targets: T) -> T:
    """Return targets whose tensors are on a device."""
    return type(targets)(*(getattr(targets, field.name).to(device) for field in fields(targets)))


def both(model: TwoStageDetector, images: Tensor, pieces: Tensor) -> tuple[DetectorOutput, ClassifierOutput]:
    """Return what the detector says of pictures, and the classifier of crops, whichever pictures they are of."""
    return model.detector(images), model.classifier(pieces)


def train(config: JudgeConfig, folder: Path) -> None:
    """Train, or continue training, the judge; writes folder/judge.safetensors."""
    torch.manual_seed(config.seed)
    run = Run(folder, config)
    model = TwoStageDetector(config.detector_width, config.classifier_width).to(run.device)
    if config.start_from:
        fill(model, read(Path(config.start_from)), config.start_from)
    if config.keep:
        getattr(model, config.keep).eval().requires_grad_(False)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model, both)
    for step in run.steps():
        images, wanted, pieces, crops = batch(config, run.batch, run.rng(step))
        with run.autocast():
            boxes, classes = forward(images.to(run.device), pieces.to(run.device))
        parts = detector_loss(boxes, _on(run.device, wanted)) | classifier_loss(classes, _on(run.device, crops))
        accuracy = (classes.noun.argmax(1).cpu() == crops.noun).float().mean()
        loss = torch.stack(list(parts.values())).sum()

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad, **parts, accuracy=accuracy)
        run.checkpoint(step)
    run.write(ema.model, folder / "judge.safetensors", pack=PACK_GENERATOR)
