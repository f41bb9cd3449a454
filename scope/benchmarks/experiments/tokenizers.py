"""Which tokenizer do generators learn on the soonest? The comparison that PAE owes (arXiv 2605.07915).

Every tokenizer trains on the same close-ups with the same decoder, steps and reconstruction losses; then the same DiT
learns its latents in the same order. Quality is the Frechet distance of 96 features (gFD) and the share of pictures
whose noun is the one that was asked for, both by a network that is neither the prior nor the perceptual loss.
Everything is kept in runs/bench-tokenizers: a run that was stopped goes on where it was.
"""

import json
import os
from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from scope.benchmarks.metrics.curves import Curve, mean, spearman, steps_ratio
from scope.benchmarks.metrics.latents import effective_rank, gsq, lpc, ssc
from scope.benchmarks.metrics.pictures import Moments, frechet_distance, moments, psnr
from scope.benchmarks.results import Metric, Results, Row
from scope.errors import ScopeError
from scope.files import write_atomic
from scope.models.dit import DiT, velocity_fn
from scope.models.features import perceptual_distance
from scope.models.text_encoder import Conditioning, TextInput, encode
from scope.nn import samplers
from scope.nn.transformer import to_grid, to_tokens
from scope.nn.weights import fill, read
from scope.tokenizers.base import Autoencoder
from scope.training.recipes import closeup_classifier
from scope.training.recipes import latent_flow as latent_trainer
from scope.training.recipes import pae as trainer
from scope.worlds import closeups as near

#: Row -> what its recipe changes.
ARMS: dict[str, dict[str, Any]] = {
    "pae": {},
    "kl_vae": {"arm": "kl"},
    "ae": {"arm": "ae"},
    "rae_like": {"arm": "rae"},
    "va_vae": {"arm": "va"},
    "pae_no_ssr": {"ssr": 0.0},
    "pae_no_mcr": {"mcr": 0.0},
    "pae_no_scr": {"scr": 0.0},
    "pae_no_prior_losses": {"ssr": 0.0, "mcr": 0.0, "scr": 0.0},
    "pae_raw_prior": {"prior": "whitened"},
}
#: Those that are trained on with several seeds.
MAIN = ("pae", "kl_vae", "ae", "rae_like")
BASELINE = "kl_vae"
REAL_SEED, TRAIN_SEED = 9_001, 9_002


@dataclass(frozen=True)
class Size:
    """How much of everything a comparison takes."""

    name: str
    tokenizer: dict[str, Any]
    dit: latent_trainer.LatentFlowConfig
    seeds: tuple[int, ...]
    pictures: int  # that the DiT learns from
    real: int  # that are set against what is drawn, and from which latents are measured
    drawn: int  # at each logged step, with and without guidance
    nfe: int = 8
    cfg_scale: float = 2.5


FULL = Size("bench-tokenizers", {}, latent_trainer.PRESETS["closeup"], (0, 1, 2), 8_000, 2_000, 192)
QUICK = Size(
    "bench-tokenizers-quick", {"steps": 60, "images": 2_000, "prior_steps": 40, "vfm": "closeup-quick"},
    latent_trainer.LatentFlowConfig(steps=40, batch=32, lr=2e-3, warmup=10, ema=0.9, eval_steps=(20, 40), save_every=40,
        dtype="bf16"),
    (0,), 1_000, 300, 128, 6,
)  # fmt: skip


# -- what is measured ----------------------------------------------------------------------------


class Setup:
    """What all jobs share: real close-ups, their features, and the network that measures."""

    def __init__(self, size: Size, folder: Path) -> None:
        self.size, self.folder = size, folder
        recipe = closeup_classifier.PRESETS["measure"]
        if size.name.endswith("quick"):
            recipe = recipe.model_copy(update={"steps": 200, "images": 2_000})
        self.classifier = closeup_classifier.trained(recipe, folder / "measure")
        self.truth = near.closeups(size.real, REAL_SEED)
        self.real = pictures(self.truth)
        self.features = moments(self.seen(self.real).numpy())

    def seen(self, images: Tensor) -> Tensor:
        """Return the features (n, dim) by which sets of pictures are compared."""
        return torch.cat([self.classifier.network(part) for part in torch.split(images, 64)])

    def distance(self, images: Tensor) -> float:
        """Return the Frechet distance of pictures to the real ones."""
        drawn: Moments = moments(self.seen(images).numpy())
        return frechet_distance(drawn, self.features)

    def tokenizer(self, arm: str) -> Autoencoder:
        """Return the trained tokenizer of an arm."""
        config = self.recipe(arm)
        model = trainer.untrained(config, trainer.backbone(config, self.folder))
        fill(model, read(self.folder / arm / "pae.safetensors"), arm)
        return model.eval().requires_grad_(False)

    def recipe(self, arm: str) -> trainer.PAEConfig:
        """Return the recipe of an arm's tokenizer."""
        return trainer.PRESETS["closeup"].model_copy(update=self.size.tokenizer | ARMS[arm])


