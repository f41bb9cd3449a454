"""The machine with fake parts: routes, ranking, blocked and unjudged commitments, budgets, and what is recorded."""

import json
import threading
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path

import pytest
from langgraph.runtime import Runtime
from PIL import Image
from prompts import PROMPT_WITH_TEXT, start

from scope.config import Options
from scope.engine import execution, graph
from scope.engine.context import EngineContext
from scope.engine.outcome import Progress, json_report
from scope.engine.ranking import best_of, weigh
from scope.engine.state import State
from scope.engine.verification import judge, unknown_to
from scope.errors import OutputError, PromptError, ScopeError, StateCorrupt
from scope.parsing.grammar import Grammar
from scope.protocols import OnStep, Picture, Verifier, Vocabulary, ignore_steps
from scope.runs import store
from scope.runs.store import Run
from scope.specification import Cause, Commitment, Draft, Gating, Kind, Repairing, Request, Status, Type, Verdict
from scope.testing import FakeGenerator, FakeReader, FakeVerifier, fake_toolbox

pytestmark = pytest.mark.usefixtures("home")


def outcome(
    *verifiers: FakeVerifier, prompt: str = PROMPT_WITH_TEXT, generator: FakeGenerator | None = None, **options: object
):
    toolbox = fake_toolbox(*verifiers, generator=generator or FakeGenerator())
    return execution.generate(start(prompt, **options), toolbox)


def runtime(run: Run) -> Runtime[EngineContext]:
    return Runtime(context=EngineContext.of(run, fake_toolbox(), lambda news: None))


# -- routes --------------------------------------------------------------------------------------


def test_all_met_needs_no_repair() -> None:
    result = outcome()
    assert result.exit == 0
    assert len(result.drafts) == 2
    assert set(result.spec.statuses().values()) == {Status.MET}


def test_a_violation_is_repaired_in_the_next_round() -> None:
    result = outcome(FakeVerifier({"c3": ["violated", "violated", "met"]}))
    assert result.exit == 0
    assert [d.parent for d in result.drafts] == [None, None, "d1", "d1"]
    assert result.best is not None
    assert result.best.id == "d3"
    repaired = [e for e in result.spec.events if e.after is Status.REPAIRED]
    assert [(e.commitment, e.evidence) for e in repaired] == [
        ("c3", Repairing(strategy="rebind", family="relation", round=1))
    ]


@pytest.mark.parametrize(
    ("holds", "denied"), [("met", "violated"), ("violated", "met"), (None, None)], ids=("holds", "not", "unknown")
)
def test_of_what_is_denied_the_verifier_is_asked_whether_it_holds(holds: str | None, denied: str | None) -> None:
    spec = FakeReader().decompose("1 apple")
    not_red = Commitment(
        id="c9", kind=Kind.CONSTRAINT, type=Type.ATTRIBUTE, claim="the apple is not red", value="red",
        targets=("e1",), depends_on=("e1",), aspect="color", denied=True,
    )  # fmt: skip
    spec = spec.declare(not_red, Cause.skill("decompose", "1"))
    asked: list[Commitment] = []

    def ask(verifier: Verifier, commitments: Sequence[Commitment]) -> list[Verdict]:
        asked.extend(commitments)
        return verifier.check(Image.new("RGB", (1, 1)), commitments, spec)

    verdicts = judge(spec, [FakeVerifier({"c9": holds})], ask)
    assert [v.outcome for v in verdicts] == ["met", "met", denied]
    assert asked[-1] == not_red.model_copy(update={"denied": False})


def test_rounds_run_out() -> None:
    result = outcome(FakeVerifier({"c3": "violated"}), max_rounds=2, drafts=1)
    assert result.exit == 3
    assert len(result.drafts) == 3
    strategies = [e.evidence.strategy for e in result.spec.events if e.after is Status.REPAIRED]
    assert strategies == ["rebind", "regenerate"]


class OneText(FakeGenerator):
    """Refuses every text but the prompt, as an encoder does of which a longer text is too long."""

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        if any(request.text != PROMPT_WITH_TEXT for request in requests):
            raise PromptError("the prompt is too long")
        return super().generate(requests, on_step)


