"""Train NTM (Normalizing Trajectory Models, arXiv 2605.08078) on latents of scenes, then distil its denoiser.

    L = sum over k of -log p(x_{k-1} | x_k, y) / dimensions + anchor(step) mean (mu_P - mu_FM)^2

One step draws whole trajectories of T states (end to end; T is drawn for the batch), or one pair of neighbours of each
trajectory (`pairs`; T is drawn for each sample, and the pair counts T-fold). A model that starts from a flow-matching
one (`start_from`) is held near the mean of that one, frozen and in x-space, by a weight that falls as a cosine from
2.5 to 0; without it the paper sees the training diverge. The clean end of a trajectory lies at t in [0.01, 0.05]:
nearer to 0 the last step's deviation, and with it the likelihood, has no floor (the paper draws from [0, 0.05]).

The denoiser g_phi (3.9) then learns from true trajectories what trajectory denoising makes of them, the rest frozen.
"""

import copy
import math
from pathlib import Path
from typing import Any, Protocol

import torch
from torch import Tensor
from torch.nn import functional as F

from scope.errors import UsageError
from scope.generators.metadata import metadata_of
from scope.generators.ntm import PRESETS as SHAPES
from scope.generators.ntm import T_MIN, build, predictor
from scope.models import diffusers_backbone, ntm
from scope.models.backbone import Condition
from scope.models.ntm import NTM
from scope.nn import trajectory
from scope.nn.ema import EMA
from scope.nn.transformer import to_grid
from scope.nn.weights import PACK_GENERATOR, fill, read
from scope.tokenizers.base import Autoencoder
from scope.training.data.cached_latents import LatentCache
from scope.training.flow_matching import sample_cond_mask
from scope.training.loop import Run
from scope.training.on_regions import PROBED, BoundConfig, HeardScenes, frozen_of, scenes_of
from scope.training.optimizers import adamw, warmup_cosine
from scope.weights import expected, weights_path
from scope.worlds.pocket.vocabulary import VOCABULARY


class Data(Protocol):
    """Latents of scenes, and what a backbone reads of them."""

    def __len__(self) -> int:
        """Return how many there are."""

    def tokens(self, chosen: Tensor) -> Tensor:
        """Return the latents of these scenes (b, n, d)."""

    def condition(self, chosen: Tensor, noise: torch.Generator, drop: float) -> Condition:
        """Return what is read of these scenes; `drop`: a share that does not read which words belong together."""


class NTMConfig(BoundConfig):
    """The recipe of both stages.

    `start_from`: a file of flow-matching weights, "flow" for the shipped ones, a folder of a transformer of diffusers,
    or "" for none.
    """

    model: str = "pocket"  # of scope.generators.ntm.PRESETS
    start_from: str = "flow"
    pairs: bool = False
    t_min_low: float = 0.01  # the clean end of a trajectory is drawn between these two times
    t_min_high: float = 0.05
    anchor: float = 2.5
    denoiser_steps: int = 1_000
    denoiser_lr: float = 5e-4
    denoiser_batch: int = 12  # whole trajectories, each with gradients through every step
    drop_text: float = 0.0  # share of samples that do not read their condition
    drop_groups: float = 0.0  # share that do not read which words belong to one object
    compile: bool = False


PRESETS = {
    "tiny": NTMConfig(
        steps=2, batch=4, lr=1e-3, model="tiny", start_from="", scenes=8, wide=32, denoiser_steps=2, save_every=1,
        log_every=1, dtype="fp32",
    ),
    "pocket": NTMConfig(
        steps=1_500, batch=16, scenes=60_000, lr=5e-4, warmup=100, seed=61, ema=0.997, weight_decay=1e-4, pairs=True,
        denoiser_steps=100, denoiser_batch=8,
    ),
    # Needs latents.pt in its folder: a `LatentCache` of 16x16x32 latents and Qwen2.5-VL's text states.
    "full": NTMConfig(
        steps=100_000, batch=1024, lr=1e-4, model="full", start_from="", ema=0.9999,
        weight_decay=1e-4, denoiser_batch=1024, drop_text=0.1, drop_groups=0.1,
    ),
}  # fmt: skip


# -- data ----------------------------------------------------------------------------------------


