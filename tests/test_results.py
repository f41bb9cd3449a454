"""Results are of one schema, and the README shows them and nothing else."""

import json
from pathlib import Path

import pytest
from conftest import Cli
from pydantic import ValidationError

from scope.benchmarks.results import MEASURED_BY, Metric, Results, Row, load, markdown, number, rendered
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
    Path("README.md").write_text("<!-- results:speed -->\n<!-- /results:speed -->\n")
    stale = cli("bench", "render", "--check")
    assert stale.exit_code == 1
    assert "stale" in stale.stderr
    assert cli("bench", "render").exit_code == 0
    assert cli("bench", "render", "--check").exit_code == 0


def test_the_readme_shows_the_results_of_this_repository() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    assert rendered(readme, ROOT / "results") == readme


@pytest.mark.parametrize("path", sorted((ROOT / "results").glob("*.json")), ids=lambda path: path.stem)
def test_every_file_of_results_is_whole(path: Path) -> None:
    assert load(path).command == f"scope bench {MEASURED_BY.get(path.stem, path.stem)}"