def test_a_repair_whose_words_cannot_be_read_loses_no_draft() -> None:
    result = outcome(FakeVerifier({"c3": "violated"}), generator=OneText())
    assert result.exit == 3
    assert [draft.id for draft in result.drafts] == ["d1", "d2"]
    assert result.spec.statuses() == result.spec.statuses_on("d1")
    assert result.notes == ("a repair could not be drawn: the prompt is too long",)
    with pytest.raises(PromptError, match="too long"):
        outcome(prompt="1 blue car", generator=OneText())


def test_what_cannot_be_judged_is_not_repaired_and_not_met() -> None:
    result = outcome(FakeVerifier({"c3": None}))
    assert result.exit == 3
    assert len(result.drafts) == 2
    assert result.spec.statuses()["c3"] is Status.UNJUDGED


def test_the_time_budget_ends_the_run_with_the_best_draft_so_far() -> None:
    result = outcome(FakeVerifier({"c3": "violated"}), generator=FakeGenerator(delay=0.05), max_time=0.05, drafts=4)
    assert result.exit == 4
    assert [d.id for d in result.drafts] == ["d1"]
    assert result.best == result.drafts[0]
    assert "--max-time" in result.notes[-1]


def test_the_time_budget_does_not_matter_once_all_is_met() -> None:
    assert outcome(generator=FakeGenerator(delay=0.05), max_time=0.05).exit == 0


def test_time_spent_before_an_interruption_counts() -> None:
    run = start(PROMPT_WITH_TEXT, max_time=0.2, drafts=1)
    generator = FakeGenerator(delay=0.3)

    def interrupt(news: Progress) -> None:
        if news.stage == "verify":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.generate(run, fake_toolbox(generator=generator), interrupt)
    result = execution.generate(run, fake_toolbox(FakeVerifier({"c3": "violated"}), generator=generator))
    assert result.exit == 4
    assert len(generator.requests) == 1


def test_one_draft_is_made_however_little_time_is_left() -> None:
    run = start(PROMPT_WITH_TEXT)
    spec = outcome(max_rounds=0).spec
    state = State.begin(PROMPT_WITH_TEXT, Options(drafts=3, max_time=1)).after(spec, seconds={"decompose": 2.0})
    calls = graph.to_generate(state, runtime(run))
    assert [call.arg["count"] for call in calls] == [1]


def test_seconds_add_up_over_rounds_and_interruptions() -> None:
    run, generator = start(PROMPT_WITH_TEXT, drafts=2, max_rounds=1), FakeGenerator(delay=0.05)
    parts = fake_toolbox(FakeVerifier({"c3": "violated"}), generator=generator)

    def interrupt(news: Progress) -> None:
        if news.draft == 2 and news.round == 0:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.generate(run, parts, interrupt)
    result = execution.generate(run, parts)
    drawing = sum(draft.seconds for draft in result.drafts)
    assert drawing >= 4 * 0.05
    assert result.seconds["generate"] >= drawing
    assert result.seconds["total"] == pytest.approx(sum(s for stage, s in result.seconds.items() if stage != "total"))


@pytest.mark.parametrize(
    ("violated", "round_", "seconds", "expected"),
    [
        (False, 0, 0, "finish"),
        (True, 0, 0, "repair"),
        (True, 1, 0, "repair"),
        (True, 2, 0, "finish"),
        (True, 0, 10, "finish"),
    ],
)
def test_route_after_verify(violated: bool, round_: int, seconds: float, expected: str) -> None:
    spec = outcome(FakeVerifier({"c3": "violated" if violated else None}), max_rounds=0).spec
    state = State.begin(PROMPT_WITH_TEXT, Options(max_rounds=2, max_time=10))
    state = state.after(spec, round=round_, attempted=2, seconds={"generate": seconds})
    assert graph.after_verify(state, runtime(start(PROMPT_WITH_TEXT))) == expected


