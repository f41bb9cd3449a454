"""The documents say what is so: links lead somewhere, commands exist, snippets run, drawings show the house."""

import json
import re
import shlex
import tomllib
from itertools import groupby
from pathlib import Path
from typing import Any, get_args
from xml.etree import ElementTree

import pytest
import typer
from conftest import Parts

from scope.cli import app
from scope.engine.outcome import Stage
from scope.parsing.cleaning import MAX_CHARACTERS, MAX_WORDS
from scope.parsing.grammar import MAX_COMMITMENTS, Grammar
from scope.specification import Answer, Evidence, Request, Status, Type

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
GALLERY = ROOT / "docs" / "gallery.md"
DOCS = sorted((ROOT / "docs").rglob("*.md"))
PAGES = [README, ROOT / "CONTRIBUTING.md", ROOT / "CHANGELOG.md", *DOCS, *sorted((ROOT / "scope/weights").glob("*.md"))]


def blocks(page: Path, language: str) -> list[str]:
    fenced = re.findall(r"^```(\w*)\n(.*?)^```$", page.read_text(encoding="utf-8"), re.DOTALL | re.MULTILINE)
    return [text for word, text in fenced if word == language]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_links_lead_somewhere(page: Path) -> None:
    text = re.sub(r"```.*?```", "", page.read_text(encoding="utf-8"), flags=re.DOTALL)
    targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r"^\[[^\]]+\]: (\S+)$", text, re.MULTILINE)
    for target in (t for t in targets if not t.startswith("http")):
        path, _, heading = target.partition("#")
        linked = page.parent / path if path else page
        assert linked.exists(), target
        if heading:
            titles = re.findall(r"^#+ (.+)$", linked.read_text(encoding="utf-8"), re.MULTILINE)
            assert heading in [re.sub(r"[^\w -]", "", title).lower().replace(" ", "-") for title in titles], target


def test_readme_fits_a_few_screens() -> None:
    lines = README.read_text(encoding="utf-8").splitlines()
    assert len(lines) <= 130
    assert [line for line in lines if len(line) > 120 and not line.startswith("python3 -m venv")] == []


def test_gallery_is_of_the_shipped_weights() -> None:
    named = dict(re.findall(r"(\w+) `([0-9a-f]{12})`", GALLERY.read_text(encoding="utf-8")))
    shipped = json.loads((ROOT / "scope/weights/manifest.json").read_text())
    assert set(named) == {"ntm", "binding", "lapped", "layout"}
    assert named == {name: shipped[name][:12] for name in named}


def test_readme_tells_of_its_pictures_what_the_gallery_proves() -> None:
    proofs = re.split(r"^## ", GALLERY.read_text(encoding="utf-8"), flags=re.MULTILINE)[1:]
    proven = {}
    for proof in proofs:
        verdicts = re.findall(r"^\| [ecu]\d+ \| [^|]+ \| (\w+) \|", proof, re.MULTILINE)
        code, drafts = re.findall(r"^exit (\d); (\d+) drafts", proof, re.MULTILINE)[0]
        met = f"{verdicts.count('met')} of {len(verdicts)} met"
        proven[proof.splitlines()[0]] = f"{met}, {drafts} drafts, exit code {code}"
    table = [line.strip("| ").split(" | ") for line in README.read_text(encoding="utf-8").splitlines() if "|" in line]
    prompts, endings = table[3], table[5]
    assert [proven[prompt] for prompt in prompts] == endings


# -- commands ------------------------------------------------------------------------------------


def commands() -> list[str]:
    lines = [
        line
        for page in (README, *DOCS)
        for block in (*blocks(page, "bash"), *blocks(page, ""))
        for line in block.replace("\\\n", " ").splitlines()
    ]
    return sorted({line.partition("#")[0].strip() for line in lines if re.match(r"scope [a-z-]", line)})


