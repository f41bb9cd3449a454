"""The benchmark of reconstructions: a tokenizer that loses nothing meets all commitments, one that loses all, few."""

import numpy as np
import pytest
from torch import Tensor, nn

from scope.benchmarks import features
from scope.benchmarks.experiments import reconstruction
from scope.judges.pocket import load as load_judge
from scope.nn.transformer import patchify, unpatchify
from scope.tokenizers.base import Autoencoder
from scope.worlds.pocket import held_out

pytestmark = pytest.mark.weights


class _Patches(nn.Module):
    def forward(self, z: Tensor) -> Tensor:
        return unpatchify(z, 16, 128)


class Scaled(Autoencoder):
    """The pixels of each patch are its token; `keep` of their contrast comes back."""

    def __init__(self, keep: float) -> None:
        super().__init__(128, 16, 768)
        self.keep, self.decoder = keep, _Patches()

    def encode_tokens(self, images: Tensor) -> Tensor:
        return self.keep * patchify(images, 16)


@pytest.fixture(scope="module")
def rows() -> dict[float, dict[str, float]]:
    (network, _), judge = features.load(), load_judge()
    values = {}
    for keep in (0.999, 0.02):
        row = reconstruction.row("any", "world", Scaled(keep), network, judge, 12)
        values[keep] = {name: metric.value for name, metric in row.metrics.items()}
    return values


@pytest.mark.needs_tesseract
def test_reconstruction_scores_order_lossless_and_lossy(rows):
    assert rows[0.999]["kept"] == 1
    assert rows[0.02]["kept"] < 0.3
    assert rows[0.999]["tile_edge"] == pytest.approx(1, abs=0.01)
    assert rows[0.999]["psnr"] > 55 > 20 > rows[0.02]["psnr"]
    assert rows[0.999]["rfd"] < 0.01 < rows[0.02]["rfd"]
    assert rows[0.02]["lpc"] < rows[0.999]["lpc"]  # what has next to no contrast cannot move far


@pytest.mark.parametrize("name", reconstruction.WORLDS)
def test_all_that_is_reconstructed_is_held_out(name):
    random = np.random.default_rng(0)
    drawn = [reconstruction.plans(name, random) for _ in range(20)]
    assert all(held_out(plan) for plan in drawn)
    assert name == "world" or {plan.style for plan in drawn} == {name}


def test_weights_of_another_preset_are_told(tmp_path):
    from scope.errors import WeightsError
    from scope.nn.weights import write
    from scope.tokenizers.pae import preset

    write(preset("tiny"), tmp_path / "tiny.safetensors")
    with pytest.raises(WeightsError, match=r"tiny\.safetensors belong to another"):
        reconstruction.measure(quick=True, weights=tmp_path / "tiny.safetensors")
