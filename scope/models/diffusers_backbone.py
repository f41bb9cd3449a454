"""Transformers of diffusers (FLUX, Stable Diffusion 3) as predictors of NTM: tokens in, x_0 and last tokens out.

They predict the velocity v = eps - x_0 of scope's own path (t = 1 is noise), so x_0 = x_t - t v. They have no mask over
the text: states of padding, and of text that is not to be read, are zero, and so is the pooled text.
"""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

import torch
from jaxtyping import Bool, Float
from torch import Tensor, nn

from scope.errors import WeightsError
from scope.models.backbone import BackboneOutput
from scope.models.text_encoder import Conditioning
from scope.nn.paths import timestep, velocity_to_x0
from scope.nn.transformer import patchify, unpatchify

Kind = Literal["flux", "sd3"]
CLASSES: dict[str, Kind] = {"FluxTransformer2DModel": "flux", "SD3Transformer2DModel": "sd3"}


class DiffusersBackbone(nn.Module):
    """A `FluxTransformer2DModel` (tokens are its own), or an `SD3Transformer2DModel` (tokens are its patches)."""

    def __init__(self, transformer: Any) -> None:
        super().__init__()
        self.transformer = transformer
        self.kind = CLASSES[type(transformer).__name__]
        self.dim: int = transformer.inner_dim

    def forward(
        self,
        x_t: Float[Tensor, "b n d"],
        t: Float[Tensor, " b"],
        text: Conditioning,
        cond_mask: Bool[Tensor, " b"] | None = None,
        extra_cond: Float[Tensor, "b dim"] | None = None,
    ) -> BackboneOutput:
        """Predict x_0 of tokens x_t at times t; see `scope.models.backbone.Backbone`."""
        mask = text.mask if cond_mask is None else text.mask & cond_mask[:, None]
        states = (text.hidden_states * mask[..., None]).to(x_t.dtype)
        pooled = x_t.new_zeros(len(x_t), self.transformer.config.pooled_projection_dim)
        with self._watched(extra_cond) as last:
            v = self._flux(x_t, t, states, pooled) if self.kind == "flux" else self._sd3(x_t, t, states, pooled)
        return BackboneOutput(velocity_to_x0(x_t, v, t).float(), last[0])

    def _flux(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor) -> Tensor:
        n = x_t.shape[1]
        side, place = round(n**0.5), torch.arange(n, device=x_t.device)
        image_ids = torch.stack([place * 0, place // side, place % side], 1)
        text_ids = image_ids.new_zeros(states.shape[1], 3)
        v: Tensor = self.transformer(
            x_t, states, pooled, t, img_ids=image_ids, txt_ids=text_ids, return_dict=False
        )[0]  # fmt: skip
        return v

    def _sd3(self, x_t: Tensor, t: Tensor, states: Tensor, pooled: Tensor) -> Tensor:
        patch = int(self.transformer.config.patch_size)
        side = round(x_t.shape[1] ** 0.5) * patch
        grid = unpatchify(x_t, patch, side)
        return patchify(self.transformer(grid, states, pooled, timestep(t), return_dict=False)[0], patch)

    @contextmanager
    def _watched(self, extra_cond: Tensor | None) -> Iterator[list[Tensor]]:
        """Add to the embedding of the time, and keep what the last layer is given, while the network runs."""
        last: list[Tensor] = []
        hooks = [self.transformer.proj_out.register_forward_pre_hook(lambda _, given: last.append(given[0]))]
        if extra_cond is not None:
            hooks.append(
                self.transformer.time_text_embed.register_forward_hook(lambda _, given, time: time + extra_cond)
            )
        try:
            yield last
        finally:
            for hook in hooks:
                hook.remove()


def untrained(kind: Kind, c: int, width: int, depth: int, heads: int, text_dim: int) -> DiffusersBackbone:
    """Return a transformer of `depth` layers as it is constructed, on tokens of c channels."""
    import diffusers  # here: it takes seconds, and the pocket model needs none of it

    head = width // heads
    same = {"in_channels": c, "num_attention_heads": heads, "attention_head_dim": head, "pooled_projection_dim": 8}
    if kind == "flux":
        double = depth // 5  # its small sibling, FLUX.2-klein, has 5 of 25 layers that keep text and image apart
        along = head * 7 // 32 * 2  # of a head's channels turn with the row, as many with the column
        transformer = diffusers.FluxTransformer2DModel(
            patch_size=1, num_layers=double, num_single_layers=depth - double, joint_attention_dim=text_dim,
            axes_dims_rope=(head - 2 * along, along, along), **same,
        )  # fmt: skip
    else:
        transformer = diffusers.SD3Transformer2DModel(
            sample_size=32, patch_size=1, num_layers=depth, joint_attention_dim=text_dim, out_channels=c,
            caption_projection_dim=width, **same,
        )  # fmt: skip
    return DiffusersBackbone(transformer)


def pretrained(folder: Path) -> DiffusersBackbone:
    """Return the transformer that diffusers saved in a folder; nothing is downloaded.

    Raises: WeightsError if the folder holds none that is known here.
    """
    import diffusers

    try:
        name = str(json.loads((folder / "config.json").read_bytes())["_class_name"])
    except (OSError, ValueError, KeyError) as error:
        raise WeightsError(f"{folder} holds no transformer of diffusers; give the folder of its config.json") from error
    if name not in CLASSES:
        raise WeightsError(f"{folder} holds a {name}; NTM can start from: {', '.join(CLASSES)}")
    return DiffusersBackbone(getattr(diffusers, name).from_pretrained(str(folder), local_files_only=True))
