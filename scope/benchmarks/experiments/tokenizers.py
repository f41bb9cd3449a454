"""Which tokenizer do generators learn on the soonest? The comparison that PAE owes (arXiv 2605.07915).

Every tokenizer trains on the same close-ups with the same decoder, steps and reconstruction losses; then the same DiT
learns its latents in the same order. Quality is the Frechet distance of 96 features (gFD) and the share of pictures
that show the noun of their prompt, both by a network that is neither the prior nor the perceptual loss.
Everything is cached in runs/bench-tokenizers: a run that was stopped goes on where it was.
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
from scope.benchmarks.metrics.pictures import frechet_distance, moments, psnr
from scope.benchmarks.results import Metric, Results, Row
from scope.errors import ScopeError
from scope.files import write_atomic
from scope.models.dit import DiT, velocity_fn
from scope.models.features import perceptual_distance
from scope.models.text_encoder import Conditioning, TextInput, encode
from scope.nn import samplers
from scope.nn.images import to_tensor
from scope.nn.transformer import to_grid, to_tokens
from scope.nn.weights import fill, read
from scope.tokenizers.base import Autoencoder
from scope.training.recipes import closeup_classifier
from scope.training.recipes import latent_flow as latent_trainer
from scope.training.recipes import pae as trainer
from scope.worlds.closeups import closeups

#: Row -> what its recipe changes.
ABLATIONS: dict[str, dict[str, Any]] = {
    "pae": {},
    "kl_vae": {"architecture": "kl"},
    "ae": {"architecture": "ae"},
    "rae_like": {"architecture": "rae"},
    "va_vae": {"architecture": "va"},
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
class Scale:
    """How much of everything a comparison takes."""

    name: str
    tokenizer: dict[str, Any]
    dit: latent_trainer.LatentFlowConfig
    seeds: tuple[int, ...]
    train: int  # close-ups that the DiT learns from
    real: int  # close-ups that generated ones are compared with, and whose latents are measured
    generated: int  # at each evaluated step, with and without guidance
    nfe: int = 8
    cfg_scale: float = 2.5

    def runs(self) -> list[tuple[str, int]]:
        """Return (ablation, seed) of every training of a generator."""
        return [(name, seed) for name in ABLATIONS for seed in (self.seeds if name in MAIN else self.seeds[:1])]


FULL = Scale("bench-tokenizers", {}, latent_trainer.PRESETS["closeup"], (0, 1, 2), 8_000, 2_000, 192)
QUICK = Scale(
    "bench-tokenizers-quick", {"steps": 60, "images": 2_000, "prior_steps": 40, "vfm": "closeup-quick"},
    latent_trainer.LatentFlowConfig(steps=40, batch=32, lr=2e-3, warmup=10, ema=0.9, eval_steps=(20, 40), save_every=40,
        dtype="bf16"),
    (0,), 1_000, 300, 128, 6,
)  # fmt: skip


# -- what is measured ----------------------------------------------------------------------------


class Setup:
    """What all jobs share: real close-ups, the moments of their features, and the network that measures."""

    def __init__(self, scale: Scale, folder: Path) -> None:
        self.scale, self.folder = scale, folder
        recipe = closeup_classifier.PRESETS["measure"]
        if scale.name.endswith("quick"):
            recipe = recipe.model_copy(update={"steps": 200, "images": 2_000})
        self.classifier = closeup_classifier.load_or_train(recipe, folder / "measure")
        self.truth = closeups(scale.real, REAL_SEED)
        self.real = to_tensor(list(self.truth.images), torch.device("cpu"))
        self.moments = moments(self.features(self.real).numpy())

    def features(self, images: Tensor) -> Tensor:
        """Return the features (n, dim) by which sets of pictures are compared."""
        return torch.cat([self.classifier.network(part) for part in torch.split(images, 64)])

    def distance(self, images: Tensor) -> float:
        """Return the Frechet distance of pictures to the real ones."""
        return frechet_distance(moments(self.features(images).numpy()), self.moments)

    def tokenizer(self, ablation: str) -> Autoencoder:
        """Return the trained tokenizer of an ablation."""
        config = self.recipe(ablation)
        model = trainer.untrained(config, trainer.backbone(config, self.folder))
        fill(model, read(self.folder / ablation / "pae.safetensors"), ablation)
        return model.eval().requires_grad_(False)

    def recipe(self, ablation: str) -> trainer.PAEConfig:
        """Return the recipe of an ablation's tokenizer."""
        return trainer.PRESETS["closeup"].model_copy(update=self.scale.tokenizer | ABLATIONS[ablation])


