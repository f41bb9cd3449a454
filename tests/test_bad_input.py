"""Whatever is wrong with what is given: one clear line that says what to do, the right exit code, nothing lost."""

import json
import resource
import sqlite3
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest
import torch
from conftest import Cli, Parts
from prompts import PROMPT
from safetensors.torch import save_file
from typer.testing import Result

from scope import files
from scope.nn import weights
from scope.parsing.grammar import Grammar
from scope.protocols import DEFAULT_GENERATOR
from scope.runs.png import png_bytes, read_record
from scope.testing import FakeGenerator


def one_line(done: Result, code: int, *words: str) -> str:
    """Assert that a command ended with one line on stderr that holds `words`, with `code` and without a traceback."""
    lines = [line for line in done.stderr.splitlines() if line.startswith("scope:")]
    assert len(lines) == 1, done.stderr
    assert done.stderr.splitlines()[-1] == lines[0]
    assert "Traceback" not in done.stderr
    assert done.exit_code == code, done.stderr
    assert done.stdout == ""
    assert all(word in lines[0] for word in words), lines[0]
    return lines[0]


def run_folders(home: Path) -> list[Path]:
    return sorted((home / "runs").glob("*"))


# -- damage -----------------------------------------------------------------------------------


def empty(path: Path) -> None:
    path.write_bytes(b"")


def noise(path: Path) -> None:
    path.write_bytes(b"\x00\xff" * 4096)


def cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[: path.stat().st_size // 2])


def forget(path: Path) -> None:
    with sqlite3.connect(path) as connection:
        connection.execute("DELETE FROM checkpoints")
    connection.close()


# -- prompts -------------------------------------------------------------------------------------


@pytest.fixture
def reading(parts: Parts) -> None:
    """Use the grammar that ships."""
    grammar = Grammar()
    parts["language", "grammar"] = lambda: grammar


BAD_PROMPTS = {
    "empty": ("", "empty"),
    "blank": (" \t\n\u3000", "empty"),
    "hidden characters only": ("\u202e\u2066\u200b\x07", "empty"),
    "10,000 words": ("red apple " * 5_000, "10,000"),
    "one long word": ("a" * 50_000, "50,000"),
    "nothing drawable": ("very slowly and then quickly", ""),
    "punctuation": ("?!", ""),
}


@pytest.mark.usefixtures("reading")
@pytest.mark.parametrize(("prompt", "word"), BAD_PROMPTS.values(), ids=BAD_PROMPTS.keys())
@pytest.mark.parametrize("command", ["generate", "spec"])
def test_a_prompt_that_cannot_be_drawn(cli: Cli, home: Path, command: str, prompt: str, word: str) -> None:
    line = one_line(cli(command, prompt), 2, word)
    assert len(line) < 400
    assert run_folders(home) == []


@pytest.mark.usefixtures("reading")
def test_control_and_bidi_characters_neither_stop_it_nor_reach_the_terminal(cli: Cli) -> None:
    done = cli("generate", "a red apple\u202e on a \x1b[2Jbeach\x07", "-o", "a.png")
    assert done.exit_code == 0, done.stderr
    assert not set("\u202e\x1b\x07") & set(done.stdout + done.stderr)
    assert not set("\u202e\x1b\x07") & set(read_record(Path("a.png")).specification.prompt)


# -- where the picture goes ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("output", "code", "word"),
    [
        ("missing/a.png", 1, "missing/a.png"),
        ("file/a.png", 1, "file/a.png"),
        ("folder.png", 1, "not a file"),
        ("a.jpg", 2, ".png"),
        ("a", 2, ".png"),
        ("x" * 300 + ".png", 1, "x" * 300),
    ],
)
def test_an_output_that_cannot_be_written_is_told_before_drawing(
    cli: Cli, parts: Parts, home: Path, output: str, code: int, word: str
) -> None:
    Path("file").write_text("")
    Path("folder.png").symlink_to("/dev/null")
    parts["generators", DEFAULT_GENERATOR] = lambda: pytest.fail("it began to draw")
    one_line(cli("generate", PROMPT, "-o", output), code, word)
    assert run_folders(home) == []


def test_a_disk_that_fills_while_the_picture_is_written(cli: Cli, parts: Parts) -> None:
    parts["generators", DEFAULT_GENERATOR] = lambda: FakeGenerator(name=DEFAULT_GENERATOR, size=64)
    assert cli("generate", PROMPT, "-o", "a.png", "--seed", "9").exit_code == 0
    Path("a.png.json").unlink()
    old = Path("a.png").read_bytes()
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    real = files.write_atomic

    def full(path: Path, data: bytes) -> None:
        """Let no file grow beyond 1 kB while a picture is being written."""
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, limits[1]) if path.suffix == ".png" else limits)
        try:
            real(path, data)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, limits)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("scope.runs.png.write_atomic", full)
        line = one_line(cli("generate", PROMPT, "-o", "a.png", "--no-metadata"), 1, "disk is full", "scope resume")
    assert Path("a.png").read_bytes() == old
    assert [path.name for path in Path().iterdir()] == ["a.png"]

    run = line.split("scope resume ")[1].split()[0]
    assert cli("resume", run, "-o", "a.png").exit_code == 0
    assert Path("a.png").read_bytes().startswith(b"\x89PNG")


# -- parts and weights ---------------------------------------------------------------------------


def test_an_unknown_generator_is_told_with_the_nearest(cli: Cli, home: Path) -> None:
    one_line(cli("generate", PROMPT, "--generator", f"{DEFAULT_GENERATOR}w"), 2, f"did you mean {DEFAULT_GENERATOR!r}?")
    assert run_folders(home) == []