def trajectories(config: NTMConfig, model: NTM, x_0: Tensor, noise: torch.Generator) -> tuple[Tensor, Tensor, Tensor]:
    """Return states (K + 1, b, n, c) of clean tokens x_0, their times (K + 1, b), and the numbers of steps T (b,).

    K is T, one for all, or 1 where single pairs are asked for.
    """
    b, n, _ = x_0.shape
    t_min = config.t_min_low + (config.t_min_high - config.t_min_low) * torch.rand(b, generator=noise)
    if not config.pairs:
        T = torch.tensor(model.levels)[torch.randint(len(model.levels), (1,), generator=noise)].expand(b)
        t = model.times(int(T[0]), n, t_min)
    else:
        T = torch.tensor(model.levels)[torch.randint(len(model.levels), (b,), generator=noise)]
        k = (T * torch.rand(b, generator=noise)).long()
        t = torch.zeros(2, b)
        for level in model.levels:
            rows = torch.arange(b)[T.eq(level)]
            times = model.times(level, n, t_min)
            t[:, rows] = torch.stack([times[k[rows], rows], times[k[rows] + 1, rows]])
    return trajectory.chain(x_0, t, torch.randn((len(t), *x_0.shape), generator=noise)), t, T


# -- the loops -----------------------------------------------------------------------------------


def ntm_loss(
    model: NTM, base: NTM | None, weight: float, x: Tensor, t: Tensor, T: Tensor, text: Condition, cond_mask: Tensor
) -> tuple[Tensor, Tensor]:
    """Return the negative log-likelihood of trajectories in nats a dimension, and the loss, which has the anchor, too.

    The anchor is `weight` times the squared distance of the predicted means from those of `base`, which sees x, not u.
    """
    reverse, K = ntm.reverse_steps(model, x, t, T, text, cond_mask), len(x) - 1
    nll = (reverse.nll() * T / K).sum(0).mean() / x[0, 0].numel()
    if base is None or weight == 0:
        return nll, nll
    with torch.no_grad():
        anchor = base.predict(
            x[1:].flatten(0, 1), t[1:].flatten(), t[:-1].flatten(), T.repeat(K), text.repeat(K), cond_mask.repeat(K)
        )  # fmt: skip
    return nll, nll + weight * F.mse_loss(reverse.steps.mean, anchor.mean)


