"""The house rules that a machine can check."""

import re
import subprocess
import sys
import tomllib
from importlib.util import find_spec
from pathlib import Path

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).parents[1]
BIN = Path(sys.executable).parent


def run(*command: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)


def tracked() -> list[Path]:
    listed = run("git", "ls-files", "-z")
    if listed.returncode:
        pytest.skip("not a git checkout")
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


@pytest.mark.parametrize(
    "command",
    [
        ("ruff", "check", "."),
        ("ruff", "format", "--check", "."),
        pytest.param(("mypy",), marks=pytest.mark.slow),
        pytest.param(("lint-imports",), marks=pytest.mark.heavy),
    ],
    ids=" ".join,
)
def test_tool(command: tuple[str, ...]) -> None:
    done = run(str(BIN / command[0]), *command[1:])
    assert done.returncode == 0, done.stdout + done.stderr


@pytest.mark.heavy
@pytest.mark.parametrize(
    "code",
    ["import scope", "import scope.cli", "from scope.cli import app; app(['--help'], standalone_mode=False)"],
)
def test_no_torch_before_it_is_needed(code: str) -> None:
    heavy = ("torch", "transformers", "spacy", "onnxruntime", "langgraph", "PIL")
    look = f"import sys\n{code}\nprint([name for name in {heavy} if name in sys.modules], file=sys.stderr)"
    done = run(sys.executable, "-c", look)
    assert done.stderr.strip() == "[]"


def test_our_rooms_hide_nobody() -> None:
    for name in ("tokenizers", "spec", "data"):
        found = find_spec(name)
        assert found is None or ROOT / "scope" not in Path(str(found.origin)).parents


def test_every_entry_point_leads_somewhere() -> None:
    points = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["entry-points"]
    for group in points.values():
        for name, target in group.items():
            assert find_spec(target.partition(":")[0]) is not None, name


def test_readme_commands_are_one_line_each_and_ci_runs_the_second() -> None:
    readme = (ROOT / "README.md").read_text()
    commands = dict(re.findall(r"<!-- command:(\w+) -->\n```bash\n(.+)\n```", readme))
    assert list(commands) == ["run", "test"]
    assert "command:test" in (ROOT / ".ci" / "run").read_text()


def test_constraints_hold_what_pyproject_asks_for() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    asked = [Requirement(line) for line in (*project["dependencies"], *extras["test"], *extras["train"])]
    lines = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    pinned = {canonicalize_name(Requirement(line).name): Requirement(line).specifier for line in lines}
    for requirement in asked:
        (pin,) = pinned[canonicalize_name(requirement.name)]
        assert pin.operator == "=="
        assert requirement.specifier.contains(pin.version), requirement


def test_nothing_tells_on_which_machine_it_was_written() -> None:
    places = r"(?<![\w.])/(?:work|tmp|root|opt|home)/"
    registries = r"(?:extra-)?index-url|find-links"
    machine = re.compile(f"{places}|{registries}")
    told = []
    for path in tracked():
        try:
            text = path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue
        if path != Path(__file__):
            told += [f"{path.relative_to(ROOT)}: {m.group()}" for m in machine.finditer(text)]
    assert told == []
