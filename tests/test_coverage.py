"""What of the things that prompts name the world draws: small sets of each format, by hand, with known answers."""

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli

from scope.benchmarks.experiments import coverage
from scope.benchmarks.experiments.coverage import WAYS, Asked, Thing, folded, measure, ways
from scope.benchmarks.results import Row
from scope.errors import UsageError
from scope.worlds.pocket.catalogue import AMBIGUOUS, NOUN_OF, SETTING_NAMES, SETTING_VERSIONS, VERSION, WIDER_OF

TUPLES = """item_id,text,tuple
1,A dog and dogs on a beach,entity - whole (dog)
1,A dog and dogs on a beach,entity - whole (dog)
1,A dog and dogs on a beach,"attribute - color (dog, red)"
1,A dog and dogs on a beach,entity - whole (beach)
1,A dog and dogs on a beach,entity - part (tail)
2,A street,entity - whole (street)
2,A street,entity - whole (A  Golden Retriever)
3,Nothing is named,global (nothing)
"""


def write(path: Path, lines: Iterable[Any]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines), "utf-8")


@pytest.fixture
def data(tmp_path: Path) -> Path:
    """A folder of sets: GenEval names 2 things, DSG 4, DPG 3, T2I-CompBench 2, the arena 2."""
    folder = tmp_path / "sets"
    twice = [{"class": "apple", "count": 1}, {"class": "apple", "count": 2}]
    write(folder / "geneval/evaluation_metadata.jsonl", [{"include": twice}, {"include": [{"class": "woman"}]}])
    write(folder / "dsg/dsg-1k-anns.csv", [TUPLES.rstrip()])
    write(
        folder / "dpg_bench/prompts.jsonl", [{"prompt": "two cats and a cat"}, {"prompt": "a bunny and a flugelbinder"}]
    )
    write(folder / "t2i_compbench/color_val.txt", ["a red apple and a blue ball", "a beach and no dogs"])
    write(folder / "t2i_compbench/shape_val.txt", ["very quickly"])
    write(folder / "gen_arena_samples/prompts.jsonl", [{"prompt": 'a sign that says "OPEN"'}, {"prompt": "a beagle"}])
    return folder


def rows(folder: Path) -> dict[str, Row]:
    return {row.name.removeprefix("coverage_"): row for row in measure(folder).rows}


def said(row: Row) -> dict[str, int]:
    """Return how many things are drawn in each way that has any, and of how many."""
    n = row.metrics["drawn"].n
    assert n is not None
    assert row.metrics["drawn"].value == pytest.approx(sum(row.metrics[way].value for way in WAYS), abs=1e-3)
    return {way: round(m.value * n) for way, m in row.metrics.items() if m.value and way != "drawn"} | {"n": n}


@pytest.mark.heavy
def test_each_set_is_counted_in_its_own_way(data: Path) -> None:
    found = rows(data)
    assert said(found["geneval_v4"]) == {"own": 1, "n": 2}
    assert said(found[f"geneval_v{VERSION}"]) == {"own": 2, "n": 2}
    assert said(found["dsg_v4"]) == {"own": 1, "setting": 1, "n": 4}
    assert said(found[f"dsg_v{VERSION}"]) == {"own": 1, "wider": 1, "setting": 2, "n": 4}
    assert said(found["dpg_bench_v4"]) == said(found[f"dpg_bench_v{VERSION}"]) == {"own": 1, "synonym": 1, "n": 3}
    assert said(found["t2i_compbench_v4"]) == {"own": 1, "n": 2}
    assert said(found[f"t2i_compbench_v{VERSION}"]) == {"own": 1, "several": 1, "n": 2}
    assert said(found["gen_arena_samples_v4"]) == {"own": 1, "n": 2}
    assert said(found[f"gen_arena_samples_v{VERSION}"]) == {"own": 1, "wider": 1, "n": 2}
    assert said(found["all_v4"]) == {"own": 5, "synonym": 1, "setting": 1, "n": 13}
    assert said(found[f"all_v{VERSION}"]) == {"own": 6, "synonym": 1, "wider": 2, "several": 1, "setting": 2, "n": 13}