@torch.no_grad()
def properties(setup: Setup, model: Autoencoder) -> dict[str, float]:
    """Return the metrics of a tokenizer, before any generator learns on it."""
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
def generate(setup: Setup, model: Autoencoder, dit: DiT, text: Conditioning, cfg_scale: float) -> Tensor:
    """Return one picture a text (n, 3, 32, 32), from noise that is the same for every tokenizer of this width."""
    count = len(text.mask)
    side = model.size // model.patch
    noise = torch.randn((count, model.d, side, side), generator=torch.Generator().manual_seed(7))
    images = []
    for at in torch.split(torch.arange(count), 64):
        predict = velocity_fn(dit, latent_trainer.select(text, at), cfg_scale)
        with torch.autocast("cpu", torch.bfloat16):
            x_0 = samplers.euler(predict, to_tokens(noise[at]), samplers.times(setup.scale.nfe))
        images.append(model.decode(to_grid(x_0)))
    return torch.cat(images)


@torch.no_grad()
def quality(setup: Setup, images: Tensor, nouns: Tensor) -> tuple[float, float]:
    """Return (gFD, share of pictures that show the noun of their prompt)."""
    predicted = torch.cat([setup.classifier(part)[0].argmax(1) for part in torch.split(images, 64)])
    return setup.distance(images), float((predicted == nouns).float().mean())


# -- jobs ----------------------------------------------------------------------------------------


def train_tokenizer(scale: Scale, folder: Path, ablation: str) -> None:
    """Train a tokenizer and measure it; writes folder/ABLATION/properties.json."""
    torch.set_num_threads(1)
    setup = Setup(scale, folder)
    if not (folder / ablation / "pae.safetensors").exists():
        trainer.train(setup.recipe(ablation), folder / ablation, folder)
    metrics = properties(setup, setup.tokenizer(ablation))
    write_atomic(folder / ablation / "properties.json", json.dumps(metrics, indent=1).encode())


def train_generator(scale: Scale, folder: Path, ablation: str, seed: int) -> None:
    """Train the DiT on a tokenizer's latents; writes folder/ABLATION/dit-SEED/curve.json."""
    torch.set_num_threads(1)
    setup = Setup(scale, folder)
    model = setup.tokenizer(ablation)
    scenes, own_folder = closeups(scale.train, TRAIN_SEED), folder / ablation / f"dit-{seed}"
    images = to_tensor(list(scenes.images), torch.device("cpu"))
    with torch.no_grad():
        latents = torch.cat([model.encode(part) for part in torch.split(images, 64)])
    text = encode([TextInput(scenes.prompt(i)) for i in range(len(scenes))])
    nouns = torch.from_numpy(setup.truth.nouns[: scale.generated])
    prompts = encode([TextInput(setup.truth.prompt(i)) for i in range(scale.generated)])
    part = own_folder / "part.json"
    curve: dict[str, list[float]] = json.loads(part.read_text()) if part.exists() else {}

    def evaluate(step: int, dit: DiT) -> None:
        unguided = quality(setup, generate(setup, model, dit, prompts, 1.0), nouns)
        guided = quality(setup, generate(setup, model, dit, prompts, scale.cfg_scale), nouns)
        curve[str(step)] = [*unguided, *guided]
        write_atomic(part, json.dumps(curve).encode())

    latent_trainer.train(scale.dit.model_copy(update={"seed": seed}), own_folder, latents, text, evaluate)
    write_atomic(own_folder / "curve.json", json.dumps(curve, indent=1).encode())


def run_parallel(job: Callable[..., None], arguments: Sequence[tuple[Any, ...]]) -> None:
    """Run jobs, one a core."""
    with ProcessPoolExecutor(max_workers=max(1, os.cpu_count() or 1), mp_context=get_context("spawn")) as pool:
        for future in [pool.submit(job, *one) for one in arguments]:
            future.result()


