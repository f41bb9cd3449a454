"""The command line: what goes where, with which exit code, and that a picture can be followed back."""

import contextlib
import json
import os
import pty
import re
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli, Parts
from prompts import PROMPT
from typer.testing import CliRunner, Result

from scope import __version__, errors
from scope.cli import app
from scope.engine.graph import NODES
from scope.engine.outcome import STAGES
from scope.generators.metadata import vocabulary_of
from scope.parsing.grammar import Grammar
from scope.protocols import DEFAULT_GENERATOR
from scope.runs.marks import sidecar
from scope.runs.png import open_png, read_record
from scope.runs.target import slug
from scope.testing import FakeGenerator, FakeVerifier
from scope.text import visible
from scope.weights import read_metadata, weights_path

ROOT = Path(__file__).parents[1]

#: The command line over fakes, in a process of its own. The generator takes a tenth of a second per picture.
PROGRAM = """
from scope.plugins import registry as plugins
from scope.testing import FakeGenerator, FakeReader, FakeVerifier
slow = lambda: FakeGenerator(delay=0.1)
parts = {"generators": slow, "verifiers": FakeVerifier, "language": FakeReader}
plugins.load = lambda kind, name: parts[kind]
plugins.names = lambda kind: ["one"] if kind == "verifiers" else []
plugins.installed = lambda kind: []
from scope.cli import main
main()
"""


def child(folder: Path, *arguments: str, **options: Any) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def written(done: Result) -> Path:
    """Return the path that a command printed: the last line."""
    assert done.exit_code == 0, done.stderr
    return Path(done.stdout.splitlines()[-1])


def here() -> list[str]:
    return sorted(path.name for path in Path().iterdir())


# -- what goes where -----------------------------------------------------------------------------


def test_stdout_is_the_proof_and_the_path_its_last_line(cli: Cli) -> None:
    done = cli("generate", PROMPT)
    assert done.exit_code == 0, done.stderr
    *proof, line = done.stdout.splitlines()
    assert Path(line) == Path.cwd() / "2-red-apple-left-of-1-blue-car-on-beach-0.png"
    assert open_png(Path(line)).format == "PNG"
    assert "presence of apple" in done.stdout
    assert "8 of 8 commitments met" in proof[-1]
    assert "met" not in done.stderr.replace("8 met, 0 violated, 0 unjudged", "")
    assert "drawing draft 1 of 2" in done.stderr


@pytest.mark.heavy
def test_json_is_alone_on_stdout(cli: Cli) -> None:
    for command in (("generate", PROMPT), ("spec", PROMPT), ("runs",), ("doctor",), ("plugins", "list")):
        json.loads(cli(*command, "--json").stdout)


def test_version(cli: Cli) -> None:
    done = cli("--version")
    assert (done.exit_code, done.stdout) == (0, f"scope {__version__}\n")


@pytest.mark.parametrize("group", [(), ("plugins",), ("bench",), ("world",)], ids=str)
def test_no_argument_is_help(cli: Cli, group: tuple[str, ...]) -> None:
    done = cli(*group)
    assert done.exit_code == 0
    assert "Usage: scope" in done.stdout
    assert done.stderr == ""


@pytest.mark.parametrize("more", [(), ("--dry-run",)])
def test_a_word_that_the_weights_do_not_know_is_said_before_anything_is_drawn(cli: Cli, more: tuple[str, ...]) -> None:
    told = cli("generate", "1 zzyx", *more).stderr
    note = "the shipped weights do not know the word 'zzyx'"
    assert told.count(note) == 1
    assert more or told.index(note) < told.index("drawing")
    assert "do not know" not in cli("generate", PROMPT, *more).stderr


def test_a_word_that_the_weights_do_not_know_is_said_once(cli: Cli, parts: Parts) -> None:
    vocabulary = vocabulary_of(read_metadata(weights_path(DEFAULT_GENERATOR)))
    parts["generators", DEFAULT_GENERATOR] = lambda: FakeGenerator(name=DEFAULT_GENERATOR, vocabulary=vocabulary)
    done = cli("generate", "1 zzyx", "--json")
    assert "the word 'zzyx'" in "".join(json.loads(done.stdout)["notes"])
    assert done.stderr.count("the word 'zzyx'") == 1