@pytest.mark.parametrize("line", commands())
def test_commands_of_the_documents_exist(line: str) -> None:
    command, words = typer.main.get_command(app), shlex.split(line)[1:]
    while hasattr(command, "get_command"):
        if command.invoke_without_command and (not words or words[0].startswith("-")):
            break  # a group that is a command as well
        word = words.pop(0)
        if word.startswith("-"):
            assert word in flags_of(command)
            continue
        command = command.get_command(typer.Context(command), word)
        assert command is not None, word
    assert {word for word in words if word.startswith("-")} <= flags_of(command)


def flags_of(command: Any) -> set[str]:
    return {flag for parameter in command.params for flag in (*parameter.opts, *parameter.secondary_opts)}


# -- Python --------------------------------------------------------------------------------------


@pytest.fixture
def _fakes(parts: Parts, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Have fakes draw and judge what the real grammar reads."""
    parts["language", "grammar"] = Grammar
    monkeypatch.chdir(tmp_path)


@pytest.mark.heavy
@pytest.mark.usefixtures("_fakes")
@pytest.mark.parametrize(
    "page", ["README.md", "docs/python.md", "docs/check.md", "docs/layout.md", "docs/specification.md", "docs/world.md"]
)
def test_snippets_run(page: str, capsys: pytest.CaptureFixture[str]) -> None:
    snippets = blocks(ROOT / page, "python")
    assert snippets
    for snippet in snippets:
        exec(compile(snippet, page, "exec"), {})
    if page == "README.md":
        assert "4 of 4 commitments met" in capsys.readouterr().out


def test_the_answer_of_the_documents_is_one() -> None:
    (text,) = blocks(ROOT / "docs/knowledge.md", "json")
    answer = Answer.model_validate_json(text)
    assert set(json.loads(text)) == set(Answer.model_fields)
    assert set(json.loads(text)["sources"][0]) == set(type(answer.sources[0]).model_fields)


def test_every_type_and_status_is_in_the_specification_page() -> None:
    page = (ROOT / "docs/specification.md").read_text(encoding="utf-8")
    evidence = [of.__name__ for of in get_args(get_args(Evidence)[0])]
    assert [name for name in (*Status, *Type, *evidence, *Request.model_fields) if f"`{name}`" not in page] == []


SAID = re.findall(
    r"^\| (.+) \| (.+) \|$",
    (ROOT / "docs/specification.md")
    .read_text(encoding="utf-8")
    .partition("<!-- said -->")[2]
    .partition("<!-- /said -->")[0],
    re.MULTILINE,
)[1:]


@pytest.mark.parametrize(("prompt", "claims"), SAID)
def test_what_can_be_said_is_read_so(prompt: str, claims: str) -> None:
    assert "; ".join(c.claim for c in Grammar().decompose(prompt).commitments) == claims


def test_the_limits_of_a_prompt_are_those_of_the_page() -> None:
    page = (ROOT / "docs/specification.md").read_text(encoding="utf-8")
    assert f"{MAX_WORDS:,} words, {MAX_CHARACTERS:,} characters and {MAX_COMMITMENTS:,} commitments" in page


# -- drawings ------------------------------------------------------------------------------------


@pytest.mark.parametrize("page", ["README.md", "docs/architecture.md"])
def test_drawing_of_the_state_machine_has_every_box(page: str) -> None:
    drawn = next(block for block in blocks(ROOT / page, "") if "decompose" in block)
    assert {word for word in re.findall(r"[a-z]+", drawn) if word in get_args(Stage)} == set(get_args(Stage))


def test_drawing_of_the_house_is_the_contract_of_its_imports() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
    layers = [sorted(layer.split(" | ")) for layer in contracts[0]["layers"]]
    drawing = ElementTree.parse(ROOT / "docs" / "img" / "house.svg")
    rooms = [(float(e.attrib["y"]), e.text) for e in drawing.iter() if e.attrib.get("class") == "room"]
    assert [sorted(name or "" for _, name in row) for _, row in groupby(rooms, key=lambda room: room[0])] == layers
