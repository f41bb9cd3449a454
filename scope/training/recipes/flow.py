"""Train the flow-matching model on PAE latents (arXiv 2210.02747); t = 0 is data.

Scenes are drawn, encoded and captioned once (cached_latents.py) and noised afresh at every step. Two helps learn from
fewer pictures: the error counts more where a drawing stands, and the tokens half way up are asked what their cell shows
(noun, colour, part), a semantic target in the manner of REPA (arXiv 2410.06940) for which the world has exact truth;
its head is thrown away.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.generators.flow import CFG_SCALE, SHIFT
from scope.models.dit import DiT
from scope.models.text_encoder import Conditioning, TextInput, encode
from scope.nn import paths, samplers
from scope.nn.ema import EMA
from scope.nn.weights import LARGE, fill, read
from scope.tokenizers import pae
from scope.tokenizers.pae import PAE
from scope.training.data import cached_latents as pools
from scope.training.loop import Run, TrainConfig
from scope.training.optimizers import adamw, warmup_cosine


class FlowConfig(TrainConfig):
    """The generator's recipe. `tokenizer`: a file of PAE weights; "": the shipped ones."""

    tokenizer: str = ""
    tokenizer_preset: str = "pocket"
    dim: int = 256
    depth: int = 5
    heads: int = 4
    pool: int = 60_000  # scenes
    single: float = 0.2  # share of scenes of one coloured thing, beside what the world draws
    signs: float = 0.2  # share of the others that get a sign, where they have room for one
    time_mean: float = 2.2  # of logit t: how many things stand where is decided at t in [.9, .98], what each cell shows
    time_std: float = 1.2  # below that
    things: float = 3.0  # weight of the error where a drawing stands; 1 elsewhere
    cells: float = 0.5  # weight of what each cell shows
    drop_text: float = 0.1
    drop_groups: float = 0.1
    compile: bool = False
    start_from: str = ""  # a file of weights to start from; what it lacks keeps its own start


PRESETS = {
    "tiny": FlowConfig(
        steps=2,
        batch=4,
        lr=1e-3,
        dim=32,
        depth=1,
        heads=2,
        pool=8,
        save_every=1,
        log_every=1,
        dtype="fp32",
    ),
    "pocket": FlowConfig(steps=12_000, batch=48, lr=1e-3, seed=41, ema=0.999, compile=True),
}

PROMPTS = (
    *map(
        TextInput,
        (
            "a red apple", "a blue car on a beach", "two dogs in the snow", "a cat to the left of a tree",
            "three yellow stars at night", "a green turtle in a meadow", "a purple umbrella and a chair",
            "a house above a boat", "a donut", "an orange cat in a city", "four balloons",
            "a pink elephant in the desert", "a pizza in a room", "a bird to the right of a flower",
            "a white horse at sunset",
        ),
    ),
    TextInput('a cake and a sign that says "OPEN"', quoted=("OPEN",)),
)  # fmt: skip