# -- the comparison ------------------------------------------------------------------------------


def measure(quick: bool = False) -> Results:
    """Train and compare all tokenizers.

    Raises: ScopeError if a run is missing in the end.
    """
    scale = QUICK if quick else FULL
    folder = Path("runs") / scale.name
    config = Setup(scale, folder).recipe("pae")
    trainer.backbone(config, folder)  # what all jobs share is trained once, before them
    trainer.perceptual_network(config, folder)
    untrained = [name for name in ABLATIONS if not (folder / name / "properties.json").exists()]
    run_parallel(train_tokenizer, [(scale, folder, name) for name in untrained])
    run_parallel(train_generator, [(scale, folder, *r) for r in scale.runs() if not curve_path(folder, *r).exists()])
    return to_results(scale, folder)


def curve_path(folder: Path, ablation: str, seed: int) -> Path:
    """Return where the curve of a run is stored."""
    return folder / ablation / f"dit-{seed}" / "curve.json"


def to_results(scale: Scale, folder: Path) -> Results:
    """Return the table of the runs in a folder.

    Raises: ScopeError if one is missing.
    """
    measured: dict[str, tuple[dict[str, float], list[dict[str, list[float]]]]] = {}
    for ablation in ABLATIONS:
        paths = [curve_path(folder, *run) for run in scale.runs() if run[0] == ablation]
        if missing := [path for path in paths if not path.exists()]:
            raise ScopeError(f"{missing[0]} is missing; run the same command again")
        tokenizer = json.loads((folder / ablation / "properties.json").read_text())
        measured[ablation] = tokenizer, [json.loads(path.read_text()) for path in paths]
    base = [gfd_curve(scale, curve) for curve in measured[BASELINE][1]]
    rows = [_row(scale, name, tokenizer, curves, base) for name, (tokenizer, curves) in measured.items()]
    final = [_mean_at(scale, curves, 0) for _, curves in measured.values()]
    correlations = {
        name: Metric(value=spearman(final, [tokenizer[name] for tokenizer, _ in measured.values()]), n=len(measured))
        for name in ("rfd", "lpc", "ssc", "gsq", "erank")
    }
    note = "Spearman's, over all tokenizers above"
    rows.append(Row(name="rank_correlation_with_gfd", metrics=correlations, note=note))
    command = "scope bench tokenizers" + (" --quick" if scale is QUICK else "")
    return Results(
        name="pae",
        command=command,
        seeds=scale.seeds,
        judge="names@closeups",
        n_expected=scale.generated,
        rows=tuple(rows),
    )


def gfd_curve(scale: Scale, curve: dict[str, list[float]]) -> Curve:
    """Return (steps, gFD without guidance)."""
    return [(step, curve[str(step)][0]) for step in scale.dit.eval_steps]


def _mean_at(scale: Scale, curves: list[dict[str, list[float]]], column: int, step: int | None = None) -> float:
    at = str(step or scale.dit.eval_steps[-1])
    return sum(curve[at][column] for curve in curves) / len(curves)


def _row(
    scale: Scale, name: str, tokenizer: dict[str, float], curves: list[dict[str, list[float]]], base: list[Curve]
) -> Row:
    last = str(scale.dit.eval_steps[-1])
    metrics = {
        name: mean([c[last][i] for c in curves])
        for i, name in enumerate(("gfd", "accuracy", "gfd_guided", "accuracy_guided"))
    }
    metrics |= {f"gfd_at_{step}": mean([c[str(step)][0] for c in curves]) for step in scale.dit.eval_steps}
    metrics |= {metric: Metric(value=value) for metric, value in tokenizer.items()}
    typical: Curve = [(s, sum(b[i][1] for b in base) / len(base)) for i, s in enumerate(scale.dit.eval_steps)]
    ours: Curve = [(s, _mean_at(scale, curves, 0, s)) for s in scale.dit.eval_steps]
    sooner = steps_ratio(typical, ours)
    metrics["times_sooner"] = Metric(value=sooner.low)
    return Row(name=name, metrics=metrics, note="" if sooner.low == sooner.high else f"{sooner} times sooner")
