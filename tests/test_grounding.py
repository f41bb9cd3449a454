"""The machine around unknowns, people and budgets: what is looked up, asked, reopened, left out, not overspent."""

from collections.abc import Sequence
from pathlib import Path

import pytest
from prompts import PROMPT, start

from scope.engine import execution, review
from scope.engine.graph import STRATEGIES
from scope.engine.outcome import json_report
from scope.errors import UsageError
from scope.knowledge import folder, packaged
from scope.parsing.grammar import Grammar
from scope.protocols import DEFAULT_GENERATOR, OnStep, Picture, Toolbox, ignore_steps
from scope.runs import repair_stats, store
from scope.skills.reason import Reason
from scope.skills.retrieve import Retrieve
from scope.specification import (
    Answer,
    Cause,
    Commitment,
    Fact,
    RepairResult,
    Request,
    Specification,
    Status,
    Type,
    answers,
    ground,
    tried,
)
from scope.testing import FakeGenerator, FakeKnowledge, FakeReader, FakeVerifier, fake_toolbox

pytestmark = pytest.mark.usefixtures("home")

GROUNDING = (Retrieve(), Reason())


# -- people --------------------------------------------------------------------------------------


def test_a_person_who_changes_the_specification_gets_what_they_changed() -> None:
    run = start(confirm=("spec",))
    asked: list[review.Question] = []

    def ask(question: review.Question) -> str:
        asked.append(question)
        return question.text.replace("red", "green")

    outcome = execution.generate(run, fake_toolbox(), ask=ask)
    assert [q.about for q in asked] == ["spec"]
    assert outcome.exit == 0
    assert {c.value for c in outcome.spec.where(Status.MET)} >= {"green", "apple", 2}
    assert {c.value for c in outcome.spec.where(Status.WAIVED)} == {"red"}
    assert all("green" in d.request.text and "red" not in d.request.text for d in outcome.drafts)
    assert {v.commitment for v in outcome.verdicts["d1"]} == {c.id for c in outcome.spec.where(Status.MET)}


def test_a_question_waits_for_its_answer_across_a_restart() -> None:
    run = start(confirm=("spec",))
    with pytest.raises(UsageError, match=f"scope resume {run.id}"):
        execution.generate(run, fake_toolbox())
    with pytest.raises(KeyboardInterrupt):
        execution.generate(run, fake_toolbox(), ask=_interrupt)
    outcome = execution.generate(store.open_run(run.id), fake_toolbox(), ask=lambda question: question.text)
    assert outcome.exit == 0


def _interrupt(question: review.Question) -> str:
    raise KeyboardInterrupt


def test_an_answer_that_cannot_be_used_is_asked_again_with_the_reason() -> None:
    run = start(confirm=("spec",))
    asked: list[str] = []

    def ask(question: review.Question) -> str:
        asked.append(question.text)
        return "- nonsense" if len(asked) < 3 else review.spec_question(FakeReader().decompose(PROMPT)).text

    assert execution.generate(run, fake_toolbox(), ask=ask).exit == 0
    assert len(asked) == 3
    assert "could not be used" in asked[1]
    assert asked[2].count("could not be used") == 1


def test_an_answer_that_stays_unusable_is_asked_for_three_times_and_no_more() -> None:
    run = start(confirm=("spec",))
    asked: list[str] = []

    def ask(question: review.Question) -> str:
        asked.append(question.text)
        return "- nonsense"

    with pytest.raises(UsageError, match=f"could not be used 3 times: .*cannot be read.* scope resume {run.id}"):
        execution.generate(run, fake_toolbox(), ask=ask)
    assert len(asked) == 3
    assert execution.generate(run, fake_toolbox(), ask=lambda question: question.text).exit == 0


def test_a_person_may_choose_the_repair_stop_it_or_give_up_what_is_broken() -> None:
    verifier = FakeVerifier({"c3": "violated"})
    for change, strategies, waived, code in (
        (("strategy: rebind", "strategy: regenerate"), ["regenerate"], set(), 3),
        (("repair: true", "repair: false"), [], set(), 3),
        (("waive: []", "waive: [c3]"), [], {"c3"}, 0),
    ):
        run = start(confirm=("repair",), max_rounds=1, drafts=1)
        outcome = execution.generate(run, fake_toolbox(verifier), ask=lambda q, c=change: q.text.replace(*c))  # type: ignore[misc]
        assert [e.evidence.strategy for e in outcome.spec.events if e.after is Status.REPAIRED] == strategies
        assert {c.id for c in outcome.spec.where(Status.WAIVED)} == waived
        assert outcome.exit == code


# -- answers that prove wrong --------------------------------------------------------------------


#: Two things that both answer to a name.
MASCOTS = ("The mascot of Zorvex is a red car.", "The mascot of Zorvex is a blue car.")


