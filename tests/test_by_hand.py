"""What a person judges on contact sheets, compared with the judge: the same pictures, every question, no guess."""

import csv
import shutil
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pytest
from conftest import Cli, Parts
from PIL import Image

from scope.benchmarks import by_hand
from scope.benchmarks.by_hand import JUDGEMENTS, compare, cut, make, measure, questions, write_sheets
from scope.errors import OutputError, ScopeError, UsageError
from scope.parsing.grammar import Grammar
from scope.plugins import registry
from scope.specification import Commitment, Specification, Verdict
from scope.testing import FakeGenerator

pytestmark = pytest.mark.heavy
COUNT = 12


class Optimist:
    """A judge that calls all met but what it is told not to, by claim, and keeps the pictures that it is shown."""

    name, version = "optimist", "1"

    def __init__(self, violated: Sequence[str] = (), unjudged: Sequence[str] = ()) -> None:
        self.said = dict.fromkeys(violated, "violated") | dict.fromkeys(unjudged)
        self.seen: list[Image.Image] = []

    def handles(self, commitment: Commitment) -> bool:
        return True

    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        self.seen.append(image)
        outcomes = (self.said.get(c.claim, "met") for c in commitments)
        both = zip(commitments, outcomes, strict=True)
        return [Verdict(commitment=c.id, outcome=o, reason="", verifier="optimist@1") for c, o in both]


@pytest.fixture(scope="module")
def generator() -> FakeGenerator:
    return FakeGenerator(name="ntm", size=64, reads=frozenset({"regions"}))


