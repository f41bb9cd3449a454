"""The benchmark of generators, with fakes for generators and judge: its scores, its systems, and what is stored."""

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Cli
from PIL import Image
from typer.testing import Result

from scope.benchmarks import generators as bench
from scope.benchmarks import scores
from scope.benchmarks.progress import Progress
from scope.benchmarks.results import Metric, Results, Row
from scope.benchmarks.tasks import TASKS, Prompt, Words, prompts
from scope.errors import ScopeError, UsageError
from scope.models.features import FeatureNet
from scope.plugins import registry
from scope.protocols import OnStep, Picture, ignore_steps
from scope.specification import Commitment, Request, Specification, Type, Verdict
from scope.worlds.pocket.catalogue import CONCEPTS

COUNT = 3


@dataclass(frozen=True)
class Found:
    """One thing that the judge sees."""

    noun: str
    color: str | None
    xyxy_px: tuple[float, float, float, float]


@dataclass(frozen=True)
class Perceived:
    """What the judge sees in a picture."""

    detections: tuple[Found, ...] = ()
    words: tuple[str, ...] = ()


class KnownImages:
    """A judge to whom every commitment is met on the scenes of prompts, whose truth it sees, and none on others."""

    name, version = "known", "1"

    def __init__(self, asked: Iterable[Prompt]) -> None:
        self.truth = {prompt.true_scene().tobytes(): prompt for prompt in asked}

    def handles(self, commitment: Commitment) -> bool:
        return True

    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        outcome = "met" if image.tobytes() in self.truth else "violated"
        return [Verdict(commitment=c.id, outcome=outcome, reason="", verifier="known@1") for c in commitments]

    def perceive(self, image: Image.Image, asked: Collection[str] = ()) -> Any:
        if image.tobytes() not in self.truth:
            return Perceived()
        prompt = self.truth[image.tobytes()]
        things = tuple(Found(obj.noun, obj.color, obj.xyxy_px) for obj in prompt.layout().objects)
        return Perceived(things, (prompt.case.plan.text.lower(),) if prompt.case.plan.text else ())


class FakeGenerator:
    """Draws the true scenes of requests that it knows, and a white page for every other."""

    name, version, vocabulary = "fake", "1", None
    weights: dict[str, str] = {}

    def __init__(self, scenes: dict[Request, Image.Image], reads: Collection[str] = ("regions", "steps")) -> None:
        self.scenes, self.reads, self.side = scenes, frozenset(reads), 128
        self.requests: list[Request] = []
        self.sizes: list[int] = []

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        self.requests += requests
        self.sizes.append(len(requests))
        return [Picture(self._picture(request.model_copy(update={"steps": None}))) for request in requests]

    def _picture(self, request: Request) -> Image.Image:
        return self.scenes.get(request, Image.new("RGB", (self.side, self.side), "white"))


@pytest.fixture(scope="module")
def asked() -> dict[str, list[Prompt]]:
    return {task: prompts(task, Words.of([None]), COUNT) for task in TASKS}


@pytest.fixture(scope="module")
def judge(asked: dict[str, list[Prompt]]) -> KnownImages:
    return KnownImages(prompt for of_task in asked.values() for prompt in of_task)


@pytest.fixture(scope="module")
def scenes(asked: dict[str, list[Prompt]]) -> dict[Request, Image.Image]:
    """The true scene of each bound request."""
    return {prompt.bound_request: prompt.true_scene() for of_task in asked.values() for prompt in of_task}


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
    return FakeGenerator({}, reads=())


@pytest.fixture
def compare(best: FakeGenerator, worst: FakeGenerator, judge: KnownImages) -> Compare:
    """The comparison of a generator that is perfect where it is bound, and of one that draws nothing."""
    systems = (
        bench.System("best", "a", lambda: best, 50, bound=True),
        bench.System("best_direct", "a", lambda: best, 50, bound=False, besides=("layout",)),
        bench.System("worst", "b", lambda: worst, 4, bound=True),
        bench.System("worst_direct", "b", lambda: worst, 4, bound=False),
    )

    def run(network: FeatureNet | None = None, weights: Collection[str] = ("a", "b", "layout")) -> Results:
        return bench.compare(systems, judge, network, COUNT, weights)

    return run


