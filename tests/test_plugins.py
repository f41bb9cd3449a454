"""Parts are found by the entry points of installed packages, ours and others' alike."""

import json
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from conftest import Cli
from packages import lay_out

from scope.errors import PluginError
from scope.plugins import registry

Install = Callable[..., None]

HERE = Path(__file__).parent

#: The command line with the parts of a real package; only the reader and our own verifiers are fakes, for speed.
PROGRAM = """
from scope.plugins import registry as plugins
from scope.specification import Type
from scope.testing import FakeReader, FakeVerifier
fakes = {
    ("language", "grammar"): FakeReader,
    ("verifiers", "objects"): lambda: FakeVerifier(handled=frozenset({Type.PRESENCE, Type.COUNT, Type.ATTRIBUTE})),
}
load, names = plugins.load, plugins.names
left_out = {"knowledge": names("knowledge"), "verifiers": ["text", "vlm"]}
plugins.load = lambda kind, name: fakes.get((kind, name)) or load(kind, name)
plugins.names = lambda kind: [name for name in names(kind) if name not in left_out.get(kind, ())]
from scope.cli import main
main()
"""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Return what installs a package with one module and entry points."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))
    return lambda *arguments: lay_out(site, *arguments)


# -- finding and loading -------------------------------------------------------------------------


def test_the_parts_of_another_package_are_listed_and_loaded(install: Install) -> None:
    install("other", "[scope.generators]\nmine = other:load\n", "def load(): return 'drawn'\n")
    assert "mine" in registry.names("generators")
    assert registry.load("generators", "mine")() == "drawn"


def test_our_own_parts_are_declared_the_same_way() -> None:
    assert {"retrieve", "reason"} <= set(registry.names("skills"))
    assert registry.load("skills", "reason").name == "reason"
    assert {"parser", "speed"} <= set(registry.names("benchmarks"))


def test_every_part_of_ours_is_where_its_line_says() -> None:
    project = tomllib.loads((HERE.parent / "pyproject.toml").read_text())["project"]
    ours = {group.removeprefix("scope."): lines for group, lines in project["entry-points"].items()}
    assert set(ours) <= set(get_args(registry.Kind))
    for kind in ours:
        for part in registry.installed(kind):
            assert part.third_party or part.source is not None, part


def test_listing_imports_nothing(install: Install) -> None:
    install("heavy", "[scope.generators]\nheavy = heavy:load\n", '"""Heavy."""\nraise RuntimeError\n')
    [part] = [part for part in registry.installed("generators") if part.third_party]
    assert (part.name, part.package, part.version, part.summary) == ("heavy", "heavy", "1.0", "Heavy.")
    assert len(part.fingerprint) == 64
    assert "heavy" not in sys.modules


def test_unknown_name_gets_the_nearest_and_the_list(install: Install) -> None:
    install("other", "[scope.generators]\nwatercolour = other:load\n")
    with pytest.raises(PluginError, match=r"named 'watercolor'; did you mean 'watercolour'\? installed: .*watercolour"):
        registry.load("generators", "watercolor")


def test_a_part_that_cannot_be_imported_says_why(install: Install) -> None:
    install("broken", "[scope.generators]\nbroken = broken:load\n", "import no_such_module\n")
    with pytest.raises(PluginError, match=r"broken \(broken:load\).*no_such_module") as caught:
        registry.load("generators", "broken")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_two_owners_of_one_name_are_both_named(install: Install) -> None:
    install("one", "[scope.generators]\nsame = one:load\n")
    install("two", "[scope.generators]\nsame = two:load\n")
    with pytest.raises(PluginError, match=r"one \(one:load\) and two \(two:load\).*Uninstall one of the two"):
        registry.load("generators", "same")


