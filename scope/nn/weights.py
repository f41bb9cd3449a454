"""Shipped weights: safetensors in the package, checked before they are used.

Tensors are in half precision. Packed ones are bytes: a large matrix is stored as int8 and one scale a row, in fp32,
under its name and `SCALE`, which halves a file and moves a weight by at most 1/254 of the largest of its row.
"""

import hashlib
import json
import textwrap
from functools import cache
from importlib.resources import files
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor, nn

from scope.errors import WeightsError

SCALE = ":scale"
#: From how many numbers on a matrix is packed: of generators; of tokenizers, for whose whitening bytes are too coarse.
LARGE, LARGER = 30_000, 131_072


def weights_path(name: str) -> Path:
    """Return the path of a shipped file of weights."""
    return Path(str(files("scope.weights").joinpath(f"{name}.safetensors")))


@cache
def expected() -> dict[str, str]:
    """Return file stem -> sha256 of every file of weights that this version ships."""
    manifest = files("scope.weights").joinpath("manifest.json")
    if not manifest.is_file():
        return {}
    loaded: dict[str, str] = json.loads(manifest.read_text())
    return loaded


def read(path: Path, sha256: str | None = None) -> dict[str, Tensor]:
    """Return the tensors of a file as fp32.

    Raises: WeightsError if it is missing, has another sha256, is truncated, or holds NaN or infinity.
    """
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise WeightsError(f"the weights {path.name} cannot be read ({error.strerror}); reinstall scope") from error
    if sha256 is not None and hashlib.sha256(raw).hexdigest() != sha256:
        raise WeightsError(
            f"the weights {path.name} are not the ones that this version ships (sha256 differs); reinstall scope"
        )
    try:
        tensors = _unpacked(load(raw))
    except (SafetensorError, ValueError) as error:
        raise WeightsError(f"the weights {path.name} are damaged ({error}); reinstall scope") from error
    bad = [k for k, v in tensors.items() if not torch.isfinite(v).all()]
    if bad:
        raise WeightsError(f"the weights {path.name} hold NaN or infinity in {bad[0]}; reinstall scope or retrain")
    return tensors


def fill(model: nn.Module, tensors: dict[str, Tensor], name: str) -> None:
    """Copy tensors into a model.

    Raises: WeightsError if names or shapes are those of another model or preset.
    """
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        first = textwrap.shorten(str(error).splitlines()[-1], 120)
        raise WeightsError(f"the weights {name} belong to another model or preset: {first}") from error


def load_shipped(model: nn.Module, name: str) -> str:
    """Fill `model` with the shipped weights `name`, set it to eval, and return their sha256."""
    sha256 = expected().get(name)
    if sha256 is None:
        raise WeightsError(f"this version ships no weights named {name!r}")
    fill(model, read(weights_path(name), sha256), name)
    model.eval().requires_grad_(False)
    return sha256


def write(model: nn.Module, path: Path, pack: int | None = None) -> str:
    """Save a model as half-precision safetensors, matrices of `pack` numbers or more in bytes; return its sha256."""
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        large = pack is not None and value.ndim >= 2 and value.numel() >= pack
        tensors |= _packed(name, value.detach().cpu()) if large else {name: value.detach().cpu().half().contiguous()}
    save_file(tensors, path)
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _packed(name: str, value: Tensor) -> dict[str, Tensor]:
    rows = value.float().flatten(1)
    scale = (rows.abs().amax(1) / 127).clamp_min(1e-12)
    whole = (rows / scale[:, None]).round().to(torch.int8)
    return {name: whole.view(value.shape).contiguous(), name + SCALE: scale}


def _unpacked(stored: dict[str, Tensor]) -> dict[str, Tensor]:
    tensors = {name: value.float() for name, value in stored.items() if not name.endswith(SCALE)}
    for name, scale in stored.items():
        if name.endswith(SCALE):
            rows = tensors[name.removesuffix(SCALE)].flatten(1)
            rows.mul_(scale[:, None])
    return tensors


def fingerprint(model: nn.Module) -> Tensor:
    """Return 8 numbers in [0, 255] that tell a model's weights from others'; half precision keeps them both."""
    digest = hashlib.sha256()
    for name, value in sorted(model.state_dict().items()):
        digest.update(name.encode())
        digest.update(value.detach().cpu().half().contiguous().view(torch.uint8).numpy().tobytes())
    return torch.tensor(list(digest.digest()[:8]), dtype=torch.float32)