def test_the_diagram_shows_every_node_and_the_loop() -> None:
    diagram = graph.machine().get_graph().draw_mermaid()
    assert all(stage in diagram for stage in (*graph.NODES, "generate"))
    assert len(graph.NODES) == 7
    assert "ground -.-> ground" in diagram
    assert "bind -.-> generate" in diagram
    assert "verify -.-> generate" in diagram
    assert "verify -.-> repair" in diagram
    assert "verify -.-> ground" in diagram
    assert "repair --> bind" in diagram


# -- ranking -------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("script", "likelihoods", "best"),
    [
        ({"c3": ["violated", "met", "violated"]}, (), "d2"),  # fewest broken
        ({"c3": [None, "violated", "violated"]}, (), "d1"),  # unjudged is better than broken
        ({"c3": "violated", "c6": [None, None, "met"]}, (), "d3"),  # then fewest unjudged
        ({"c3": "violated", "c6": [None, None, "met"]}, (-1.0, -1.0, -9.0), "d3"),  # ... before likelihood
        ({"c3": "violated"}, (-9.0, -2.0, -5.0), "d2"),  # then the likeliest
        ({"c3": "violated"}, (-2.0, -2.0, None), "d1"),  # then the earliest
        (
            {"e2": ["violated", "met", "met"], "c3": ["met", "violated", "violated"]},
            (),
            "d2",
        ),  # blocked counts as broken
        ({"c3": "violated"}, (float("nan"), -2.0, -5.0), "d2"),  # a likelihood that is no number is none
    ],
)
def test_drafts_are_ranked(script: dict[str, object], likelihoods: tuple[float | None, ...], best: str) -> None:
    generator = FakeGenerator(likelihoods=likelihoods)
    result = outcome(FakeVerifier(script), generator=generator, drafts=3, max_rounds=0)
    assert result.best is not None
    assert result.best.id == best


def test_likelihoods_are_compared_only_of_one_generator_and_one_text() -> None:
    def draft(name: str, likelihood: float, generator: str = "ntm@1", text: str = PROMPT_WITH_TEXT) -> Draft:
        request = Request(text=text)
        return Draft(
            id=name, path=f"{name}.png", sha256="", request=request, generator=generator, log_likelihood=likelihood
        )

    drafts = (draft("d1", -9.0), draft("d2", -1.0, generator="flow@2"), draft("d3", -1.0, text="apples, and a car"))
    verdicts = {d.id: (Verdict(commitment="e1", outcome="met", reason="", verifier="fake@1"),) for d in drafts}
    assert best_of(drafts, verdicts, {}) == drafts[0]
    likelier = draft("d4", -2.0)
    assert best_of((*drafts, likelier), verdicts | {"d4": verdicts["d1"]}, {}) == likelier


def test_likelihoods_outlive_a_stop() -> None:
    run, generator = start(PROMPT_WITH_TEXT, drafts=3, max_rounds=0), FakeGenerator(likelihoods=(-9.0, -2.0, -5.0))

    def interrupt(news: Progress) -> None:
        if news.draft == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.generate(run, fake_toolbox(generator=generator), interrupt)
    result = execution.generate(run, fake_toolbox(generator=FakeGenerator()))  # only the last draft is drawn again
    assert [draft["log_likelihood"] for draft in json_report(result)["drafts"]] == [-9.0, -2.0, None]
    loaded = execution.load(run)
    assert loaded is not None
    assert loaded.best is not None
    assert loaded.best.id == "d2"


GATE = [
    # met before, met after: of critical a, b, major m, n, minor x, y
    ("a", "b", False),  # nothing is gained by it
    ("a m", "a m x", True),
    ("a", "m n x y", False),  # whatever it mends, it breaks what matters more
    ("a", "b m", True),
    ("m n", "a", True),
    ("m", "x y", False),
    ("m", "n x", True),
    ("a b", "a m n", False),
    ("", "x", True),
    ("a", "", False),
    ("a m", "a m", True),
]