@pytest.mark.heavy
def test_notes_say_what_is_not_drawn_and_what_was_not_read(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    found = rows(data)
    assert found["dsg_v4"].note == "3 prompts; not drawn: golden retriever 1, street 1"
    assert found[f"dpg_bench_v{VERSION}"].note == "2 prompts; not drawn: flugelbinder 1"
    assert found[f"t2i_compbench_v{VERSION}"].note == "2 prompts; 1 more name nothing"
    monkeypatch.setattr(coverage, "MOST", 1)
    found = rows(data)
    assert found[f"dsg_v{VERSION}"].note == "1 prompts; 2 more left out"
    assert found[f"t2i_compbench_v{VERSION}"].note == "1 prompts; 2 more left out"


def test_the_last_version_draws_what_the_catalogue_has_a_noun_for() -> None:
    drawn = {word for word, way in ways(VERSION).items() if way != "setting"} - {"sign", "signs"}
    assert drawn == set(NOUN_OF) | set(WIDER_OF) | set(AMBIGUOUS)
    assert set(SETTING_NAMES) <= set(SETTING_VERSIONS)


def test_an_earlier_version_knows_nothing_of_a_later_one() -> None:
    before, after = ways(4), ways(VERSION)
    assert set(before) < set(after)
    assert set(before.values()) == {"own", "synonym", "setting"}  # neither names nor words of several meanings
    assert [before.get(word) for word in ("dog", "sofas", "woman", "beagle", "ball", "ocean", "street")] == [
        *("own", "synonym", None, None, None, "setting", None)
    ]
    assert [after[word] for word in ("dog", "woman", "beagle", "ball", "ocean", "street", "train")] == [
        *("own", "own", "wider", "several", "setting", "setting", "own")
    ]


def test_a_place_is_drawn_only_where_the_set_lists_it() -> None:
    known = {"beach": "setting", "dog": "own"}
    things = [Thing(word, listed) for word in ("beach", "dog", "tail") for listed in (True, False)]
    assert [thing.way(known) for thing in things] == ["setting", None, "own", "own", None, None]


@pytest.mark.parametrize(("word", "expected"), [("The  Dog", "dog"), ("an apple", "apple"), ("theater", "theater")])
def test_words_are_looked_up_without_article_and_capitals(word: str, expected: str) -> None:
    assert folded(word) == expected


def test_the_most_frequent_of_what_is_not_drawn_comes_first() -> None:
    prompts = [frozenset(Thing(f"thing {i:02}", listed=True) for i in range(n)) for n in (12, 2, 1)]
    note = coverage.row("many", Asked(tuple(prompts)), {}).note
    assert note.startswith("3 prompts; not drawn: thing 00 3, thing 01 2, thing 02 1, ")
    assert note.endswith("thing 09 1")


@pytest.mark.parametrize("name", coverage.SETS)
def test_a_set_that_is_not_there_or_names_nothing_is_refused(name: str, data: Path) -> None:
    files = list((data / name).iterdir())
    for file in files:
        file.unlink()
    with pytest.raises(UsageError, match=f"the prompts of {name} cannot be read"):
        coverage.asked_of(name, data)
    for file in files:
        file.write_text("")
    with pytest.raises(UsageError, match=f"the prompts of {name} name nothing"):
        coverage.row(name, coverage.asked_of(name, data), {})


@pytest.mark.parametrize(
    ("file", "content"),
    [
        ("geneval/evaluation_metadata.jsonl", b'{"include": 3}\n'),
        ("geneval/evaluation_metadata.jsonl", b"[]\n"),
        ("dsg/dsg-1k-anns.csv", b"item_id,tuple\n1\n"),
        ("dsg/dsg-1k-anns.csv", b"a,b\n1,2\n"),
        ("dpg_bench/prompts.jsonl", b"{\n"),
        ("dpg_bench/prompts.jsonl", b'{"prompt": 3}\n'),
        ("t2i_compbench/color_val.txt", b"\xff\xfe\n"),
    ],
)
def test_a_damaged_set_is_refused(file: str, content: bytes, data: Path) -> None:
    (data / file).write_bytes(content)
    with pytest.raises(UsageError, match="are damaged"):
        coverage.asked_of(file.partition("/")[0], data)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ((), "say where they lie: scope bench coverage --data FOLDER"),
        (("--data", "nowhere"), "the prompts of geneval cannot be read"),
        (("--quick",), "has no quick sample"),
    ],
)
def test_the_command_says_what_it_lacks(options: tuple[str, ...], message: str, cli: Cli) -> None:
    refused = cli("bench", "coverage", *options)
    assert refused.exit_code == 2
    assert message in refused.stderr


def test_a_benchmark_that_reads_no_data_says_so(cli: Cli) -> None:
    refused = cli("bench", "world", "--data", "sets")
    assert refused.exit_code == 2
    assert "the benchmark 'world' has no data to read from a folder; leave --data out" in refused.stderr


@pytest.mark.heavy
def test_the_command_stores_no_folder_of_ours(data: Path, cli: Cli) -> None:
    done = cli("bench", "coverage", "--data", data)
    assert done.exit_code == 0, done.stderr
    stored = Path("results/coverage.json").read_text(encoding="utf-8")
    assert json.loads(stored)["command"] == "scope bench coverage --data FOLDER"
    assert str(data) not in stored
