"""What trainings of generators that are bound to regions share: their scenes, and what they ask of a prediction."""

from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import torch
from jaxtyping import Float
from torch import Tensor

from scope.models.binding import Binding, Heard
from scope.models.regions import Regions
from scope.nn.cells import covered
from scope.nn.weights import load_file, load_shipped
from scope.tokenizers import lapped
from scope.tokenizers.lapped import Lapped
from scope.training.data.bound_scenes import BoundScenes, load_or_build
from scope.training.loop import Run, TrainConfig

PROBED = 64  # scenes that are not trained on


class BoundConfig(TrainConfig):
    """What recipes on bound scenes have.

    `tokenizer` and `binding`: files of weights; without them, the shipped ones.
    """

    tokenizer: str = ""
    binding: str = ""
    wide: int = 1024  # of the binding: numbers of the code of a phrase in a style
    tokenizer_preset: str = "pocket"
    scenes: int = 60_000
    crowd_p: float = 0.6  # share of crowded scenes
    cache: str = ""  # a file of scenes that trainings share; else each keeps its own in its folder
    thing_weight: float = 3.0  # of the error where a thing stands; 1 elsewhere


B = TypeVar("B", bound=BoundConfig)


def tokenizer_of(config: BoundConfig) -> Lapped:
    """Return the frozen tokenizer of a recipe."""
    return lapped.load(Path(config.tokenizer) if config.tokenizer else None, config.tokenizer_preset)[0]


def frozen_of(config: BoundConfig) -> tuple[Lapped, Binding, dict[str, str]]:
    """Return the frozen tokenizer and binding of a recipe, and what tells them from others."""
    tokenizer = tokenizer_of(config)
    binding = Binding(tokenizer.size // tokenizer.patch, tokenizer.d, config.wide)
    sha256 = load_file(binding, Path(config.binding)) if config.binding else load_shipped(binding, "binding")
    return tokenizer, binding, {"latents": tokenizer.latents_sha256(), "binding": sha256}


@dataclass(frozen=True)
class HeardScenes:
    """Scenes, and what a frozen binding hears of their regions on the device `where`."""

    scenes: BoundScenes
    binding: Binding
    where: torch.device

    def __len__(self) -> int:
        return len(self.scenes)

    def tokens(self, chosen: Tensor) -> Tensor:
        """Return the latents of these scenes (b, n, d)."""
        return self.scenes.tokens(chosen)

    @torch.no_grad()
    def condition(self, chosen: Tensor, noise: torch.Generator, drop: float = 0.0) -> Heard:
        """Return what the cells of these scenes hear."""
        heard: Heard = self.binding(self.scenes.condition(chosen, noise).to(self.where))
        return heard


def scenes_of(run: Run[B], tokenizer: Lapped) -> BoundScenes:
    """Return the data of a training, made by its main process."""
    config = run.config
    path = Path(config.cache) if config.cache else run.folder / "scenes.pt"
    with run.first():
        return load_or_build(path, tokenizer, config.scenes, config.seed, config.crowd_p, run.device)


def cell_weight(regions: Regions, side: int, thing_weight: float) -> Tensor:
    """Return how much the error of each cell counts, (b, n, 1)."""
    return torch.where(of_things(regions, side), thing_weight, 1.0)[..., None]


def of_things(regions: Regions, side: int) -> Tensor:
    """Return which cells (b, n) show something of a thing."""
    return (covered(regions.boxes, side) * regions.mask[..., None]).amax(1) > 0.05


def r_squared(x_0: Float[Tensor, "b n d"], truth: Float[Tensor, "b n d"], asked: Tensor) -> float:
    """Return the share of the variance of `truth` in the cells `asked` (b, n) that x_0 has right."""
    wanted = truth[asked]
    error = (x_0[asked] - wanted).square().sum()
    return float(1 - error / (wanted - wanted.mean(0)).square().sum())
