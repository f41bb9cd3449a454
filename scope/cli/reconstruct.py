"""`scope reconstruct`: what is left of a picture after the tokenizer."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from scope.cli.console import emit_json, emit_path, log
from scope.cli.options import Json, Output
from scope.errors import ImageError, UsageError

if TYPE_CHECKING:
    from PIL.Image import Image

    from scope.tokenizers.pae import PAE


def reconstruct(
    image: Annotated[Path, typer.Argument(help="A picture: PNG, JPEG or WebP.", show_default=False)],
    output: Output = None,
    resize: Annotated[bool, typer.Option("--resize", help="Cut out the middle square and scale it to fit.")] = False,
    weights: Annotated[Path | None, typer.Option(help="Weights of your own. Without it: the shipped ones.")] = None,
    preset: Annotated[str, typer.Option(help="Size of --weights: tiny, pocket, closeup, full.")] = "pocket",
    as_json: Json = False,
) -> None:
    """Encode a picture, decode it again, and say how near to it that comes (PSNR)."""
    import numpy as np
    import torch
    from PIL import Image

    from scope.benchmarks.metrics.pictures import psnr
    from scope.nn.images import to_tensor
    from scope.runs.png import open_picture, save_png
    from scope.runs.target import png_path

    picture = open_picture(image)
    path = png_path(output or Path(), f"{image.stem}-reconstructed")
    model, sha256 = _tokenizer(weights, preset)
    picture = _fitted(image, picture, model.size, resize)
    pixels = to_tensor([np.asarray(picture)], torch.device("cpu"))
    with torch.inference_mode():
        latents = model.encode(pixels)
        decoded = model.decode(latents)
    decibels = float(psnr(decoded, pixels))
    decoded_pixels = ((decoded[0].permute(1, 2, 0) + 1) * 127.5).round().byte().numpy()
    save_png(path, Image.fromarray(decoded_pixels), None)
    if as_json:
        shape = list(latents.shape[1:])
        return emit_json({"image": str(path), "psnr": decibels, "latents": shape, "weights": sha256})
    log(f"PSNR {decibels:.2f} dB; {pixels.numel():,} numbers went through {latents.numel():,}")
    return emit_path(path)


def _tokenizer(weights: Path | None, preset: str) -> tuple["PAE", str]:
    """Return the tokenizer and the sha256 of its weights."""
    from scope.tokenizers import pae

    if weights is None:
        return pae.load()
    if preset not in pae.PRESETS:
        raise UsageError(f"--preset {preset}: choose from {', '.join(pae.PRESETS)}")
    return pae.load(weights, preset)


def _fitted(path: Path, picture: "Image", size: int, resize: bool) -> "Image":
    """Return a picture of `size` pixels a side.

    Raises: ImageError if it is of another size and nobody asked for it to be scaled.
    """
    from PIL import Image, ImageOps

    if picture.size == (size, size):
        return picture
    if not resize:
        across, down = picture.size
        raise ImageError(
            f"{path}: {across} x {down} pixels, and this tokenizer takes {size} x {size}. "
            "Add --resize to cut out the middle square and scale it"
        )
    return ImageOps.fit(picture, (size, size), Image.Resampling.LANCZOS)
