"""What bound generators share: which requests they draw, what they hear of them, how latents become pictures."""

import torch
from PIL import Image
from torch import Tensor

from scope.errors import UsageError
from scope.generators.layouts import Layouts
from scope.generators.region_words import region_request
from scope.models.regions import Regions, batched
from scope.nn.images import to_pixels
from scope.nn.transformer import to_grid
from scope.specification import Request
from scope.tokenizers.base import Autoencoder

READS = frozenset({"size", "regions", "edit", "steps"})
SIDES = (128, 256)  # pixels that the decoder has heads for
DEFAULT_SIDE = 128


def side_of(request: Request) -> int:
    """Return how many pixels a side the picture of a request has.

    Raises: UsageError if its size is none that is drawn.
    """
    width, height = request.width or request.height, request.height or request.width
    if width is None:
        return DEFAULT_SIDE
    if width != height or width not in SIDES:
        sides = " or ".join(f"{side}x{side}" for side in SIDES)
        raise UsageError(f"bound generators draw {sides} pixels, and not {width}x{height}; take --size {SIDES[-1]}")
    return width


def heard(request: Request, layouts: Layouts | None, where: torch.device) -> Regions:
    """Return what the cells of a picture hear; without regions in the request, of those that `layouts` places."""
    if not request.regions and layouts is not None:
        request = layouts.placed(request)
    return batched([region_request(request)]).to(where)


def picture_of(tokenizer: Autoencoder, x_0: Tensor, request: Request) -> Image.Image:
    """Return the picture of cells (1, n, d), in the size that was asked for."""
    return Image.fromarray(to_pixels(tokenizer.decode(to_grid(x_0), fine=side_of(request) > tokenizer.size))[0])
