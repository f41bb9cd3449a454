"""Train the network whose features compare sets of pictures (FD): classify a whole scene of the pocket world.

It is told which nouns and colours are in a scene, and not where, so their logits are the largest over positions. Loss:
cross-entropy of the nouns, each as likely as the others that are there; binary cross-entropy of each colour;
cross-entropy of the setting and of the number of objects, from the pooled vector.

Only what makes that vector is kept: the classifier is no judge.
"""

from collections.abc import Sequence
from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.models.features import FeatureNet
from scope.nn.ema import EMA
from scope.nn.images import to_tensor
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_cosine
from scope.worlds.pocket import Scene, compose, sample_whole
from scope.worlds.pocket.catalogue import COLOR_NAMES, MAX_COUNT, NOUNS, SETTING_NAMES

_MAX_OBJECTS = 2 * MAX_COUNT  # in a scene; more count as many
_CLASSES = (len(NOUNS), len(COLOR_NAMES), len(SETTING_NAMES), 1 + _MAX_OBJECTS)


class FeaturesConfig(TrainConfig):
    """The recipe of the feature network."""

    dim: int = 128


PRESETS = {
    "tiny": FeaturesConfig(steps=2, batch=4, lr=1e-3, dim=16, save_every=1, log_every=1, dtype="fp32"),
    "pocket": FeaturesConfig(steps=1300, batch=64, lr=3e-3, seed=41, warmup=100, ema=0.995),
}


class SceneClassifier(nn.Module):
    """The feature network, and a linear classifier of its last maps."""

    def __init__(self, dim: int) -> None:
        super().__init__()
        self.network = FeatureNet(dim)
        self.head = nn.Linear(dim, sum(_CLASSES))

    def forward(self, images: Tensor) -> dict[str, Tensor]:
        """Return the logits of nouns, colours, setting and number of objects, (b, classes) each."""
        positions = self.network.maps(images)[-1].flatten(2).mT
        nouns, colors, _, _ = self.head(positions).float().amax(1).split(_CLASSES, 1)
        _, _, setting, count = self.head(positions.mean(1)).float().split(_CLASSES, 1)
        return {"nouns": nouns, "colors": colors, "setting": setting, "count": count}


def targets(scenes: Sequence[Scene]) -> dict[str, Tensor]:
    """Return which nouns and colours are there, (b, classes) of 0 and 1, and setting and number of objects, (b,)."""
    nouns, colors = torch.zeros(len(scenes), len(NOUNS)), torch.zeros(len(scenes), len(COLOR_NAMES))
    for i, scene in enumerate(scenes):
        for shown in scene.objects:
            nouns[i, NOUNS.index(shown.noun)] = 1
            if shown.color:
                colors[i, COLOR_NAMES.index(shown.color)] = 1
    setting = torch.tensor([SETTING_NAMES.index(scene.plan.setting) for scene in scenes])
    count = torch.tensor([min(_MAX_OBJECTS, len(scene.objects)) for scene in scenes])
    return {"nouns": nouns, "colors": colors, "setting": setting, "count": count}


def features_loss(logits: dict[str, Tensor], truth: dict[str, Tensor]) -> tuple[Tensor, dict[str, Tensor]]:
    """Return the loss and its parts, each in nats a scene."""
    present = truth["nouns"].sum(1, keepdim=True)
    equal_shares = truth["nouns"] / present.clamp_min(1)  # a scene of nothing asks for no noun
    yes_no = F.binary_cross_entropy_with_logits(logits["colors"], truth["colors"], reduction="none")
    parts = {
        "nouns": F.cross_entropy(logits["nouns"], equal_shares),
        "colors": yes_no.sum(1).mean(),
        "setting": F.cross_entropy(logits["setting"], truth["setting"]),
        "count": F.cross_entropy(logits["count"], truth["count"]),
    }
    return torch.stack(list(parts.values())).sum(), parts


def accuracies(logits: dict[str, Tensor], truth: dict[str, Tensor]) -> dict[str, Tensor]:
    """Return the share of scenes whose likeliest noun is there, and whose setting and number of objects are right."""
    predicted = {name: logits[name].argmax(1) for name in ("nouns", "setting", "count")}
    return {
        "noun_accuracy": truth["nouns"].gather(1, predicted["nouns"][:, None]).mean(),
        "setting_accuracy": (predicted["setting"] == truth["setting"]).float().mean(),
        "count_accuracy": (predicted["count"] == truth["count"]).float().mean(),
    }


def train(config: FeaturesConfig, folder: Path) -> None:
    """Train, or continue training, the feature network; writes folder/features.safetensors."""
    torch.manual_seed(config.seed)
    run = Run(folder, config)
    model = SceneClassifier(config.dim).to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model)
    for step in run.steps():
        rng = run.rng(step)
        plans = [sample_whole(rng) for _ in range(run.batch)]
        scenes = [compose(plan, (config.seed, step, i)) for i, plan in zip(run.samples, plans, strict=True)]
        truth = {name: y.to(run.device) for name, y in targets(scenes).items()}
        with run.autocast():
            logits = forward(to_tensor([scene.image for scene in scenes], run.device))
        loss, parts = features_loss(logits, truth)

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad, **parts, **accuracies(logits, truth))
        run.checkpoint(step)
    run.write(ema.model.network, folder / "features.safetensors")
