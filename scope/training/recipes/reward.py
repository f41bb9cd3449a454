"""Train the reward's detector on cluttered scenes and on signs. It sees no generated image.

Its scenes are those of the train split, with the three styles in equal shares, by a seed of its own. Loss: focal loss
of the heat map (CornerNet, arXiv 1808.01244), L1 of offset and size around each centre, cross-entropy of the setting;
over boxes near things, signs and neither: cross-entropy of noun, colour and style, L1 of what mends the box; over
signs: CTC (Graves et al. 2006). A few pictures are blurred so much that nothing in them may be called by a name.
"""

from dataclasses import dataclass, fields
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scope.models.reward_detector import (  # fmt: skip
    CELLS,
    CHARACTERS,
    COLUMNS,
    NOTHING,
    SIGN,
    STRIDE,
    USUAL_SIDE,
    Classes,
    Proposals,
    RewardDetector,
    cell_centers,
    text_of,
)
from scope.nn.boxes import Xywh, pairwise_iou
from scope.nn.ema import EMA
from scope.nn.images import gaussian_blur, to_tensor
from scope.nn.weights import PACK_GENERATOR, fill, read
from scope.tokenizers.pae import PAE
from scope.tokenizers.pae import load as load_tokenizer
from scope.training.data import augmentations as augment
from scope.training.data.cluttered_scenes import Clutter, ClutteredScene, cluttered_scene, of_world, sign_scene
from scope.training.data.parts import part_of
from scope.training.loop import Run, TrainConfig
from scope.training.losses import IGNORE, masked_cross_entropy
from scope.training.optimizers import adamw, warmup_cosine
from scope.worlds.pocket import compose, sample_whole
from scope.worlds.pocket.catalogue import COLOR_NAMES, NOUNS, SETTING_NAMES, VENDORS
from scope.worlds.pocket.rng import Rng

#: Its cluttered scenes: the three vendors of the world alike, the held-out ones never; more signs than others have.
CLUTTER = Clutter((1 / 3, 1 / 3, 1 / 3, 0.0, 0.0), sign_p=0.2, roomy_p=0.3)

_SPREAD = 10  # how many of the heat map's standard deviations a thing is wide, and high
_SIGN_SPREAD = 0.06  # deviation of the logarithm of a sign's sides, whose edges can be seen
_BLUR_SIGMA = (2.0, 4.0)  # pixels
_PART_P = 0.5  # of the boxes that show no thing, those that show a part of one
_NOTHING_IOU = 0.4  # with any thing, under which a box shows none of them


class RewardConfig(TrainConfig):
    """The recipe of the reward's detector. `positives`, `negatives`: boxes a picture that show something, and none."""

    width: int = 48
    reader: int = 16
    positives: int = 7
    negatives: int = 2
    signs: int = 8  # pictures a step, besides, from which the reader learns
    clutter_p: float = 0.75  # share of cluttered scenes; the others are scenes as the world draws them
    blur_p: float = 0.04  # share of pictures in which nothing can be made out
    soft_p: float = 0.25  # share of pictures that are blurred a little, over 3 x 3 pixels
    reconstruct_p: float = 0.04  # share of pictures that are seen as the shipped tokenizer keeps them
    color_jitter_p: float = 0.1  # share of pictures whose colours are mixed, so that nouns are known by their shape
    noise_std: float = 0.05  # the largest
    start_from: str = ""  # a file of weights to start from


PRESETS = {
    "tiny": RewardConfig(
        steps=2, batch=4, lr=1e-3, width=12, reader=4, positives=3, negatives=1, signs=2, reconstruct_p=0.0,
        save_every=1, log_every=1, dtype="fp32",
    ),
    "pocket": RewardConfig(steps=2200, batch=16, lr=3e-3, warmup=100, seed=2027, ema=0.997, save_every=100),
    # On from other weights, as the shipped ones were.
    "continued": RewardConfig(
        steps=3400, batch=16, lr=2.5e-3, warmup=100, seed=2029, ema=0.998, positives=8, negatives=3, signs=4,
        color_jitter_p=0.06, clutter_p=0.7, reconstruct_p=0.03, save_every=250,
    ),
}  # fmt: skip


