"""Weights in bytes: half the file, and nothing moves further than the bytes allow."""

import pytest
import torch
from safetensors.torch import load_file

from scope.nn.weights import PACK_GENERATOR, SCALE, read, write


@pytest.fixture
def model() -> torch.nn.Sequential:
    torch.manual_seed(0)
    layers = torch.nn.Sequential(torch.nn.Linear(512, 384), torch.nn.Conv2d(128, 128, 3), torch.nn.Linear(8, 8))
    with torch.no_grad():
        layers[0].weight[3] = 0
        layers[0].weight[5] *= 1e-2
    return layers


def test_packed_weights_take_half_the_space(model, tmp_path):
    for name in ("plain", "packed"):
        write(model, tmp_path / name, PACK_GENERATOR if name == "packed" else None)
    assert (tmp_path / "packed").stat().st_size < 0.52 * (tmp_path / "plain").stat().st_size


def test_no_packed_number_moves_by_more_than_a_254th_of_the_largest_of_its_row(model, tmp_path):
    write(model, tmp_path / "packed", PACK_GENERATOR)
    found, true = read(tmp_path / "packed"), model.state_dict()
    assert set(found) == set(true)
    for name in ("0.weight", "1.weight"):
        largest = true[name].flatten(1).abs().amax(1)
        moved = (found[name] - true[name]).flatten(1).abs().amax(1)
        assert (moved <= largest / 254 * 1.001).all()
        assert moved.max() > 0
    assert not found["0.weight"][3].any()


def test_small_tensors_are_not_packed(model, tmp_path):
    write(model, tmp_path / "packed", PACK_GENERATOR)
    assert {name for name in load_file(tmp_path / "packed") if name.endswith(SCALE)} == {
        "0.weight" + SCALE,
        "1.weight" + SCALE,
    }
    assert torch.equal(read(tmp_path / "packed")["2.weight"], model.state_dict()["2.weight"].half().float())