@pytest.mark.parametrize(("before", "after", "passes"), GATE)
def test_a_draft_that_breaks_what_was_met_must_mend_what_matters_more(before: str, after: str, passes: bool) -> None:
    priorities = {"a": 1, "b": 1, "m": 2, "n": 2, "x": 3, "y": 3}

    def judged(met: str) -> tuple[Verdict, ...]:
        fates = {i: "met" if i in met.split() else "violated" for i in priorities}
        return tuple(Verdict(commitment=i, outcome=fates[i], reason="", verifier="fake@1") for i in priorities)

    first = Draft(id="d1", path="d1.png", sha256="", request=Request(text="x"), generator="fake@1")
    repaired = first.model_copy(update={"id": "d2", "parent": "d1"})
    verdicts = {"d1": judged(before), "d2": judged(after)}
    weighed = weigh(repaired, verdicts, priorities)
    assert weighed.passes is passes
    assert set(weighed.mends) == set(after.split()) - set(before.split())
    assert set(weighed.breaks) == set(before.split()) - set(after.split())
    best = best_of((first, repaired), verdicts, priorities)
    assert best is not None
    assert passes or best == first


def test_what_a_refused_repair_gained_and_would_have_broken_is_in_the_ledger() -> None:
    # e1, which is met, matters most (a thing); c1, c2 and c3 are mended by the repair that loses it.
    spec = FakeReader().decompose(PROMPT_WITH_TEXT)
    minor = tuple(
        e.model_copy(update={"declares": e.declares.model_copy(update={"priority": 1 if e.commitment == "c5" else 3})})
        for e in spec.events
        if e.declares is not None
    )
    given = spec.model_copy(update={"events": minor})
    run = store.create(PROMPT_WITH_TEXT, Options(drafts=1, max_rounds=1), given=given)
    script = {
        "c5": ["met", "violated"],
        "c1": ["violated", "met"],
        "c2": ["violated", "met"],
        "c3": ["violated", "met"],
    }
    result = execution.generate(run, fake_toolbox(FakeVerifier(script)))
    assert [(d.id, d.parent) for d in result.drafts] == [("d1", None), ("d2", "d1")]
    assert result.best is not None
    assert result.best.id == "d1"  # though d2 violates one where d1 violates three
    assert result.spec.statuses() == result.spec.statuses_on("d1")
    evidence = Gating(draft="d2", kept=False, mends=("c1", "c2", "c3"), breaks=("c5",))
    told = [(e.commitment, e.evidence) for e in result.spec.events if isinstance(e.evidence, Gating)]
    assert told == [(i, evidence) for i in ("c1", "c2", "c3", "c5")]
    assert [(r.fixed, r.broke, r.kept) for r in result.repairs] == [(("c1", "c2", "c3"), ("c5",), False)]
    assert execution.load(run) == result.model_copy(update={"seconds": execution.load(run).seconds})  # type: ignore[union-attr]


def test_the_ledger_rests_on_the_best_draft() -> None:
    result = outcome(FakeVerifier({"c3": "violated", "c1": ["met", "violated"]}), drafts=2, max_rounds=1)
    assert result.best is not None
    assert result.best.id == "d1"
    assert result.spec.statuses() == result.spec.statuses_on("d1")
    assert {c.id for c in result.spec.where(Status.VIOLATED)} == {"c3"}


# -- verdicts ------------------------------------------------------------------------------------


def test_every_commitment_has_one_verdict_on_every_draft() -> None:
    result = outcome(FakeVerifier({"e1": "violated", "c6": None}), prompt=PROMPT_WITH_TEXT + " ?sleepy")
    ids = [c.id for c in result.spec.commitments]
    assert set(result.verdicts) == {d.id for d in result.drafts}
    assert all([v.commitment for v in verdicts] == ids for verdicts in result.verdicts.values())


def test_what_depends_on_a_missing_entity_is_blocked_and_asked_of_nobody() -> None:
    verifier = FakeVerifier({"e2": "violated"})
    result = outcome(verifier, drafts=1, max_rounds=0)
    blocked = {v.commitment: v for v in result.verdicts["d1"] if v.blocked_by}
    assert set(blocked) == {c.id for c in result.spec.commitments if "e2" in c.depends_on}
    assert {v.outcome for v in blocked.values()} == {None}
    assert {v.blocked_by for v in blocked.values()} == {"e2"}
    assert all(result.spec.statuses()[i] is Status.BLOCKED for i in blocked)
    assert not set(blocked).intersection(*verifier.asked)
    assert verifier.asked[0] == ("e1", "e2")