def test_package_twice_on_the_path_counts_once(
    install: Install, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("other", "[scope.generators]\nmine = other:load\n", "def load(): return 'drawn'\n")
    again = tmp_path / "again"
    again.mkdir()
    lay_out(again, "other", "[scope.generators]\nmine = other:load\n", "def load(): return 'drawn'\n")
    monkeypatch.syspath_prepend(str(again))
    assert registry.load("generators", "mine")() == "drawn"


def test_a_checkout_that_was_never_installed_says_how_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(registry, "entry_points", lambda group: ())
    with pytest.raises(PluginError, match=r"pip install -e \."):
        registry.load("generators", "flow")


@pytest.mark.parametrize(("value", "hidden"), [("1", True), ("true", True), ("0", False), ("", False)])
def test_the_parts_of_others_can_be_left_out(
    install: Install, monkeypatch: pytest.MonkeyPatch, value: str, hidden: bool
) -> None:
    install("one", "[scope.generators]\nflow = one:load\n")  # it takes the name of one of ours
    monkeypatch.setenv("SCOPE_NO_THIRD_PARTY", value)
    assert len([part for part in registry.installed("generators") if part.name == "flow"]) == (1 if hidden else 2)
    assert all(not part.third_party for part in registry.installed("generators")) is hidden


def test_record_tells_code_of_another_package_apart(install: Install, tmp_path: Path) -> None:
    install("other", "[scope.generators]\nmine = other:load\n", "def load(): return 'drawn'\n")
    before = registry.versions()
    assert re.fullmatch("other 1.0 sha256:[0-9a-f]{64}", before["generators/mine"])
    assert not any(key.endswith(("/flow", "/bind")) for key in before)
    assert registry.versions() == before
    (tmp_path / "site" / "other.py").write_text("def load(): return 'drawn otherwise'\n")
    assert registry.versions() != before


@pytest.mark.parametrize(
    ("module", "limit", "why"),
    [
        ("def load(): pass\n", 60.0, ""),
        ("import no_such_module\n", 60.0, "No module named 'no_such_module'"),
        ("import ctypes; ctypes.string_at(0)\n", 60.0, "its process died (killed by SIGSEGV)"),
        ("import time; time.sleep(3600)\n", 1.0, "it did not end within 1 s"),
        ("raise SystemExit(3)\n", 60.0, "SystemExit: 3"),
    ],
)
def test_looking_whether_a_part_works_survives_what_it_does(
    install: Install, module: str, limit: float, why: str
) -> None:
    install("other", "[scope.generators]\nmine = other:load\n", module)
    found = registry.fault("generators", "mine", limit)
    assert why in found
    assert bool(found) is bool(why)


# -- the command line ----------------------------------------------------------------------------


@pytest.mark.heavy
def test_list_marks_what_is_broken_and_does_not_fail(cli: Cli, install: Install) -> None:
    install("broken", "[scope.skills]\nbroken = broken:Skill\n", "import no_such_module\n")
    install("one", "[scope.skills]\nsame = one:Skill\n", "class Skill: pass\n")
    install("two", "[scope.skills]\nsame = two:Skill\n", "class Skill: pass\n")
    install("odd", "[scope.skills]\nodd = this is no entry point\n")
    done = cli("plugins", "list", "--json")
    assert done.exit_code == 0
    listed = {(row["kind"], row["name"], row["package"]): row for row in json.loads(done.stdout)["plugins"]}
    assert listed["generators", "flow", "scope-t2i"]["ok"]
    assert "no_such_module" in listed["skills", "broken", "broken"]["why"]
    assert "declared twice" in listed["skills", "same", "one"]["why"]
    assert "declared twice" in listed["skills", "same", "two"]["why"]
    assert not listed["skills", "odd", "odd"]["ok"]
    shown = cli("plugins", "list")
    assert shown.exit_code == 0
    assert "no_such_module" in shown.stdout
    assert "4 broken" in shown.stderr


@pytest.mark.heavy
def test_info_tells_whose_a_part_is(cli: Cli, install: Install) -> None:
    install("other", "[scope.skills]\nmine = other:Skill\n", 'class Skill:\n    """Does much."""\n')
    row = json.loads(cli("plugins", "info", "skill", "mine", "--json").stdout)
    assert row["third_party"] is True
    assert (row["package"], row["version"], row["summary"]) == ("other", "1.0", "Does much.")
    assert row["file"].endswith("other.py")
    shown = cli("plugins", "info", "skills", "mine")
    assert shown.exit_code == 0
    assert "Does much." in shown.stdout


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("skil", "reason"), "did you mean 'skill'"),
        (("paintings", "reason"), "choose from skills, generators"),
        (("skill", "reson"), "did you mean 'reason'"),
        (("skill", "broken"), "No module named 'no_such_module'"),
    ],
)
def test_info_says_in_one_line_what_is_wrong(cli: Cli, install: Install, arguments: tuple[str, str], why: str) -> None:
    install("broken", "[scope.skills]\nbroken = broken:Skill\n", "import no_such_module\n")
    done = cli("plugins", "info", *arguments)
    assert done.exit_code == 2
    assert why in done.stderr.splitlines()[-1]