class NamingReader(FakeReader):
    """Reads "zorvex" as a name that is not known here, and plain English by its grammar."""

    def decompose(self, prompt: str) -> Specification:
        if "zorvex" not in prompt:  # the description that was found
            return Grammar().decompose(prompt)
        spec = super().decompose(prompt)
        name = spec.of(Type.SEMANTIC_REASONING)[0]
        known = {"type": Type.EXTERNAL_REFERENCE, "targets": ("e1",), "depends_on": ("e1",), "value": "Zorvex"}
        changed = name.model_copy(update=known)
        events = tuple(
            e.model_copy(update={"declares": changed}) if e.declares is not None and e.commitment == name.id else e
            for e in spec.events
        )
        return Specification(prompt=spec.prompt, events=events)


def test_an_answer_that_no_draft_keeps_gives_way_to_the_next_candidate() -> None:
    run, knowledge = start("1 mascot ?zorvex", drafts=2, max_rounds=4), FakeKnowledge(MASCOTS)
    verifier = FakeVerifier({"u1": ["violated"] * 4 + ["met"]})
    outcome = execution.generate(
        run, fake_toolbox(verifier, reader=NamingReader(), skills=GROUNDING, knowledge=(knowledge,))
    )
    assert outcome.exit == 0
    assert tried(outcome.spec, "u1") == {"fake:1", "fake:2"}
    [reopening] = [e for e in outcome.spec.events if e.cause == Cause(kind="engine", name="reopen")]
    assert (reopening.commitment, reopening.after) == ("u1", Status.OPEN)
    assert {f.value for f in answers(outcome.spec)["u1"].facts} == {"car", "blue"}
    assert "red" in outcome.drafts[0].request.text
    assert "blue" in outcome.drafts[-1].request.text


@pytest.mark.parametrize("without", ["retrieve", "reason", "repair"])
def test_each_skill_can_be_left_out(without: str) -> None:
    run, knowledge = start("1 mascot ?zorvex", without=(without,), max_rounds=1, drafts=1), FakeKnowledge(MASCOTS)
    verifier = FakeVerifier({"u1": "violated"})
    outcome = execution.generate(
        run, fake_toolbox(verifier, reader=NamingReader(), skills=GROUNDING, knowledge=(knowledge,))
    )
    assert bool(knowledge.queries) is (without != "retrieve")
    assert any(e.after is Status.REPAIRED for e in outcome.spec.events) is (without == "reason")


def test_what_cannot_be_found_stays_open_and_is_never_met() -> None:
    run = start("1 mascot ?zorvex", drafts=1)
    outcome = execution.generate(
        run, fake_toolbox(reader=NamingReader(), skills=GROUNDING, knowledge=(FakeKnowledge(),))
    )
    assert outcome.exit == 3
    assert outcome.spec.statuses()["u1"] is Status.UNJUDGED
    assert len(outcome.drafts) == 1


# -- repairs -------------------------------------------------------------------------------------


def test_a_draft_may_be_drawn_on_from() -> None:
    run = start(max_rounds=3, drafts=1, learned=False)
    generator = FakeGenerator(reads=frozenset({"edit"}))
    outcome = execution.generate(run, fake_toolbox(FakeVerifier({"c3": "violated"}), generator=generator))
    assert [r.strategy for r in outcome.repairs] == ["rebind", "regenerate", "resample"]
    edit = generator.requests[-1].edit
    assert edit is not None
    assert 0 < edit.strength < 1
    assert [c.id for c in edit.toward] == ["c3"]
    assert edit.image.path == str(run.folder / outcome.drafts[0].path)
    recorded = outcome.drafts[-1].request.edit
    assert recorded is not None
    assert recorded.image.path == outcome.drafts[0].path


