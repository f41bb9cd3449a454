"""Figures hold the numbers of the tables."""

import re

import pytest

from scope.benchmarks.figures import curves, draw
from scope.benchmarks.results import Metric, Results, Row
from scope.errors import ScopeError

FIGURES = Results(
    name="pae",
    command="scope bench tokenizers",
    rows=(
        Row(name="pae", metrics={"gfd_at_100": Metric(value=2, ci=(1, 3), n=3), "gfd_at_50": Metric(value=4)}),
        Row(name="kl_vae", metrics={"gfd_at_50": Metric(value=8), "psnr": Metric(value=20)}),
        Row(name="rank_correlation_with_gfd", metrics={"lpc": Metric(value=0.5)}),
    ),
)


def test_a_curve_is_the_logged_steps_in_their_order():
    found = curves(FIGURES)
    assert [(step, metric.value) for step, metric in found["pae"]] == [(50, 4), (100, 2)]
    assert set(found) == {"pae", "kl_vae"}


def test_the_same_figures_give_the_same_drawing_and_it_names_each_tokenizer(tmp_path):
    FIGURES.save(tmp_path)
    drawn = [draw(tmp_path, tmp_path / name).read_text() for name in ("a", "b")]
    strip = [re.sub(r'(id="|#)[mp][0-9a-f]{10}', r"\1", text) for text in drawn]
    assert strip[0] == strip[1]
    assert "kl vae" in drawn[0]


def test_without_figures_the_message_says_which_file_is_missing(tmp_path):
    with pytest.raises(ScopeError, match=r"pae\.json"):
        draw(tmp_path, tmp_path)
