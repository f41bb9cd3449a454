"""What bound generators share: which requests they draw, what they hear of them, how latents become pictures."""

from dataclasses import dataclass
from pathlib import Path

from PIL import Image
from torch import Tensor

from scope.errors import UsageError
from scope.generators.layouts import Layouts
from scope.generators.region_words import region_request
from scope.models.binding import Binding, Heard
from scope.models.regions import batched
from scope.nn.images import to_pixels
from scope.nn.transformer import to_grid
from scope.nn.weights import load_file, load_shipped
from scope.specification import Request
from scope.tokenizers.base import Autoencoder
from scope.tokenizers.lapped import load as load_tokenizer

READS = frozenset({"size", "regions", "references", "edit", "steps"})
SIDES = (128, 256)  # pixels that the decoder has heads for
DEFAULT_SIDE = 256


@dataclass(frozen=True)
class Frozen:
    """What bound generators rest on. `weights`: file name -> sha256; `sha256`: what tells each part from others."""

    binding: Binding
    tokenizer: Autoencoder
    weights: dict[str, str]
    sha256: dict[str, str]


def load_frozen(binding: Path | None = None, tokenizer: Path | None = None) -> Frozen:
    """Return the binding and the tokenizer of files, or the shipped ones.

    Raises: WeightsError if they are missing, damaged or of another preset.
    """
    latents, latents_file = load_tokenizer(tokenizer)
    hearing = Binding(latents.size // latents.patch, latents.d)
    file = load_shipped(hearing, "binding") if binding is None else load_file(hearing, binding)
    sha256 = {"latents": latents.latents_sha256(), "binding": file}
    return Frozen(hearing, latents, {"binding": file, "lapped": latents_file}, sha256)


def side_of(request: Request) -> int:
    """Return how many pixels a side the picture of a request has.

    Raises: UsageError if its size is none that is drawn.
    """
    width, height = request.width or request.height, request.height or request.width
    if width is None:
        return DEFAULT_SIDE
    if width != height or width not in SIDES:
        sides = " or ".join(f"{side}x{side}" for side in SIDES)
        raise UsageError(f"these weights draw {sides} pixels, and not {width}x{height}; take --size {SIDES[-1]}")
    return width


def heard(request: Request, layouts: Layouts | None, binding: Binding) -> Heard:
    """Return what the cells of a picture hear; without regions in the request, of those that `layouts` places.

    Raises: UsageError if a reference is no picture. PromptError if a prompt that has no regions is too long.
    """
    if not request.regions and layouts is not None:
        request = layouts.placed(request)
    said: Heard = binding(batched([region_request(request)]).to(binding.sketch.weight.device))
    return said


def picture_of(tokenizer: Autoencoder, x_0: Tensor, request: Request) -> Image.Image:
    """Return the picture of cells (1, n, d), in the size that was asked for."""
    return Image.fromarray(to_pixels(tokenizer.decode(to_grid(x_0), fine=side_of(request) > tokenizer.size))[0])
