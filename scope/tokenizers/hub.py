"""PAE as a model of diffusers: `from_pretrained`, `save_pretrained` and `push_to_hub`.

config.json holds what the tokenizer is constructed from; the weights of its VFM lie beside those of the tokenizer, so
nothing but the one repository is ever downloaded. How MCR perturbs tokens belongs to a training and is not kept.

Kept apart from pae.py, because importing diffusers takes seconds.

    model = AutoencoderPAE.shipped()                                     # what comes with scope
    model = AutoencoderPAE.of("pocket", Path("runs/pae-pocket/pae.safetensors"))  # what `scope train pae` wrote
    model.push_to_hub("you/pae"); AutoencoderPAE.from_pretrained("you/pae")
"""

import textwrap
from pathlib import Path
from typing import Any, cast

import torch
from diffusers import ConfigMixin, ModelMixin
from diffusers.configuration_utils import register_to_config
from torch import nn

from scope.errors import WeightsError
from scope.nn.weights import load_file, load_shipped
from scope.tokenizers import pae
from scope.tokenizers.vfm import DINOv2


class AutoencoderPAE(pae.PAE, ModelMixin, ConfigMixin):  # type: ignore[misc]
    """A PAE whose `encode` and `decode` are those of scope's `Tokenizer`: tensors in and out, latents at unit scale.

    `vfm_config` is the architecture of a VFM from a hub. It is found out at the first construction and kept in
    config.json; with it, `vfm` is only a name.
    """

    @register_to_config  # type: ignore[untyped-decorator]
    def __init__(
        self, size: int = 128, patch: int = 16, d: int = 32, dim: int = 256, depth: int = 3, modulator_depth: int = 1,
        heads: int = 4, vfm: str = "conv/16/192/2", decoder: str = "pixels", prior: str = "refined",
        linear: bool = False, vfm_config: dict[str, Any] | None = None,
    ) -> None:  # fmt: skip
        super().__init__(
            size, patch, d, dim, depth, modulator_depth, heads,
            vfm if vfm_config is None else DINOv2.from_config(vfm_config), decoder, prior, linear,
        )  # fmt: skip
        if isinstance(self.vfm, DINOv2):
            self.register_to_config(vfm_config=self.vfm.config.to_diff_dict())

    def __getattr__(self, name: str) -> Any:
        """Return a network; diffusers would return the word in config.json that has the same name."""
        return nn.Module.__getattr__(self, name)

    @classmethod
    def shipped(cls) -> "AutoencoderPAE":
        """Return the tokenizer that comes with scope."""
        model = cast(AutoencoderPAE, cls(**pae.PRESETS["pocket"]))
        load_shipped(model, "pae")
        return model

    @classmethod
    def of(cls, preset: str, weights: Path) -> "AutoencoderPAE":
        """Return a tokenizer of a named size with weights from a file, such as `scope train pae` writes.

        Raises: WeightsError if the file is damaged or of another size.
        """
        model = cast(AutoencoderPAE, cls(**pae.PRESETS[preset]))
        load_file(model, weights)
        return model

    @classmethod
    def from_pretrained(cls, name: str | Path, **options: Any) -> "AutoencoderPAE":
        """Return the tokenizer of a folder, or of a repository on the hub. `options` are those of diffusers.

        Raises: WeightsError if there is none, or its weights are not of the size that its config.json names, or hold
            NaN or infinity.
        """
        always = {"output_loading_info": True, "ignore_mismatched_sizes": True, "use_safetensors": True}
        try:
            model, found = super().from_pretrained(str(name), **({"low_cpu_mem_usage": False} | options | always))
        except (OSError, ValueError) as error:
            raise WeightsError(f"{name} holds no tokenizer that can be read: {_first_line(error)}") from error
        wrong = [str(key) for keys in found.values() for key in keys]
        if wrong:
            raise WeightsError(f"the weights in {name} belong to another preset than its config.json: {wrong[0]}")
        bad = [key for key, value in model.state_dict().items() if not torch.isfinite(value).all()]
        if bad:
            raise WeightsError(f"the weights in {name} hold NaN or infinity in {bad[0]}; save or download them again")
        return cast(AutoencoderPAE, model)


def _first_line(error: Exception) -> str:
    """Return the start of what a library says at length."""
    return textwrap.shorten(str(error).partition("\n")[0], 160) or type(error).__name__