@dataclass
class Targets:
    """What a perfect detector would say of a batch: of cells, of the boxes that it is asked about, of signs."""

    heat: Tensor  # (b, 32, 32), 1 at a centre, falling around it
    near: Tensor  # (b, 32, 32): cells that are asked where the centre is, and how large the thing
    offset: Tensor  # (b, 2, 32, 32), in cells
    log_size: Tensor  # (b, 2, 32, 32)
    clear: Tensor  # (b,): pictures in which something can be made out
    setting: Tensor  # (b,)
    boxes: Tensor  # (b, r, 4)
    noun: Tensor  # (b, r)
    color: Tensor  # (b, r)
    style: Tensor  # (b, r)
    shift: Tensor  # (b, r, 4)

    def to(self, device: torch.device) -> "Targets":
        """Return the targets on a device."""
        return Targets(*(getattr(self, field.name).to(device) for field in fields(self)))


def targets(scenes: list[ClutteredScene], positives: int, negatives: int, rng: Rng) -> Targets:
    """Return the targets of scenes, and of boxes in them that are drawn at random."""
    cells = [cell_targets([box for box, *_ in shown_in(scene)]) for scene in scenes]
    boxes = [sample_boxes(scene, positives, negatives, rng) for scene in scenes]
    setting = torch.tensor([SETTING_NAMES.index(scene.setting) for scene in scenes])
    heat, near, offset, log_size = (torch.stack(part) for part in zip(*cells, strict=True))
    asked, noun, color, style, shift = (torch.stack(part) for part in zip(*boxes, strict=True))
    clear = torch.ones(len(scenes), dtype=torch.bool)
    return Targets(heat, near, offset, log_size, clear, setting, asked, noun, color, style, shift)