def test_a_repair_names_the_violated_and_what_they_block() -> None:
    result = outcome(FakeVerifier({"e2": "violated"}), drafts=1, max_rounds=1)
    named = {e.commitment for e in result.spec.events if e.after is Status.REPAIRED}
    assert named == {"e2", *(c.id for c in result.spec.about("e2"))}


def test_a_verifier_that_raises_could_not_say() -> None:
    result = outcome(FakeVerifier(raises=ValueError("no model")), prompt="1 apple", drafts=1)
    assert result.exit == 3
    assert {v.outcome for v in result.verdicts["d1"]} == {None}
    assert all("ValueError: no model" in v.reason for v in result.verdicts["d1"])


def test_an_answer_that_cannot_be_recorded_stops_the_run_and_is_asked_for_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    run, verifier = start("1 apple", drafts=1), FakeVerifier()
    record = Run.record

    def full(self: Run, key: str, value: dict[str, object]) -> None:
        if "verdicts" in value:
            raise OutputError("the disk is full")
        record(self, key, value)

    with monkeypatch.context() as patch:
        patch.setattr(Run, "record", full)
        with pytest.raises(OutputError):
            execution.generate(run, fake_toolbox(verifier))
    assert execution.generate(run, fake_toolbox(verifier)).exit == 0


def test_a_second_verifier_is_asked_what_the_first_could_not_say() -> None:
    first = FakeVerifier({"presence": None}, name="first")
    second = FakeVerifier(name="second")
    result = outcome(first, second, drafts=1)
    said = {v.commitment: v.verifier for v in result.verdicts["d1"]}
    assert said["e1"] == "second@1"
    assert said["c1"] == "first@1"
    assert [i for ids in second.asked for i in ids] == ["e1", "e2"]


def test_a_commitment_that_no_verifier_handles_is_unjudged() -> None:
    only_entities = FakeVerifier(handled=frozenset({Type.PRESENCE}))
    result = outcome(only_entities, drafts=1)
    assert result.exit == 3
    assert {v.reason for v in result.verdicts["d1"] if v.outcome is None} == {"no verifier can judge this"}


def test_a_verifier_that_answers_for_another_commitment_is_not_believed() -> None:
    class Liar(FakeVerifier):
        def check(self, image, commitments, spec):  # type: ignore[no-untyped-def]
            return super().check(image, commitments[:-1], spec)

    result = outcome(Liar(), drafts=1)
    assert {v.outcome for v in result.verdicts["d1"]} == {None}


def test_an_unknown_is_never_asked_about_and_never_met() -> None:
    verifier = FakeVerifier(handled=frozenset(Type))
    result = outcome(verifier, prompt="1 apple ?sleepy", drafts=1)
    assert result.exit == 3
    assert "u1" not in [i for ids in verifier.asked for i in ids]
    assert "nothing grounds it" in {v.commitment: v for v in result.verdicts["d1"]}["u1"].reason


def test_words_that_the_weights_do_not_know_are_named() -> None:
    vocabulary = Vocabulary(frozenset({"apple"}), frozenset({"red"}), frozenset({"night"}), max_count=1)
    generator = FakeGenerator(vocabulary=vocabulary)
    result = outcome(FakeVerifier(otherwise="violated", script={"e1": "met"}), generator=generator, drafts=1)
    reasons = {v.commitment: v.reason for v in result.verdicts["d1"]}
    assert "do not know the word 'car'" in reasons["e2"]
    assert "do not know counts above 1" in reasons["c1"]
    assert "do not know" not in reasons["c2"]  # red is known
    assert "do not know the setting 'beach'" in reasons["c6"]
    assert "do not know how to write words" in reasons["c7"]
    assert any("'car'" in note for note in result.notes)


@pytest.mark.heavy
@pytest.mark.parametrize(("word", "unknown"), [("OPEN", None), ("LIBRARY", "how to write more than 4 letters")])
def test_a_word_is_unknown_where_it_is_longer_than_any_that_the_weights_can_write(word, unknown) -> None:
    vocabulary = Vocabulary(frozenset(), frozenset(), frozenset(), max_count=1, max_letters=4)
    (commitment,) = (c for c in Grammar().decompose(f'a sign that says "{word}"').commitments if c.type is Type.TEXT)
    assert unknown_to(vocabulary, commitment) == unknown