@pytest.fixture(scope="module")
def made(generator: FakeGenerator, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("made")
    make(generator, COUNT, folder)
    return folder


@pytest.fixture
def folder(made: Path, tmp_path: Path) -> Path:
    """A copy of what was made, in a folder of results."""
    return shutil.copytree(made, tmp_path / by_hand.FOLDER)


def answer(folder: Path, right: dict[int, str], line: str = "") -> list[dict[str, str]]:
    """Fill the table with yes, but for the answers to lines of these numbers; return its rows."""
    path = folder / JUDGEMENTS
    with path.open(newline="") as file:
        rows = list(csv.DictReader(file))
    for number, row in enumerate(rows):
        row["right"] = right.get(number, "yes")
    with path.open("w", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return rows


@pytest.mark.parametrize("side", [100, 256, 300])
def test_a_sheet_gives_back_every_picture_to_the_pixel(side: int, tmp_path: Path) -> None:
    rng = np.random.default_rng(0)
    lines = [Image.fromarray(rng.integers(0, 256, (1, side, 3), np.uint8)) for _ in range(27)]
    pictures = [line.resize((side, side)) for line in lines]
    sheets = write_sheets(tmp_path, ["a prompt that is rather long " * 4] * 27, pictures, "fake@1")
    assert [path.name for path in sheets] == ["sheet_1.png", "sheet_2.png"]
    back = [cut(sheet) for sheet in sheets]
    assert {by for _, by in back} == {"fake@1"}
    assert [p.tobytes() for p in (*back[0][0], *back[1][0])][:27] == [p.tobytes() for p in pictures]


def test_every_commitment_of_every_picture_is_asked_about_once_and_no_answer_is_given(
    folder: Path, generator: FakeGenerator
) -> None:
    with (folder / JUDGEMENTS).open(newline="") as file:
        rows = list(csv.DictReader(file))
    specs = [Grammar().decompose(request.text) for request in generator.requests[:COUNT]]
    assert [(int(r["picture"]), r["commitment"], r["claim"], r["right"]) for r in rows] == [
        (number, c.id, c.claim, "") for number, spec in enumerate(specs, 1) for c in spec.commitments
    ]
    assert {row["asked"] for row in rows} == {asked for asked, _ in by_hand._ASKED.values()}
    assert all(request.regions for request in generator.requests[:COUNT])
    assert len({request.text for request in generator.requests[:COUNT]}) == COUNT


def test_the_judge_is_shown_the_pictures_that_were_drawn_and_agrees_where_it_says_the_same(
    folder: Path, generator: FakeGenerator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    rows = answer(folder, {0: "no", 1: " NO ", 4: "Yes"})
    judge = Optimist(violated=[rows[1]["claim"], rows[2]["claim"]], unjudged=[rows[3]["claim"]])
    monkeypatch.setattr(by_hand, "load_judge", lambda: judge)
    results = measure(tmp_path)
    drawn = [picture.image.tobytes() for picture in generator.generate(generator.requests[:COUNT])]
    assert [image.tobytes() for image in judge.seen] == drawn
    everything = next(row for row in results.rows if row.name == "drawn_all").metrics
    claims = [row["claim"] for row in rows]
    told = sum(claims.count(claims[i]) for i in (1, 2, 3))  # the same claim may be made of two pictures
    assert told == 3
    n = len(rows)
    assert {name: (round(m.value * (m.n or 0)), m.n) for name, m in everything.items()} == {
        "right": (n - 2, n),
        "accuracy": (n - 3, n),  # it misses 0, and is too strict on 2 and 3
        "false_pass": (1, 2),
        "false_alarm": (2, n - 2),
    }
    parts = [row.metrics["right"].n or 0 for row in results.rows if row.name != "drawn_all"]
    assert sum(parts) == results.n_expected == n


def test_where_all_is_right_there_is_nothing_to_pass_wrongly(folder: Path) -> None:
    answer(folder, {})
    results = compare(folder, by_hand._read(folder / JUDGEMENTS), Optimist())
    assert all(set(row.metrics) == {"right", "accuracy", "false_alarm"} for row in results.rows)
    assert all(row.metrics["accuracy"].value == 1 for row in results.rows)


@pytest.mark.parametrize("said", ["", "maybe"])
def test_a_line_without_an_answer_is_named(folder: Path, said: str) -> None:
    answer(folder, {5: said})
    with pytest.raises(ScopeError, match=rf"judgements\.csv, line 7: right is {said!r}; write yes or no"):
        measure(folder.parent)


def test_lines_of_another_prompt_and_missing_sheets_and_tables_are_told(folder: Path) -> None:
    answer(folder, {})
    lines = by_hand._read(folder / JUDGEMENTS)
    with pytest.raises(ScopeError, match="picture 1: its lines are not the commitments"):
        compare(folder, lines[1:], Optimist())
    (folder / "sheet_1.png").unlink()
    with pytest.raises(ScopeError, match="has no sheet with picture 1; draw them again"):
        compare(folder, lines, Optimist())
    Image.new("RGB", (9, 9)).save(folder / "sheet_1.png")
    with pytest.raises(ScopeError, match="is no sheet that"):
        compare(folder, lines, Optimist())
    (folder / JUDGEMENTS).write_text("picture,right\nx,yes\n")
    with pytest.raises(ScopeError, match=r"judgements\.csv cannot be used"):
        measure(folder.parent)


def test_judgements_are_not_written_over_and_pictures_of_no_regions_are_not_drawn(
    folder: Path, generator: FakeGenerator
) -> None:
    with pytest.raises(OutputError, match="move it away"):
        make(generator, COUNT, folder)
    with pytest.raises(UsageError, match="fake@1 reads no regions"):
        make(FakeGenerator(), COUNT, folder / "other")


def test_questions_of_a_prompt_are_its_commitments_in_order() -> None:
    spec = Grammar().decompose("two red apples to the left of a blue car on a beach")
    lines = questions([spec])
    assert [line.commitment for line in lines] == [c.id for c in spec.commitments]
    assert {line.asked for line in lines} == {"recognisable", "count", "colour", "place", "setting"}


def test_the_commands_draw_sheets_and_read_what_is_judged(
    cli: Cli, parts: Parts, generator: FakeGenerator, monkeypatch: pytest.MonkeyPatch
) -> None:
    parts["generators", "ntm"] = lambda: generator
    drawn = cli("bench", "sheet", "--count", 2)
    assert drawn.stdout.splitlines() == ["results/by_hand/sheet_1.png", "results/by_hand/judgements.csv"]
    answer(Path("results/by_hand"), {0: "no"})
    monkeypatch.setattr(by_hand, "load_judge", Optimist)
    monkeypatch.setattr(registry, "load", lambda kind, name: measure)
    judged = cli("bench", "by_hand")
    assert judged.stdout.splitlines()[-1] == "results/by_hand.json"
    assert "| drawn all |" in judged.stdout
