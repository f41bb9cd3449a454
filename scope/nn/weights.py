"""Files of weights: safetensors, checked before they are used, and what they say of themselves.

Tensors are in half precision. Packed ones are bytes: a large matrix is stored as int8 and one scale a row, in fp32,
under its name and `SCALE`, which halves a file and moves a weight by at most 1/254 of the largest of its row.
What a file says of itself is JSON under `METADATA` in the safetensors' header (scope/weights).
"""

import hashlib
import json
import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from safetensors import SafetensorError
from safetensors.torch import load, save_file
from torch import Tensor, nn

from scope.errors import WeightsError
from scope.files import sha256_of_file
from scope.weights import METADATA, expected, weights_path

SCALE = ":scale"
#: Matrices of so many numbers or more are packed. For the whitening of a tokenizer bytes would be too coarse.
PACK_GENERATOR, PACK_TOKENIZER = 30_000, 131_072


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
    """Fill `model` with the shipped weights `name`, freeze it, and return the file's sha256.

    Raises: WeightsError if there are none, or they are damaged or of another model.
    """
    sha256 = expected().get(name)
    if sha256 is None:
        raise WeightsError(f"this version ships no weights named {name!r}")
    return load_file(model, weights_path(name), sha256)


def load_file(model: nn.Module, path: Path, sha256: str | None = None) -> str:
    """Fill `model` with the weights of a file, freeze it, and return the file's sha256.

    Raises: WeightsError if they are missing, damaged, or of another model or preset; if they have not that `sha256`.
    """
    fill(model, read(path, sha256), path.name)
    model.eval().requires_grad_(False)
    return sha256 or sha256_of_file(path)


def write(model: nn.Module, path: Path, pack: int | None = None, metadata: Mapping[str, Any] | None = None) -> str:
    """Save a model as half-precision safetensors, matrices of `pack` numbers or more in bytes; return its sha256.

    `metadata` is what the file says of itself: anything that JSON can say.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    tensors: dict[str, Tensor] = {}
    for name, value in model.state_dict().items():
        large = pack is not None and value.ndim >= 2 and value.numel() >= pack
        tensors |= _packed(name, value.detach().cpu()) if large else {name: value.detach().cpu().half().contiguous()}
    save_file(tensors, path, {METADATA: json.dumps(metadata, sort_keys=True)} if metadata else None)
    return sha256_of_file(path)


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