def fit(run: Run[NTMConfig], data: Data, model: NTM, tokenizer: Autoencoder | None = None) -> NTM:
    """Train, or continue training, all but the denoiser; return the averaged model. A tokenizer draws samples."""
    config, model = run.config, model.to(run.device)
    base = copy.deepcopy(model).requires_grad_(False) if config.start_from else None
    optimizer, ema = adamw(model, config), EMA(model, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=model, optimizer=optimizer, schedule=schedule, ema=ema)
    probed = min(PROBED, len(data) // 2)  # scenes that are not trained on
    loss_of = run.parallel(model, torch.compile(ntm_loss) if config.compile else ntm_loss)
    for step in run.steps():
        noise, where = run.torch_rng(step), run.device
        chosen = torch.randint(probed, len(data), (run.batch,), generator=noise)
        x, t, T = (part.to(where) for part in trajectories(config, model, data.tokens(chosen), noise))
        text = data.condition(chosen, noise, config.drop_groups).to(where)
        cond_mask = sample_cond_mask(run.batch, config.drop_text, noise).to(where)
        weight = config.anchor * 0.5 * (1 + math.cos(math.pi * step / config.steps))
        with run.autocast():
            nll, loss = loss_of(base, weight, x, t, T, text, cond_mask)

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(model)
        optimizer.step()
        schedule.step()
        ema.update(model, step)

        run.log(step, loss=loss, grad=grad, nll=nll)
        if run.main and tokenizer is not None and (step + 1) % 500 == 0:
            text = data.condition(torch.arange(min(32, probed)), run.torch_rng(0), 0.0).to(where)
            run.save_grid(f"{step + 1:06d}", sample_grid(ema.model, tokenizer, text, min(32, probed)))
        run.checkpoint(step)
    return ema.model


def denoiser_config(config: NTMConfig) -> NTMConfig:
    """Return the recipe of the second stage."""
    changed = {"steps": config.denoiser_steps, "lr": config.denoiser_lr, "batch": config.denoiser_batch, "pairs": False}
    return config.model_copy(update=changed)


def distil(run: Run[NTMConfig], data: Data, model: NTM) -> NTM:
    """Train, or continue training, the denoiser of a trained model; return the model with it."""
    config, model = run.config, model.eval().requires_grad_(False).to(run.device)
    denoiser = copy.deepcopy(model.denoiser).train().requires_grad_()
    optimizer, ema = adamw(denoiser, config), EMA(denoiser, config.ema)
    schedule = warmup_cosine(optimizer, config)
    run.track(model=denoiser, optimizer=optimizer, schedule=schedule, ema=ema)
    forward = run.parallel(denoiser)
    probed = min(PROBED, len(data) // 2)
    for step in run.steps():
        noise, where = run.torch_rng(step), run.device
        chosen = torch.randint(probed, len(data), (run.batch,), generator=noise)
        x, t, T = (part.to(where) for part in trajectories(config, model, data.tokens(chosen), noise))
        text = data.condition(chosen, noise, config.drop_groups).to(where)
        target = ntm.denoised_states(model, x, t, T, text)[0]
        with torch.no_grad():
            u_0, _ = model.transport(x[0], t[0], T)
        with run.autocast():
            denoised = forward(u_0, t[0], T, text)
        loss = F.mse_loss(denoised.float(), target)

        optimizer.zero_grad()
        run.backward(loss)
        grad = run.clip(denoiser)
        optimizer.step()
        schedule.step()
        ema.update(denoiser, step)

        run.log(step, loss=loss, grad=grad, mse_before=(u_0 - target).square().mean())
        run.checkpoint(step)
    model.denoiser.load_state_dict(ema.model.state_dict())
    return model


# -- from the settings to the weights ------------------------------------------------------------


def initial_model(config: NTMConfig) -> NTM:
    """Return the model of a recipe as it is before its first step.

    Raises: WeightsError if what it starts from is not there, or is of another size.
    """
    shape, source = SHAPES[config.model], Path(config.start_from)
    if not config.start_from:
        return build(shape)
    if source.is_dir():
        return build(shape, diffusers_backbone.pretrained(source))
    base = predictor(shape)
    shipped = config.start_from == "flow"
    fill(base, read(weights_path("flow"), expected().get("flow")) if shipped else read(source), config.start_from)
    return build(shape, base)


@torch.no_grad()
def sample_grid(model: NTM, tokenizer: Autoencoder, text: Condition, count: int) -> Tensor:
    """Draw scenes with fixed noise in as few steps as the model was trained for, the last at its mean, undenoised."""
    steps, tokens = model.levels[0], (tokenizer.size // tokenizer.patch) ** 2
    noise = torch.randn((steps + 1, count, tokens, tokenizer.d), generator=torch.Generator().manual_seed(0))
    where = tokenizer.latent_mean.device
    return tokenizer.decode(to_grid(ntm.draw(model, text, noise.to(where), T_MIN, 1.0, "inverse", mean_last=True)))


def train(config: NTMConfig, folder: Path) -> None:
    """Train, or continue training, both stages; writes folder/ntm.safetensors.

    Raises: UsageError if the model reads texts and their latents are not there.
    """
    torch.manual_seed(config.seed)
    run, model = Run(folder, config), initial_model(config)
    if SHAPES[config.model].backbone != "bound":
        _train_on_texts(run, model)
        return
    tokenizer, binding, sha256 = frozen_of(config)
    tokenizer = tokenizer.to(run.device)
    data = HeardScenes(scenes_of(run, tokenizer), binding.to(run.device), run.device)
    _write(run, distilled(run, data, fit(run, data, model, tokenizer)), metadata_of(VOCABULARY, sha256))


def _train_on_texts(run: Run[NTMConfig], model: NTM) -> None:
    path = run.folder / "latents.pt"
    if not path.exists():
        raise UsageError(f"{run.config.model} learns from latents and texts of your own; put them into {path}")
    data = LatentCache(**torch.load(path, weights_only=True))
    _write(run, distilled(run, data, fit(run, data, model)), None)


def distilled(run: Run[NTMConfig], data: Data, model: NTM) -> NTM:
    """Return a trained model with its denoiser, which has a folder of its own."""
    return distil(Run(run.folder / "denoiser", denoiser_config(run.config)), data, model)


def _write(run: Run[NTMConfig], model: NTM, metadata: dict[str, Any] | None) -> None:
    run.write(model, run.folder / "ntm.safetensors", pack=PACK_GENERATOR, metadata=metadata)
