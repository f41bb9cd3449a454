"""A draft that is drawn again in part: where to begin, which cells stay, and how old and new become one picture."""

from dataclasses import dataclass

import numpy as np
import torch
from jaxtyping import Bool, Float
from numpy.typing import NDArray
from PIL import Image, ImageFilter
from torch import Tensor

from scope.nn.images import resized, to_tensor
from scope.nn.paths import State, Time, match_dims
from scope.nn.samplers import Velocity
from scope.nn.transformer import to_tokens
from scope.specification import Edit, ImageFile
from scope.tokenizers.base import Autoencoder

_FEATHER = 2.0  # pixels: how softly what is new passes into what stays


@dataclass(frozen=True)
class Draft:
    """A picture to be changed: its cells (1, n, d), and which of them may change (n,); None: all."""

    picture: Image.Image
    x_0: Float[Tensor, "1 n d"]
    changes: Bool[Tensor, " n"] | None
    mask: Image.Image | None


def opened(edit: Edit, tokenizer: Autoencoder, where: torch.device) -> Draft:
    """Return the draft of an edit. A cell may change where the mask is white in any part of it."""
    with Image.open(edit.image.path) as file:
        picture = file.convert("RGB")
    with torch.no_grad():
        x_0 = to_tokens(tokenizer.encode(to_tensor([resized(picture, tokenizer.size)], where)))
    if edit.mask is None:
        return Draft(picture, x_0, None, None)
    mask = _mask(edit.mask, tokenizer.size)
    tiles = (mask > 127).reshape(tokenizer.size // tokenizer.patch, tokenizer.patch, -1, tokenizer.patch)
    changes = torch.from_numpy(tiles.any((1, 3)).flatten())
    return Draft(picture, x_0, changes.to(where), Image.fromarray(mask))


def _mask(file: ImageFile, size: int) -> NDArray[np.uint8]:
    with Image.open(file.path) as image:
        return np.asarray(image.convert("L").resize((size, size), Image.Resampling.BOX))


def held(velocity_fn: Velocity, draft: Draft) -> Velocity:
    """Return the velocity field that leads the cells which stay to the draft's own, and the others as before.

    A state that starts on the straight path from noise to the draft stays on it.
    """
    changes = draft.changes
    if changes is None:
        return velocity_fn

    def velocity(x_t: State, t: Time) -> State:
        stays = (x_t - draft.x_0) / match_dims(t.clamp_min(1e-3), x_t)
        return torch.where(changes[:, None], velocity_fn(x_t, t), stays)

    return velocity


def joined(draft: Draft, new: Image.Image) -> Image.Image:
    """Return the new picture where the mask is white, and the draft to the pixel where it is not, softly joined."""
    if draft.mask is None:
        return new
    grown = draft.mask.resize(new.size, Image.Resampling.BILINEAR).filter(ImageFilter.MaxFilter(5))
    soft = grown.filter(ImageFilter.GaussianBlur(_FEATHER))
    return Image.composite(new, draft.picture.resize(new.size), soft)