def cell_targets(boxes: list[Xywh]) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Return heat, which cells are near a centre, offset and log_size of a picture with these boxes."""
    centers = cell_centers()
    heat, nearest = torch.zeros(CELLS, CELLS), torch.full((CELLS, CELLS), torch.inf)
    offset, log_size = torch.zeros(2, CELLS, CELLS), torch.zeros(2, CELLS, CELLS)
    for x, y, width, height in boxes:
        away = (torch.tensor([x, y])[:, None, None] - centers) / STRIDE  # in cells
        spread = (torch.tensor([width, height]) / (_SPREAD * STRIDE)).clamp_min(0.7)[:, None, None]
        heat = torch.maximum(heat, torch.exp(-0.5 * (away / spread).square().sum(0)))
        column, row = (min(int(at // STRIDE), CELLS - 1) for at in (x, y))
        heat[row, column] = 1
        far = away.abs().amax(0)
        nearer = far < nearest
        nearest = torch.where(nearer, far, nearest)
        offset = torch.where(nearer, away, offset)
        size = torch.tensor([width, height]).div(USUAL_SIDE).log()[:, None, None]
        log_size = torch.where(nearer, size, log_size)
    return heat, nearest < 1.5, offset, log_size


def sample_boxes(
    scene: ClutteredScene, positives: int, negatives: int, rng: Rng
) -> tuple[Tensor, Tensor, Tensor, Tensor, Tensor]:
    """Choose boxes near things and signs, and others; return them, noun, colour, style, and what mends them."""
    shown = shown_in(scene)
    order = [int(i) for _ in range(-(-positives // len(shown))) for i in rng.permutation(len(shown))][:positives]
    true = [shown[i] for i in order]
    boxes = [near(box, rng) for box, *_ in true]
    shifts = [_shift(near, box) for near, (box, *_) in zip(boxes, true, strict=True)]
    boxes += [_beside([box for box, *_ in shown], rng) for _ in range(negatives)]
    classes = [tuple(rest) for _, *rest in true] + [(NOTHING, IGNORE, IGNORE)] * negatives
    noun, color, style = torch.tensor(classes).T
    shift = torch.tensor(shifts + [(0.0,) * 4] * negatives, dtype=torch.float32)
    return torch.tensor(boxes, dtype=torch.float32), noun, color, style, shift


def shown_in(scene: ClutteredScene) -> list[tuple[Xywh, int, int, int]]:
    """Return the box of the ink, noun, colour and style of each thing of a scene, and of its sign."""
    shown = [
        (o.ink, NOUNS.index(o.noun), _index(COLOR_NAMES, o.color), _index(VENDORS, o.style)) for o in scene.objects
    ]
    return [*shown, (scene.sign.box, SIGN, IGNORE, IGNORE)] if scene.sign else shown


def _index(names: tuple[str, ...], name: str | None) -> int:
    return names.index(name) if name in names else IGNORE


def near(box: Xywh, rng: Rng, spread: float = 0.08) -> Xywh:
    """Return a box as the first stage may propose it, `spread` off in size, and about a pixel besides."""
    x, y, width, height = box
    sides = np.array([width, height])
    dx, dy = (rng.normal(0, 1, 2).clip(-2.4, 2.4) * (0.04 * sides + 0.6)).tolist()
    wider, higher = np.exp(rng.normal(0, 1, 2).clip(-2.4, 2.4) * (spread + 1 / sides)).tolist()
    return x + dx, y + dy, width * wider, height * higher


def _shift(box: Xywh, true: Xywh) -> Xywh:
    """Return what mends a box: the inverse of `mended`."""
    x, y, width, height = box
    return (
        (true[0] - x) / width,
        (true[1] - y) / height,
        float(np.log(true[2] / width)),
        float(np.log(true[3] / height)),
    )


def _beside(boxes: list[Xywh], rng: Rng) -> Xywh:
    """Return a box that shows nothing well: a true one moved and resized, a part of one, or one of any place."""
    for _ in range(10):
        x, y, width, height = boxes[rng.integers(len(boxes))]
        dx, dy = rng.uniform(-0.9, 0.9, 2)
        times = rng.choice([0.45, 0.65, 1.0, 1.5, 2.0])
        box = (x + dx * width, y + dy * height, width * times, height * times)
        if rng.random() < _PART_P:
            box = part_of(boxes, rng)
        if pairwise_iou(torch.tensor([box]), torch.tensor(boxes)).max() < _NOTHING_IOU:
            return box
    return -20.0, -20.0, 24.0, 24.0


def proposal_loss(said: Proposals, truth: Targets) -> dict[str, Tensor]:
    """Return the parts of the loss of the first stage."""
    chance, peak = said.heat.sigmoid().clamp(1e-4, 1 - 1e-4), truth.heat == 1
    hit = (1 - chance).square() * chance.log() * peak
    miss = (1 - truth.heat).pow(4) * chance.square() * (1 - chance).log() * ~peak
    clear, near = truth.clear[:, None, None], truth.near & truth.clear[:, None, None]
    n, cells = (peak & clear).sum().clamp_min(1), near.sum().clamp_min(1)
    return {
        "heat": -((hit + miss) * clear).sum() / n,
        "offset": 0.2 * ((said.offset - truth.offset).abs().sum(1) * near).sum() / cells,
        "log_size": 0.5 * ((said.log_size - truth.log_size).abs().sum(1) * near).sum() / cells,
        "setting": 0.3 * F.cross_entropy(said.setting, truth.setting),
    }


def class_loss(said: Classes, truth: Targets) -> dict[str, Tensor]:
    """Return the parts of the loss of the second stage."""
    shown = truth.noun != NOTHING
    return {
        "noun": masked_cross_entropy(said.noun.flatten(0, 1), truth.noun.flatten()),
        "color": 0.5 * masked_cross_entropy(said.color.flatten(0, 1), truth.color.flatten()),
        "style": masked_cross_entropy(said.style.flatten(0, 1), truth.style.flatten()),
        "shift": ((said.shift - truth.shift).abs().sum(-1) * shown).sum() / shown.sum().clamp_min(1),
    }


def reading_loss(logits: Tensor, texts: list[str]) -> Tensor:
    """Return CTC of the columns of signs (n, 60, 37), in nats a character."""
    lengths = torch.tensor([len(text) for text in texts])
    wanted = torch.tensor([1 + CHARACTERS.index(c) for text in texts for c in text])
    columns = torch.full((len(texts),), COLUMNS)
    return F.ctc_loss(logits.log_softmax(2).transpose(0, 1), wanted, columns, lengths, zero_infinity=True)


def sample_scene(rng: Rng, clutter_p: float, seed: tuple[int, ...]) -> ClutteredScene:
    """Draw one training picture."""
    if rng.random() < clutter_p:
        return cluttered_scene(rng, CLUTTER)
    return of_world(compose(sample_whole(rng), seed))


def batch(
    run: Run[RewardConfig], step: int, tokenizer: PAE | None
) -> tuple[Tensor, Targets, Tensor, Tensor, list[str]]:
    """Return the images of a step and their targets; images of signs, where these are (n, 1, 4), and what they say."""
    config, rng, n = run.config, run.rng(step), run.batch
    scenes = [sample_scene(rng, config.clutter_p, (config.seed, step, i)) for i in run.samples]
    signs = [sign_scene(rng) for _ in range(config.signs)]
    truth = targets(scenes, config.positives, config.negatives, rng)
    images = to_tensor([scene.image for scene in (*scenes, *signs)], run.device)
    if tokenizer is not None:
        images = augment.reconstruct(images, augment.pick_share(rng, len(images), config.reconstruct_p), tokenizer)
    noise = augment.sample_noise(rng, run.torch_rng(step), images.shape, config.noise_std)
    images = augment.box_blur(images, augment.pick_share(rng, len(images), config.soft_p)) + noise.to(run.device)
    images, boards = images[:n], images[n:]
    said = [scene.sign for scene in signs if scene.sign]
    places = torch.tensor([[near(sign.box, rng, _SIGN_SPREAD)] for sign in said], dtype=torch.float32)
    _blur(images, truth, config.blur_p, rng)
    jittered = augment.pick_share(rng, n, config.color_jitter_p)
    truth.color[jittered], truth.style[jittered] = IGNORE, IGNORE
    images = augment.color_jitter(images, jittered, rng)
    return images, truth.to(run.device), boards, places.to(run.device), [sign.text for sign in said]


def _blur(images: Tensor, truth: Targets, p: float, rng: Rng) -> None:
    """Blur a share p of the pictures, in place: what their boxes show is nothing then."""
    for i in np.flatnonzero(rng.random(len(images)) < p).tolist():
        images[i] = gaussian_blur(images[i : i + 1], float(rng.uniform(*_BLUR_SIGMA)))[0]
        truth.noun[i], truth.color[i], truth.style[i], truth.clear[i] = NOTHING, IGNORE, IGNORE, False


def both(
    model: RewardDetector, images: Tensor, boxes: Tensor, boards: Tensor, places: Tensor
) -> tuple[Proposals, Classes, Tensor]:
    """Return what the model says of pictures, of boxes in them, and of signs at places (n, 1, 4) of others."""
    proposals = model(images)
    return proposals, model.classify(proposals, boxes), model.read(boards, places)


def train(config: RewardConfig, folder: Path) -> None:
    """Train, or continue training, the reward's detector; writes folder/reward.safetensors."""
    torch.manual_seed(config.seed)
    run = Run(folder, config)
    model = RewardDetector(config.width, config.reader).to(run.device)
    if config.start_from:
        fill(model, read(Path(config.start_from)), config.start_from)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model, both)
    tokenizer = load_tokenizer()[0].to(run.device) if config.reconstruct_p else None
    for step in run.steps():
        images, truth, boards, places, texts = batch(run, step, tokenizer)
        with run.autocast():
            proposals, classes, letters = forward(images, truth.boxes, boards, places)
        parts = proposal_loss(proposals, truth) | class_loss(classes, truth)
        parts["text"] = 0.05 * reading_loss(letters, texts)
        loss = torch.stack(list(parts.values())).sum()

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        shown = truth.noun < SIGN
        run.log(
            step, loss=loss, grad=grad, **parts,
            noun_accuracy=(classes.noun.argmax(-1) == truth.noun)[shown].float().mean(),
            read=float(np.mean([text_of(row) == text for row, text in zip(letters, texts, strict=True)])),
        )  # fmt: skip
        run.checkpoint(step)
    run.write(ema.model, folder / "reward.safetensors", pack=PACK_GENERATOR)