# -- drafts and records --------------------------------------------------------------------------


def test_the_same_run_gives_the_same_drafts_where_nothing_was_learned_and_another_seed_gives_others() -> None:
    first, again, other = (outcome(FakeVerifier({"c3": "violated"}), seed=seed, learned=False) for seed in (1, 1, 2))
    assert [d.sha256 for d in first.drafts] == [d.sha256 for d in again.drafts]
    assert not {d.sha256 for d in first.drafts} & {d.sha256 for d in other.drafts}
    assert len({d.request.seed for d in first.drafts}) == len(first.drafts)


def test_a_finished_run_does_nothing_twice() -> None:
    run = start(PROMPT_WITH_TEXT)
    generator, verifier = FakeGenerator(), FakeVerifier({"c3": "violated"})
    once = execution.generate(run, fake_toolbox(verifier, generator=generator))
    calls = len(generator.requests), len(verifier.asked)
    assert execution.generate(run, fake_toolbox(verifier, generator=generator)) == once == execution.load(run)
    assert (len(generator.requests), len(verifier.asked)) == calls


def test_a_verifier_that_answered_before_an_interruption_is_not_asked_again() -> None:
    run, verifier = start("1 apple", drafts=1), FakeVerifier()

    def interrupt(news: Progress) -> None:
        if news.stage == "verify" and news.state == "end":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.generate(run, fake_toolbox(verifier), interrupt)
    asked = list(verifier.asked)
    assert execution.generate(run, fake_toolbox(verifier)).exit == 0
    assert verifier.asked == asked


def test_a_state_of_which_anything_changed_is_refused() -> None:
    whole = State.begin(PROMPT_WITH_TEXT, Options()).after(outcome().spec, seconds={"generate": 1.0}).sealed()
    assert State.model_validate(whole).sealed() == whole
    for name, value in {
        "prompt": "1 pear",
        "round": 1,
        "done": True,
        "seconds": {},
        "events": whole["events"][:-1],
    }.items():
        with pytest.raises(StateCorrupt):
            State.model_validate(whole | {name: value})


def test_a_draft_that_was_changed_on_disk_is_made_again() -> None:
    run = start(PROMPT_WITH_TEXT, drafts=1)
    generator = FakeGenerator()

    def interrupt(news: Progress) -> None:
        if news.stage == "generate" and news.state == "end":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        execution.generate(run, fake_toolbox(generator=generator), interrupt)
    picture = (run.drafts / "d1.png").read_bytes()
    (run.drafts / "d1.png").write_bytes(b"not a picture")
    assert execution.generate(run, fake_toolbox(generator=generator)).exit == 0
    assert len(generator.requests) == 2
    assert (run.drafts / "d1.png").read_bytes() == picture


def test_a_judged_picture_is_the_one_that_was_made() -> None:
    run = start(PROMPT_WITH_TEXT, drafts=1)

    def swap(news: Progress) -> None:
        if news.stage == "verify" and news.state == "start":
            (run.drafts / "d1.png").write_bytes(b"not a picture")

    with pytest.raises(StateCorrupt, match=r"drafts/d1\.png"):
        execution.generate(run, fake_toolbox(), swap)


def test_a_part_that_fails_says_how_to_continue_and_the_run_continues() -> None:
    run = start(PROMPT_WITH_TEXT)
    generator = FakeGenerator(fails=1)
    with pytest.raises(ScopeError, match=f"scope resume {run.id}"):
        execution.generate(run, fake_toolbox(generator=generator))
    assert execution.generate(run, fake_toolbox(generator=generator)).exit == 0


def test_a_prompt_with_nothing_in_it_leaves_no_run() -> None:
    run = start("left of")
    with pytest.raises(PromptError):
        execution.generate(run, fake_toolbox())
    assert store.list_runs() == []


