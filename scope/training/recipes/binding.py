"""Train the binding alone (models/binding.py): what regions say of a picture, before any noise is taken from one.

First on drawings alone, whose every point says what a map is to hold: a hundred of them cost as much as a scene. Then
on scenes, a regression from regions to latents, which adds what lies over what, settings and letters. Both bound
generators rest on its weights.
"""

from pathlib import Path

import torch
from torch import Tensor

from scope.models.binding import Binding, Heard
from scope.models.regions import Regions
from scope.nn.ema import EMA
from scope.nn.transformer import to_grid, to_tokens, unpatchify
from scope.nn.weights import PACK_TOKENIZER, fill, read
from scope.tokenizers.base import Autoencoder
from scope.training.data.bound_scenes import words
from scope.training.data.drawings import Said, all_drawings
from scope.training.loop import Run
from scope.training.on_regions import PROBED, BoundConfig, cell_weight, of_things, r_squared, scenes_of, tokenizer_of
from scope.training.optimizers import adamw, warmup_linear


class BindingConfig(BoundConfig):
    """The recipe. `alone`: of the steps, the first ones, on so many `drawings` each; the others are on scenes.

    `start_from`: a file of weights of a binding, perhaps to another tokenizer or of fewer settings: all but its
    sketch is taken, and its settings if their axes were fewer.
    """

    alone: int = 0
    drawings: int = 128
    start_from: str = ""


PRESETS = {
    "tiny": BindingConfig(
        steps=2, batch=4, lr=1e-3, wide=32, scenes=8, save_every=1, log_every=1, dtype="fp32", alone=1, drawings=4
    ),
    "pocket": BindingConfig(
        steps=6_200, batch=16, scenes=60_000, lr=3e-3, warmup=60, seed=50, ema=0.995, alone=4_000
    ),
}  # fmt: skip


@torch.no_grad()
def read_of(tokenizer: Autoencoder) -> tuple[Tensor, Tensor]:
    """Return the affine map from the pixels of a cell (3 * patch**2) to its latents: weight (d, pixels), bias (d,)."""
    pixels, cells = 3 * tokenizer.patch**2, (tokenizer.size // tokenizer.patch) ** 2
    lit = torch.eye(pixels).view(-1, cells, pixels)
    dark = to_tokens(tokenizer.encode(torch.zeros(1, 3, tokenizer.size, tokenizer.size)))[0, 0]
    said = to_tokens(tokenizer.encode(unpatchify(lit, tokenizer.patch, tokenizer.size))).flatten(0, 1)
    return (said - dark).T, dark


@torch.no_grad()
def start(model: Binding, tokenizer: Autoencoder, start_from: str) -> None:
    """Fit the axes of words or take what another binding lays, and sketch as the tokenizer reads."""
    model.fit(words())
    if start_from:
        learnt, own = read(Path(start_from)), model.state_dict()
        same = learnt["settings.axes"].shape == own["settings.axes"].shape
        anew = ("sketch.",) if same else ("sketch.", "setting.", "settings.")
        taken = {name: value for name, value in learnt.items() if not name.startswith(anew)}
        fill(model, {name: value for name, value in own.items() if name.startswith(anew)} | taken, start_from)
    model.read_as(*read_of(tokenizer))


def says(model: Binding, asked: Said | Regions) -> Tensor:
    """Return what a binding alone says: of drawings, their points (p, 4, s, s); of scenes, their latents (b, n, d)."""
    if isinstance(asked, Said):
        return model.layers(asked.phrases, asked.looks, asked.styles, asked.references).float()
    heard: Heard = model(asked)
    return heard.x_0


def train(config: BindingConfig, folder: Path) -> None:
    """Train, or continue training, a binding; writes folder/binding.safetensors."""
    torch.manual_seed(config.seed)
    tokenizer = tokenizer_of(config)
    run = Run(folder, config)
    model = Binding(tokenizer.size // tokenizer.patch, tokenizer.d, config.wide)
    start(model, tokenizer, config.start_from)
    tokenizer, model = tokenizer.to(run.device), model.to(run.device)
    optimizer, ema = adamw(model, config, betas=(0.9, 0.97)), EMA(model, config.ema)
    schedule = warmup_linear(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(model, says)
    drawings, scenes = all_drawings(), scenes_of(run, tokenizer)
    probed = torch.arange(min(PROBED, len(scenes) // 2))
    for step in run.steps():
        noise = run.torch_rng(step)
        if step < config.alone:
            truth, said = drawings.sample(config.drawings // run.processes, noise)
            with run.autocast():
                error = forward(said.to(run.device)) - truth.to(run.device)
            loss = error.square().mean()
        else:
            chosen = torch.randint(len(probed), len(scenes), (run.batch,), generator=noise)
            truth, regions = scenes.tokens(chosen), scenes.condition(chosen, noise).to(run.device)
            with run.autocast():
                error = forward(regions) - truth.to(run.device)
            loss = (error.square() * cell_weight(regions, model.side, config.thing_weight)).mean()

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad)
        if run.main and (step + 1) % 500 == 0:
            regions = scenes.regions(probed).to(run.device)
            with torch.no_grad():
                x_0 = says(ema.model, regions)
                run.save_grid(f"{step + 1:06d}", tokenizer.decode(to_grid(x_0[:32])))
            run.note(step, r2=r_squared(x_0.cpu(), scenes.tokens(probed), of_things(regions, model.side).cpu()))
        run.checkpoint(step)
    run.write(ema.model, folder / "binding.safetensors", pack=PACK_TOKENIZER)
