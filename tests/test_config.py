"""Options come from flags, variables and a file; overrides from the command line. What is wrong is named."""

import json
import os
import re
from pathlib import Path
from typing import Any

import pytest
from conftest import Cli, Parts
from prompts import PROMPT
from pydantic import Field

from scope.cli.options import flag_name
from scope.config import Options, config_file, misspelt, override, resolve
from scope.errors import UsageError
from scope.llm.settings import LanguageSettings
from scope.specification import Model, canonical_json

ROOT = Path(__file__).parents[1]
PICTURE = ROOT / "docs" / "img" / "generators.png"


class Recipe(Model):
    lr: float = Field(default=1e-3, gt=0)
    steps: int = 10
    name: str = "tiny"
    sizes: tuple[int, ...] = (1, 2)
    limit: float | None = 1.0
    compiled: bool = False


@pytest.fixture
def _home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A home of its own, and no option in the environment."""
    for name in Options.model_fields:
        monkeypatch.delenv(f"SCOPE_{name.upper()}", raising=False)
    monkeypatch.setenv("SCOPE_HOME", str(tmp_path))


# -- options -------------------------------------------------------------------------------------

#: A value of each field that is not its default, as Python has it and as the environment has it.
OTHERS: dict[str, tuple[Any, str]] = {
    "generator": ("flow", "flow"),
    "seed": (7, "7"),
    "drafts": (5, "5"),
    "max_rounds": (0, "0"),
    "max_time": (2.5, "2.5"),
    "max_images": (9, "9"),
    "max_cost": (0.25, "0.25"),
    "language": ("openai", "openai"),
    "editor": ("brush", "brush"),
    "verifiers": (("text", "objects"), "text,objects"),
    "knowledge": ((str(ROOT / "docs"), str(ROOT / "tests")), f"{ROOT / 'docs'}{os.pathsep}{ROOT / 'tests'}"),
    "learned": (False, "false"),
    "region": (("red apple=100,50,400,350", "car=1,2,3,4"), "red apple=100,50,400,350; car=1,2,3,4"),
    "reference": ((f"red apple={PICTURE}", f"car={PICTURE}"), f"red apple={PICTURE}; car = {PICTURE}"),
    "size": ("256x128", "256x128"),
    "without": (("repair", "reason"), "repair,reason"),
    "confirm": (("spec",), "spec"),
    "skill_timeout": (1.5, "1.5"),
}


@pytest.mark.usefixtures("_home")
def test_options_from_nothing_are_the_defaults() -> None:
    assert resolve({}) == Options()
    assert set(OTHERS) == set(Options.model_fields)


@pytest.mark.usefixtures("_home")
def test_a_named_seed_forgets_what_was_learned_unless_that_is_asked_for() -> None:
    assert resolve({}).learned
    assert not resolve({"seed": 0}).learned
    assert resolve({"seed": 0, "learned": True}).learned


@pytest.mark.usefixtures("_home")
@pytest.mark.parametrize("name", Options.model_fields)
def test_options_come_from_every_source(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    value, text = OTHERS[name]
    wanted = Options(**{name: value}, **({"learned": False} if name == "seed" else {}))
    assert wanted != Options()
    assert resolve({name: value}) == wanted
    monkeypatch.setenv(f"SCOPE_{name.upper()}", text)
    assert resolve({}) == wanted
    monkeypatch.delenv(f"SCOPE_{name.upper()}")
    config_file().write_text(f"{name} = {json.dumps(value)}")
    assert resolve({}) == wanted
    assert Options.model_validate_json(canonical_json(wanted)) == wanted


@pytest.mark.usefixtures("_home")
def test_options_precedence_is_flag_variable_file(monkeypatch: pytest.MonkeyPatch) -> None:
    config_file().write_text("drafts = 3\nseed = 3\nmax_rounds = 3")
    monkeypatch.setenv("SCOPE_DRAFTS", "4")
    monkeypatch.setenv("SCOPE_SEED", "4")
    monkeypatch.setenv("SCOPE_MAX_IMAGES", "")  # as good as not set
    monkeypatch.setenv("DRAFTS", "9")
    assert resolve({"drafts": 5, "max_time": None}) == Options(drafts=5, seed=4, max_rounds=3, learned=False)


@pytest.mark.usefixtures("_home")
def test_options_of_a_record_ask_nobody(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SCOPE_DRAFTS", "many")
    assert Options.model_validate({"knowledge": ["/gone"]}) == Options(knowledge=("/gone",))


@pytest.mark.usefixtures("_home")
@pytest.mark.parametrize(
    ("flags", "variables", "file", "said"),
    [
        ({}, {"SCOPE_DRAFTS": "many"}, "", "SCOPE_DRAFTS='many': Input should be a valid integer"),
        ({}, {"SCOPE_CONFIRM": "spec repiar"}, "", "SCOPE_CONFIRM='repiar': Input should be 'spec' or 'repair'"),
        ({"max_time": float("inf")}, {}, "", "--max-time=inf: Input should be a finite number"),
        ({}, {"SCOPE_MAX_COST": "nan"}, "", "SCOPE_MAX_COST='nan': Input should be a finite number"),
        ({}, {}, "max_cost = inf", "config.toml: max_cost=inf: Input should be a finite number"),
        ({"max_time": 0}, {"SCOPE_MAX_TIME": "3"}, "", "--max-time=0: Input should be greater than 0"),
        ({"knowledge": ["docs", "nowhere"]}, {}, "", "--knowledge='nowhere': this is not a folder"),
        ({"sede": 3}, {}, "", "--sede: no option 'sede'; did you mean 'seed'?"),
        ({}, {}, "drafts = 65", "config.toml: drafts=65: Input should be less than or equal to 64"),
        ({}, {}, "draft = 3", "config.toml: draft: no option 'draft'; did you mean 'drafts'?"),
        ({}, {}, "without = 3", "config.toml: without=3: Input should be a valid tuple"),
        ({}, {}, "drafts", "config.toml cannot be read: Expected '='"),
        ({}, {}, "generator = '\xff'", "config.toml cannot be read: 'utf-8' codec"),
    ],
)
def test_options_name_the_source_of_what_is_wrong(
    flags: dict[str, Any],
    variables: dict[str, str],
    file: str,
    said: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.chdir(ROOT)
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    config_file().write_bytes(file.encode("latin-1"))
    with pytest.raises(UsageError, match=re.escape(said)):
        resolve(flags, flag_name)


@pytest.mark.usefixtures("_home")
def test_a_variable_that_is_nearly_an_option_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("SCOPE_LANGUAGE_URL", "SCOPE_DRAFTS", "SCOPE_HOMES"):
        monkeypatch.setenv(name, "1")
    assert misspelt() == ()
    monkeypatch.setenv("SCOPE_DRAFT", "3")
    assert misspelt() == ("SCOPE_DRAFT is no option; did you mean SCOPE_DRAFTS?",)


def test_every_option_is_a_flag(cli: Cli, parts: Parts, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("EDITOR", "true")
    for part in (("generators", "flow"), ("language", "openai"), ("editors", "brush")):
        parts[part] = lambda: pytest.fail("nothing is to be made")
    monkeypatch.setenv("SCOPE_LANGUAGE_URL", "http://localhost:1/v1")
    monkeypatch.setenv("SCOPE_LANGUAGE_MODEL", "tiny")
    given: list[str] = []
    for name, (value, text) in OTHERS.items():
        if value is False:
            given.append("--no-" + flag_name(name)[2:])
        else:
            for item in value if name in ("knowledge", "region", "reference") else [text]:
                given += [flag_name(name), item]
    plan = json.loads(cli("generate", PROMPT, "--dry-run", "--json", *given).stdout)
    assert Options.model_validate(plan["options"]) == Options(**{name: value for name, (value, _) in OTHERS.items()})


def test_the_documents_name_every_option_and_variable() -> None:
    page = (ROOT / "docs" / "configuration.md").read_text()
    for name in Options.model_fields:
        row = next(line for line in page.splitlines() if line.startswith(f"| `{name}` |"))
        assert f"`{flag_name(name)}`" in row
        assert f"`SCOPE_{name.upper()}`" in row
    for name in LanguageSettings.model_fields:
        assert f"`SCOPE_LANGUAGE_{name.upper()}`" in page
    code = "".join(path.read_text() for path in (ROOT / "scope").rglob("*.py"))
    for variable in set(re.findall(r"SCOPE_[A-Z][A-Z_]+[A-Z]", code)):
        assert f"`{variable}`" in page


# -- overrides of a recipe -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("assignment", "field", "value"),
    [
        ("lr=3e-4", "lr", 3e-4),
        ("steps=20", "steps", 20),
        ("name=123", "name", "123"),
        ("name=a=b", "name", "a=b"),
        ("sizes=[3, 4]", "sizes", (3, 4)),
        ("limit=null", "limit", None),
        ("compiled=true", "compiled", True),
    ],
)
def test_an_override_is_read_as_its_field_is_typed(assignment: str, field: str, value: object) -> None:
    assert override(Recipe(), [assignment]) == Recipe().model_copy(update={field: value})


def test_the_last_override_wins_and_the_recipe_stays_as_it_was() -> None:
    recipe = Recipe()
    assert override(recipe, ["steps=1", "steps=2"]).steps == 2
    assert recipe.steps == 10


@pytest.mark.parametrize(
    ("assignment", "message"),
    [
        ("lrr=1", "did you mean 'lr'"),
        ("xyz=1", "there are: lr, steps"),
        ("lr", "name=value"),
        ("lr=-1", "lr='-1'"),
        ("lr=fast", "lr='fast'"),
        ("sizes=[1", "not valid JSON"),
    ],
)
def test_a_bad_override_says_what_is_wrong(assignment: str, message: str) -> None:
    with pytest.raises(UsageError, match=message.replace("[", r"\[")):
        override(Recipe(), [assignment])


# -- the size of a picture -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("given", "pixels"),
    [("256", (256, 256)), (256, (256, 256)), ("256x128", (256, 128)), (" 64 X 32 ", (64, 32)), ("1×4096", (1, 4096))],
)
def test_a_size_is_one_side_or_two(given: str | int, pixels: tuple[int, int]) -> None:
    options = Options(size=given)  # type: ignore[arg-type]
    assert options.pixels == pixels
    assert options.size == f"{pixels[0]}x{pixels[1]}"
    assert Options.model_validate_json(canonical_json(options)) == options


def test_without_a_size_the_record_is_as_it_was() -> None:
    assert Options().pixels is None
    assert '"size"' not in canonical_json(Options())


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("0", "0 pixels are no side of a picture; it has 1 to 4096"),
        ("64x0", "0 pixels are no side"),
        ("5000x64", "5000 pixels are no side"),
        ("64x", "write N, or WIDTHxHEIGHT, in pixels"),
        ("64x64x64", "write N, or WIDTHxHEIGHT"),
        ("-64", "write N, or WIDTHxHEIGHT"),
        ("64.5", "write N, or WIDTHxHEIGHT"),
        ("large", "write N, or WIDTHxHEIGHT"),
        ("٦٤", "write N, or WIDTHxHEIGHT"),
    ],
)
def test_a_size_that_is_none_is_refused_in_one_line(given: str, why: str, cli: Cli, home: Path) -> None:
    result = cli("generate", PROMPT, f"--size={given}")
    assert result.exit_code == 2
    assert why in result.stderr
    assert result.stderr.startswith("scope: --size=")
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (home / "runs").exists()
