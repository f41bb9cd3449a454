"""Plots hold the numbers of the tables."""

import re
from zlib import crc32

import numpy as np
import pytest
from PIL import Image

from scope.benchmarks.experiments.plots import curves, plot_generators, plot_tokenizers
from scope.benchmarks.results import Metric, Results, Row
from scope.errors import ScopeError
from scope.generators import flow, ntm
from scope.protocols import Picture
from scope.specification import Request

RESULTS = Results(
    name="pae",
    command="scope bench tokenizers",
    rows=(
        Row(name="pae", metrics={"gfd_at_100": Metric(value=2, ci=(1, 3), n=3), "gfd_at_50": Metric(value=4)}),
        Row(name="kl_vae", metrics={"gfd_at_50": Metric(value=8), "psnr": Metric(value=20)}),
        Row(name="rank_correlation_with_gfd", metrics={"lpc": Metric(value=0.5)}),
    ),
)


def test_a_curve_is_the_logged_steps_in_their_order():
    found = curves(RESULTS)
    assert [(step, metric.value) for step, metric in found["pae"]] == [(50, 4), (100, 2)]
    assert set(found) == {"pae", "kl_vae"}


@pytest.mark.heavy
def test_the_same_results_give_the_same_plot_and_it_names_each_tokenizer(tmp_path):
    RESULTS.save(tmp_path)
    drawn = [plot_tokenizers(tmp_path, tmp_path / name).read_text() for name in ("a", "b")]
    strip = [re.sub(r'(id="|#)[mp][0-9a-f]{10}', r"\1", text) for text in drawn]
    assert strip[0] == strip[1]
    assert "kl vae" in drawn[0]


class Painter:
    """Draws a plain picture whose colour says for what, from which seed, and in how many steps."""

    def __init__(self, name: str) -> None:
        self.name, self.vocabulary = name, None

    def color(self, request: Request) -> tuple[int, int, int]:
        return (crc32(request.text.encode()) % 256, request.seed % 256, request.steps + 100 * (self.name == "ntm"))

    def generate(self, requests: list[Request]) -> list[Picture]:
        return [Picture(Image.new("RGB", (128, 128), self.color(request))) for request in requests]


@pytest.mark.heavy
def test_the_grid_shows_the_same_prompts_and_seeds_in_every_row(tmp_path, monkeypatch):
    monkeypatch.setattr(flow, "load", lambda: Painter("flow"))
    monkeypatch.setattr(ntm, "load", lambda: Painter("ntm"))
    monkeypatch.setattr("scope.weights.expected", lambda: {"flow": "", "ntm": ""})
    with Image.open(plot_generators(tmp_path)) as page:
        cells = np.asarray(page)
    tops = [46 + 64 + 130 * row + band * (46 + 3 * 130) for band in range(2) for row in range(3)]
    middles = cells[tops][:, [56 + 64 + 130 * column for column in range(8)]]
    for band in (middles[:3], middles[3:]):
        assert [set(row[:, 2].tolist()) for row in band] == [{4}, {50}, {104}]
        assert np.array_equal(band[0, :, :2], band[1, :, :2])
        assert np.array_equal(band[0, :, :2], band[2, :, :2])
    assert len({tuple(cell) for row in (middles[0], middles[3]) for cell in row.tolist()}) == 16  # no prompt twice


def test_without_results_the_message_says_which_file_is_missing(tmp_path):
    with pytest.raises(ScopeError, match=r"pae\.json"):
        plot_tokenizers(tmp_path, tmp_path)