class Painter:
    """An editor of attributes."""

    name, version, reads = "painter", "1", frozenset({"edit"})

    def __init__(self) -> None:
        self.named: list[str] = []

    def handles(self, commitment: Commitment) -> bool:
        return commitment.type is Type.ATTRIBUTE

    def edit(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        self.named = [c.id for request in requests if request.edit for c in request.edit.toward]
        return FakeGenerator().generate(requests)


def test_an_editor_is_asked_where_it_knows_the_edit() -> None:
    run, painter = start(max_rounds=1, drafts=1), Painter()
    colors = {c.id for c in FakeReader().decompose(PROMPT).of(Type.ATTRIBUTE)}
    outcome = execution.generate(run, fake_toolbox(FakeVerifier(dict.fromkeys(colors, "violated")), editor=painter))
    assert [d.generator for d in outcome.drafts] == ["fake@1", "painter@1"]
    assert set(painter.named) == colors
    other = start(max_rounds=1, drafts=1)
    outcome = execution.generate(other, fake_toolbox(FakeVerifier({"e1": "violated"}), editor=painter))
    assert {d.generator for d in outcome.drafts} == {"fake@1"}


def test_a_repair_tells_what_it_fixed_and_what_it_broke() -> None:
    run = start(max_rounds=1, drafts=1)
    outcome = execution.generate(
        run, fake_toolbox(FakeVerifier({"c3": ["violated", "met"], "c1": ["met", "violated"]}))
    )
    [result] = outcome.repairs
    assert (result.strategy, result.family, result.fixed, result.broke) == ("rebind", "relation", ("c3",), ("c1",))
    assert json_report(outcome)["repairs"][0]["fixed"] == ["c3"]


def test_a_run_learns_from_the_ones_before_unless_told_not_to() -> None:
    helped = RepairResult(strategy="regenerate", family="relation", fixed=("c3",), broke=(), seconds=0.1)
    for number in range(8):
        repair_stats.learn(f"run{number}", DEFAULT_GENERATOR, [helped])
    for learned, strategy in ((True, "regenerate"), (False, "rebind")):
        run = start(max_rounds=1, drafts=1, learned=learned)
        outcome = execution.generate(run, fake_toolbox(FakeVerifier({"c3": "violated"})))
        assert [r.strategy for r in outcome.repairs] == [strategy]


# -- budgets -------------------------------------------------------------------------------------


@pytest.mark.parametrize("images", [1, 3])
def test_no_more_drafts_are_made_than_may_be(images: int) -> None:
    run = start(max_images=images, drafts=2, max_rounds=4)
    outcome = execution.generate(run, fake_toolbox(FakeVerifier({"c3": "violated"})))
    assert (len(outcome.drafts), outcome.exit) == (images, 4)
    assert outcome.best is not None
    assert "--max-images" in outcome.notes[-1]


def test_the_budget_of_drafts_survives_an_interruption() -> None:
    run, generator = start(max_images=3, drafts=2, max_rounds=4), FakeGenerator()
    parts = fake_toolbox(FakeVerifier({"c3": "violated"}), generator=generator)

    def interrupt(news: object) -> None:
        if getattr(news, "stage", "") == "repair":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.generate(run, parts, interrupt)
    outcome = execution.generate(run, parts)
    assert (len(generator.requests), outcome.exit) == (3, 4)


def test_strategies_that_a_person_may_choose_are_those_that_exist() -> None:
    assert STRATEGIES == ("rebind", "regenerate", "resample", "redraw", "move", "edit")


def test_an_answer_of_a_skill_reaches_the_generator_and_the_verdict() -> None:
    class Know:
        name, version = "know", "1"

        def needed(self, spec: Specification) -> bool:
            return any(c.id == "u1" for c in spec.where(Status.OPEN))

        def run(self, spec: Specification, tools: Toolbox) -> Specification:
            answer = Answer(words="blue", facts=(Fact(type=Type.STYLE, value="flat"),))
            return ground(spec, "u1", answer, Cause.skill("know", "1"))

    run = start("1 apple ?mood", drafts=1)
    outcome = execution.generate(run, fake_toolbox(skills=(Know(),)))
    assert outcome.exit == 0
    assert answers(outcome.spec)["u1"].words == "blue"


# -- the whole way, with the real reader and real knowledge --------------------------------------


@pytest.fixture
def zorvex(tmp_path: Path) -> Path:
    folder = tmp_path / "team"
    folder.mkdir()
    about = "The mascot of Team Zorvex is a green turtle. It was founded in 1998."
    (folder / "guide.md").write_text(f"---\nlicence: CC-BY-4.0\n---\n# Team Zorvex\n\n{about}\n")
    return folder


MASCOT = "the mascot of Team Zorvex waving beside as many stars as a spider has legs"


@pytest.mark.heavy
def test_a_prompt_that_needs_knowledge_is_grounded_drawn_judged_and_tells_its_evidence(zorvex: Path) -> None:
    run = start(MASCOT, drafts=1, knowledge=(str(zorvex),))
    parts = fake_toolbox(reader=Grammar(), skills=GROUNDING, knowledge=(folder.load(zorvex), packaged.load()))
    outcome = execution.generate(run, parts)
    assert outcome.exit == 0
    said = {a.words: a for a in answers(outcome.spec).values()}
    assert set(said) == {"a green turtle", "eight"}
    [source] = said["a green turtle"].sources
    assert (source.locator, source.licence) == ("guide.md:6", "CC-BY-4.0")
    assert source.quote == "The mascot of Team Zorvex is a green turtle."
    assert any("spider" in s.quote for s in said["eight"].sources)
    assert json_report(outcome)["answers"]["u1"]["sources"][0]["licence"] == "CC-BY-4.0"
    text = outcome.drafts[0].request.text
    assert "green turtle" in text
    assert "eight stars" in text
    assert not {"mascot", "Zorvex", "spider", "legs"} & set(text.split())


@pytest.mark.heavy
@pytest.mark.parametrize("skill", ["retrieve", "reason"])
def test_without_a_skill_its_clue_stays_a_clue(skill: str, zorvex: Path) -> None:
    run = start(MASCOT, drafts=1, without=(skill,), max_rounds=0)
    outcome = execution.generate(
        run, fake_toolbox(reader=Grammar(), skills=GROUNDING, knowledge=(folder.load(zorvex), packaged.load()))
    )
    assert outcome.exit == 3
    assert {a.words for a in answers(outcome.spec).values()} == (
        {"eight"} if skill == "retrieve" else {"a green turtle"}
    )
