"""Train the loop's detector on the pocket world, mostly on cluttered scenes (cluttered_scenes.py).

It never sees a generated image.

Loss: focal centre loss over cells + cross-entropy of noun, colour and setting + L1 of offset and size. The centre cell
is positive and its eight neighbours are ignored, since a centre can lie on the border of cells; they are asked where it
is, and how large its thing's ink. What it is all cells are asked that lie within one of its centre.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor
from torch.nn import functional as F

from scope.models.detector import CELL, NAMED, SIDE, SIGN, USUAL_SIDE, Detector, DetectorOutput, cell_centers
from scope.nn.boxes import Xywh
from scope.nn.ema import EMA
from scope.nn.images import to_tensor
from scope.nn.weights import PACK_GENERATOR, fill, read
from scope.tokenizers.pae import PAE
from scope.tokenizers.pae import load as load_tokenizer
from scope.training.data import augmentations as augment
from scope.training.data.cluttered_scenes import WORLD_VENDORS, Clutter, ClutteredScene, cluttered_scene, of_world
from scope.training.loop import Run, TrainConfig
from scope.training.losses import IGNORE, masked_cross_entropy
from scope.training.optimizers import adamw, warmup_cosine
from scope.worlds.pocket import compose, sample_whole
from scope.worlds.pocket.catalogue import COLOR_NAMES, SETTING_NAMES
from scope.worlds.pocket.rng import Rng

_BLUR_P = 0.3
_NEAR, _NAMED = 1.5, 1.0  # cells from a centre, under which a cell is asked where it is, and what
_CLUTTER = Clutter(WORLD_VENDORS, roomy_p=0.3)


class DetectorConfig(TrainConfig):
    """The detector's recipe."""

    width: int = 128
    depth: int = 4
    noise_std: float = 0.06  # the largest
    clutter_p: float = 0.75  # share of cluttered scenes; the others are scenes as the world draws them
    reconstruct_p: float = 0.0  # share of images that are seen as the shipped tokenizer keeps them
    color_jitter_p: float = 0.25  # share of images whose colours are mixed, so that nouns are known by their shape
    start_from: str = ""  # a file of weights to start from


PRESETS = {
    "tiny": DetectorConfig(steps=2, batch=4, lr=1e-3, width=16, depth=1, save_every=1, log_every=1, dtype="fp32"),
    "pocket": DetectorConfig(steps=3300, batch=48, lr=2e-3, seed=13),
    # On from other weights, as the shipped ones were; some pictures are as the tokenizer keeps them.
    "continued": DetectorConfig(
        steps=4000, batch=16, lr=1.5e-3, warmup=100, seed=17, ema=0.998, clutter_p=0.7, reconstruct_p=0.03,
        color_jitter_p=0.08, save_every=250,
    ),
}  # fmt: skip


def targets(scenes: list[ClutteredScene]) -> dict[str, Tensor]:
    """Return the maps that a perfect detector would give of scenes; IGNORE: not asked, in `near`: where sizes are."""
    maps = [_maps(scene) for scene in scenes]
    truth = {name: torch.stack([each[name] for each in maps]) for name in maps[0]}
    return truth | {"setting": torch.tensor([SETTING_NAMES.index(scene.setting) for scene in scenes])}


def _maps(scene: ClutteredScene) -> dict[str, Tensor]:
    centers, shape = cell_centers(), (SIDE, SIDE)
    center, far = torch.zeros(shape), torch.full(shape, torch.inf)
    noun, color = torch.full(shape, IGNORE), torch.full(shape, IGNORE)
    offset, log_size = torch.zeros(2, *shape), torch.zeros(2, *shape)
    for name, tint, (x, y, width, height) in _shown(scene):
        away = torch.tensor([x, y])[:, None, None] / CELL - centers
        nearer = away.abs().amax(0) < far
        far = torch.where(nearer, away.abs().amax(0), far)
        offset = torch.where(nearer, away, offset)
        size = torch.tensor([width, height]).div(USUAL_SIDE).log()
        log_size = torch.where(nearer, size[:, None, None], log_size)
        row, column = (min(SIDE - 1, int(at // CELL)) for at in (y, x))
        neighbours = center[max(0, row - 1) : row + 2, max(0, column - 1) : column + 2]
        neighbours[neighbours == 0] = IGNORE
        center[row, column] = 1
        named = nearer & (far < _NAMED)
        noun[named] = NAMED.index(name)
        color[named] = COLOR_NAMES.index(tint) if tint else IGNORE
    near = far < _NEAR
    return {"center": center, "near": near, "offset": offset, "log_size": log_size, "noun": noun, "color": color}


def _shown(scene: ClutteredScene) -> Iterator[tuple[str, str | None, Xywh]]:
    """Yield name, colour and box of the ink of each thing of a scene, and of its sign, in the order of their layers."""
    if scene.sign is not None:
        yield SIGN, None, scene.sign.box
    yield from ((shown.noun, shown.color, shown.ink) for shown in scene.objects)


def detector_loss(output: DetectorOutput, truth: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss and its parts."""
    counted, near = truth["center"] != IGNORE, truth["near"]
    positive = truth["center"] == 1
    raw = F.binary_cross_entropy_with_logits(output.center, truth["center"].clamp_min(0), reduction="none")
    focal = torch.where(positive, 1 - output.center.sigmoid(), output.center.sigmoid()).pow(1.5)
    parts = {
        "center": (raw * focal.detach() * counted).sum() / positive.sum().clamp_min(1) * 2,
        "noun": masked_cross_entropy(output.noun, truth["noun"]),
        "color": masked_cross_entropy(output.color, truth["color"]),
        "offset": ((output.offset - truth["offset"]).abs().sum(1) * near).sum() / near.sum().clamp_min(1) / 2,
        "log_size": ((output.log_size - truth["log_size"]).abs().sum(1) * near).sum() / near.sum().clamp_min(1),
        "setting": masked_cross_entropy(output.setting, truth["setting"]),
    }
    parts["setting"] = 0.3 * parts["setting"]
    return torch.stack(list(parts.values())).sum(), parts


def sample_scene(rng: Rng, clutter_p: float, seed: tuple[int, ...]) -> ClutteredScene:
    """Draw one training picture, as the loop may see it."""
    if rng.random() < clutter_p:
        return cluttered_scene(rng, _CLUTTER)
    return of_world(compose(sample_whole(rng), seed))


def batch(run: Run[DetectorConfig], step: int, tokenizer: PAE | None) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the images (b, 3, 128, 128) and the targets of a step."""
    config, rng, n = run.config, run.rng(step), run.batch
    scenes = [sample_scene(rng, config.clutter_p, (config.seed, step, i)) for i in run.samples]
    images = to_tensor([scene.image for scene in scenes], run.device)
    truth = {name: target.to(run.device) for name, target in targets(scenes).items()}
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
    run.write(ema.model, folder / "detector.safetensors", pack=PACK_GENERATOR)
