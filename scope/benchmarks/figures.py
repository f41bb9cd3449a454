"""Figures drawn from the stored results: the same numbers as the tables, for those who would rather look than read."""

from pathlib import Path

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
