"""Train the loop's detector on the pocket world, mostly on crowded scenes (cluttered_scenes.py).

It never sees a generated image.

Loss: focal centre loss over cells + cross-entropy of noun, colour and setting + L1 of size. The centre cell
is positive and its eight neighbours are ignored, since a centre can lie on the border of cells.
"""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.random import Generator as Random
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from scope.models.detector import CELL, SIDE, Detector, Maps
from scope.nn.ema import EMA
from scope.nn.images import to_tensor
from scope.nn.weights import fill, read
from scope.tokenizers.pae import PAE
from scope.tokenizers.pae import load as load_tokenizer
from scope.training.data.cluttered_scenes import WORLD, crowd
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_cosine
from scope.worlds.pocket import Scene, compose, sample
from scope.worlds.pocket.catalogue import COLOR_NAMES, NOUNS, SETTING_NAMES

IGNORE = -100


class ObjectsConfig(TrainConfig):
    """The detector's recipe. `shift`: images are moved by up to this many pixels in half of the samples."""

    width: int = 128
    depth: int = 4
    shift: int = 6
    noise: float = 0.06
    crowded: float = 0.75  # share of crowds; the others are scenes as the world draws them
    kept: float = 0.0  # share of images that are seen as the shipped tokenizer keeps them
    start_from: str = ""  # a file of weights to start from
    strange: float = 0.25  # share of images whose colours are mixed at random, so that nouns are known by their shape


PRESETS = {
    "tiny": ObjectsConfig(steps=2, batch=4, lr=1e-3, width=16, depth=1, save_every=1, log_every=1, dtype="fp32"),
    "pocket": ObjectsConfig(steps=3300, batch=48, lr=2e-3, seed=13),
    # On from the weights of `pocket`, so that what the tokenizer blurs is known too.
    "kept": ObjectsConfig(steps=280, batch=48, lr=6e-4, seed=14, warmup=20, ema=0.99, kept=0.5, strange=0.1),
}


@dataclass(frozen=True)
class Picture:
    """What one training image shows: things as (noun, colour, centre x, centre y, side in pixels)."""

    image: NDArray[np.uint8]
    things: tuple[tuple[str, str | None, float, float, float], ...]
    setting: str


def crowded(random: Random) -> Picture:
    """Draw a crowd as the loop may see it."""
    drawn = crowd(random, WORLD)
    return Picture(drawn.image, tuple((m.noun, m.color, *m.box) for m in drawn.members), drawn.setting)


def plain(scene: Scene) -> Picture:
    """Return a scene of the world as a training picture."""
    boxes = [(o, o.xyxy_px) for o in scene.objects]
    things = ((o.noun, o.color, (x0 + x1) / 2, (y0 + y1) / 2, float(x1 - x0)) for o, (x0, y0, x1, y1) in boxes)
    return Picture(scene.image, tuple(things), scene.plan.setting)