@pytest.mark.parametrize(
    ("batch", "steps", "drawn"),
    [
        (1, [(1, 2, 1, 2), (1, 2, 2, 2), (2, 2, 1, 2), (2, 2, 2, 2)], ("generate", "verify", "generate", "verify")),
        (2, [(1, 2, 1, 4), (1, 2, 2, 4), (2, 2, 3, 4), (2, 2, 4, 4)], ("generate", "verify")),
    ],
)
def test_progress_counts_drafts_and_steps(batch: int, steps: list[tuple[int, ...]], drawn: tuple[str, ...]) -> None:
    run, news = start(PROMPT_WITH_TEXT, drafts=2), []
    execution.generate(run, fake_toolbox(generator=FakeGenerator(batch=batch)), news.append)
    told = [(n.draft, n.drafts, n.step, n.steps) for n in news if n.stage == "generate" and n.state == "step"]
    assert told == steps
    edges = [(n.stage, n.state) for n in news if n.state != "step"]
    assert edges == [(s, e) for s in ("decompose", "bind", *drawn, "finish") for e in ("start", "end")]


def test_each_repair_is_accounted_for_by_its_own_drafts() -> None:
    verifier = FakeVerifier({"c3": "violated", "c1": ["met", "violated", "violated", "met", "met"]})
    result = outcome(verifier, drafts=1, max_rounds=2, generator=FakeGenerator(delay=0.02))
    assert [d.parent for d in result.drafts] == [None, "d1", "d1"]
    assert [r.broke for r in result.repairs] == [("c1",), ("c1",)]
    assert [r.seconds for r in result.repairs] == [d.seconds for d in result.drafts[1:]]


# -- side by side --------------------------------------------------------------------------------


@pytest.mark.heavy
@pytest.mark.parametrize(("batch", "parallel"), [(1, 1), (4, 1), (2, 2), (1, 4), (3, 2), (8, 8)])
def test_drafts_do_not_depend_on_how_they_are_batched(batch: int, parallel: int) -> None:
    alone = outcome(FakeVerifier({"c3": "violated"}), drafts=4, max_rounds=1)
    generator = FakeGenerator(batch=batch, parallel=parallel)
    together = outcome(FakeVerifier({"c3": "violated"}), drafts=4, max_rounds=1, generator=generator)
    assert [(d.id, d.sha256, d.request, d.parent) for d in together.drafts] == [
        (d.id, d.sha256, d.request, d.parent) for d in alone.drafts
    ]
    assert together.spec.statuses() == alone.spec.statuses()
    assert [r.strategy for r in together.repairs] == [r.strategy for r in alone.repairs]


def test_a_generator_that_batches_gets_one_list() -> None:
    calls: list[int] = []

    class Batching(FakeGenerator):
        def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
            calls.append(len(requests))
            return super().generate(requests, on_step)

    outcome(generator=Batching(batch=3), drafts=5)
    assert calls == [3, 2]


def test_a_server_draws_side_by_side() -> None:
    meeting = threading.Barrier(3, timeout=20)  # passes only where three calls are under way at the same time

    class Server(FakeGenerator):
        def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
            meeting.wait()
            return super().generate(requests, on_step)

    result = outcome(generator=Server(parallel=3), drafts=3)
    assert [d.id for d in result.drafts] == ["d1", "d2", "d3"]


def test_of_drafts_side_by_side_those_that_came_are_not_drawn_again() -> None:
    run, drawn, fails = start(PROMPT_WITH_TEXT, drafts=3), [], [True]

    class Server(FakeGenerator):
        def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
            if requests[0].seed == graph.seed_of(0, 0, 2) and fails.pop():
                time.sleep(0.3)  # the others are done by then
                raise RuntimeError("no answer")
            drawn.append(requests[0].seed)
            return super().generate(requests, on_step)

    server = Server(parallel=3)
    with pytest.raises(ScopeError, match="no answer"):
        execution.generate(run, fake_toolbox(generator=server))
    fails.append(False)
    assert execution.generate(run, fake_toolbox(generator=server)).exit == 0
    assert sorted(drawn) == sorted(graph.seed_of(0, 0, place) for place in range(3))


