"""The weights that ship, and what a file of weights says of itself. Nothing here imports torch."""

import json
from functools import cache
from importlib.resources import files
from pathlib import Path
from typing import Any

from scope.errors import WeightsError

METADATA = "scope"  # the entry of a safetensors' header in which a file of ours speaks of itself, as JSON


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


def read_metadata(path: Path) -> dict[str, Any]:
    """Return what a file of weights says of itself; {} if it says nothing. No tensor is read.

    Raises: WeightsError if the file is missing or damaged.
    """
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, "np") as file:
            said: dict[str, Any] = json.loads((file.metadata() or {}).get(METADATA, "{}"))
            return said
    except (OSError, SafetensorError, ValueError) as error:
        raise WeightsError(f"the weights {path.name} cannot be read ({error}); reinstall scope or retrain") from error