def test_the_exit_codes_are_those_of_the_readme_and_of_every_error(cli: Cli) -> None:
    def listed(text: str) -> str:
        return " ".join(re.findall(r"[\w,]+", text.partition("Exit codes:")[2].partition("interrupted")[0]))

    told = listed(cli("--help").stdout)
    assert told == listed((ROOT / "README.md").read_text())
    codes = {error.exit_code for error in vars(errors).values() if isinstance(error, type)}
    assert codes <= {int(code) for code in re.findall(r"\d+", told)}


CONTRACT = {
    "schema": int,
    "run": str,
    "image": str,
    "exit": int,
    "commitments": [
        {
            "id": str,
            "kind": str,
            "type": str,
            "claim": str,
            "depends_on": [str],
            "span": {"start": int, "end": int},
            "status": str,
            "outcome": str,
            "reason": str,
            "verifier": str,
            "attempts": int,
        }
    ],
    "drafts": [
        {
            "id": str,
            "path": str,
            "sha256": str,
            "seed": int,
            "regions": [],
            "references": [],
            "generator": str,
            "parent": type(None),
            "violated": int,
            "unjudged": int,
            "log_likelihood": type(None),
            "seconds": float,
        }
    ],
    "events": int,
    "seconds": {"decompose": float, "generate": float, "verify": float, "repair": float, "total": float},
    "repairs": list,
    "cost": float,
    "notes": list,
    "answers": {},
}


def fits(value: Any, shape: Any) -> bool:
    if isinstance(shape, dict):
        return list(value) == list(shape) and all(fits(value[name], shape[name]) for name in shape)
    if isinstance(shape, list):
        return isinstance(value, list) and all(fits(item, shape[0]) for item in value)
    return type(value) is shape


def test_json_is_the_contract(cli: Cli) -> None:
    done = cli("generate", PROMPT, "--json", "--drafts", "1", "--max-rounds", "0", "-o", "a.png")
    report = json.loads(done.stdout)
    assert fits(report, CONTRACT), done.stdout
    assert report["schema"] == 2
    assert report["image"] == str(Path.cwd() / "a.png")
    assert [c["id"] for c in report["commitments"]] == ["e1", "c1", "c2", "e2", "c3", "c4", "c5", "c6"]
    assert {c["outcome"] for c in report["commitments"]} == {"met"}


def test_no_colour_and_no_cursor_in_a_pipe(cli: Cli) -> None:
    done = cli("generate", PROMPT)
    assert "\x1b" not in done.stdout + done.stderr
    assert "\r" not in done.stderr
    assert done.stderr.splitlines()[0] == "reading the prompt"


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("environment", "moves", "colours"),
    [
        ({"TERM": "xterm"}, True, True),
        ({"TERM": "xterm", "NO_COLOR": "1"}, True, False),
        ({"TERM": "dumb"}, False, False),
    ],
    ids=["terminal", "NO_COLOR", "dumb"],
)
def test_a_terminal_gets_what_it_can_show(
    home: Path, tmp_path: Path, environment: dict[str, str], moves: bool, colours: bool
) -> None:
    shown = on_terminal(tmp_path, environment)
    assert ("\x1b[2K" in shown) is moves  # a line that is drawn again
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9]", shown)) is colours
    assert "8 of 8 commitments met" in shown


def on_terminal(folder: Path, environment: dict[str, str]) -> str:
    """Return what one generation shows on a terminal."""
    ours, theirs = pty.openpty()
    variables = {name: value for name, value in os.environ.items() if name not in ("NO_COLOR", "TERM", "COLORTERM")}
    variables |= environment
    command = [sys.executable, "-c", PROGRAM, "generate", PROMPT]
    with subprocess.Popen(command, cwd=folder, env=variables, stdout=theirs, stderr=theirs) as process:
        os.close(theirs)
        shown = b""
        with contextlib.suppress(OSError):  # Linux says so when the other end is closed
            while part := os.read(ours, 65536):
                shown += part
    os.close(ours)
    assert process.returncode == 0
    return shown.decode()