def test_where_time_is_limited_drafts_come_one_by_one() -> None:
    calls: list[int] = []

    class Batching(FakeGenerator):
        def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
            calls.append(len(requests))
            return super().generate(requests, on_step)

    outcome(generator=Batching(batch=8, parallel=8), drafts=3, max_time=1000)
    assert calls == [1, 1, 1]


def test_what_a_generator_costs_is_within_the_budget_of_the_run() -> None:
    class Priced(FakeGenerator):
        ceiling = 2.0

        def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
            return [replace(picture, cost=1.5) for picture in super().generate(requests, on_step)]

    result = outcome(FakeVerifier({"c3": "violated"}), generator=Priced(), drafts=2, max_rounds=5, max_cost=4.0)
    assert result.exit == 4
    assert result.cost == 1.5 * len(result.drafts)
    assert result.cost <= 4.0 + 2.0
    assert any("--max-cost" in note for note in result.notes)


def test_the_report_is_that_of_the_best_draft_and_is_stored() -> None:
    run = start(PROMPT_WITH_TEXT + " ?sleepy", drafts=1, max_rounds=1)
    result = execution.generate(run, fake_toolbox(FakeVerifier({"e2": "violated"})))
    report = json_report(result)
    assert run.result() == json.loads(json.dumps(report))
    rows = {row["id"]: row for row in report["commitments"]}
    assert (rows["e1"]["status"], rows["e1"]["outcome"], rows["e1"]["attempts"]) == ("met", "met", 2)
    assert (rows["e2"]["status"], rows["e2"]["outcome"]) == ("violated", "violated")
    assert (rows["c3"]["status"], rows["c3"]["outcome"]) == ("blocked", None)
    assert (rows["u1"]["status"], rows["u1"]["outcome"]) == ("unjudged", None)
    assert report["drafts"][0]["violated"] == 4
    assert report["drafts"][0]["unjudged"] == 1
    assert report["events"] == len(result.spec.events)
    assert report["seconds"].keys() == {"decompose", "generate", "verify", "repair", "total"}


@pytest.mark.heavy
def test_a_finished_run_that_is_run_fifty_times_does_nothing_and_says_the_same() -> None:
    run = start(PROMPT_WITH_TEXT, drafts=2)
    generator, verifier = FakeGenerator(), FakeVerifier({"c3": "violated"})
    once = execution.generate(run, fake_toolbox(verifier, generator=generator))
    calls, files = (len(generator.requests), len(verifier.asked)), {p: p.read_bytes() for p in run.drafts.iterdir()}
    for _ in range(50):
        assert execution.generate(run, fake_toolbox(verifier, generator=generator)) == once
    assert (len(generator.requests), len(verifier.asked)) == calls
    assert {p: p.read_bytes() for p in run.drafts.iterdir()} == files


@pytest.mark.heavy
@pytest.mark.parametrize("number", range(100))
def test_whatever_a_verifier_raises_nothing_counts_as_met(number: int) -> None:
    """A hundred failures, at another kind of commitment and with another error each."""
    errors = (ValueError("bad"), KeyError("x"), RuntimeError(), MemoryError(), ZeroDivisionError(), TimeoutError())
    kinds = (Type.PRESENCE, Type.COUNT, Type.ATTRIBUTE, Type.RELATION, Type.SETTING, Type.TEXT)
    failing = frozenset({kinds[number % len(kinds)]})
    verifier = FakeVerifier(handled=failing, raises=errors[number // len(kinds) % len(errors)])
    others = FakeVerifier(handled=frozenset(kinds) - failing, name="others")
    result = outcome(verifier, others, drafts=1, max_rounds=0)
    assert result.exit == 3
    for commitment in result.spec.of(*failing):
        assert result.spec.statuses()[commitment.id] is Status.UNJUDGED
    met = {c.type for c in result.spec.where(Status.MET)}
    assert met == {c.type for c in result.spec.commitments} - failing


def test_langgraph_json_loads_the_machine() -> None:
    root = Path(__file__).parents[1]
    declared = json.loads((root / "langgraph.json").read_text())
    path, _, name = declared["graphs"]["scope"].partition(":")
    assert (root / path).resolve() == Path(graph.__file__).resolve()
    assert set(graph.NODES) <= set(getattr(graph, name)().get_graph().nodes)
