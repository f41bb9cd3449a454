"""What the benchmark of references asks, and that it finds what is there and nothing else."""

from collections.abc import Sequence

import numpy as np
import pytest
from PIL import Image

from scope.benchmarks.experiments import references
from scope.benchmarks.experiments.references import cases, is_found, measure
from scope.judges.pocket import load as load_judge
from scope.protocols import OnStep, Picture, ignore_steps
from scope.specification import Request
from scope.worlds.pocket.catalogue import ALL_VENDORS, HELD_OUT_NOUNS


def test_what_is_asked_is_held_out_and_always_the_same() -> None:
    asked = list(cases(500))
    assert asked[:120] == list(cases(120))
    assert {case.noun for case in asked} == HELD_OUT_NOUNS
    assert {case.vendor for case in asked} == set(ALL_VENDORS)
    assert all(0 <= case.box[0] < case.box[2] <= 128 and 0 <= case.box[1] < case.box[3] <= 128 for case in asked)


def test_what_is_shown_is_the_drawing_on_white_and_what_is_true_has_it_in_its_box() -> None:
    (case,) = cases(1)
    shown, true = np.asarray(case.picture()), np.asarray(case.true_scene())
    assert (shown[0] == 255).all()
    assert (shown[16:112, 16:112] < 255).any()
    x0, y0, x1, y1 = case.box
    empty = np.asarray(references._on(references.background(case.setting).copy(), case, (0, 0, 1, 1)))
    outside = np.ones((128, 128), bool)
    outside[y0:y1, x0:x1] = outside[:1, :1] = False
    assert np.array_equal(true[outside], empty[outside])
    assert not np.array_equal(true[y0:y1, x0:x1], empty[y0:y1, x0:x1])


class Painter:
    """Draws the true scene of whoever shows it a picture, and nothing for others."""

    name, version, weights, parallel, batch, reads = "painter", "1", {}, 1, 1, frozenset({"references"})
    vocabulary = None

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        (request,) = requests
        (case,) = [case for case in cases(references.QUICK) if case.seed == request.seed]
        return [Picture(case.true_scene() if request.references else Image.new("RGB", (128, 128)))]


@pytest.mark.weights
@pytest.mark.needs_tesseract
def test_who_draws_what_is_shown_is_at_the_ceiling_and_who_draws_nothing_at_zero(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(references, "SYSTEMS", {"painter": (Painter, 4)})
    results = measure(quick=True)
    found = {row.name: row.metrics["found"].value for row in results.rows}
    assert found["painter"] == found["true_scenes"] > 0.5
    assert found["painter_by_name"] == 0
    case, judge = next(cases(1)), load_judge()
    assert not is_found(judge, Image.new("RGB", (128, 128)), case)
