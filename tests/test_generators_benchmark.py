"""The benchmark of generators, with fakes for generators and judge: its prompts, its scores, and what is stored."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from conftest import Cli
from PIL import Image
from typer.testing import Result

from scope.benchmarks import generators as bench
from scope.benchmarks.results import Metric, Results, Row
from scope.errors import UsageError
from scope.models.features import FeatureNet
from scope.plugins import registry
from scope.protocols import OnStep, Picture, ignore_steps
from scope.specification import Commitment, Request, Specification, Type, Verdict
from scope.worlds.pocket import held_out
from scope.worlds.pocket.sampling import WORDS

COUNT = 3


class KnownImages:
    """A judge to whom every commitment is met on the images that it knows, which read FRESH, and none on others."""

    name, version = "known", "1"

    def __init__(self, good: Iterable[Image.Image]) -> None:
        self.good = {image.tobytes() for image in good}

    def handles(self, commitment: Commitment) -> bool:
        return True

    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        outcome = "met" if image.tobytes() in self.good else "violated"
        return [Verdict(commitment=c.id, outcome=outcome, reason="", verifier="known@1") for c in commitments]

    def read(self, image: Image.Image) -> tuple[str, ...]:
        return ("fresh",) if image.tobytes() in self.good else ()


class FakeGenerator:
    """Draws the true scenes that it knows, and a white page for every other request."""

    name, version, vocabulary = "fake", "1", None
    weights: dict[str, str] = {}

    def __init__(self, scenes: dict[Request, Image.Image]) -> None:
        self.scenes = scenes
        self.steps: list[int | None] = []

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        self.steps += [request.steps for request in requests]
        stepless = [request.model_copy(update={"steps": None}) for request in requests]
        return [Picture(self.scenes.get(request, Image.new("RGB", (128, 128), "white"))) for request in stepless]


@pytest.fixture(scope="module")
def scenes() -> dict[Request, Image.Image]:
    return {p.request: bench.true_scene(p) for prompts in bench.task_prompts(COUNT).values() for p in prompts}


@pytest.fixture(scope="module")
def network() -> FeatureNet:
    torch.manual_seed(0)
    return FeatureNet().eval()


Compare = Callable[..., Results]


@pytest.fixture
def best(scenes: dict[Request, Image.Image]) -> FakeGenerator:
    return FakeGenerator(scenes)


@pytest.fixture
def worst() -> FakeGenerator:
    return FakeGenerator({})


@pytest.fixture
def compare(best: FakeGenerator, worst: FakeGenerator, scenes: dict[Request, Image.Image]) -> Compare:
    """The comparison of a perfect generator and of one that draws nothing."""
    judge = KnownImages(scenes.values())
    systems = (bench.System("best", "a", lambda: best, 50), bench.System("worst", "b", lambda: worst, 4))

    def run(network: FeatureNet | None = None, weights: Collection[str] = "ab") -> Results:
        return bench.compare(systems, judge, judge.read, network, COUNT, weights)

    return run


@pytest.mark.heavy
def test_a_generator_of_true_scenes_reaches_the_ceiling_and_one_of_white_pages_nothing(
    compare: Compare, network: FeatureNet
) -> None:
    results = compare(network)
    rows = {row.name: row.metrics for row in results.rows}
    assert set(bench.TASKS) <= set(rows["best"])
    for task in bench.TASKS:
        assert rows["best"][task] == rows["true_scenes"][task]
        assert rows["worst"][task].value == 0
        assert results.judge_ceiling[task] == rows["true_scenes"][task].value
    assert all(rows["true_scenes"][task].value == 1 for task in bench.TASKS if task != "text")
    assert rows["best"]["fd"].value == pytest.approx(0, abs=1e-6)
    assert rows["worst"]["fd"].value > 0
    assert results.judge == "known@1"
    assert results.n_expected == COUNT * len(bench.TASKS)


def test_an_image_that_two_tasks_share_is_drawn_once_and_in_the_steps_of_its_row(
    compare: Compare, best: FakeGenerator, worst: FakeGenerator
) -> None:
    compare()
    assert best.steps == [50] * COUNT * (len(bench.TASKS) - 1)  # single_object and colors have the same prompts
    assert worst.steps == [4] * COUNT * (len(bench.TASKS) - 1)


def test_what_has_no_weights_is_told_and_without_features_there_is_no_fd(compare: Compare) -> None:
    _, best, worst = compare(weights="a").rows
    assert "fd" not in best.metrics
    assert "images_per_s" in best.metrics
    assert (worst.metrics, worst.note) == ({}, "this version ships no weights named b")


@pytest.mark.heavy
def test_every_prompt_holds_a_pair_that_was_held_out_and_what_its_task_asks_for() -> None:
    for task, (draw, types) in bench.TASKS.items():
        plans, specs = bench.plans(draw, 20), bench.specifications(draw, 20)
        assert all(held_out(replace(plan, text=None)) for plan in plans), task
        assert all(types <= {c.type for c in spec.commitments} for spec in specs), task
    signs = bench.specifications(bench.text, 20)
    assert {str(c.value) for spec in signs for c in spec.of(Type.TEXT)} <= set(WORDS)


@pytest.mark.parametrize(
    ("word", "texts", "expected"),
    [
        ("OPEN", ("open",), 1),
        ("OPEN", ("op", "en"), 1),  # on two boards
        ("OPEN", ("0pen", "x"), 0.75),
        ("OPEN", ("opened",), 4 / 6),  # more than the word is not the word
        ("OPEN", ("xyz",), 0),
        ("OPEN", (), 0),
    ],
)
def test_text_similarity_is_one_less_the_share_of_letters_to_change(
    word: str, texts: tuple[str, ...], expected: float
) -> None:
    assert bench.text_similarity(word, texts) == pytest.approx(expected)


def test_the_interval_of_a_mean_of_shares_stays_within_them() -> None:
    assert bench._bounded_mean([0.9, 1.0]).ci == pytest.approx((0.315, 1), abs=1e-3)
    assert bench._bounded_mean([0.5]).ci == (0, 1)  # one says nothing


# -- what the command does with results ----------------------------------------------------------


def comparison(name: str) -> Results:
    return Results(name=name, command=f"scope bench {name}", rows=(Row(name="a", metrics={"x": Metric(value=1)}),))


def paths(done: Result) -> list[str]:
    """Return the files that a command says it wrote."""
    return [line for line in done.stdout.splitlines() if line.endswith(".json")]


@pytest.mark.heavy
def test_results_are_stored_and_those_of_a_quick_sample_are_not(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda kind, name: lambda quick=False: comparison(name))
    assert paths(cli("bench", "generators")) == ["results/generators.json"]
    assert json.loads(Path("results/generators.json").read_text())["name"] == "generators"
    assert paths(cli("bench", "ntm", "--results", "here")) == ["here/ntm.json"]
    assert paths(cli("bench", "generators", "--quick")) == []


def test_what_was_measured_before_a_comparison_fails_is_stored(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure() -> Iterator[Results]:
        yield comparison("generators")
        raise UsageError("the second comparison failed")

    monkeypatch.setattr(registry, "load", lambda kind, name: measure)
    assert cli("bench", "generators").exit_code == 2
    assert Path("results/generators.json").is_file()
    refused = cli("bench", "generators", "--quick")
    assert "the benchmark 'generators' has no quick sample; leave --quick out" in refused.stderr


@pytest.mark.parametrize("given", [3, None])
def test_what_is_no_results_is_refused(given: object, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda kind, name: lambda: given)
    refused = cli("bench", "generators")
    assert refused.exit_code == 2
    assert f"gave {type(given).__name__}, not scope.benchmarks.results.Results" in refused.stderr
