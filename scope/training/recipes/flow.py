"""Train the flow-matching model on PAE latents (arXiv 2210.02747); t = 0 is data.

Scenes are drawn, encoded and captioned once (cached_latents.py) and noised afresh at every step. Two helps learn from
fewer pictures: the error counts more where a drawing stands, and the tokens half way up are classified by what their
cell shows (noun, colour, part), a semantic target in the manner of REPA (arXiv 2410.06940) for which the world has
exact truth; that head is thrown away.
"""

from pathlib import Path

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from scope.generators.flow import CFG_SCALE, SHIFT
from scope.generators.metadata import metadata_of
from scope.models.dit import DiT, velocity_fn
from scope.models.text_encoder import Conditioning, TextInput, encode
from scope.nn import samplers
from scope.nn.ema import EMA
from scope.nn.transformer import to_grid, to_tokens
from scope.nn.weights import PACK_GENERATOR, fill, read
from scope.tokenizers.pae import PAE
from scope.training.data.cached_latents import CELL_CLASSES, LatentConfig, drop_groups, latents_of, tokenizer_of
from scope.training.flow_matching import flow_loss, sample_cond_mask, sample_path
from scope.training.loop import Run
from scope.training.optimizers import adamw, warmup_cosine
from scope.worlds.pocket.vocabulary import CORE_VOCABULARY


class FlowConfig(LatentConfig):
    """The generator's recipe.

    `time_mean` and `time_std` are those of logit t: how many objects stand where is decided at t in [.9, .98], what
    each cell shows below that.
    """

    dim: int = 256
    depth: int = 5
    heads: int = 4
    time_mean: float = 2.2
    time_std: float = 1.2
    object_weight: float = 3.0  # of the error where a drawing stands; 1 elsewhere
    aux_weight: float = 0.5  # of the classification of cells
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
        scenes=8,
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


class FlowWithAuxHead(nn.Module):
    """The generator, and the head that classifies its tokens while it trains."""

    def __init__(self, dit: DiT) -> None:
        super().__init__()
        self.dit = dit
        self.head = nn.Sequential(nn.Linear(dit.dim, dit.dim), nn.SiLU(), nn.Linear(dit.dim, sum(CELL_CLASSES)))

    def forward(
        self, x_t: Tensor, t: Tensor, text: Conditioning, cond_mask: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Return (v like x_t (b, n, d), logits (b, n, sum of CELL_CLASSES))."""
        output = self.dit(x_t, t, text, cond_mask)
        return output.velocity, self.head(output.middle)


def cell_label_loss(logits: Tensor, cell_labels: Tensor, cond_mask: Tensor) -> Tensor:
    """Return the cross-entropy of cell labels over the samples that read their text; background counts .15.

    Shapes: logits (b, n, sum of CELL_CLASSES), cell_labels (b, 3, h, w), cond_mask (b,).
    """
    parts = []
    logits_of = torch.split(logits.float().transpose(1, 2), list(CELL_CLASSES), 1)
    for scores, labels in zip(logits_of, cell_labels.long().flatten(2).unbind(1), strict=True):
        weight = torch.where(labels == 0, 0.15, 1.0) * cond_mask[:, None]
        each = F.cross_entropy(scores, labels, reduction="none")
        parts.append((each * weight).sum() / weight.sum().clamp_min(1))
    return torch.stack(parts).mean()


@torch.no_grad()
def sample_grid(model: DiT, tokenizer: PAE, where: torch.device) -> Tensor:
    """Draw PROMPTS with fixed noise, 24 Euler steps, without commitment groups."""
    text = encode(PROMPTS).to(where)
    noise = torch.randn((len(PROMPTS), tokenizer.d, 8, 8), generator=torch.Generator().manual_seed(0)).to(where)
    x_0 = samplers.euler(velocity_fn(model, text, CFG_SCALE), to_tokens(noise), samplers.times(24, SHIFT))
    return tokenizer.decode(to_grid(x_0))


def train(config: FlowConfig, folder: Path) -> None:
    """Train, or continue training, the generator; writes folder/flow.safetensors."""
    torch.manual_seed(config.seed)
    tokenizer, tokenizer_sha256 = tokenizer_of(config)
    dit = DiT(tokenizer.d, dim=config.dim, depth=config.depth, heads=config.heads)
    if config.start_from:
        fill(dit, read(Path(config.start_from)), config.start_from)
    run = Run(folder, config)
    tokenizer = tokenizer.to(run.device)
    model = FlowWithAuxHead(dit).to(run.device)
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model)
    forward = torch.compile(forward) if config.compile else forward
    cache = latents_of(run, tokenizer)
    for step in run.steps():
        noise = run.torch_rng(step)
        chosen = torch.randint(len(cache), (run.batch,), generator=noise)
        text = drop_groups(cache.text(chosen), config.drop_groups, noise).to(run.device)
        x_0, labels = cache.latents[chosen].float().to(run.device), cache.cell_labels[chosen].to(run.device)
        path = sample_path(x_0, noise, config.time_mean, config.time_std)
        cond_mask = sample_cond_mask(run.batch, config.drop_text, noise).to(run.device)
        with run.autocast():
            v, logits = forward(to_tokens(path.x_t), path.t, text, cond_mask)
        weight = torch.where(to_tokens(labels[:, :1]) > 0, config.object_weight, 1.0)
        flow = flow_loss(v, to_tokens(path.velocity), weight)
        aux = cell_label_loss(logits, labels, cond_mask)
        loss = flow + config.aux_weight * aux

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad, flow=flow, aux=aux)
        if run.main and (step + 1) % 500 == 0:
            run.save_grid(f"{step + 1:06d}", sample_grid(ema.model.dit, tokenizer, run.device))
        run.checkpoint(step)
    metadata = metadata_of(CORE_VOCABULARY, tokenizer_sha256)
    run.write(ema.model.dit, folder / "flow.safetensors", pack=PACK_GENERATOR, metadata=metadata)
