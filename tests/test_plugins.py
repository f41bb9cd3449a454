"""Parts are found by the entry points of installed packages, ours and others' alike."""

import importlib
import sys
from pathlib import Path

import pytest

from scope import plugins
from scope.errors import PluginError


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """Return what installs a package with one module and entry points, as pip would lay it out."""
    monkeypatch.syspath_prepend(str(tmp_path))

    def put(package: str, entry_points: str, module: str = "") -> None:
        info = tmp_path / f"{package}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {package}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(entry_points)
        (tmp_path / f"{package}.py").write_text(module)
        importlib.invalidate_caches()
        sys.modules.pop(package, None)

    return put


def test_the_parts_of_another_package_are_listed_and_loaded(install) -> None:
    install("other", "[scope.generators]\nmine = other:load\n", "def load(): return 'drawn'\n")
    assert "mine" in plugins.names("generators")
    assert plugins.load("generators", "mine")() == "drawn"


def test_our_own_parts_are_declared_the_same_way() -> None:
    assert {"decompose", "bind", "repair"} <= set(plugins.names("skills"))
    assert plugins.load("skills", "bind").name == "bind"


def test_listing_imports_nothing(install) -> None:
    install("heavy", "[scope.generators]\nheavy = heavy:load\n", "raise RuntimeError('imported')\n")
    assert "heavy" in plugins.names("generators")
    assert "heavy" not in sys.modules


def test_an_unknown_name_is_answered_with_the_nearest_and_the_list(install) -> None:
    install("other", "[scope.generators]\nwatercolour = other:load\n")
    with pytest.raises(PluginError, match=r"named 'watercolor'; did you mean 'watercolour'\? installed: .*watercolour"):
        plugins.load("generators", "watercolor")


def test_a_part_that_cannot_be_imported_says_why(install) -> None:
    install("broken", "[scope.generators]\nbroken = broken:load\n", "import no_such_module\n")
    with pytest.raises(PluginError, match=r"broken \(broken:load\).*no_such_module") as caught:
        plugins.load("generators", "broken")
    assert isinstance(caught.value.__cause__, ModuleNotFoundError)


def test_two_owners_of_one_name_are_both_named(install) -> None:
    install("one", "[scope.generators]\nsame = one:load\n")
    install("two", "[scope.generators]\nsame = two:load\n")
    with pytest.raises(
        PluginError, match=r"one \(one:load\) and two \(two:load\)|two \(two:load\) and one \(one:load\)"
    ):
        plugins.load("generators", "same")


def test_a_checkout_that_was_never_installed_says_how_to(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(plugins, "entry_points", lambda group: ())
    with pytest.raises(PluginError, match=r"pip install -e \."):
        plugins.load("generators", "flow")