@pytest.mark.heavy
def test_a_generator_of_true_scenes_reaches_the_ceiling_and_one_of_white_pages_nothing(
    compare: Compare, network: FeatureNet
) -> None:
    results = compare(network)
    rows = {row.name: row.metrics for row in results.rows}
    asked_of_all = [metric for metric in bench.SCORED if metric != "free_boxes"]
    for metric in bench.SCORED:
        assert rows["true_scenes"][metric] == rows["best"][metric] == Metric(value=1, ci=(0.4385, 1), n=COUNT)
        assert results.judge_ceiling[metric] == 1
    for metric in (*asked_of_all, "whole", "first_six", "text_similarity"):
        assert rows["best_direct"][metric].value == rows["worst_direct"][metric].value == 0
    assert rows["best"]["whole"].n == COUNT * len(TASKS)
    assert rows["best"]["fd"].value == pytest.approx(0, abs=1e-6)
    assert rows["worst_direct"]["fd"].value > 0
    assert (results.judge, results.n_expected) == ("known@1", COUNT * len(TASKS))


@pytest.mark.heavy
def test_what_is_not_bound_gets_the_prompt_alone_and_is_not_asked_for_given_boxes(
    compare: Compare, best: FakeGenerator
) -> None:
    rows = {row.name: row for row in compare().rows}
    looked, *requests = best.requests  # the first is to see how large its pictures are
    bound, direct = ([r for r in requests if bool(r.regions) is is_bound] for is_bound in (True, False))
    timed = bench.TIMED_QUICK + 1 + bench.TIMED_QUICK  # some at a time, and each alone
    assert len(bound) == COUNT * len(TASKS) + timed
    assert len(direct) == COUNT * (len(TASKS) - 1) + timed
    assert {r.steps for r in requests} == {50}
    assert looked.steps is None
    assert "free_boxes" not in rows["best_direct"].metrics
    assert rows["worst"].note == "fake@1 reads no regions"
    assert rows["worst"].metrics == {}


@pytest.mark.heavy
def test_pictures_are_drawn_some_at_a_time_and_the_seconds_are_those_of_single_requests(
    compare: Compare, best: FakeGenerator
) -> None:
    threads = torch.get_num_threads()
    rows = {row.name: row for row in compare().rows}
    timed = [bench.TIMED_QUICK, *[1] * (1 + bench.TIMED_QUICK)]
    assert best.sizes == [1, 16, 14, 16, 11, *timed, *timed]  # time is taken when nothing else is done
    assert rows["best"].metrics["seconds"].n == bench.TIMED_QUICK
    assert torch.get_num_threads() == threads


@pytest.mark.heavy
def test_rows_that_are_kept_are_not_made_again_but_for_other_prompts(
    worst: FakeGenerator, judge: KnownImages, tmp_path: Path
) -> None:
    system = bench.System("other", "b", lambda: worst, 4, bound=False)
    timed = bench.TIMED_QUICK + 1 + bench.TIMED_QUICK

    def compared(count: int) -> tuple[list[Metric | None], int]:
        worst.requests.clear()
        rows = bench.compare([system], judge, None, count, ("b",), runs=tmp_path / "runs").rows
        return [row.metrics.get("whole") for row in rows], len(worst.requests) - 1 - timed

    first, drawn = compared(2)
    assert drawn == 2 * (len(TASKS) - 1)
    assert compared(2) == (first, 0)
    assert compared(3)[1] == 3 * (len(TASKS) - 1)


def nothing_drawn() -> FakeGenerator:
    return FakeGenerator({}, reads=())


@pytest.mark.heavy
def test_rows_made_beside_each_other_are_those_made_one_after_the_other(judge: KnownImages) -> None:
    systems = [bench.System(name, "b", nothing_drawn, 4, bound=False) for name in ("ntm_4", "other")]

    def of_rows(processes: int) -> dict[str, dict[str, Metric]]:
        rows = bench.compare(systems, judge, None, 2, ("b",), processes=processes).rows
        timed = ("seconds", "images_per_s")
        return {row.name: {m: v for m, v in row.metrics.items() if m not in timed} for row in rows}

    assert of_rows(2) == of_rows(0)


@pytest.mark.heavy
def test_the_first_nouns_are_asked_again_of_those_who_draw_them(worst: FakeGenerator, judge: KnownImages) -> None:
    systems = [bench.System(name, "b", lambda: worst, 4, bound=False) for name in ("ntm_4", "other")]
    rows = {row.name: row for row in bench.compare(systems, judge, None, 2, ("b",)).rows}
    assert list(rows) == ["true_scenes", "ntm_4", "other", "true_scenes_core", "ntm_4_core"]
    assert {"first_six", *bench.FIRST_SIX, "setting", "whole"} == set(rows["ntm_4_core"].metrics)
    words = Words.of([None])
    assert 100 < len(words.core.nouns) < 198 < len(words.nouns)
    assert all(CONCEPTS[noun].version < 5 for noun in words.core.nouns)


def test_what_has_no_weights_is_told_and_without_features_there_is_no_fd(compare: Compare) -> None:
    _, best, direct, worst, _ = compare(weights="a").rows
    assert "fd" not in best.metrics
    assert "images_per_s" in best.metrics
    assert (direct.metrics, direct.note) == ({}, "this version ships no weights named layout")
    assert (worst.metrics, worst.note) == ({}, "this version ships no weights named b")