@pytest.mark.heavy
def test_no_third_party_holds_for_the_whole_command(
    cli: Cli, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SCOPE_NO_THIRD_PARTY", "")
    install("other", "[scope.skills]\nmine = other:Skill\n")
    listed = json.loads(cli("--no-third-party", "plugins", "list", "--json").stdout)["plugins"]
    assert listed
    assert not any(row["third_party"] for row in listed)


@pytest.mark.heavy
@pytest.mark.parametrize("kind", ["skill", "generator", "verifier"])
def test_new_writes_a_package_that_passes_its_own_test(cli: Cli, kind: str) -> None:
    done = cli("plugins", "new", f"my-{kind}", "--kind", kind)
    assert done.exit_code == 0, done.stderr
    folder = Path(done.stdout.strip())
    assert sorted(file.name for file in folder.iterdir()) == [
        "README.md", f"my_{kind}.py", "pyproject.toml", f"test_my_{kind}.py"
    ]  # fmt: skip
    project = tomllib.loads((folder / "pyproject.toml").read_text())["project"]
    assert project["entry-points"] == {f"scope.{kind}s": {f"my-{kind}": f"my_{kind}:My{kind.title()}"}}
    tested = subprocess.run([sys.executable, "-m", "pytest", "-q"], cwd=folder, capture_output=True, text=True)
    assert tested.returncode == 0, tested.stdout
    assert "1 passed" in tested.stdout


def test_new_overwrites_nothing(cli: Cli) -> None:
    Path("mine").mkdir()
    done = cli("plugins", "new", "mine")
    assert done.exit_code == 2
    assert "is there already" in done.stderr
    assert list(Path("mine").iterdir()) == []


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("my skill", "such as 'my-skill'"),
        ("My.Skill", "such as 'my-skill'"),
        ("3d", "such as 'd'"),
        ("mine-", "such as 'mine'"),
        ("../mine", "such as 'mine'"),
        ("mine\n", "such as 'mine'"),
        ("möwe", "such as 'm-we'"),
        ("", "cannot be the name"),
        ("漢字", "cannot be the name"),
        ("m" * 65, "up to 64"),
        ("class", "try 'my-class'"),
        ("json", "try 'my-json'"),
        ("scope", "try 'my-scope'"),
    ],
)
def test_new_says_what_is_wrong_with_a_name(cli: Cli, name: str, near: str) -> None:
    done = cli("plugins", "new", "--", name)
    assert done.exit_code == 2
    assert near in done.stderr
    assert list(Path().iterdir()) == []


