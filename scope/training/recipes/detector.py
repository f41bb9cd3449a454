"""Train the loop's detector on the pocket world, mostly on cluttered scenes (cluttered_scenes.py).

It never sees a generated image.

Loss: focal centre loss over cells + cross-entropy of noun, colour and setting + L1 of size. The centre cell
is positive and its eight neighbours are ignored, since a centre can lie on the border of cells.
"""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from scope.models.detector import CELL, SIDE, Detector, DetectorOutput
from scope.nn.ema import EMA
from scope.nn.images import to_tensor
from scope.nn.weights import fill, read
from scope.tokenizers.pae import PAE
from scope.tokenizers.pae import load as load_tokenizer
from scope.training.data import augmentations as augment
from scope.training.data.cluttered_scenes import WORLD_VENDORS, Clutter, ClutteredScene, cluttered_scene, of_world
from scope.training.loop import Run, TrainConfig
from scope.training.losses import IGNORE, masked_cross_entropy
from scope.training.optimizers import adamw, warmup_cosine
from scope.worlds.pocket import compose, sample
from scope.worlds.pocket.catalogue import COLOR_NAMES, NOUNS, SETTING_NAMES
from scope.worlds.pocket.rng import Rng

_BLUR_P = 0.3


class DetectorConfig(TrainConfig):
    """The detector's recipe. `shift`: images are moved by up to this many pixels in half of the samples."""

    width: int = 128
    depth: int = 4
    shift: int = 6
    noise_std: float = 0.06  # the largest
    clutter_p: float = 0.75  # share of cluttered scenes; the others are scenes as the world draws them
    reconstruct_p: float = 0.0  # share of images that are seen as the shipped tokenizer keeps them
    color_jitter_p: float = 0.25  # share of images whose colours are mixed, so that nouns are known by their shape
    start_from: str = ""  # a file of weights to start from


PRESETS = {
    "tiny": DetectorConfig(steps=2, batch=4, lr=1e-3, width=16, depth=1, save_every=1, log_every=1, dtype="fp32"),
    "pocket": DetectorConfig(steps=3300, batch=48, lr=2e-3, seed=13),
    # On from the weights of `pocket`, so that what the tokenizer blurs is known too.
    "reconstructed": DetectorConfig(
        steps=280, batch=48, lr=6e-4, seed=14, warmup=20, ema=0.99, reconstruct_p=0.5, color_jitter_p=0.1
    ),
}


def targets(scenes: list[ClutteredScene], shifts: NDArray[np.int64]) -> dict[str, Tensor]:
    """Return the maps that a perfect detector would give of scenes moved by `shifts` (b, 2); IGNORE: not asked."""
    shape = (len(scenes), SIDE, SIDE)
    center, side = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    noun, color = np.full(shape, IGNORE), np.full(shape, IGNORE)
    for i, (scene, (dx, dy)) in enumerate(zip(scenes, shifts, strict=True)):
        for shown in scene.objects:
            x, y, *sides = shown.box
            side_px = max(sides)
            column = int(np.clip((x + dx) // CELL, 0, SIDE - 1))
            row = int(np.clip((y + dy) // CELL, 0, SIDE - 1))
            neighbours = center[i, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            neighbours[neighbours == 0] = IGNORE
            center[i, row, column] = 1
            noun[i, row, column] = NOUNS.index(shown.noun)
            color[i, row, column] = COLOR_NAMES.index(shown.color) if shown.color else IGNORE
            side[i, row, column] = side_px / 64
    setting = np.array([SETTING_NAMES.index(scene.setting) for scene in scenes])
    arrays = {"center": center, "side": side, "noun": noun, "color": color, "setting": setting}
    return {name: torch.from_numpy(a) for name, a in arrays.items()}


def detector_loss(output: DetectorOutput, truth: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss and its parts."""
    counted = truth["center"] != IGNORE
    positive = truth["center"] == 1
    raw = F.binary_cross_entropy_with_logits(output.center, truth["center"].clamp_min(0), reduction="none")
    focal = torch.where(positive, 1 - output.center.sigmoid(), output.center.sigmoid()).pow(1.5)
    parts = {
        "center": (raw * focal.detach() * counted).sum() / positive.sum() * 2,
        "noun": masked_cross_entropy(output.noun, truth["noun"]),
        "color": masked_cross_entropy(output.color, truth["color"]),
        "side": F.l1_loss(output.side[positive], truth["side"][positive]),
        "setting": masked_cross_entropy(output.setting, truth["setting"]),
    }
    loss = parts["center"] + parts["noun"] + parts["color"] + parts["side"] + 0.3 * parts["setting"]
    return loss, parts


def sample_scene(rng: Rng, clutter_p: float, seed: tuple[int, ...]) -> ClutteredScene:
    """Draw one training picture, as the loop may see it."""
    if rng.random() < clutter_p:
        return cluttered_scene(rng, Clutter(WORLD_VENDORS))
    return of_world(compose(sample(rng, "train", NOUNS), seed))


def batch(run: Run[DetectorConfig], step: int, tokenizer: PAE | None) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the images (b, 3, 128, 128) and the targets of a step."""
    config, rng, n = run.config, run.rng(step), run.batch
    scenes = [sample_scene(rng, config.clutter_p, (config.seed, step, i)) for i in run.samples]
    shifts = augment.sample_shifts(rng, n, config.shift)
    images = to_tensor(augment.shift([scene.image for scene in scenes], shifts), run.device)
    truth = {name: target.to(run.device) for name, target in targets(scenes, shifts).items()}
    if tokenizer is not None:
        images = augment.reconstruct(images, augment.pick_share(rng, n, config.reconstruct_p), tokenizer)
    noise = augment.sample_noise(rng, run.torch_rng(step), images.shape, config.noise_std)
    images = augment.box_blur(images, augment.pick_share(rng, n, _BLUR_P)) + noise.to(run.device)
    jittered = augment.pick_share(rng, n, config.color_jitter_p)
    truth["color"][jittered], truth["setting"][jittered] = IGNORE, IGNORE
    return augment.color_jitter(images, jittered, rng), truth


def train(config: DetectorConfig, folder: Path) -> None:
    """Train, or continue training, the detector; writes folder/detector.safetensors."""
    torch.manual_seed(config.seed)
    run = Run(folder, config)
    model = Detector(config.width, config.depth).to(run.device)
    if config.start_from:
        fill(model, read(Path(config.start_from)), config.start_from)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model)
    tokenizer = load_tokenizer()[0].to(run.device) if config.reconstruct_p else None
    for step in run.steps():
        images, truth = batch(run, step, tokenizer)
        with run.autocast():
            output = forward(images)
        loss, parts = detector_loss(output, truth)
        positive = truth["noun"] != IGNORE
        accuracy = (output.noun.argmax(1) == truth["noun"])[positive].float().mean()

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad, **parts, noun_accuracy=accuracy)
        run.checkpoint(step)
    run.write(ema.model, folder / "detector.safetensors")
