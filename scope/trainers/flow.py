"""Train the flow-matching model: v-prediction on PAE latents (arXiv 2210.02747), t = 0 is data.

Captions of a fixed pool are encoded once; their scenes are drawn afresh at every step. Each image serves
`repeats` times a step, with other noise, since drawing and encoding it costs about as much as one pass.
Scenes have no signs yet: the first weights do not write words.
"""

from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional as F

from scope.generators.flow import CFG_SCALE, SHIFT
from scope.nn import paths, samplers
from scope.nn.dit import DiT
from scope.nn.text import STATE_DIM, Conditioning, Words, encode
from scope.nn.weights import fill, load_shipped, read, write
from scope.tokenizers.pae import PAE
from scope.trainers import pae as pae_trainer
from scope.trainers.run import TrainConfig, TrainingRun, to_tensor
from scope.worlds.pocket import caption, compose, sample


class FlowConfig(TrainConfig):
    """The generator's recipe. `tokenizer`: a file of PAE weights; "": the shipped ones."""

    tokenizer: str = ""
    tokenizer_preset: str = "pocket"
    dim: int = 256
    depth: int = 6
    heads: int = 4
    captions: int = 16_000
    images: int = 24  # drawn per step; batch = images x repeats
    repeats: int = 2
    time_mean: float = 1.0  # of logit t: patches are told apart at t in [.65, .92], so that is where to practise
    drop_text: float = 0.1
    drop_groups: float = 0.1
    compile: bool = False
    start_from: str = ""  # a file of weights to start from; what it lacks keeps its own start


PRESETS = {
    "tiny": FlowConfig(
        steps=2,
        batch=4,
        images=2,
        lr=1e-3,
        tokenizer_preset="tiny",
        dim=32,
        depth=1,
        heads=2,
        captions=8,
        save_every=1,
        log_every=1,
    ),
    "pocket": FlowConfig(steps=2400, batch=48, lr=1e-3, seed=41, ema=0.9995, compile=True),
}

PROMPTS = (
    "a red apple", "a blue car on a beach", "two dogs in the snow", "a cat to the left of a tree",
    "three yellow stars at night", "a green turtle in a meadow", "a purple umbrella and a chair",
    "a house above a boat",
    "a donut", "an orange cat in a city", "four balloons", "a pink elephant in the desert",
    "a pizza in a room", "a bird to the right of a flower", "a white horse at sunset", "a cake in a forest",
)  # fmt: skip


class CaptionPool:
    """Plans, and their encoded captions in half precision."""

    def __init__(self, count: int, seed: int) -> None:
        random = np.random.default_rng((seed, 999_983))
        self.plans = [replace(sample(random, "train"), text=None) for _ in range(count)]
        captions = [caption(plan, random) for plan in self.plans]
        words = [Words(c.text, c.spans) for c in captions]
        self._codes: list[tuple[Tensor, Tensor]] = []
        for start in range(0, count, 256):
            code = encode(words[start : start + 256])
            for i, n in enumerate(code.mask.sum(1).tolist()):
                self._codes.append((code.states[i, :n].half(), code.groups[i, :n]))
        self.length = -(-max(len(s) for s, _ in self._codes) // 8) * 8

    def batch(self, indices: Sequence[int]) -> Conditioning:
        """Return the conditioning of these captions, all of one length."""
        states = torch.zeros(len(indices), self.length, STATE_DIM)
        groups = torch.zeros(len(indices), self.length, dtype=torch.long)
        mask = torch.zeros(len(indices), self.length, dtype=torch.bool)
        for row, i in enumerate(indices):
            state, group = self._codes[i]
            states[row, : len(state)], groups[row, : len(state)], mask[row, : len(state)] = state.float(), group, True
        return Conditioning(states, groups, mask, None)


def flow_loss(
    model: Callable[..., Tensor], x_0: Tensor, text: Conditioning, eps: Tensor, t: Tensor, keep: Tensor | None = None
) -> Tensor:
    """Return the mean squared error of the velocity. Shapes: x_0, eps (b, d, h, w); t, keep (b,)."""
    v = model(paths.noised(x_0, eps, t), t, text, keep)
    return F.mse_loss(v, paths.velocity(x_0, eps))


def tokenizer_of(config: FlowConfig) -> PAE:
    """Return the frozen tokenizer of a recipe."""
    pae = pae_trainer.untrained(pae_trainer.PRESETS[config.tokenizer_preset])
    if config.tokenizer:
        fill(pae, read(Path(config.tokenizer)), config.tokenizer)
        return pae.eval().requires_grad_(False)
    load_shipped(pae, "pae")
    return pae


@torch.no_grad()
def sample_grid(model: DiT, pae: PAE, where: torch.device) -> Tensor:
    """Draw PROMPTS with fixed noise, 24 Euler steps, without commitment groups."""
    text = encode([Words(p) for p in PROMPTS]).to(where)
    noise = torch.randn((len(PROMPTS), pae.d, 8, 8), generator=torch.Generator().manual_seed(0)).to(where)
    drop = torch.zeros(len(PROMPTS), dtype=torch.bool, device=where)

    def field(x: Tensor, t: Tensor) -> Tensor:
        return samplers.guided(model(x, t, text), model(x, t, text, drop), CFG_SCALE)

    images: Tensor = pae.decode(samplers.euler(field, noise, samplers.times(24, SHIFT)))
    return images


def train(config: FlowConfig, folder: Path) -> None:
    """Train, or continue training, the generator; writes folder/flow.safetensors."""
    torch.manual_seed(config.seed)
    pae = tokenizer_of(config)
    model = DiT(pae.d, dim=config.dim, depth=config.depth, heads=config.heads)
    if config.start_from:
        model.load_state_dict(read(Path(config.start_from)), strict=False)
    run = TrainingRun(folder, config, model)
    pae = pae.to(run.device)
    pool = CaptionPool(config.captions, config.seed)
    forward = torch.compile(model) if config.compile else model
    for step in run.steps():
        random, noise = run.rng(step), run.torch_rng(step)
        chosen = random.integers(0, config.captions, config.images)
        scenes = [compose(pool.plans[i], (config.seed, step, k)) for k, i in enumerate(chosen)]
        text = pool.batch(chosen.tolist())
        text.groups[torch.from_numpy(random.random(config.images) < config.drop_groups)] = 0
        with torch.no_grad(), run.autocast():
            x_0 = pae.encode(to_tensor([s.image for s in scenes], run.device)).float().repeat(config.repeats, 1, 1, 1)
        eps = torch.randn(x_0.shape, generator=noise).to(run.device)
        t = paths.logit_normal(len(x_0), noise, config.time_mean).to(run.device)
        keep = (torch.rand(len(x_0), generator=noise) >= config.drop_text).to(run.device)
        with run.autocast():
            loss = flow_loss(forward, x_0, text.repeat(config.repeats).to(run.device), eps, t, keep)
        run.update(loss)
        if step % 500 == 499:
            run.save_grid(f"{step + 1:06d}", sample_grid(run.ema.model, pae, run.device))
    print(write(run.ema.model, folder / "flow.safetensors"))
