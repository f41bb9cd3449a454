"""The kit passes what conforms, and each of its checks finds a part that does not."""

import importlib
import re
import time
from pathlib import Path
from typing import Any

import bad_parts
import pytest

from scope.errors import UsageError
from scope.skills.bind import Bind
from scope.skills.decompose import Decompose
from scope.skills.repair import Repair
from scope.specification import Cause, Commitment, Kind, Type
from scope.testing import FakeGenerator, FakeReader, FakeVerifier, fake_toolbox, validate
from scope.testing.checks.case import Case, samples
from scope.testing.conformance import CHECKS, kind_of, run_checks

_PREFIX = {"": "skill", "G": "generator", "V": "verifier"}
_NAMED = re.compile(r"(?P<prefix>[GV]?)(?P<check>[A-Z][a-z]+)[A-Z]")

#: (class, kind, the check that it is to fail): read from the names in bad_parts.
BAD = [
    (part, _PREFIX[match["prefix"]], match["check"].lower())
    for name, part in vars(bad_parts).items()
    if isinstance(part, type)
    and part.__module__ == "bad_parts"
    and (match := _NAMED.match(name))
    and match["check"].lower() in {"terminates", *(check for checks in CHECKS.values() for check in checks)}
]
_IN_OWN_PROCESS = [bad for bad in BAD if bad[2] == "terminates"]
_HERE = [bad for bad in BAD if bad[2] != "terminates"]


@pytest.mark.heavy
@pytest.mark.parametrize(
    "part",
    [
        bad_parts.GoodSkill, bad_parts.GoodGenerator, bad_parts.GoodVerifier, bad_parts.make_good_skill,
        Decompose, Bind, Repair, FakeGenerator, FakeVerifier, FakeVerifier(otherwise="violated"),
    ],
)  # fmt: skip
def test_what_conforms_passes(part: Any) -> None:
    report = validate(part)
    report.assert_ok()
    assert [f.check for f in report.findings] == [*CHECKS[report.kind], "terminates"]


@pytest.mark.parametrize(("part", "kind", "check"), _HERE, ids=lambda value: getattr(value, "__name__", str(value)))
def test_each_check_finds_a_part_that_fails_it(part: type, kind: Any, check: str) -> None:
    made = part()
    found = {f.check: f for f in run_checks(kind, Case(made, samples(), fake_toolbox()))}
    assert not found[check].ok
    assert found[check].why


@pytest.mark.parametrize("kind", ["skill", "generator", "verifier"])
def test_no_check_is_without_a_part_that_fails_it(kind: Any) -> None:
    assert {check for _, of, check in BAD if of == kind} == {*CHECKS[kind], "terminates"}


@pytest.mark.heavy
@pytest.mark.parametrize(
    ("part", "kind", "check"), _IN_OWN_PROCESS, ids=lambda value: getattr(value, "__name__", str(value))
)
def test_what_does_not_end_is_cut_and_named(part: type, kind: Any, check: str) -> None:
    began = time.monotonic()
    report = validate(part, timeout=2.0)
    ends = next(f for f in report.findings if f.check == "terminates")
    assert not ends.ok
    assert re.search("did not end within 2 s|killed by SIGSEGV", ends.why)
    assert {f.check for f in report.findings} == {*CHECKS[kind], "terminates"}
    assert time.monotonic() - began < 10.0  # some checks may pass before the one that hangs


@pytest.mark.heavy
def test_a_report_says_what_is_wrong_and_raises_on_demand() -> None:
    report = validate(bad_parts.LedgerDeclares)
    assert not report.ok
    with pytest.raises(AssertionError, match=r"skill good@1: \d of 10 checks failed\n(.*\n)*.*only the prompt adds"):
        report.assert_ok()


@pytest.mark.heavy
def test_specifications_of_the_author_are_tried() -> None:
    wrong = [f.check for f in validate(bad_parts.OfOddThings).findings if not f.ok]
    assert wrong == ["exercised"]
    assert validate(bad_parts.OfOddThings, specifications=[FakeReader().decompose("1 apple ?odd")]).ok


@pytest.mark.heavy
def test_validating_leaves_the_part_as_it_was() -> None:
    part = FakeVerifier()
    validate(part)
    assert part.asked == []


@pytest.mark.heavy
@pytest.mark.parametrize("part", [bad_parts.Neither(), bad_parts.Both()])
def test_what_is_not_one_part_is_refused(part: Any) -> None:
    with pytest.raises(UsageError, match="exactly one of run"):
        kind_of(part)
    with pytest.raises(UsageError, match="exactly one of run"):
        validate(part)


@pytest.mark.heavy
def test_a_part_that_no_other_process_can_import_is_refused() -> None:
    class Local(bad_parts.GoodSkill):
        pass

    with pytest.raises(UsageError, match="define it in a module"):
        validate(Local())


@pytest.mark.heavy
def test_the_parts_of_the_documentation_conform(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    page = (Path(__file__).parents[1] / "docs" / "plugins.md").read_text()
    blocks = [block for block in re.findall(r"```python\n(.*?)```", page, re.DOTALL) if "\nclass " in block]
    (tmp_path / "documented.py").write_text("\n".join(blocks))
    monkeypatch.syspath_prepend(str(tmp_path))
    documented = importlib.import_module("documented")
    style = Commitment(id="s1", kind=Kind.CONSTRAINT, type=Type.STYLE, claim="it is tall", value="portrait format")
    specifications = [FakeReader().decompose("1 apple ?Zorvex").declare(style, Cause.skill("decompose", "1"))]
    for part in (documented.Mascots, documented.Grey, documented.Portrait):
        validate(part, specifications=specifications).assert_ok()
