"""How well the shipped tokenizers reconstruct pictures that they never saw, and what their latents are like.

Of each tokenizer two rows: held-out scenes of the world, and scenes in the drawings of a vendor that trained nothing
but the judge. `psnr` in dB; `tile_edge`: jumps at the borders of patches, as a share of the true pictures' own; `ssc`,
`lpc` and `erank` as in metrics/latents.py; `rfd` between the true pictures and their reconstructions. `kept`: of the
commitments that the judge finds met in the true pictures, those that it still finds met in the reconstructions; a
generator on these latents can hardly meet more.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from PIL import Image
from torch import Tensor

from scope.benchmarks import features
from scope.benchmarks.metrics.curves import mean
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.metrics.latents import cell_labels, effective_rank, lpc, ssc
from scope.benchmarks.metrics.pictures import frechet_distance, moments, psnr, tile_edge
from scope.benchmarks.results import Metric, Results, Row
from scope.judges.pocket import Judge
from scope.judges.pocket import load as load_judge
from scope.models.features import FeatureNet, perceptual_distance
from scope.nn.images import to_tensor
from scope.nn.transformer import to_tokens
from scope.tokenizers import lapped, pae
from scope.tokenizers.base import Autoencoder
from scope.worlds.pocket import Plan, Scene, compose, sample_whole, specification
from scope.worlds.pocket.catalogue import HELD_OUT_VENDORS
from scope.worlds.pocket.rng import Rng

SEED, SCENES, QUICK = 930_000, 300, 40
_CPU = torch.device("cpu")


#: World -> in whose drawings its scenes are; none: those of the world itself.
WORLDS: dict[str, tuple[str, ...]] = {"world": (), HELD_OUT_VENDORS[0]: (HELD_OUT_VENDORS[0],)}
TOKENIZERS: dict[str, Callable[[Path | None], tuple[Autoencoder, str]]] = {"lapped": lapped.load, "pae": pae.load}


def plans(world: str, rng: Rng) -> Plan:
    """Draw a held-out plan of one of `WORLDS`."""
    styles = WORLDS[world]
    return sample_whole(rng, "held_out", styles=styles) if styles else sample_whole(rng, "held_out")


def measure(quick: bool = False, weights: Path | None = None) -> Results:
    """Score the shipped tokenizers, or the tokenizer `lapped` of a file.

    Raises: WeightsError if the weights are missing, damaged, or of another preset.
    """
    (network, _), judge, count = features.load(), load_judge(), QUICK if quick else SCENES
    names = ("lapped",) if weights else tuple(TOKENIZERS)
    rows = [
        row(f"{name}_{world}", world, TOKENIZERS[name](weights)[0], network, judge, count)
        for name in names
        for world in WORLDS
    ]
    return Results(
        name="reconstruction", command="scope bench reconstruction", seeds=(SEED,),
        judge=f"{judge.name}@{judge.version}", n_expected=count * len(rows), rows=tuple(rows),
    )  # fmt: skip


def row(name: str, world: str, model: Autoencoder, network: FeatureNet, judge: Judge, count: int) -> Row:
    """Score a tokenizer on `count` scenes of one of `WORLDS`."""
    rng = np.random.default_rng(SEED)
    scenes = [compose(plans(world, rng), (SEED, i)) for i in range(count)]
    images = to_tensor([scene.image for scene in scenes], _CPU)
    with torch.no_grad():
        latents = torch.cat([model.encode(part) for part in torch.split(images, 64)])
        decoded = torch.cat([model.decode(part) for part in torch.split(latents, 64)])
    reference = moments(features.features_of(network, images))
    metrics = {
        "psnr": mean(psnr(images, decoded).tolist()),
        "tile_edge": Metric(value=round(tile_edge(decoded) / tile_edge(images), 4), n=count),
        "rfd": Metric(value=frechet_distance(moments(features.features_of(network, decoded)), reference), n=count),
        **_latents(model, network, scenes, latents),
        "kept": share(*count_met(judge, scenes, decoded)),
    }
    return Row(name=name, metrics=metrics)


def _latents(model: Autoencoder, network: FeatureNet, scenes: list[Scene], latents: Tensor) -> dict[str, Metric]:
    z, labels = to_tokens(latents).numpy(), cell_labels(scenes)
    structured = [i for i in range(len(z)) if len(np.unique(labels[i])) > 1]

    def differ(a: Tensor, b: Tensor) -> Tensor:
        return perceptual_distance(network, a, b)

    return {
        "ssc": mean(ssc(z[structured], labels[structured]).tolist()),
        "lpc": mean(lpc(model.decode, latents[:64], differ).tolist()),
        "erank": Metric(value=effective_rank(z), n=len(z)),
    }


def count_met(judge: Judge, scenes: list[Scene], decoded: Tensor) -> tuple[int, int]:
    """Return how many commitments are met in reconstructions and true pictures, and how many are in the true ones."""
    in_both, in_true = 0, 0
    for scene, pixels in zip(scenes, _to_pixels(decoded), strict=True):
        spec = specification(scene.plan)
        commitments = [c for c in spec.commitments if judge.handles(c)]
        before, after = (
            [v.outcome == "met" for v in judge.check(Image.fromarray(image), commitments, spec)]
            for image in (scene.image, pixels)
        )
        in_true += sum(before)
        in_both += sum(was and still for was, still in zip(before, after, strict=True))
    return in_both, in_true


def _to_pixels(images: Tensor) -> Iterator[NDArray[np.uint8]]:
    for image in ((images + 1) * 127.5).round().clamp(0, 255).byte():
        yield image.permute(1, 2, 0).numpy()
