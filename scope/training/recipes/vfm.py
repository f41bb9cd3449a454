"""Train a pocket VFM: name what each cell shows. Its heads are thrown away."""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.nn.ema import EMA
from scope.tokenizers import vfm
from scope.training.data.tokenizer_images import CELL_CLASSES, World, tokenizer_images
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_cosine


class VFMConfig(TrainConfig):
    """The recipe of a backbone. `name` is what `scope.tokenizers.vfm.build` reads."""

    world: World = "scenes"
    name: str = "conv/16/192/2"
    images: int = 12_000


_CLOSEUP = VFMConfig(
    steps=1500,
    batch=64,
    lr=2e-3,
    seed=22,
    world="closeups",
    name="conv/4/96/2",
    images=16_000,
    ema=0.99,
    dtype="bf16",
)

PRESETS = {
    "tiny": VFMConfig(
        steps=2,
        batch=4,
        lr=1e-3,
        world="closeups",
        name="conv/4/32/1",
        images=16,
        save_every=1,
        log_every=1,
        dtype="fp32",
    ),
    "closeup": _CLOSEUP,
    "closeup-quick": _CLOSEUP.model_copy(update={"steps": 300, "images": 4_000}),
    "pocket": VFMConfig(steps=1500, batch=48, lr=2e-3, seed=23),
}


class DenseClassifier(nn.Module):
    """A backbone and a linear classifier of each of its tokens."""

    def __init__(self, backbone: nn.Module) -> None:
        super().__init__()
        self.backbone = backbone
        self.head = nn.Linear(int(backbone.dim), sum(CELL_CLASSES))  # type: ignore[arg-type]

    def forward(self, images: Tensor) -> list[Tensor]:
        """Return the logits (b, classes, n) of noun, colour and setting."""
        logits: Tensor = self.head(self.backbone(images)).float()
        return list(torch.split(logits.mT, list(CELL_CLASSES), 1))


def train(config: VFMConfig, folder: Path) -> None:
    """Train, or continue training, the backbone; writes folder/vfm.safetensors."""
    torch.manual_seed(config.seed)
    run = Run(folder, config)
    model = DenseClassifier(vfm.build(config.name)).to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model)
    data = tokenizer_images(config.world, config.images, config.seed)
    for step in run.steps():
        chosen = torch.randint(len(data), (run.batch,), generator=run.torch_rng(step))
        truth = data.cell_labels[chosen].flatten(2).long().to(run.device)
        with run.autocast():
            logits = forward(data.batch(chosen, run.device))
        parts = [F.cross_entropy(x, t) for x, t in zip(logits, truth.unbind(1), strict=True)]
        shown = truth[:, 0] > 0
        accuracy = (logits[0].argmax(1) == truth[:, 0])[shown].float().mean()
        loss = torch.stack(parts).sum()

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad, noun=parts[0], color=parts[1], setting=parts[2], accuracy=accuracy)
        run.checkpoint(step)
    run.write(ema.model.backbone, folder / "vfm.safetensors")
