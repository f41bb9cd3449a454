"""The benchmark of generators with fakes for the judge and the reader: what is asked, how it is scored and stored."""

import json
from collections.abc import Iterator, Sequence
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


class Counting:
    """A judge that meets what it is told to, and nothing in other pictures."""

    name, version = "counting", "1"

    def __init__(self, good: set[bytes]) -> None:
        self.good = good

    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        outcome = "met" if image.tobytes() in self.good else "violated"
        return [Verdict(commitment=c.id, outcome=outcome, reason="", verifier="counting@1") for c in commitments]


class Artist:
    """Draws true scenes from memory, or one white page for all."""

    name, version, vocabulary = "artist", "1", None
    weights: dict[str, str] = {}

    def __init__(self, knows: bool) -> None:
        prompts = [prompt for of_task in bench.asked(COUNT).values() for prompt in of_task]
        self.scenes = {p.request: bench.true_scene(p) for p in prompts} if knows else {}
        self.steps: list[int | None] = []

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        self.steps += [request.steps for request in requests]
        plain = [request.model_copy(update={"steps": None}) for request in requests]
        return [Picture(self.scenes.get(request, Image.new("RGB", (128, 128), "white"))) for request in plain]


@pytest.fixture
def world(monkeypatch: pytest.MonkeyPatch) -> tuple[Artist, Artist]:
    """Weights of a perfect generator and of one that draws nothing, a judge, a reader and a network of features."""
    torch.manual_seed(0)
    network, best, worst = FeatureNet().eval(), Artist(True), Artist(False)
    good = {scene.tobytes() for scene in best.scenes.values()}
    monkeypatch.setattr(bench, "QUICK", COUNT)
    monkeypatch.setattr(bench, "expected", lambda: {"flow": "", "ntm": "", "features": ""})
    monkeypatch.setattr(bench.features, "load", lambda: (network, ""))
    monkeypatch.setattr(bench, "load_judge", lambda: Counting(good))
    monkeypatch.setattr(bench, "read_words", lambda image: ("fresh",) if image.tobytes() in good else ())
    monkeypatch.setattr(bench, "ROWS", {"flow_50": ("flow", lambda: best, 50), "ntm_4": ("ntm", lambda: worst, 4)})
    return best, worst


def test_a_generator_of_true_scenes_reaches_the_ceiling_and_one_of_white_pages_nothing(
    world: tuple[Artist, Artist],
) -> None:
    results = bench.drawing(quick=True)
    rows = {row.name: row.metrics for row in results.rows}
    assert set(bench.TASKS) <= set(rows["flow_50"])
    for task in bench.TASKS:
        assert rows["flow_50"][task] == rows["true_scenes"][task]
        assert rows["ntm_4"][task].value == 0
        assert results.judge_ceiling[task] == rows["true_scenes"][task].value
    assert all(rows["true_scenes"][task].value == 1 for task in bench.TASKS if task != "text")
    assert rows["flow_50"]["fd"].value == pytest.approx(0, abs=1e-6)
    assert rows["ntm_4"]["fd"].value > 0
    assert results.judge == "counting@1"
    assert results.n_expected == COUNT * len(bench.TASKS)


def test_a_picture_that_two_tasks_ask_for_is_drawn_once_and_in_the_steps_of_its_row(
    world: tuple[Artist, Artist],
) -> None:
    bench.drawing(quick=True)
    best, worst = world
    assert best.steps == [50] * COUNT * (len(bench.TASKS) - 1)  # single_object and colors ask about the same
    assert worst.steps == [4] * COUNT * (len(bench.TASKS) - 1)


def test_what_has_no_weights_is_told_and_without_features_there_is_no_fd(
    world: tuple[Artist, Artist], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bench, "expected", lambda: {"flow": ""})
    _, flow, ntm = bench.drawing(quick=True).rows
    assert "fd" not in flow.metrics
    assert "images_per_s" in flow.metrics
    assert (ntm.metrics, ntm.note) == ({}, "this version ships no weights named ntm")


def test_every_prompt_holds_a_pair_that_was_held_out_and_what_its_task_asks_for() -> None:
    for task, (draw, types) in bench.TASKS.items():
        plans, specs = bench.plans(draw, 20), bench.prompts(draw, 20)
        assert all(held_out(replace(plan, text=None)) for plan in plans), task
        assert all(types <= {c.type for c in spec.commitments} for spec in specs), task
    signs = bench.prompts(bench.text, 20)
    assert {str(c.value) for spec in signs for c in spec.of(Type.TEXT)} <= set(WORDS)


@pytest.mark.parametrize(
    ("word", "found", "near"),
    [
        ("OPEN", ("open",), 1),
        ("OPEN", ("op", "en"), 1),  # on two boards
        ("OPEN", ("0pen", "x"), 0.75),
        ("OPEN", ("opened",), 4 / 6),  # more than the word is not the word
        ("OPEN", ("xyz",), 0),
        ("OPEN", (), 0),
    ],
)
def test_nearness_is_one_less_the_share_of_letters_to_change(word: str, found: tuple[str, ...], near: float) -> None:
    assert bench.nearness(word, found) == pytest.approx(near)


def test_the_interval_of_a_mean_of_shares_stays_within_them() -> None:
    assert bench._mean([0.9, 1.0]).ci == pytest.approx((0.315, 1), abs=1e-3)
    assert bench._mean([0.5]).ci == (0, 1)  # one says nothing


# -- two files of one command --------------------------------------------------------------------


def figures(name: str) -> Results:
    return Results(name=name, command="scope bench generators", rows=(Row(name="a", metrics={"x": Metric(value=1)}),))


def paths(done: Result) -> list[str]:
    """Return the files that a command says it wrote."""
    return [line for line in done.stdout.splitlines() if line.endswith(".json")]


def test_one_command_writes_both_files_or_one(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, bool]] = []
    for name in bench.PARTS:
        part = lambda quick, name=name: (asked.append((name, quick)), figures(name))[1]  # noqa: E731
        monkeypatch.setitem(bench.PARTS, name, part)
    monkeypatch.setattr(registry, "load", lambda kind, name: bench.measure)
    assert paths(cli("bench", "generators")) == ["results/generators.json", "results/ntm.json"]
    assert json.loads(Path("results/ntm.json").read_text())["name"] == "ntm"
    assert paths(cli("bench", "generators", "--only", "ntm", "--results", "here")) == ["here/ntm.json"]
    assert paths(cli("bench", "generators", "--quick")) == []
    assert asked == [("generators", False), ("ntm", False), ("ntm", False), ("generators", True), ("ntm", True)]
    wrong = cli("bench", "generators", "--only", "flow")
    assert wrong.exit_code == 2
    assert "no part 'flow'; it has: generators, ntm" in wrong.stderr
    with pytest.raises(UsageError):
        next(bench.measure(only="flow"))


def test_what_was_measured_before_a_part_fails_is_stored(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def measure() -> Iterator[Results]:
        yield figures("generators")
        raise UsageError("the second part failed")

    monkeypatch.setattr(registry, "load", lambda kind, name: measure)
    assert cli("bench", "generators").exit_code == 2
    assert Path("results/generators.json").is_file()
    refused = cli("bench", "generators", "--only", "ntm")
    assert "the benchmark 'generators' has no parts; leave --only out" in refused.stderr


@pytest.mark.parametrize("given", [3, None])
def test_what_is_no_figures_is_refused(given: object, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "load", lambda kind, name: lambda: given)
    refused = cli("bench", "generators")
    assert refused.exit_code == 2
    assert f"gave {type(given).__name__}, not scope.benchmarks.results.Results" in refused.stderr