# -- exit codes ----------------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", ["violated", None])
def test_a_picture_with_an_unmet_commitment_is_3(cli: Cli, parts: Parts, outcome: str | None) -> None:
    parts["verifiers", "objects"] = lambda: FakeVerifier({"count": outcome})
    done = cli("generate", PROMPT, "--max-rounds", "0", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == report["exit"] == 3
    assert Path(report["image"]).is_file()
    assert {c["outcome"] for c in report["commitments"] if c["type"] == "count"} == {outcome}


def test_the_time_budget_is_4_and_keeps_a_picture(cli: Cli, parts: Parts) -> None:
    parts["generators", DEFAULT_GENERATOR] = lambda: FakeGenerator(name=DEFAULT_GENERATOR, delay=0.05)
    parts["verifiers", "objects"] = lambda: FakeVerifier({"count": "violated"})
    done = cli("generate", PROMPT, "--max-time", "0.01", "--json")
    report = json.loads(done.stdout)
    assert done.exit_code == report["exit"] == 4
    assert Path(report["image"]).is_file()


@pytest.mark.parametrize(
    "arguments",
    [("generate",), ("generate", PROMPT, "--seed", "-1"), ("generate", PROMPT, "--drafts", "0"), ("gen", "x")],
)
def test_usage_is_2(cli: Cli, arguments: tuple[str, ...]) -> None:
    done = cli(*arguments)
    assert done.exit_code == 2
    assert "Usage" in done.stderr
    assert done.stdout == ""


# -- names and metadata --------------------------------------------------------------------------


def test_a_picture_is_never_overwritten_unless_it_is_named(cli: Cli) -> None:
    first, second = (written(cli("generate", PROMPT)) for _ in range(2))
    assert second.name == first.name.replace(".png", "-2.png")
    assert cli("generate", PROMPT, "--seed", 9, "-o", "named.png").exit_code == 0
    assert cli("generate", PROMPT, "-o", "named.png").exit_code == 0
    assert Path("named.png").read_bytes() == first.read_bytes()


def test_the_same_command_gives_the_same_bytes_and_another_seed_others(cli: Cli) -> None:
    for name, seed in (("a", 3), ("b", 3), ("c", 4)):
        assert cli("generate", PROMPT, "--seed", seed, "-o", f"{name}.png").exit_code == 0
    a, b, c = (Path(f"{name}.png").read_bytes() for name in "abc")
    assert a == b
    assert a != c


def test_no_metadata_leaves_no_trace(cli: Cli) -> None:
    done = cli("generate", PROMPT, "--no-metadata")
    path = written(done)
    assert here() == [path.name]
    assert open_png(path).info == {}
    assert b"apple" not in path.read_bytes()


def test_the_record_says_what_was_asked_and_with_which_weights(cli: Cli) -> None:
    path = written(cli("generate", PROMPT, "--seed", "5"))
    record = read_record(path)
    assert record.specification.prompt == PROMPT
    assert record.options["seed"] == 5
    assert record.weights == {"fake.safetensors": "ab" * 32}
    assert {v.commitment for v in record.verdicts} == {c.id for c in record.specification.commitments}
    assert sidecar(path).is_file()


@pytest.mark.parametrize(
    ("text", "name"),
    [
        ("Two red apples!", "two-red-apples"),
        ("../../etc/passwd", "etc-passwd"),
        ("-rf /", "rf"),
        ("Café 苹果", "cafe"),
        ("苹果", "picture"),
        ("a" * 500, "a" * 48),
        ("word " * 100, "-".join(["word"] * 9)),
    ],
)
def test_file_names_are_made_of_plain_words(text: str, name: str) -> None:
    assert slug(text) == name


@pytest.mark.parametrize("text", ["\x1b[2Jx", "a\u202eb", "a\x07b", "\u2066x", "a\x9bb", "x\u200bb"])
def test_the_terminal_gets_no_hidden_characters(text: str) -> None:
    assert all(c.isprintable() for c in visible(text))


# -- the other commands --------------------------------------------------------------------------


def test_dry_run_draws_and_writes_nothing(cli: Cli, parts: Parts, home: Path) -> None:
    parts["generators", DEFAULT_GENERATOR] = lambda: pytest.fail("a generator was made")
    done = cli("generate", PROMPT, "--dry-run", "--json", "--drafts", "3", "--max-rounds", "1")
    plan = json.loads(done.stdout)
    assert done.exit_code == 0
    assert plan["most_drafts"] == 6
    assert plan["specification"]["prompt"] == PROMPT
    assert here() == []
    assert list(home.iterdir()) == []


def test_spec_prints_the_specification(cli: Cli) -> None:
    printed = json.loads(cli("spec", PROMPT, "--json").stdout)
    assert [e["declares"]["value"] for e in printed["events"] if e["declares"]["kind"] == "entity"] == ["apple", "car"]
    done = cli("spec", PROMPT)
    assert "presence of apple" in done.stdout
    assert done.stderr == ""


def test_spec_explains_which_words_made_which_commitment(cli: Cli, parts: Parts) -> None:
    parts["language", "grammar"] = Grammar
    done = cli("spec", "Please draw two (red aples:1.2)", "--explain")
    assert done.exit_code == 0
    rows = [re.split(r"\s{2,}", row.strip()) for row in done.stdout.splitlines() if re.search(r"\S\s{2,}\S", row)]
    assert [words for words, *_ in rows] == ["words", "Please draw", "two", "red", "aples", ":1.2"]
    assert 'did you mean "apples"?' in done.stderr
    assert '":1.2"' in done.stderr


def test_rerun_gives_the_same_bytes(cli: Cli) -> None:
    path = written(cli("generate", PROMPT, "-o", "a.png"))
    done = cli("rerun", path)
    assert done.exit_code == 0, done.stderr
    assert written(done).name == "a-rerun.png"
    assert written(done).read_bytes() == path.read_bytes()


def test_rerun_says_when_the_bytes_differ(cli: Cli, parts: Parts) -> None:
    path = written(cli("generate", PROMPT, "-o", "a.png"))
    parts["generators", DEFAULT_GENERATOR] = lambda: FakeGenerator(
        name=DEFAULT_GENERATOR, weights={"fake.safetensors": "ab" * 32}, size=9
    )
    done = cli("rerun", path, "--json")
    assert done.exit_code == 3
    assert json.loads(done.stdout)["same"] is False


def test_rerun_refuses_other_weights(cli: Cli, parts: Parts) -> None:
    path = written(cli("generate", PROMPT, "-o", "a.png"))
    parts["generators", DEFAULT_GENERATOR] = lambda: FakeGenerator(
        name=DEFAULT_GENERATOR, weights={"fake.safetensors": "cd" * 32}
    )
    done = cli("rerun", path)
    assert done.exit_code == 1
    assert "other weights (fake.safetensors)" in done.stderr
    assert here() == ["a.png", "a.png.json"]


def test_runs_lists_and_show_reports(cli: Cli) -> None:
    path = written(cli("generate", PROMPT, "-o", "a.png"))
    (run,) = json.loads(cli("runs", "--json").stdout)["runs"]
    assert run["prompt"] == PROMPT
    assert (run["state"], run["exit"]) == ("finished", 0)
    assert "finished (0)" in cli("runs").stdout
    of_run = written(cli("show", run["id"])).read_text()
    of_picture = written(cli("show", path)).read_text()
    assert of_run == of_picture
    assert "drafts/d2.png" in of_run


def test_show_of_a_picture_from_elsewhere_uses_its_own_record(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    path = written(cli("generate", PROMPT, "-o", "a.png"))
    monkeypatch.setenv("SCOPE_HOME", str(Path.cwd() / "empty"))
    page = written(cli("show", path))
    assert page == Path.cwd() / "a.html"
    assert "what the picture itself records" in page.read_text()


def test_doctor_is_json_too(cli: Cli) -> None:
    done = cli("doctor", "--json")
    checks = {check["name"]: check for check in json.loads(done.stdout)["checks"]}
    assert {"python", "scope", "packages", "device", "disk", "generators"} <= checks.keys()
    assert done.exit_code == (1 if any(check["ok"] is False for check in checks.values()) else 0)


def test_the_doctor_says_which_generators_have_weights(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def told() -> dict[str, Any]:
        checks = json.loads(cli("doctor", "--json").stdout)["checks"]
        (check,) = (check for check in checks if check["name"] == "generator")
        return dict(check)

    monkeypatch.setattr("scope.weights.expected", lambda: {"flow": "ab" * 32, "pae": "cd" * 32})
    monkeypatch.setenv("SCOPE_GENERATOR", "flow")
    assert told() == {
        "name": "generator", "ok": True, "found": "flow draws by default; with weights: flow", "advice": "",
    }  # fmt: skip
    monkeypatch.setenv("SCOPE_GENERATOR", "ntm")
    assert told()["ok"] is False
    monkeypatch.setenv("SCOPE_GENERATOR", "somebody's own")
    assert told()["ok"] is True


@pytest.mark.parametrize("program", [None, "/usr/bin/tesseract"])
def test_the_doctor_looks_for_the_judges_reader(cli: Cli, monkeypatch: pytest.MonkeyPatch, program: str | None) -> None:
    monkeypatch.setattr("scope.cli.doctor.shutil.which", lambda name: program)
    (check,) = (c for c in json.loads(cli("doctor", "--json").stdout)["checks"] if c["name"] == "tesseract")
    assert check["ok"] is None  # without it benchmarks alone fail
    assert check["found"] == program or "apt-get install tesseract-ocr" in check["advice"]


def test_every_stage_of_the_machine_has_its_words() -> None:
    assert set(STAGES) == {*NODES, "generate"}


@pytest.mark.heavy
def test_training_prints_its_folder_and_continues_in_it(cli: Cli) -> None:
    first = cli("train", "detector", "--preset", "tiny", "--out", "weights")
    assert first.exit_code == 0, first.stderr
    assert first.stdout == f"{Path.cwd() / 'weights'}\n"
    assert "step 2/2" in first.stderr
    assert "step 1/2" not in cli("train", "detector", "--preset", "tiny", "--out", "weights").stderr


@pytest.mark.heavy
def test_dry_run_of_a_training_shows_what_would_be_used(cli: Cli) -> None:
    done = cli("train", "detector", "--preset", "tiny", "--set", "lr=0.5", "--dry-run")
    assert json.loads(done.stdout)["config"]["lr"] == 0.5
    assert here() == []


def test_the_world_can_be_looked_at(cli: Cli) -> None:
    done = cli("world", "show", "--count", "9", "-o", "w.png")
    assert open_png(Path(done.stdout.strip())).size == (8 * 128, 2 * 128)
    assert len(done.stderr.splitlines()) == 9
    again = cli("world", "show", "--count", "9", "-o", "v.png")
    assert Path("w.png").read_bytes() == Path("v.png").read_bytes()
    assert again.stderr == done.stderr


@pytest.mark.parametrize("shell", ["bash", "zsh", "fish"])
def test_completion_for_every_shell(shell: str) -> None:
    done = CliRunner().invoke(app, [], prog_name="scope", env={"_SCOPE_COMPLETE": f"source_{shell}"})
    assert done.exit_code == 0
    assert "_SCOPE_COMPLETE" in done.stdout


# -- interrupted ---------------------------------------------------------------------------------


@pytest.mark.heavy
def test_ctrl_c_says_how_to_continue_and_nothing_is_lost(sigint: None, home: Path, tmp_path: Path) -> None:
    process = child(tmp_path, "generate", PROMPT, "--drafts", "8", "-o", "a.png")
    drafts = home / "runs"
    until(lambda: len(list(drafts.glob("*/drafts/d*.png"))) >= 2)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=30)
    assert process.returncode == 130, err
    assert out == ""
    (run,) = drafts.iterdir()
    assert err.splitlines()[-1] == f"scope: interrupted; nothing is lost. Continue with: scope resume {run.name}"
    before = {path.name: path.stat().st_mtime_ns for path in run.glob("drafts/d*.png")}
    before.pop(max(before))  # the latest may have been cut off from its record: it may be drawn once more

    again = child(tmp_path, "resume")
    out, err = again.communicate(timeout=30)
    assert again.returncode == 0, err
    assert Path(out.splitlines()[-1]) == tmp_path / "a.png"
    after = {path.name: path.stat().st_mtime_ns for path in run.glob("drafts/d*.png")}
    assert before.items() <= after.items()
    assert len(after) == 8


@pytest.mark.heavy
def test_a_reader_that_leaves_is_no_error(home: Path, tmp_path: Path) -> None:
    process = child(tmp_path, "spec", PROMPT, "--json")
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    err = process.stderr.read()
    process.wait(timeout=30)
    process.stderr.close()
    assert err == ""


def until(condition: Any, seconds: float = 30) -> None:
    limit = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < limit, "it took too long"
        time.sleep(0.02)


# -- people, folders, budgets --------------------------------------------------------------------


def test_a_person_edits_the_specification_in_their_editor(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "sed -i s/red/green/g")
    monkeypatch.delenv("VISUAL", raising=False)
    done = cli("generate", PROMPT, "--confirm", "spec", "--json")
    assert done.exit_code == 0, done.stderr
    told = {c["claim"]: c["status"] for c in json.loads(done.stdout)["commitments"]}
    assert told["attribute of red"] == "waived"
    assert told["attribute of green"] == "met"


def test_where_nobody_can_be_asked_that_is_said_first(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    for variable in ("EDITOR", "VISUAL"):
        monkeypatch.delenv(variable, raising=False)
    done = cli("generate", PROMPT, "--confirm", "spec")
    assert done.exit_code == 2
    assert "EDITOR" in done.stderr
    assert here() == []


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--without", "retreive"), "no skills named 'retreive'; did you mean 'retrieve'?"),
        (("--without", "retreive", "--dry-run"), "did you mean 'retrieve'?"),
        (("--editor", "foo"), "no editors named 'foo': none are installed. A package brings one by an entry point in"),
        (("--editor", "foo", "--dry-run"), "no editors named 'foo'"),
        (("--language", "openai"), "no language model is configured: set SCOPE_LANGUAGE_URL"),
        (("--language", "vllm", "--dry-run"), "no language model is configured: set SCOPE_LANGUAGE_MODEL"),
        (("--max-time", "inf"), "--max-time=inf: Input should be a finite number"),
        (("--max-cost", "nan"), "--max-cost=nan: Input should be a finite number"),
        (("--confirm", "all"), "--confirm='all': Input should be 'spec' or 'repair'"),
        (("--knowledge", "nowhere"), "--knowledge='nowhere': this is not a folder"),
        (("--language", "opnai"), "did you mean 'openai'"),
        (("--max-images", "0"), "max-images"),
    ],
)
def test_an_option_that_cannot_be_meant_says_what_can_before_there_is_a_run(
    cli: Cli, home: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], said: str
) -> None:
    for variable in ("SCOPE_LANGUAGE_URL", "SCOPE_LANGUAGE_MODEL"):
        monkeypatch.delenv(variable, raising=False)
    done = cli("generate", PROMPT, *arguments)
    assert done.exit_code == 2
    assert said in done.stderr
    assert here() == []
    assert not (home / "runs").exists()


def test_a_budget_of_drafts_ends_the_run_with_its_best(cli: Cli, parts: Parts) -> None:
    parts["verifiers", "objects"] = lambda: FakeVerifier({"c3": "violated"})
    done = cli("generate", PROMPT, "--max-images", "3", "--json")
    assert done.exit_code == 4
    assert len(json.loads(done.stdout)["drafts"]) == 3
    assert "--max-images" in done.stderr
