"""Results are of one schema, and the documents show them and nothing else."""

import json
import re
from pathlib import Path

import pytest
from conftest import Cli
from pydantic import ValidationError

from scope.benchmarks.results import MEASURED_BY, Metric, Results, Row, load
from scope.benchmarks.tables import SYSTEMS, markdown, number, pages, rendered, summary
from scope.errors import ScopeError

ROOT = Path(__file__).parents[1]


def comparison(**changes: object) -> Results:
    fields: dict[str, object] = {
        "name": "speed",
        "command": "scope bench speed",
        "commit": "abc",
        "hardware": "2 CPU cores",
        "rows": (
            Row(
                name="help",
                metrics={"seconds": Metric(value=0.4321, ci=(0.4, 0.5), n=5), "peak_mb": Metric(value=1234.5)},
            ),
            Row(name="cold", note="no weights"),
        ),
    }
    return Results.model_validate(fields | changes)


def test_a_file_comes_back_as_it_was_written(tmp_path: Path) -> None:
    assert load(comparison().save(tmp_path)) == comparison()


def test_the_table_shows_every_row_and_how_it_was_made() -> None:
    assert markdown(comparison()).splitlines() == [
        "| speed | seconds | peak mb | note |",
        "| --- | --: | --: | --- |",
        "| help | 0.432 (0.4-0.5) | 1,234 |  |",
        "| cold |  |  | no weights |",
        "",
        "`scope bench speed`; 2 CPU cores; n = 5.",
    ]


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (0, "0"),
        (0.00123456, "0.00123"),
        (0.1 + 0.2, "0.3"),
        (12.345, "12.3"),
        (99.96, "100"),
        (1e6, "1,000,000"),
        (-0.5, "-0.5"),
    ],
)
def test_numbers_have_three_digits_and_no_exponent(value: float, text: str) -> None:
    assert number(value) == text


@pytest.mark.parametrize(
    "rows",
    [(Row(name="a"),), (Row(name="a", note="x"), Row(name="a", note="y"))],
    ids=["silent row", "two of one name"],
)
def test_rows_that_say_nothing_or_collide_are_refused(rows: tuple[Row, ...]) -> None:
    with pytest.raises(ValidationError):
        comparison(rows=rows)


def test_rendering_fills_each_marker_and_nothing_else(tmp_path: Path) -> None:
    comparison().save(tmp_path)
    speed, other = (
        "<!-- results:speed -->\nstale\n<!-- /results:speed -->",
        "<!-- results:other --><!-- /results:other -->",
    )
    text = f"a\n{speed}\nb\n{other}\nc\n"
    once = rendered(text, tmp_path)
    assert once.startswith("a\n<!-- results:speed -->\n| speed |")
    assert "stale" not in once
    assert "Not measured yet: `scope bench other`." in once
    assert once.endswith("\nc\n")
    assert rendered(once, tmp_path) == once


def test_a_marker_that_is_not_closed_is_told(tmp_path: Path) -> None:
    with pytest.raises(ScopeError, match="no <!-- /results:NAME -->"):
        rendered("<!-- results:speed -->\n", tmp_path)


@pytest.mark.parametrize("text", ["", "[]", json.dumps({"schema": 2}), comparison(name="other").model_dump_json()])
def test_results_of_another_schema_are_refused(tmp_path: Path, text: str) -> None:
    (tmp_path / "speed.json").write_text(text)
    with pytest.raises(ScopeError, match=r"speed\.json"):
        rendered("<!-- results:speed --><!-- /results:speed -->", tmp_path)


def test_the_check_tells_a_stale_table(cli: Cli) -> None:
    comparison().save(Path("results"))
    Path("docs").mkdir()
    Path("docs/results.md").write_text("<!-- results:speed -->\n<!-- /results:speed -->\n")
    stale = cli("bench", "render", "--check")
    assert stale.exit_code == 1
    assert "docs/results.md are stale" in stale.stderr
    assert cli("bench", "render").exit_code == 0
    assert cli("bench", "render", "--check").exit_code == 0


@pytest.mark.parametrize("page", pages(ROOT), ids=lambda page: page.name)
def test_the_documents_show_the_results_of_this_repository(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert rendered(text, ROOT / "results") == text


def test_every_comparison_is_in_one_document() -> None:
    shown = [name for page in pages(ROOT) for name in re.findall(r"<!-- results:(\w+) -->", page.read_text("utf-8"))]
    assert len(set(shown)) == len(shown)
    assert {path.stem for path in (ROOT / "results").glob("*.json")} <= set(shown)


def test_summary_is_the_mean_over_tasks_beside_the_judges_ceiling(tmp_path: Path) -> None:
    def row(name: str, **metrics: float) -> Row:
        return Row(name=name, metrics={metric: Metric(value=value) for metric, value in metrics.items()})

    ceiling = {"counting": 0.9, "position": 0.7}
    draws = (row("flow_50", counting=0.5, position=0.1, images_per_s=0.5), row("ntm_4", counting=1, position=0.5))
    for name, rows in (
        ("parser", (row("geneval", recall=0), row("chains", recall=1), row("comma", recall=0.5))),
        ("reconstruction", (row("lapped_world", kept=0.95), row("twemoji", kept=0.5))),
        ("verifiers", (row("entity", accuracy=1, false_pass=0.5), row("count", accuracy=0.5))),
    ):
        comparison(name=name, rows=rows).save(tmp_path)
    comparison(name="generators", rows=draws, judge="judge@1", judge_ceiling=ceiling).save(tmp_path)
    cells = [[cell.strip() for cell in line.split("|")[2:6]] for line in summary(tmp_path).splitlines()[2:]]
    assert cells == [
        ["0.75", "", "exact truth", "1"],
        ["0.75", "", "judge@1", "0.8"],
        ["0.3", "2", "judge@1", "0.8"],
        ["0.95", "", "exact truth", "1"],
        ["0.75", "", "exact truth", "1"],
    ]
    assert len(cells) == len(SYSTEMS)


@pytest.mark.parametrize("path", sorted((ROOT / "results").glob("*.json")), ids=lambda path: path.stem)
def test_every_file_of_results_is_whole(path: Path) -> None:
    """A smaller sample than the command's own is allowed where the command says so, and a folder that is not ours."""
    whole = f"scope bench {MEASURED_BY.get(path.stem, path.stem)}"
    assert re.fullmatch(rf"{whole}( --count \d+| --data FOLDER)?", load(path).command)


def test_a_bar_in_a_note_is_no_border_of_a_cell() -> None:
    assert "| a | x \\| y |" in markdown(comparison(rows=(Row(name="a", note="x | y"),)))


def test_what_could_not_be_run_is_not_measured_in_the_summary(tmp_path: Path) -> None:
    silent = [Row(name=name, note="no weights") for name in ("flow_50", "ntm_4", "lapped_world", "chains", "entity")]
    for system in SYSTEMS:
        comparison(name=system.results, rows=silent, judge_ceiling={"colors": 1.0}).save(tmp_path)
    lines = summary(tmp_path).splitlines()[2:]
    assert [line.split("|")[2].strip() for line in lines] == ["not measured"] * len(SYSTEMS)
