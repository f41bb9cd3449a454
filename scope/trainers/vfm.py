"""Train the pocket VFM: name what each patch shows, with a third of the patches hidden."""

from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional as F

from scope.nn.weights import write
from scope.tokenizers.vfm import PocketVFM
from scope.trainers.run import TrainConfig, TrainingRun, to_tensor
from scope.worlds.catalogue import COLORS, CONCEPTS, SETTINGS
from scope.worlds.pocket import Scene, compose, sample

_NOUNS, _COLORS, _SETTINGS = list(CONCEPTS), list(COLORS), list(SETTINGS)
_PATCHES = 8


class VFMConfig(TrainConfig):
    """The recipe of the pocket VFM."""

    dim: int = 192
    depth: int = 4
    heads: int = 3
    hidden: float = 1 / 3


PRESETS = {
    "tiny": VFMConfig(steps=2, batch=4, lr=1e-3, dim=64, depth=1, heads=1, save_every=1, log_every=1),
    "pocket": VFMConfig(steps=1000, batch=48, lr=2e-3, seed=21),
}


def labels(scenes: list[Scene]) -> list[NDArray[np.int64]]:
    """Return noun, colour and setting classes of each patch, (b, 64) each, by which object's box covers it."""
    nouns = np.zeros((len(scenes), _PATCHES, _PATCHES), np.int64)
    colors, settings = np.zeros_like(nouns), np.zeros_like(nouns)
    for i, scene in enumerate(scenes):
        settings[i] = _SETTINGS.index(scene.plan.setting)
        for thing in scene.objects:
            x0, y0, x1, y1 = (edge // 16 for edge in thing.box)
            nouns[i, y0:y1, x0:x1] = 1 + _NOUNS.index(thing.noun)
            colors[i, y0:y1, x0:x1] = 2 + _COLORS.index(thing.color) if thing.color else 1
    return [a.reshape(len(scenes), -1) for a in (nouns, colors, settings)]


def train(config: VFMConfig, folder: Path) -> None:
    """Train, or continue training, the VFM; writes folder/vfm.safetensors."""
    torch.manual_seed(config.seed)
    run = TrainingRun(folder, config, model := PocketVFM(config.dim, config.depth, config.heads))
    for step in run.steps():
        random = run.rng(step)
        plans = [sample(random, "train", tuple(CONCEPTS)) for _ in range(config.batch)]
        scenes = [compose(plan, (config.seed, step, i)) for i, plan in enumerate(plans)]
        hidden = torch.from_numpy(random.random((config.batch, _PATCHES**2)) < config.hidden).to(run.device)
        images = to_tensor([s.image for s in scenes], run.device)
        truth = [torch.from_numpy(a).to(run.device) for a in labels(scenes)]
        with run.autocast():
            logits = model.label(images, hidden)
        parts: list[Tensor] = [F.cross_entropy(x.mT, t) for x, t in zip(logits, truth, strict=True)]
        things = truth[0] > 0
        right = (logits[0].argmax(-1) == truth[0])[things].float().mean()
        run.update(sum(parts, torch.zeros(())), noun=parts[0], color=parts[1], setting=parts[2], accuracy=right)
    print(write(run.ema.model, folder / "vfm.safetensors"))