def test_new_says_why_it_cannot_write(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*arguments: object, **options: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_text", full)
    done = cli("plugins", "new", "mine")
    assert done.exit_code == 1
    assert "cannot write mine: No space left on device" in done.stderr


@pytest.mark.heavy
def test_a_benchmark_of_another_package_is_a_command(cli: Cli, install: Install) -> None:
    install(
        "other",
        "[scope.benchmarks]\ncounting = other:measure\nwrong = other:wrong\n",
        (HERE / "plugin_package" / "of_others" / "counting.py").read_text() + "\n\ndef wrong(): return 3\n",
    )
    assert "How far somebody else can count." in cli("bench", "--help").output
    assert "Did you mean 'counting'?" in cli("bench", "countng").output
    wrong = registry.load("benchmarks", "wrong")
    assert wrong() == 3


# -- a package as pip installs it ----------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder into which pip has built and installed tests/plugin_package, offline."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--no-deps", "--no-index"]
    done = subprocess.run(
        [*pip, "--no-build-isolation", "--target", str(target), str(HERE / "plugin_package")],
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    return target


@pytest.fixture
def scope(installed: Path, home: Path, tmp_path: Path) -> Callable[..., "subprocess.CompletedProcess[str]"]:
    """Run the command line with that package on the path."""

    def run(*arguments: str, **environment: str) -> "subprocess.CompletedProcess[str]":
        environ = {name: value for name, value in os.environ.items() if not name.startswith("SCOPE_")}
        return subprocess.run(
            [sys.executable, "-c", PROGRAM, *arguments],
            cwd=tmp_path,
            env=environ | {"PYTHONPATH": str(installed), "SCOPE_HOME": str(home)} | environment,
            capture_output=True,
            text=True,
        )

    return run


Scope = Callable[..., "subprocess.CompletedProcess[str]"]


@pytest.mark.heavy
def test_a_real_package_is_listed(scope: Scope) -> None:
    rows = json.loads(scope("plugins", "list", "--json").stdout)["plugins"]
    theirs = {(r["kind"], r["name"]): r for r in rows if r["third_party"]}
    assert set(theirs) == {
        ("skills", "mascots"), ("generators", "stripes"), ("verifiers", "outdoors"), ("benchmarks", "counting")
    }  # fmt: skip
    assert all(row["ok"] and row["package"] == "scope-of-others" and row["version"] == "2.5" for row in theirs.values())
    assert theirs["skills", "mascots"]["summary"] == "Says what the Zorvex looks like."


def test_each_new_part_is_one_file_and_one_line() -> None:
    project = tomllib.loads((HERE / "plugin_package" / "pyproject.toml").read_text())["project"]
    files = sorted(f"of_others.{p.stem}" for p in (HERE / "plugin_package" / "of_others").glob("[!_]*.py"))
    lines = [line.partition(":")[0] for of_kind in project["entry-points"].values() for line in of_kind.values()]
    assert set(project["entry-points"]) == {
        f"scope.{kind}" for kind in ("skills", "generators", "verifiers", "benchmarks")
    }
    assert sorted(lines) == files


@pytest.mark.heavy
def test_run_uses_skill_generator_and_verifier_of_a_package(scope: Scope, tmp_path: Path) -> None:
    done = scope("generate", "1 red apple on beach ?zorvex", "--generator", "stripes", "--json", "-o", "a.png")
    report = json.loads(done.stdout)
    assert {answer["words"] for answer in report["answers"].values()} == {"a green turtle"}
    assert {draft["generator"] for draft in report["drafts"]} == {"stripes@2.5"}
    [setting] = [c for c in report["commitments"] if c["type"] == "setting"]
    assert (setting["outcome"], setting["verifier"]) == ("met", "outdoors@2.5")
    assert (tmp_path / "a.png").is_file()


@pytest.mark.heavy
def test_without_third_party_a_real_package_is_not_used(scope: Scope) -> None:
    again = scope("generate", "1 red apple", "--generator", "stripes", SCOPE_NO_THIRD_PARTY="1")
    assert again.returncode == 2
    assert "no generators named 'stripes'" in again.stderr


@pytest.mark.heavy
def test_benchmark_of_a_package_is_listed_and_run(scope: Scope, tmp_path: Path) -> None:
    assert "counting" in scope("bench", "--help").stdout
    done = scope("bench", "counting")
    assert done.returncode == 0, done.stderr
    assert json.loads((tmp_path / "results" / "counting.json").read_text())["name"] == "counting"


@pytest.mark.heavy
def test_the_parts_of_a_real_package_conform(scope: Scope, installed: Path) -> None:
    program = (
        "from scope.testing import FakeReader, validate\n"
        "from of_others.mascots import Mascots\nfrom of_others.outdoors import Outdoors\n"
        "from of_others.stripes import Stripes\n"
        "validate(Mascots, specifications=[FakeReader().decompose('1 apple ?zorvex')]).assert_ok()\n"
        "validate(Stripes).assert_ok()\nvalidate(Outdoors).assert_ok()\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], env=os.environ | {"PYTHONPATH": str(installed)}, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
