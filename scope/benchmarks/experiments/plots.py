"""Plots of the documents: results as curves, what the shipped weights reconstruct, and what they draw."""

import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from scope.benchmarks.results import Metric, Results, load
from scope.errors import OutputError

if TYPE_CHECKING:
    from PIL.Image import Image

_PREFIX = "gfd_at_"

#: How many prompts of each task of the benchmark of generators are in the grid: 16 in all.
_PROMPTS = {
    "single_object": 1, "two_object": 1, "counting": 2, "position": 2, "color_attribution": 2, "setting": 2, "text": 2,
    "style": 2, "crowded": 2,
}  # fmt: skip
_LABEL, _CAPTION, _GAP, _COLUMNS = 56, 46, 2, 8  # pixels to the left, above and between, and pictures in a row


def curves(results: Results) -> dict[str, list[tuple[int, Metric]]]:
    """Return (steps, gFD) of each tokenizer in pae.json."""
    steps_of = {}
    for row in results.rows:
        steps = [(int(name.removeprefix(_PREFIX)), m) for name, m in row.metrics.items() if name.startswith(_PREFIX)]
        if steps:
            steps_of[row.name] = sorted(steps)
    return steps_of


def plot_reconstructions(out: Path) -> Path:
    """Show eight held-out scenes and eight of a held-out vendor, each above its reconstruction; return the file."""
    import torch
    from PIL import Image

    from scope.nn.images import to_tensor
    from scope.tokenizers.lapped import load
    from scope.worlds.pocket import compose, sample_whole

    (tokenizer, _), rng, rows = load(), np.random.default_rng(77), []
    for styles in (("noto", "flat", "3d"), ("twemoji",)):
        images = [compose(sample_whole(rng, "held_out", styles=styles), (77, i)).image for i in range(8)]
        with torch.inference_mode():
            decoded = tokenizer.decode(tokenizer.encode(to_tensor(images, torch.device("cpu"))))
        pixels = ((decoded + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        rows += [np.concatenate(images, 1), np.concatenate(list(pixels), 1)]
    out.mkdir(parents=True, exist_ok=True)
    path = out / "reconstructions.png"
    Image.fromarray(np.concatenate(rows)).save(path, optimize=True)
    return path


def plot_generators(out: Path) -> Path:
    """Show what flow matching draws in 4 and in 50 steps, and NTM in 4, of the same held-out prompts, boxes and seeds.

    NTM's row is left out of versions that ship no weights of it.

    Raises: WeightsError if weights are missing or damaged.
    """
    from scope.benchmarks.tasks import Words, prompts
    from scope.generators import flow, ntm
    from scope.weights import expected

    fm = flow.load()
    systems = {"FM-4": (fm, 4), "FM-50": (fm, 50)} | ({"NTM-4": (ntm.load(), 4)} if "ntm" in expected() else {})
    words = Words.of(generator.vocabulary for generator, _ in systems.values())
    asked = [prompt for task, count in _PROMPTS.items() for prompt in prompts(task, words, count)]
    rows = {}
    for label, (generator, steps) in systems.items():
        requests = [prompt.bound_request.model_copy(update={"steps": steps}) for prompt in asked]
        rows[label] = [picture.image for picture in generator.generate(requests)]
    out.mkdir(parents=True, exist_ok=True)
    path = out / "generators.png"
    image_grid([prompt.spec.prompt for prompt in asked], rows).save(path, optimize=True)
    return path


def image_grid(captions: Sequence[str], rows: dict[str, list["Image"]]) -> "Image":
    """Return one picture of labelled rows under their captions, folded after every eight columns."""
    from PIL import Image, ImageDraw, ImageFont

    side = next(iter(rows.values()))[0].width + _GAP
    height = _CAPTION + side * len(rows)
    bands = -(-len(captions) // _COLUMNS)
    canvas = Image.new("RGB", (_LABEL + side * _COLUMNS, height * bands), "white")
    pen, font = ImageDraw.Draw(canvas), ImageFont.load_default(11)
    for number, caption in enumerate(captions):
        x, y = _LABEL + side * (number % _COLUMNS), height * (number // _COLUMNS)
        pen.text((x + 4, y + 2), textwrap.fill(caption, side // 6), "black", font, spacing=2)
        for place, (label, pictures) in enumerate(rows.items()):
            top = y + _CAPTION + side * place
            pen.text((4, top + side // 2), label, "black", font)
            canvas.paste(pictures[number], (x, top))
    return canvas


def plot_tokenizers(folder: Path, out: Path) -> Path:
    """Plot gFD against steps for every tokenizer, with intervals where there are several seeds; return the file.

    Raises: OutputError if matplotlib is not installed; ScopeError if the results are not there.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise OutputError("plots need matplotlib; install it with: pip install 'scope-t2i[bench]'") from error
    figure = Figure(figsize=(7, 4.2), layout="constrained")
    axes = figure.subplots()
    for name, points in curves(load(folder / "pae.json")).items():
        steps, values = [s for s, _ in points], [m.value for _, m in points]
        (line,) = axes.plot(steps, values, marker="o", markersize=3, label=name.replace("_", " "))
        spans = [m.ci or (m.value, m.value) for _, m in points]
        lows, highs = [max(low, 1e-3) for low, _ in spans], [high for _, high in spans]
        axes.fill_between(steps, lows, highs, alpha=0.15, color=line.get_color())
    axes.set(xscale="log", yscale="log", xlabel="steps of the generator", ylabel="gFD without guidance (low is good)")
    axes.legend(fontsize=8, ncols=2)
    out.mkdir(parents=True, exist_ok=True)
    path = out / "tokenizers.svg"
    figure.savefig(path, metadata={"Date": None})
    return path