@pytest.mark.parametrize("name", ["SCOPE_DRAFTS", "SCOPE_MAX_TIME"])
def test_a_setting_that_is_no_number(cli: Cli, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "many")
    one_line(cli("generate", PROMPT), 2, name, "many")


def whole(path: Path) -> bytes:
    save_file({"weight": torch.ones(64, 64)}, path)
    return path.read_bytes()


def nan(path: Path) -> None:
    save_file({"weight": torch.full((64, 64), float("nan"))}, path)


def pickled(path: Path) -> None:
    torch.save({"weight": torch.ones(64, 64)}, path)


BAD_WEIGHTS: dict[str, tuple[Callable[[Path], Any], bool, str]] = {  # damage, is the hash known, what it says
    "missing": (Path.unlink, False, "cannot be read"),
    "truncated": (cut, False, "damaged"),
    "truncated, by hash": (cut, True, "sha256 differs"),
    "NaN": (nan, False, "NaN"),
    "other": (lambda path: save_file({"weight": torch.zeros(64, 64)}, path), True, "sha256 differs"),
    "pickle": (pickled, False, "damaged"),
}


@pytest.mark.heavy
@pytest.mark.parametrize(("damage", "hashed", "words"), BAD_WEIGHTS.values(), ids=BAD_WEIGHTS.keys())
def test_weights_that_cannot_be_used_lose_nothing(
    cli: Cli, parts: Parts, tmp_path: Path, damage: Callable[[Path], Any], hashed: bool, words: str
) -> None:
    path = tmp_path / "fake.safetensors"
    made = whole(path)
    expected = sha256(made).hexdigest() if hashed else None
    good = parts["generators", DEFAULT_GENERATOR]
    parts["generators", DEFAULT_GENERATOR] = lambda: (weights.read(path, expected), good())[1]
    damage(path)
    one_line(cli("generate", PROMPT, "-o", "a.png"), 1, "fake.safetensors", words)
    whole(path)
    assert cli("resume").exit_code == 0
    assert Path("a.png").is_file()


def test_a_bug_is_one_line_too(cli: Cli, parts: Parts) -> None:
    parts["generators", DEFAULT_GENERATOR] = lambda: FakeGenerator(name=DEFAULT_GENERATOR, fails=9)
    done = cli("generate", PROMPT)
    assert done.exit_code == 1
    assert "Traceback" not in done.stderr
    assert done.stderr.splitlines()[-1].startswith("scope: ")


# -- runs ----------------------------------------------------------------------------------------


@pytest.mark.heavy
@pytest.mark.parametrize("command", ["resume", "show"])
@pytest.mark.parametrize(
    ("name", "damage"),
    [
        ("state.sqlite", empty),
        ("state.sqlite", noise),
        ("state.sqlite", cut),
        ("state.sqlite", forget),
        ("run.json", empty),
        ("run.json", noise),
        ("run.json", cut),
        ("run.json", Path.unlink),
    ],
)
def test_a_damaged_run_is_told_and_its_drafts_stay(
    cli: Cli, home: Path, name: str, damage: Callable[[Path], None], command: str
) -> None:
    cli("generate", PROMPT, "-o", "a.png")
    (run,) = run_folders(home)
    before = {path: path.read_bytes() for path in run.glob("drafts/*")}
    damage(run / name)
    one_line(cli(command, run.name), 1, run.name, "scope generate")
    assert {path: path.read_bytes() for path in run.glob("drafts/*")} == before
    if name == "run.json":
        assert json.loads(cli("runs", "--json").stdout)["runs"][0]["state"] == "damaged"


@pytest.mark.parametrize("run", ["nonsense", "../..", "", "20200101-000000-000"])
@pytest.mark.parametrize("command", ["resume", "show"])
def test_a_run_that_is_not_there(cli: Cli, command: str, run: str) -> None:
    one_line(cli(command, run), 2, "scope runs")


# -- pictures ------------------------------------------------------------------------------------


@pytest.mark.heavy
@pytest.mark.parametrize("command", ["rerun", "show"])
@pytest.mark.parametrize("data", [None, b"", b"hello", "bare", "damaged"])
def test_a_picture_without_a_record(cli: Cli, command: str, data: Any) -> None:
    cli("generate", PROMPT, "-o", "a.png")
    whole = Path("a.png").read_bytes()
    record = read_record(Path("a.png"))
    if data == "bare":
        image = FakeGenerator().generate([record.draft.request])[0].image
        data = png_bytes(image, None)
    elif data == "damaged":
        data = whole.replace(b'"specification"', b'"specificatiom"')
    if data is not None:
        Path("x.png").write_bytes(data)
    one_line(cli(command, "x.png"), 1, "x.png")


def test_rerun_of_a_picture_whose_generator_is_not_installed(cli: Cli, parts: Parts) -> None:
    parts["generators", "elsewhere"] = lambda: FakeGenerator(name="elsewhere")
    assert cli("generate", PROMPT, "--generator", "elsewhere", "-o", "a.png").exit_code == 0
    del parts["generators", "elsewhere"]
    one_line(cli("rerun", "a.png"), 2, "no generators named 'elsewhere'", "installed:")


# -- training ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "word"),
    [
        (("--preset", "huge"), "it has: tiny"),
        (("--set", "lrr=1"), "did you mean 'lr'?"),
        (("--set", "lr"), "name=value"),
        (("--set", "steps=-1"), "steps"),
    ],
)
def test_a_recipe_that_does_not_exist(cli: Cli, arguments: tuple[str, ...], word: str) -> None:
    one_line(cli("train", "detector", *arguments), 2, word)
