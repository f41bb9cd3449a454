"""Skills of other packages: whatever one does, the run goes on with the commitments as they were, and says why."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from packages import lay_out

from scope.config import Options
from scope.engine.assemble import skills
from scope.engine.execution import generate
from scope.errors import PluginError
from scope.plugins import registry
from scope.plugins.subprocess_skills import SubprocessSkill, run_or_skip
from scope.runs import store
from scope.runs.context import RunContext
from scope.specification import Cause, Specification, Status, answers
from scope.testing import FakeGenerator, FakeKnowledge, FakeLanguageModel, FakeReader, fake_toolbox

pytestmark = pytest.mark.heavy

LIMIT = 1.0

#: A skill that another package brings. `{run}` is what it does.
SKILL = """
import ctypes, os, time
from scope.specification import Answer, Cause, Commitment, Kind, Specification, Status, Type, ground

class Odd:
    name, version = "odd", "3"

    def needed(self, spec):
        return bool(spec.where(Status.OPEN))

    def answered(self, spec, words):
        for unknown in spec.where(Status.OPEN):
            spec = ground(spec, unknown.id, Answer(words=words), Cause.skill("odd", "3"))
        return spec

    def run(self, spec, tools):
        {run}
"""


@pytest.fixture
def skill(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., SubprocessSkill]:
    """Return what installs a skill with this body and hands it out as a run meets it."""
    site = tmp_path / "site"
    site.mkdir()
    monkeypatch.syspath_prepend(str(site))

    def install(body: str, limit: float = 30.0, module: str = SKILL, **parts: Any) -> SubprocessSkill:
        lay_out(site, "elsewhere", "[scope.skills]\nodd = elsewhere:Odd\n", module.replace("{run}", body))
        [installed] = [plugin for plugin in registry.installed("skills") if plugin.third_party]
        context = RunContext(store.create("2 red apple ?odd"))
        return SubprocessSkill(installed, context, limit, fake_toolbox(**parts))

    return install


def spec() -> Specification:
    return FakeReader().decompose("2 red apple ?odd")


def words(after: Specification) -> list[str]:
    return [answer.words for answer in answers(after).values()]


def test_what_it_grounds_is_in_the_ledger_with_its_name_and_cost(skill: Callable[..., SubprocessSkill]) -> None:
    after, note = run_or_skip(skill('return self.answered(spec, "a turtle")'), spec(), fake_toolbox())
    assert note is None
    assert words(after) == ["a turtle"]
    assert after.statuses()["u1"] is Status.GROUNDED
    assert after.events[:-1] == spec().events
    assert after.events[-1].cause == Cause.skill("odd", "3")
    assert after.events[-1].seconds > 0


def test_where_it_sees_nothing_to_do_nothing_happens(skill: Callable[..., SubprocessSkill]) -> None:
    plain = FakeReader().decompose("2 red apple")
    assert run_or_skip(skill("raise RuntimeError"), plain, fake_toolbox()) == (plain, None)


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("time.sleep(3600)", "did not end within 1 s"),
        ("while True: pass", "did not end within 1 s"),
        ("pow(3, 10**9)", "did not end within 1 s"),
    ],
    ids=["hung", "busy", "busy in C"],
)
def test_what_takes_too_long_is_cut(skill: Callable[..., SubprocessSkill], body: str, why: str) -> None:
    installed = skill(body, LIMIT)
    began = time.monotonic()
    after, note = run_or_skip(installed, spec(), fake_toolbox())
    assert time.monotonic() - began < LIMIT + 1.0
    assert after == spec()
    assert note is not None
    assert note.startswith("the skill 'odd' was left out: ")
    assert why in note


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ("ctypes.string_at(0)", "its process died (killed by SIGSEGV"),
        ("os._exit(3)", "its process died (exit code 3"),
        ("raise SystemExit(0)", "SystemExit: 0"),
        ("raise RuntimeError('no luck')", "RuntimeError: no luck"),
        ("return tools.generator.name", "without the generator"),
        ("return 5", "AttributeError"),
        ("return spec.move('e1', Status.WAIVED, Cause.skill('odd', '3'))", "moved e1 to waived"),
        ("return spec.move('e1', Status.OPEN, Cause.skill('odd', '3'))", "e1, which is no unknown"),
        ("return spec.move('u1', Status.WAIVED, Cause.skill('odd', '3'))", "moved u1 to waived"),
        ("return spec.move('u1', Status.GROUNDED, Cause.skill('odd', '3'))", "without a typed answer"),
        ("return spec.move('u1', Status.GROUNDED, Cause.skill('repair', '1'))", "in the name of 'skill:repair@1'"),
        ("return Specification(prompt='an advert', events=spec.events)", "changed the prompt"),
        ("return Specification(prompt=spec.prompt)", "changed what was in the ledger before it"),
        (
            "return spec.declare(Commitment(id='x', kind=Kind.ENTITY, type=Type.PRESENCE, claim='', value='ad'), "
            "Cause.skill('odd', '3'))",
            "only the prompt adds commitments",
        ),
    ],
)
def test_whatever_goes_wrong_the_commitments_stay_as_they_were(
    skill: Callable[..., SubprocessSkill], body: str, why: str
) -> None:
    after, note = run_or_skip(skill(body), spec(), fake_toolbox())
    assert after == spec()
    assert note is not None
    assert why in note


@pytest.mark.parametrize(
    ("module", "why"),
    [
        ("import no_such_module", "No module named 'no_such_module'"),
        (SKILL.replace('"odd", "3"', '"repair", "3"').replace("{run}", "return spec"), "calls itself 'repair'"),
    ],
)
def test_a_package_that_is_broken_is_left_out(skill: Callable[..., SubprocessSkill], module: str, why: str) -> None:
    after, note = run_or_skip(skill("", module=module), spec(), fake_toolbox())
    assert after == spec()
    assert note is not None
    assert why in note


def test_it_asks_the_parts_of_the_run_and_the_answers_come_from_here(skill: Callable[..., SubprocessSkill]) -> None:
    body = (
        'found = tools.knowledge[0].search("odd")[0].text; '
        "from scope.protocols import Message; "
        'said = tools.language.complete([Message(role="user", content="why?")], {"type": "object"}).data["answer"]; '
        'read = tools.reader.decompose("1 apple").prompt; '
        'return self.answered(spec, f"{found}, {said}, {read}")'
    )
    knowledge, language = FakeKnowledge(["odd means turtle"]), FakeLanguageModel([{"answer": "forty-two"}])
    after, note = run_or_skip(skill(body, knowledge=(knowledge,), language=language), spec(), fake_toolbox())
    assert note is None
    assert words(after) == ["odd means turtle, forty-two, 1 apple"]
    assert knowledge.queries == ["odd"]
    assert [message.content for message in language.calls[0].messages] == ["why?"]


def test_what_a_part_of_the_run_refuses_reaches_it(skill: Callable[..., SubprocessSkill]) -> None:
    _, note = run_or_skip(skill('tools.reader.decompose("")'), spec(), fake_toolbox())
    assert note is not None
    assert "PromptError: nothing in '' can be drawn" in note


def test_a_step_is_done_once_also_one_that_failed(skill: Callable[..., SubprocessSkill], tmp_path: Path) -> None:
    seen = tmp_path / "seen"
    installed = skill(f"open({str(seen)!r}, 'a').write('x'); raise RuntimeError('no luck')")
    first = run_or_skip(installed, spec(), fake_toolbox())
    assert run_or_skip(installed, spec(), fake_toolbox()) == first
    assert seen.read_text() == "x"
    other = FakeReader().decompose("3 red apple ?odd")
    run_or_skip(installed, other, fake_toolbox())
    assert seen.read_text() == "xx"


def test_without_third_party_there_are_no_such_skills(
    skill: Callable[..., SubprocessSkill], monkeypatch: pytest.MonkeyPatch
) -> None:
    context = skill("return spec").context

    def names() -> list[str]:
        return [found.name for found in skills(Options(), fake_toolbox(), context)]

    assert names() == ["retrieve", "reason", "odd"]
    monkeypatch.setenv("SCOPE_NO_THIRD_PARTY", "1")
    assert names() == ["retrieve", "reason"]


def test_a_generator_that_does_not_say_what_it_reads_is_named(skill: Callable[..., SubprocessSkill]) -> None:
    generator = FakeGenerator(reads="regions")  # type: ignore[arg-type]
    with pytest.raises(PluginError, match="fake@1: reads is 'regions'"):
        skills(Options(), fake_toolbox(generator=generator), skill("return spec").context)


@pytest.mark.parametrize(
    ("body", "limit", "known", "note"),
    [
        ('return self.answered(spec, "a turtle")', 30.0, ["a turtle"], None),
        ("time.sleep(3600)", LIMIT, [], "the skill 'odd' was left out: it did not end within 1 s"),
        ("while True: pass", LIMIT, [], "the skill 'odd' was left out: it did not end within 1 s"),
        ("ctypes.string_at(0)", 30.0, [], "the skill 'odd' was left out: its process died (killed by SIGSEGV)"),
    ],
    ids=["good", "hung", "busy", "segfault"],
)
def test_a_run_goes_on_whatever_a_skill_does(
    skill: Callable[..., SubprocessSkill], body: str, limit: float, known: list[str], note: str | None
) -> None:
    installed = skill(body, limit)
    outcome = generate(installed.context.run, fake_toolbox(skills=(installed,)))
    assert outcome.best is not None
    assert outcome.exit == 3
    assert outcome.spec.statuses()["u1"] is Status.UNJUDGED  # nothing of what it says can be seen in a picture
    assert words(outcome.spec) == known
    left_out = [line for line in outcome.notes if "left out" in line]
    assert len(left_out) == (0 if note is None else 1)
    assert all(str(note) in line for line in left_out)
