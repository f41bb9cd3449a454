"""The models that `scope bench ntm` compares: one backbone, data, optimiser and number of pictures for all.

| row             | model                                                                                 |
|-----------------|---------------------------------------------------------------------------------------|
| `fm`            | flow matching                                                                         |
| `g0`            | a Gaussian step of fixed width                                                        |
| `g1`            | a Gaussian step of learned width                                                      |
| `g1_wide`       | `g1` with as many parameters as NTM                                                   |
| `ntm_scratch`   | NTM                                                                                   |
| `ntm`           | NTM that starts from flow matching, whose pictures come on top                        |
| `ntm_no_anchor` | `ntm` without its anchor                                                              |

All hear the regions of their scenes through the shipped binding, and learn from single pairs of neighbouring states.
"""

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import torch

from scope.generators.canvas import Frozen
from scope.generators.flow import SHIFT
from scope.generators.ntm import Shape, build
from scope.models.bound_dit import BoundDiT
from scope.models.ntm import NTM
from scope.nn.transformer import parameter_count
from scope.nn.weights import fill, read, write
from scope.tokenizers.lapped import Lapped
from scope.training.data.bound_scenes import BoundScenes
from scope.training.loop import Run
from scope.training.on_regions import HeardScenes
from scope.training.recipes import flow as flow_trainer
from scope.training.recipes import ntm as trainer

LEVELS = (1, 2, 4)
#: Row -> what it changes of the shape, and of the recipe. "fm" stands for the weights of flow matching.
ABLATIONS: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "g0": ({"flows": 0, "learned_sigma": False, "spread": 0.0}, {}),
    "g1": ({"flows": 0}, {}),
    "g1_wide": ({"flows": 0}, {}),
    "ntm_scratch": ({}, {}),
    "ntm": ({}, {"start_from": "fm"}),
    "ntm_no_anchor": ({}, {"start_from": "fm", "anchor": 0.0}),
}
#: Those whose trajectories are also denoised, and whose denoiser is distilled.
DECODED = ("ntm_scratch", "ntm")


@dataclass(frozen=True)
class Scale:
    """How much is trained and drawn."""

    name: str
    shape: Shape
    steps: int
    batch: int
    scenes: int  # to train on
    held_out: int  # prompts of each task, to draw and to compare with
    judged: int  # of the pictures of a row
    seeds: tuple[int, ...]

    @property
    def warmup(self) -> int:
        """Return the steps of warm-up."""
        return min(50, self.steps // 5)


_SHAPE = Shape(
    backbone="bound", levels=LEVELS, width=128, depth=2, heads=2, layers=2, transporter_width=128,
    transporter_heads=2, denoiser_width=128, denoiser_depth=1, denoiser_heads=2, shift=SHIFT,
)  # fmt: skip
FULL = Scale("bench-ntm", _SHAPE, steps=300, batch=16, scenes=8_000, held_out=25, judged=60, seeds=(0, 1))
QUICK = Scale("bench-ntm-quick", _SHAPE, steps=20, batch=8, scenes=256, held_out=3, judged=8, seeds=(0,))


def shape_of(scale: Scale, ablation: str) -> Shape:
    """Return the shape of a model; g1_wide has as many more layers as give it the parameters of NTM."""
    shape = scale.shape.model_copy(update=ABLATIONS[ablation][0])
    if ablation != "g1_wide":
        return shape
    # The denoiser is no part of it: it is trained later, for speed.
    target, depth = parameters(scale.shape), shape.depth
    while parameters(shape.model_copy(update={"depth": depth})) < target:
        depth += 1
    return shape.model_copy(update={"depth": depth})


@cache
def parameters(shape: Shape) -> int:
    """Return how many parameters a model of a shape has, without its denoiser."""
    model = build(shape)
    return parameter_count(model) - parameter_count(model.denoiser)


def train_flow(scale: Scale, folder: Path, scenes: BoundScenes, frozen: Frozen, seed: int) -> BoundDiT:
    """Return the flow-matching model of a seed; its weights are in folder/fm.safetensors."""
    torch.manual_seed(seed)
    shape = scale.shape
    recipe = flow_trainer.FlowConfig(
        steps=scale.steps, batch=scale.batch, lr=1e-3, warmup=scale.warmup, seed=seed, ema=0.99, dim=shape.width,
        depth=shape.depth, heads=shape.heads, dtype="bf16",
    )  # fmt: skip
    assert isinstance(frozen.tokenizer, Lapped)  # as `load_frozen` says
    model = flow_trainer.fit(Run(folder / "fm", recipe), scenes, frozen.binding, frozen.tokenizer)
    write(model, folder / "fm.safetensors")
    return model.eval()


def train(scale: Scale, folder: Path, scenes: HeardScenes, seed: int, ablation: str) -> NTM:
    """Return the trained model of an ablation and a seed, with its denoiser where that is compared."""
    torch.manual_seed(seed)
    base = trainer.NTMConfig(
        steps=scale.steps, batch=scale.batch, lr=5e-4, warmup=scale.warmup, seed=seed, ema=0.99, start_from="",
        pairs=True, denoiser_steps=max(1, scale.steps // 4), denoiser_batch=min(8, scale.batch), dtype="bf16",
    )  # fmt: skip
    recipe = base.model_copy(update=ABLATIONS[ablation][1])
    if recipe.start_from:
        recipe = recipe.model_copy(update={"start_from": str(folder / "fm.safetensors")})
    model = build(shape_of(scale, ablation))
    if recipe.start_from:
        assert isinstance(model.backbone, BoundDiT)  # as `_SHAPE` says
        fill(model.backbone, read(Path(recipe.start_from)), "fm")
    model = trainer.fit(Run(folder / ablation, recipe), scenes, model)
    if ablation not in DECODED:
        return model.eval()
    return trainer.distil(Run(folder / ablation / "denoiser", trainer.denoiser_config(recipe)), scenes, model)