class Pupil(nn.Module):
    """The generator, and the head that says what each cell shows while it trains."""

    def __init__(self, dit: DiT) -> None:
        super().__init__()
        self.dit = dit
        self.head = nn.Sequential(nn.Linear(dit.dim, dit.dim), nn.SiLU(), nn.Linear(dit.dim, sum(pools.CELL_CLASSES)))

    def forward(
        self, x_t: Tensor, t: Tensor, text: Conditioning, cond_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return (v like x_t, logits (b, n, sum of CELL_CLASSES))."""
        v, half_way = self.dit.look(x_t, t, text, cond_mask)
        return v, self.head(half_way)


def flow_loss(v: Tensor, x_0: Tensor, eps: Tensor, weight: Tensor | float = 1.0) -> Tensor:
    """Return the squared error of the velocity, its mean weighted by `weight` (b, 1, h, w)."""
    weights = torch.as_tensor(weight, device=v.device).expand_as(v)
    return ((v - paths.velocity(x_0, eps)).square() * weights).sum() / weights.sum()


def cells_loss(logits: Tensor, cells: Tensor, cond_mask: Tensor) -> Tensor:
    """Return the cross-entropy of what each cell shows, background at .15, over the samples that read their text.

    Shapes: logits (b, n, sum of CELL_CLASSES), cells (b, 3, h, w), cond_mask (b,).
    """
    parts = []
    answers = torch.split(logits.float().transpose(1, 2), list(pools.CELL_CLASSES), 1)
    for scores, truth in zip(answers, cells.long().flatten(2).unbind(1), strict=True):
        weight = torch.where(truth == 0, 0.15, 1.0) * cond_mask[:, None]
        each = F.cross_entropy(scores, truth, reduction="none")
        parts.append((each * weight).sum() / weight.sum().clamp_min(1))
    return torch.stack(parts).mean()


def tokenizer_of(config: FlowConfig) -> PAE:
    """Return the frozen tokenizer of a recipe."""
    return pae.of(Path(config.tokenizer) if config.tokenizer else None, config.tokenizer_preset)


@torch.no_grad()
def sample_grid(model: DiT, tokenizer: PAE, where: torch.device) -> Tensor:
    """Draw PROMPTS with fixed noise, 24 Euler steps, without commitment groups."""
    text = encode(PROMPTS).to(where)
    noise = torch.randn((len(PROMPTS), tokenizer.d, 8, 8), generator=torch.Generator().manual_seed(0)).to(where)
    drop = torch.zeros(len(PROMPTS), dtype=torch.bool, device=where)

    def field(x: Tensor, t: Tensor) -> Tensor:
        return samplers.guided(model(x, t, text), model(x, t, text, drop), CFG_SCALE)

    images: Tensor = tokenizer.decode(samplers.euler(field, noise, samplers.times(24, SHIFT)))
    return images


def train(config: FlowConfig, folder: Path) -> None:
    """Train, or continue training, the generator; writes folder/flow.safetensors."""
    torch.manual_seed(config.seed)
    tokenizer = tokenizer_of(config)
    dit = DiT(tokenizer.d, dim=config.dim, depth=config.depth, heads=config.heads)
    if config.start_from:
        fill(dit, read(Path(config.start_from)), config.start_from)
    run = Run(folder, config)
    tokenizer = tokenizer.to(run.device)
    model = Pupil(dit).to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model)
    forward = torch.compile(forward) if config.compile else forward
    mix = pools.Mix(config.single, config.signs)
    with run.first():
        pool = pools.kept(folder / "pool.pt", tokenizer, config.pool, config.seed, mix, run.device)
    for step in run.steps():
        noise = run.torch_rng(step)
        chosen = torch.randint(len(pool), (run.batch,), generator=noise)
        text, cells = pool.text(chosen), pool.cells[chosen].to(run.device)
        text.groups[torch.rand(run.batch, generator=noise) < config.drop_groups] = 0
        x_0 = pool.latents[chosen].float().to(run.device)
        eps = torch.randn(x_0.shape, generator=noise).to(run.device)
        t = paths.logit_normal(len(x_0), noise, config.time_mean, config.time_std).to(run.device)
        cond_mask = (torch.rand(len(x_0), generator=noise) >= config.drop_text).to(run.device)
        with run.autocast():
            v, logits = forward(paths.add_noise(x_0, eps, t), t, text.to(run.device), cond_mask)
        weight = torch.where(cells[:, :1] > 0, config.things, 1.0)
        flow, shown = flow_loss(v, x_0, eps, weight), cells_loss(logits, cells, cond_mask)
        loss = flow + config.cells * shown

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad, flow=flow, cells=shown)
        if run.main and (step + 1) % 500 == 0:
            run.save_grid(f"{step + 1:06d}", sample_grid(ema.model.dit, tokenizer, run.device))
        run.checkpoint(step)
    run.write(ema.model.dit, folder / "flow.safetensors", pack=LARGE)