def targets(pictures: list[Picture], shifts: NDArray[np.int64]) -> dict[str, Tensor]:
    """Return the maps that a perfect detector would give; -100 where nothing is asked."""
    shape = (len(pictures), SIDE, SIDE)
    center, side = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
    noun, color = np.full(shape, IGNORE), np.full(shape, IGNORE)
    for i, (picture, (dx, dy)) in enumerate(zip(pictures, shifts, strict=True)):
        for name, tint, x, y, extent in picture.things:
            column = int(np.clip((x + dx) // CELL, 0, SIDE - 1))
            row = int(np.clip((y + dy) // CELL, 0, SIDE - 1))
            near = center[i, max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
            near[near == 0] = IGNORE
            center[i, row, column] = 1
            noun[i, row, column] = NOUNS.index(name)
            color[i, row, column] = COLOR_NAMES.index(tint) if tint else IGNORE
            side[i, row, column] = extent / 64
    setting = np.array([SETTING_NAMES.index(p.setting) for p in pictures])
    arrays = {"center": center, "side": side, "noun": noun, "color": color, "setting": setting}
    return {name: torch.from_numpy(a) for name, a in arrays.items()}


def objects_loss(maps: Maps, truth: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss and its parts."""
    asked = truth["center"] != IGNORE
    positive = truth["center"] == 1
    raw = F.binary_cross_entropy_with_logits(maps.center, truth["center"].clamp_min(0), reduction="none")
    easy = torch.where(positive, 1 - maps.center.sigmoid(), maps.center.sigmoid()).pow(1.5)
    parts = {
        "center": (raw * easy.detach() * asked).sum() / positive.sum() * 2,
        "noun": _asked_cross_entropy(maps.noun, truth["noun"]),
        "color": _asked_cross_entropy(maps.color, truth["color"]),
        "side": F.l1_loss(maps.side[positive], truth["side"][positive]),
        "setting": _asked_cross_entropy(maps.setting, truth["setting"]),
    }
    loss = parts["center"] + parts["noun"] + parts["color"] + parts["side"] + 0.3 * parts["setting"]
    return loss, parts


def _asked_cross_entropy(logits: Tensor, truth: Tensor) -> Tensor:
    """Return the mean cross-entropy over what is asked; 0 where nothing is."""
    return F.cross_entropy(logits, truth, ignore_index=IGNORE, reduction="sum") / (truth != IGNORE).sum().clamp_min(1)


def picture(random: Random, config: ObjectsConfig, seed: tuple[int, ...]) -> Picture:
    """Draw one training picture."""
    if random.random() < config.crowded:
        return crowded(random)
    return plain(compose(sample(random, "train", NOUNS), seed))


@torch.no_grad()
def as_kept(tokenizer: PAE, images: Tensor, chosen: Tensor) -> Tensor:
    """Return images, those that are chosen (b,) as the tokenizer keeps them: as a generator could at best draw them."""
    changed = images.clone()
    changed[chosen] = tokenizer.decode(tokenizer.encode(images[chosen]))
    return changed


def batch(run: Run[ObjectsConfig], step: int, tokenizer: PAE | None) -> tuple[Tensor, dict[str, Tensor]]:
    """Return images and targets of a step: half of them moved a little, some of them noisy or blurred."""
    config, random = run.config, run.rng(step)
    pictures = [picture(random, config, (config.seed, step, i)) for i in run.samples]
    some = random.random((run.batch, 1)) < 0.5
    shifts = random.integers(-config.shift, config.shift + 1, (run.batch, 2)) * some
    moved = [np.roll(p.image, (dy, dx), (0, 1)) for p, (dx, dy) in zip(pictures, shifts, strict=True)]
    images = to_tensor(moved, run.device)
    if tokenizer is not None:
        images = as_kept(tokenizer, images, torch.from_numpy(random.random(run.batch) < config.kept).to(run.device))
    noise = torch.randn(images.shape, generator=run.torch_rng(step)).to(run.device)
    amount = torch.from_numpy(random.random((run.batch, 1, 1, 1)).astype(np.float32)).to(run.device)
    blurred = torch.from_numpy(random.random(run.batch) < 0.3).to(run.device)[:, None, None, None]
    images = torch.where(blurred, F.avg_pool2d(images, 3, 1, 1), images) + config.noise * amount * noise
    truth = {k: v.to(run.device) for k, v in targets(pictures, shifts).items()}
    strange = torch.from_numpy(random.random(run.batch) < config.strange).to(run.device)
    mixing = random.dirichlet((0.5, 0.5, 0.5), (run.batch, 3)) * random.choice((-1, 1), (run.batch, 1, 3))
    mixed = torch.einsum("bij,bjhw->bihw", torch.from_numpy(mixing.astype(np.float32)).to(run.device), images)
    truth["color"][strange], truth["setting"][strange] = IGNORE, IGNORE
    return torch.where(strange[:, None, None, None], mixed, images), truth


def train(config: ObjectsConfig, folder: Path) -> None:
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
    tokenizer = load_tokenizer()[0].to(run.device) if config.kept else None
    for step in run.steps():
        images, truth = batch(run, step, tokenizer)
        with run.autocast():
            maps = forward(images)
        loss, parts = objects_loss(maps, truth)
        positive = truth["noun"] != IGNORE
        right = (maps.noun.argmax(1) == truth["noun"])[positive].float().mean()

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad, **parts, noun_accuracy=right)
        run.checkpoint(step)
    run.write(ema.model, folder / "detector.safetensors")