@pytest.mark.heavy
def test_fewer_pictures_than_prompts_are_refused(compare: Compare, best: FakeGenerator) -> None:
    draw = best.generate
    best.generate = lambda requests, on_step=ignore_steps: draw(requests)[:15]  # type: ignore[method-assign]
    with pytest.raises(ScopeError, match="fake@1 drew 15 of 16 prompts"):
        compare()


@pytest.mark.heavy
def test_true_scenes_are_as_large_as_the_largest_pictures_that_are_drawn(
    compare: Compare, best: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    best.side = 256
    scales = []
    monkeypatch.setattr(Prompt, "true_scene", lambda self, scale: scales.append(scale) or Image.new("RGB", (9, 9)))
    compare()
    assert set(scales) == {2}


@pytest.mark.heavy
def test_a_thing_is_in_place_where_it_has_its_colour_and_shares_most_of_its_box(judge: KnownImages) -> None:
    prompt = next(p for p in prompts("free_boxes", Words.of([None]), 9) if len(p.case.boxes) == 1)
    ((x0, y0, x1, y1),) = prompt.case.boxes
    (group,) = prompt.case.plan.groups

    def score(noun: str, color: str | None, *box: float) -> float:
        class Sees(KnownImages):
            def perceive(self, image: Image.Image, asked: Collection[str] = ()) -> Any:
                return Perceived((Found(noun, color, (box[0], box[1], box[2], box[3])),))

        return scores.Seen(Sees([]), prompt.true_scene(), prompt).in_place()

    half = (x0 + x1) / 2
    assert score(group.noun, group.color, x0, y0, x1, y1) == 1
    assert score(group.noun, group.color, x0, y0, half, y1) == 1  # half of it
    assert score(group.noun, group.color, half - (x1 - x0), y0, half, y1) == 0  # a third of both together
    assert score("ghost" if group.noun != "ghost" else "bee", group.color, x0, y0, x1, y1) == 0
    assert score(group.noun, None, x0, y0, x1, y1) == 0


@pytest.mark.heavy
def test_only_commitments_of_the_types_of_a_task_decide_its_score_and_all_decide_whether_it_is_whole() -> None:
    (prompt,) = prompts("counting", Words.of([None]), 1)

    class Sees(KnownImages):
        def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
            outcomes = {Type.ATTRIBUTE: None}
            return [
                Verdict(commitment=c.id, outcome=outcomes.get(c.type, "met"), reason="", verifier="sees@1")
                for c in commitments
            ]

    seen = scores.Seen(Sees([]), prompt.true_scene(), prompt)
    assert seen.met({Type.PRESENCE, Type.COUNT}) == 1
    assert seen.met({Type.PRESENCE, Type.ATTRIBUTE}) == 0  # what cannot be judged is not met
    assert seen.whole() == 0


@pytest.mark.parametrize(
    ("a", "b", "expected"),
    [
        ((0, 0, 10, 10), (0, 0, 10, 10), 1),
        ((0, 0, 10, 10), (5, 0, 15, 10), 50 / 150),
        ((0, 0, 10, 10), (2, 3, 4, 8), 0.1),
        ((0, 0, 10, 10), (10, 0, 20, 10), 0),
        ((0, 0, 10, 10), (11, 11, 20, 20), 0),
    ],
)
def test_iou_is_what_two_boxes_share_of_what_they_cover(a: Any, b: Any, expected: float) -> None:
    assert scores.iou(a, b) == scores.iou(b, a) == pytest.approx(expected)


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
    assert scores.text_similarity(word, texts) == pytest.approx(expected)


def test_the_interval_of_a_mean_of_shares_stays_within_them() -> None:
    assert scores.bounded_mean([0.9, 1.0]).ci == pytest.approx((0.315, 1), abs=1e-3)
    assert scores.bounded_mean([0.5]).ci == (0, 1)  # one says nothing


def test_progress_is_said_now_and_then_with_what_is_left(capsys: pytest.CaptureFixture[str]) -> None:
    times = iter((0.0, 10.0, 20.0, 31.0, 40.0, 62.0, 70.0, 80.0, 85.0))
    progress = Progress("ntm_4, drawn", 8, clock=lambda: next(times))
    for _ in range(8):
        progress.add()
    lines = capsys.readouterr().err.splitlines()
    assert [line.rpartition(",")[0] for line in lines] == [f"ntm_4, drawn: {done} of 8" for done in (3, 5, 8)]
    assert [line.rpartition(", ")[2] for line in lines] == ["1 min left", "1 min left", "0 min left"]


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
