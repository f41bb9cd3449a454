"""Figures of the documents: the stored results as curves, and what the shipped tokenizer keeps of a picture."""

from pathlib import Path

import numpy as np

from scope.benchmarks.results import Metric, Results, load
from scope.errors import OutputError

_PREFIX = "gfd_at_"


def curves(results: Results) -> dict[str, list[tuple[int, Metric]]]:
    """Return (steps, gFD) of each tokenizer in pae.json."""
    found = {}
    for row in results.rows:
        steps = [(int(name.removeprefix(_PREFIX)), m) for name, m in row.metrics.items() if name.startswith(_PREFIX)]
        if steps:
            found[row.name] = sorted(steps)
    return found


def reconstructions(out: Path) -> Path:
    """Draw eight held-out scenes and eight of a held-out vendor, each above what the tokenizer keeps of it."""
    import torch
    from PIL import Image

    from scope.tokenizers.pae import load as tokenizer
    from scope.worlds.pocket import compose, sample_whole

    random, rows = np.random.default_rng(77), []
    for styles in (("noto", "flat", "3d"), ("twemoji",)):
        images = [compose(sample_whole(random, "held_out", styles=styles), (77, i)).image for i in range(8)]
        with torch.inference_mode():
            true = torch.from_numpy(np.stack(images)).permute(0, 3, 1, 2).float() / 127.5 - 1
            kept = tokenizer()[0]
            decoded = ((kept.decode(kept.encode(true)) + 1) * 127.5).round().byte().permute(0, 2, 3, 1).numpy()
        rows += [np.concatenate(images, 1), np.concatenate(list(decoded), 1)]
    out.mkdir(parents=True, exist_ok=True)
    path = out / "reconstructions.png"
    Image.fromarray(np.concatenate(rows)).save(path, optimize=True)
    return path


def draw(folder: Path, out: Path) -> Path:
    """Draw gFD against steps for every tokenizer, with intervals where there are several seeds; return the file.

    Raises: OutputError if matplotlib is not installed; ScopeError if the figures are not there.
    """
    try:
        from matplotlib.figure import Figure
    except ImportError as error:
        raise OutputError(
            "drawing figures needs matplotlib; install it with: pip install 'scope-t2i[bench]'"
        ) from error
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