def pictures(drawn: near.CloseUps) -> Tensor:
    """Return close-ups as (n, 3, 32, 32) in [-1, 1]."""
    return torch.from_numpy(drawn.images).permute(0, 3, 1, 2).float() / 127.5 - 1


@torch.no_grad()
def properties(setup: Setup, model: Autoencoder) -> dict[str, float]:
    """Return what is said of a tokenizer before any generator learns on it."""
    few = setup.real[:200]
    latents = torch.cat([model.encode(part) for part in torch.split(setup.real, 64)])
    decoded = torch.cat([model.decode(part) for part in torch.split(latents, 64)])
    z = to_tokens(latents)
    labels = setup.truth.covered.reshape(len(z), -1).astype(int)
    structured = [i for i in range(200) if 0 < labels[i].mean() < 1]

    def differ(a: Tensor, b: Tensor) -> Tensor:
        return perceptual_distance(setup.classifier.network, a, b)

    return {
        "rfd": setup.distance(decoded),
        "psnr": float(psnr(setup.real, decoded).mean()),
        "ssc": float(ssc(z[structured].numpy(), labels[structured]).mean()),
        "lpc": float(lpc(model.decode, latents[: len(few)], differ).mean()),
        "gsq": float(gsq(z.numpy(), setup.truth.nouns, per_class=min(10, len(few) // 40)).mean()),
        "erank": effective_rank(z.numpy()),
    }


@torch.no_grad()
def drawn(setup: Setup, model: Autoencoder, dit: DiT, text: Conditioning, cfg_scale: float) -> Tensor:
    """Draw one picture a text, from noise that is the same for every tokenizer of this width."""
    count = len(text.mask)
    side = model.size // model.patch
    noise = torch.randn((count, model.d, side, side), generator=torch.Generator().manual_seed(7))
    images = []
    for at in torch.split(torch.arange(count), 64):
        predict = velocity_fn(dit, latent_trainer.select(text, at), cfg_scale)
        with torch.autocast("cpu", torch.bfloat16):
            x_0 = samplers.euler(predict, to_tokens(noise[at]), samplers.times(setup.size.nfe))
        images.append(model.decode(to_grid(x_0)))
    return torch.cat(images)


@torch.no_grad()
def quality(setup: Setup, images: Tensor, asked: Tensor) -> tuple[float, float]:
    """Return (gFD, share of pictures whose noun is the one that was asked for)."""
    answers = torch.cat([setup.classifier(part)[0].argmax(1) for part in torch.split(images, 64)])
    return setup.distance(images), float((answers == asked).float().mean())


# -- jobs ----------------------------------------------------------------------------------------


def make_tokenizer(size: Size, folder: Path, arm: str) -> None:
    """Train a tokenizer and measure it; writes folder/ARM/properties.json."""
    torch.set_num_threads(1)
    setup = Setup(size, folder)
    if not (folder / arm / "pae.safetensors").exists():
        trainer.train(setup.recipe(arm), folder / arm, folder)
    found = properties(setup, setup.tokenizer(arm))
    write_atomic(folder / arm / "properties.json", json.dumps(found, indent=1).encode())


def learn(size: Size, folder: Path, arm: str, seed: int) -> None:
    """Train the DiT on a tokenizer's latents; writes folder/ARM/dit-SEED/curve.json."""
    torch.set_num_threads(1)
    setup = Setup(size, folder)
    model = setup.tokenizer(arm)
    lessons, own = near.closeups(size.pictures, TRAIN_SEED), folder / arm / f"dit-{seed}"
    with torch.no_grad():
        latents = torch.cat([model.encode(part) for part in torch.split(pictures(lessons), 64)])
    text = encode([TextInput(lessons.prompt(i)) for i in range(len(lessons))])
    asked = torch.from_numpy(setup.truth.nouns[: size.drawn])
    prompts = encode([TextInput(setup.truth.prompt(i)) for i in range(size.drawn)])
    curve: dict[str, list[float]] = json.loads((own / "part.json").read_text()) if (own / "part.json").exists() else {}

    def watch(step: int, dit: DiT) -> None:
        free = quality(setup, drawn(setup, model, dit, prompts, 1.0), asked)
        guided = quality(setup, drawn(setup, model, dit, prompts, size.cfg_scale), asked)
        curve[str(step)] = [*free, *guided]
        write_atomic(own / "part.json", json.dumps(curve).encode())

    latent_trainer.train(size.dit.model_copy(update={"seed": seed}), own, latents, text, watch)
    write_atomic(own / "curve.json", json.dumps(curve, indent=1).encode())


def in_parallel(job: Callable[..., None], todo: Sequence[tuple[Any, ...]]) -> None:
    """Run jobs, one a core."""
    with ProcessPoolExecutor(max_workers=max(1, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        for done in [pool.submit(job, *arguments) for arguments in todo]:
            done.result()


# -- the comparison ------------------------------------------------------------------------------


def measure(quick: bool = False) -> Results:
    """Train and compare all tokenizers.

    Raises: ScopeError if a run is missing in the end.
    """
    size = QUICK if quick else FULL
    folder = Path("runs") / size.name
    Setup(size, folder)
    first = Setup(size, folder).recipe("pae")
    trainer.backbone(first, folder)
    trainer.perceptual_network(first, folder)
    in_parallel(
        make_tokenizer, [(size, folder, arm) for arm in ARMS if not (folder / arm / "properties.json").exists()]
    )
    runs = [(arm, seed) for arm in ARMS for seed in (size.seeds if arm in MAIN else size.seeds[:1])]
    in_parallel(learn, [(size, folder, *r) for r in runs if not curve_path(folder, *r).exists()])
    return compared(size, folder)


def curve_path(folder: Path, arm: str, seed: int) -> Path:
    """Return where the curve of a run is kept."""
    return folder / arm / f"dit-{seed}" / "curve.json"


def compared(size: Size, folder: Path) -> Results:
    """Return the table of the runs in a folder.

    Raises: ScopeError if one is missing.
    """
    found: dict[str, tuple[dict[str, float], list[dict[str, list[float]]]]] = {}
    for arm in ARMS:
        paths = [curve_path(folder, arm, seed) for seed in (size.seeds if arm in MAIN else size.seeds[:1])]
        if missing := [path for path in paths if not path.exists()]:
            raise ScopeError(f"{missing[0]} is missing; run the same command again")
        known = json.loads((folder / arm / "properties.json").read_text())
        found[arm] = known, [json.loads(path.read_text()) for path in paths]
    base = [gfd_curve(size, curve) for curve in found[BASELINE][1]]
    rows = [_row(size, arm, known, curves, base) for arm, (known, curves) in found.items()]
    final = {arm: _mean_at(size, curves, 0) for arm, (_, curves) in found.items()}
    relations = {
        name: Metric(value=spearman([final[arm] for arm in ARMS], [found[arm][0][name] for arm in ARMS]), n=len(ARMS))
        for name in ("rfd", "lpc", "ssc", "gsq", "erank")
    }
    rows.append(Row(name="rank_correlation_with_gfd", metrics=relations, note="Spearman's, over all tokenizers above"))
    command = "scope bench tokenizers" + (" --quick" if size is QUICK else "")
    return Results(
        name="pae",
        command=command,
        seeds=size.seeds,
        judge="names@closeups",
        n_expected=size.drawn,
        rows=tuple(rows),
    )


def gfd_curve(size: Size, curve: dict[str, list[float]]) -> Curve:
    """Return (steps, gFD without guidance)."""
    return [(step, curve[str(step)][0]) for step in size.dit.eval_steps]


def _mean_at(size: Size, curves: list[dict[str, list[float]]], column: int, step: int | None = None) -> float:
    at = str(step or size.dit.eval_steps[-1])
    return sum(curve[at][column] for curve in curves) / len(curves)


def _row(size: Size, arm: str, known: dict[str, float], curves: list[dict[str, list[float]]], base: list[Curve]) -> Row:
    last = str(size.dit.eval_steps[-1])
    metrics = {
        name: mean([c[last][i] for c in curves])
        for i, name in enumerate(("gfd", "accuracy", "gfd_guided", "accuracy_guided"))
    }
    metrics |= {f"gfd_at_{step}": mean([c[str(step)][0] for c in curves]) for step in size.dit.eval_steps}
    metrics |= {name: Metric(value=value) for name, value in known.items()}
    typical: Curve = [(s, sum(b[i][1] for b in base) / len(base)) for i, s in enumerate(size.dit.eval_steps)]
    ours: Curve = [(s, _mean_at(size, curves, 0, s)) for s in size.dit.eval_steps]
    sooner = steps_ratio(typical, ours)
    metrics["times_sooner"] = Metric(value=sooner.low)
    return Row(name=arm, metrics=metrics, note="" if sooner.low == sooner.high else f"{sooner} times sooner")
