"""The layout in a run: in the ledger, in the request, in what is shown; and the boxes that a person gives."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import Cli, Parts
from PIL import Image
from prompts import PROMPT, start

from scope.config import Options, resolve
from scope.engine import assemble, execution
from scope.engine.outcome import Progress
from scope.engine.proof import Proof
from scope.errors import UsageError
from scope.parsing.grammar import Grammar
from scope.protocols import DEFAULT_GENERATOR
from scope.runs.context import RunContext
from scope.runs.report import render
from scope.skills.bind import request_of
from scope.skills.layout import LayoutSkill
from scope.skills.layouts.own_boxes import with_own_boxes
from scope.specification import (
    Answer,
    Box,
    Cause,
    Commitment,
    Event,
    Fact,
    IllegalEvent,
    Observation,
    Placing,
    Request,
    Specification,
    Status,
    Type,
    canonical_json,
    ground,
)
from scope.specification.geometry import holds
from scope.specification.permissions import appended
from scope.specification.placements import clashes, regions
from scope.testing import FakeGenerator, FakeReader, FakeVerifier, fake_toolbox, validate

RING = "1 apple left of 1 car left of 1 dog"
READS = frozenset({"regions"})


def read(prompt: str = PROMPT) -> Specification:
    return FakeReader().decompose(prompt)


def laid_out(spec: Specification, seed: int = 0) -> Specification:
    return LayoutSkill().run(spec, fake_toolbox(seed=seed))


def ring() -> Specification:
    """Return three things in a ring of `left of`."""
    spec = read(RING)
    last = spec.of(Type.RELATION)[-1]
    closing = last.model_copy(update={"id": "c9", "targets": ("e3", "e1"), "depends_on": ("e3", "e1")})
    return spec.declare(closing, Cause.skill("decompose", "1"))


# -- the skill -----------------------------------------------------------------------------------


@pytest.mark.heavy
def test_it_is_a_skill() -> None:
    specs = [read(), read("5 green dog"), read("1 sign saying FRESH"), ring(), read("20 dog")]
    validate(LayoutSkill, specifications=specs).assert_ok()


def test_things_are_placed_once_and_again_when_what_is_drawn_changes() -> None:
    spec = read(f"{PROMPT} ?sleepy")
    assert LayoutSkill().needed(spec)
    placed = laid_out(spec)
    assert not LayoutSkill().needed(placed)
    assert {c.id for c in placed.where(Status.PLACED)} == {"e1", "e2"}
    assert [region.id for region in regions(placed)] == ["e1#1", "e1#2", "e2#1"]
    waived = placed.move("e2", Status.WAIVED, Cause(kind="person", name="review"))
    assert LayoutSkill().needed(waived)
    assert [region.id for region in regions(laid_out(waived))] == ["e1#1", "e1#2"]


def test_an_answer_says_how_many_are_placed() -> None:
    spec = read("apple ?lots")
    (unknown,) = spec.where(Status.OPEN)
    events = tuple(e if e.declares != unknown else _about(e, "e1") for e in spec.events)
    placed = laid_out(Specification(prompt=spec.prompt, events=events))
    answer = Answer(words="four", facts=(Fact(type=Type.COUNT, value=4, target="e1"),))
    answered = ground(placed, unknown.id, answer, Cause.skill("reason", "1"))
    assert len(regions(answered)) == 1
    assert LayoutSkill().needed(answered)
    assert [region.id for region in regions(laid_out(answered))] == ["e1#1", "e1#2", "e1#3", "e1#4"]


def test_a_part_is_some_of_its_whole_and_has_no_box_of_its_own() -> None:
    placed = laid_out(Grammar().decompose("five apples, two of them green and one yellow, with a dog"))
    boxes = regions(placed)
    assert [region.id for region in boxes] == [*(f"e1#{i}" for i in range(1, 6)), "e4#1"]
    assert [region.phrase for region in boxes] == [
        "green apple",
        "green apple",
        "yellow apple",
        "apple",
        "apple",
        "dog",
    ]
    parts = [[name for name in region.commitments if name.startswith("e")] for region in boxes]
    assert parts == [["e1", "e2"], ["e1", "e2"], ["e1", "e3"], ["e1"], ["e1"], ["e4"]]


def test_the_right_part_of_a_pair_stands_to_the_right() -> None:
    placed = laid_out(Grammar().decompose("two cups. The left cup is red and the right cup is blue."))
    red, blue = regions(placed)
    assert (red.phrase, blue.phrase) == ("red cup", "blue cup")
    assert holds("left of", [red.box], [blue.box])


def _about(event: Event, target: str) -> Event:
    """Return the declaration of an unknown that speaks of a thing; those of the fake reader speak of none."""
    assert event.declares is not None
    return event.model_copy(update={"declares": event.declares.model_copy(update={"targets": (target,)})})


def test_seeds_give_other_boxes() -> None:
    boxes = {tuple(region.box for region in regions(laid_out(read(), seed))) for seed in range(8)}
    assert len(boxes) == 8


def test_a_clash_is_said_and_named() -> None:
    spec = laid_out(ring())
    (note,) = clashes(spec)
    assert "c" in note
    assert note.endswith("c9 is left out of it")
    opened = [e for e in spec.history("c9") if e.after is Status.OPEN]
    assert isinstance(opened[0].evidence, Placing)
    assert set(opened[0].evidence.clash) == {c.id for c in spec.of(Type.RELATION)}
    assert len(regions(spec)) == 3


def test_too_many_things_are_said_with_the_limit() -> None:
    spec = laid_out(read("20 dog"))
    assert not regions(spec)
    assert "20 things are more than the 16" in clashes(spec)[0]
    assert not LayoutSkill().needed(spec)


def test_the_request_has_the_regions_and_without_a_layout_none() -> None:
    spec = laid_out(read())
    assert request_of(spec, seed=1).regions == regions(spec)
    assert request_of(read(), seed=1).regions == ()


@pytest.mark.parametrize(
    ("prompt", "setting", "style", "things"),
    [
        (
            "a 3-D picture of two small red apples on a beach at night",
            "beach, night",
            "3-D",
            [("small red apple", ""), ("small red apple", "")],
        ),
        ('a dog in the top left and a red sign that says "OPEN"', "", "", [("dog", ""), ("red sign", "OPEN")]),
        ('the words "GO" on grass, flat style', "grass", "flat", [("sign", "GO")]),
        ("a cat that is not red", "", "", [("cat", "")]),
    ],
)
def test_the_request_says_things_their_words_and_the_whole_apart(
    prompt: str, setting: str, style: str, things: list[tuple[str, str]]
) -> None:
    request = request_of(laid_out(Grammar().decompose(prompt)), seed=1)
    assert (request.setting, request.style) == (setting, style)
    assert [(region.phrase, region.text) for region in request.regions] == things


def test_what_is_waived_or_denied_of_the_whole_is_not_asked_for() -> None:
    spec = Grammar().decompose("a 3-D apple on a beach")
    for commitment in spec.of(Type.SETTING, Type.STYLE):
        spec = spec.move(commitment.id, Status.WAIVED, Cause(kind="person", name="review"))
    request = request_of(spec, seed=1)
    assert (request.setting, request.style) == ("", "")
    thing, setting = read("apple on beach").commitments
    assert request_of(_declared(thing, setting), seed=1).setting == "beach"
    assert request_of(_declared(thing, setting.model_copy(update={"denied": True})), seed=1).setting == ""


def test_records_of_older_versions_keep_their_hashes() -> None:
    """What is not asked for is not in the record: neither a draft's nor a region's bytes change."""
    spec = laid_out(read("apple"))
    request = request_of(spec, seed=1)
    assert not {"setting", "style"} & request.model_dump(mode="json").keys()
    assert "text" not in request.regions[0].model_dump(mode="json")
    older = json.loads(request.model_dump_json())
    assert Request.model_validate(older) == request


def _declared(*commitments: Commitment) -> Specification:
    spec = Specification(prompt="apple on beach")
    for commitment in commitments:
        spec = spec.declare(commitment, Cause.skill("decompose", "1"))
    return spec


# -- what the ledger lets a skill place ----------------------------------------------------------


def test_a_skill_of_another_package_may_place_things_as_well() -> None:
    before = read()
    after = laid_out(before)
    theirs = tuple(_by(event, "boxes") for event in after.events[len(before.events) :])
    assert appended(before, Specification(prompt=before.prompt, events=(*before.events, *theirs)), "boxes", "1")


def _by(event: Event, name: str) -> Event:
    return event.model_copy(update={"cause": Cause.skill(name, "1")})


@pytest.mark.parametrize("wrong", ["another's", "unknown", "none", "judged"])
def test_a_skill_places_nothing_but_the_things_themselves(wrong: str) -> None:
    before = read(f"{PROMPT} ?sleepy")
    region = regions(laid_out(before))[0]
    cause = Cause.skill("layout", "1")
    of, status, evidence = {
        "another's": ("e2", Status.PLACED, Placing(regions=(region,))),
        "unknown": ("u1", Status.PLACED, Placing(regions=(region.model_copy(update={"id": "u1#1"}),))),
        "none": ("e1", Status.PLACED, Placing()),
        "judged": ("e1", Status.WAIVED, Placing(regions=(region,))),
    }[wrong]
    with pytest.raises(IllegalEvent, match="layout@1"):
        appended(before, before.move(of, status, cause, evidence=evidence), "layout", "1")


# -- a run ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("reads", [frozenset(), READS])
def test_the_layout_runs_only_where_regions_are_read(reads: frozenset[str], home: Path) -> None:
    run = start()
    tools = fake_toolbox(generator=FakeGenerator(reads=reads))
    names = [skill.name for skill in assemble.skills(Options(), tools, RunContext(run))]
    assert [name for name in names if name in ("retrieve", "reason", "layout")] == (
        ["retrieve", "reason", "layout"] if reads else ["retrieve", "reason"]
    )


@pytest.mark.usefixtures("home")
def test_regions_reach_the_generator_the_report_and_the_page() -> None:
    generator = FakeGenerator(reads=READS)
    told: list[Progress] = []
    outcome = execution.generate(
        start(drafts=1), fake_toolbox(generator=generator, skills=(LayoutSkill(),)), told.append
    )
    (draft,) = outcome.drafts
    assert outcome.exit == 0
    assert [r.id for r in generator.requests[0].regions] == ["e1#1", "e1#2", "e2#1"]
    assert draft.request.regions == regions(outcome.spec)
    assert "e1#1, red apple, was to stand at [" in str(Proof.of(outcome))
    page = render(outcome.spec, outcome.drafts, outcome.verdicts, {}, title="t")
    assert "was to stand" not in page  # its picture is gone
    page = render(outcome.spec, outcome.drafts, outcome.verdicts, {"d1": Image.new("RGB", (128, 128))}, title="t")
    assert page.count('<rect class="region"') == 3


@pytest.mark.usefixtures("home")
def test_a_clash_is_told_before_drawing_and_noted() -> None:
    class Ring(FakeReader):
        def decompose(self, prompt: str) -> Specification:
            return ring()

    told: list[Progress] = []
    tools = fake_toolbox(generator=FakeGenerator(reads=READS), skills=(LayoutSkill(),), reader=Ring())
    outcome = execution.generate(start(RING, drafts=1), tools, told.append)
    news = [(n.stage, n.text) for n in told if "left out" in n.text or n.stage == "generate"]
    assert news[0][0] == "bind"
    assert any("c9 is left out" in note for note in outcome.notes)


def test_nothing_changes_where_regions_are_not_read() -> None:
    assert '"region"' not in canonical_json(Options())
    entity = canonical_json(read().commitments[0])
    assert "denied" not in entity
    assert "said" not in entity


def test_scope_loads_no_solver() -> None:
    code = (
        "import sys, time, scope, scope.skills.layout, scope.skills.layouts.solver as solver\n"
        "assert not [m for m in sys.modules if m.startswith('ortools')]\n"
        "began = time.process_time(); solver.Layout; import ortools.sat.python.cp_model_helper\n"
        "assert time.process_time() - began < 0.3, time.process_time() - began\n"
        "assert 'pandas' not in sys.modules and 'ortools.sat.python.cp_model' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# -- the boxes that a person gives ---------------------------------------------------------------


def test_given_boxes_are_in_the_ledger_in_the_persons_name_and_win() -> None:
    spec = with_own_boxes(read(), ["a red apple=100,50,400,350", "the blue car = 500,600,900,990"])
    given = [e for e in spec.events if e.cause.kind == "person"]
    assert [(e.commitment, e.after) for e in given] == [("e1", Status.PLACED), ("e2", Status.PLACED)]
    placed = {region.id: region.box for region in regions(laid_out(spec))}
    assert placed["e1#1"] == Box.of(100, 50, 400, 350)
    assert placed["e2#1"] == Box.of(500, 600, 900, 990)
    assert set(placed) == {"e1#1", "e1#2", "e2#1"}


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["a green apple=1,1,9,9"], "the prompt has no such thing; there is: red apple, blue car"),
        (["a dog=1,1,9,9"], "the prompt has no such thing"),
        (["apple=1,1,9,9", "car=1,1,9,9"], "apple has this box already"),
        (["apple=1,1,9,9", "red apple=1,1,9,9"], "this box is given twice; each apple has one of its own"),
        (["apple=1,1,9,9", "apple=1,1,9,8", "apple=1,1,8,8"], "3 boxes for apple, of which there are 2"),
        (["car=1,1,9,9", "car=1,1,9,8"], "2 boxes for car, of which there is 1"),
    ],
)
def test_boxes_of_no_thing_are_refused(given: list[str], why: str) -> None:
    with pytest.raises(UsageError, match=why):
        with_own_boxes(read(), given)


def test_a_phrase_that_may_mean_two_things_is_refused() -> None:
    spec = read("1 red apple left of 1 green apple")
    with pytest.raises(UsageError, match="may be any of: red apple, green apple"):
        with_own_boxes(spec, ["apple=1,1,9,9"])
    assert with_own_boxes(spec, ["a green apple=1,1,9,9"]).statuses()["e2"] is Status.PLACED


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ("apple=1,2,3", "'1,2,3' is no box; write y_min,x_min,y_max,x_max"),
        ("apple=1,2,3,x", "is no box"),
        ("apple", "write PHRASE=y_min,x_min,y_max,x_max"),
        ("=1,2,3,4", "write PHRASE=y_min,x_min,y_max,x_max"),
        ("apple=0,0,1001,10", "y_max 1001 lies outside the picture"),
        ("apple=0,-1,10,10", "x_min -1 lies outside the picture"),
        ("apple=10,0,10,10", "y_min 10 must be less than y_max 10"),
        ("apple=0,20,10,10", "x_min 20 must be less than x_max 10"),
    ],
)
@pytest.mark.usefixtures("home")
def test_a_box_that_is_none_is_refused_in_one_line(given: str, why: str, parts: Parts, cli: Cli) -> None:
    drawn = FakeGenerator(reads=READS)
    parts["generators", DEFAULT_GENERATOR] = lambda: drawn
    result = cli("generate", PROMPT, "--region", given)
    assert result.exit_code == 2
    assert why in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not drawn.requests


@pytest.mark.parametrize(
    ("given", "why"),
    [
        (["a dog=1,1,9,9"], "there is: red apple, blue car"),
        (["apple=1,1,9,9", "car=1,1,9,9"], "apple has this box already; give each thing its own"),
        (["apple=1,1,9,9", "apple=1,1,9,9"], "this box is given twice"),
        (["car=1,1,9,9", "car=2,2,9,9"], "2 boxes for car, of which there is 1"),
    ],
)
def test_boxes_that_do_not_fit_the_prompt_are_refused_in_one_line(
    given: list[str], why: str, parts: Parts, cli: Cli, home: Path
) -> None:
    parts["generators", DEFAULT_GENERATOR] = lambda: pytest.fail("it began to draw")
    result = cli("generate", PROMPT, *(part for text in given for part in ("--region", text)))
    assert result.exit_code == 2
    assert why in result.stderr
    assert len(result.stderr.strip().splitlines()) == 1
    assert not (home / "runs").exists()


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("prompt", ["20 dog", RING])
def test_what_has_no_layout_is_said_before_anything_is_drawn(prompt: str, parts: Parts, cli: Cli) -> None:
    class Ring(FakeReader):
        def decompose(self, prompt: str) -> Specification:
            return ring() if prompt == RING else super().decompose(prompt)

    parts["language", "grammar"] = Ring
    parts["generators", DEFAULT_GENERATOR] = lambda: FakeGenerator(name=DEFAULT_GENERATOR, reads=READS)
    lines = cli("generate", prompt).stderr.splitlines()
    said = [i for i, line in enumerate(lines) if "more than the 16" in line or "c9 is left out of it" in line]
    drawn = [i for i, line in enumerate(lines) if line.startswith("drawing draft")]
    assert said
    assert drawn
    assert said[0] < drawn[0]


@pytest.mark.usefixtures("home")
def test_things_are_placed_on_a_canvas_of_the_size_that_is_asked_for(parts: Parts, cli: Cli) -> None:
    drawn = FakeGenerator(name=DEFAULT_GENERATOR, reads=READS | {"size"})
    parts["generators", DEFAULT_GENERATOR] = lambda: drawn
    for size in ("400x100", "100"):
        result = cli("generate", "5 apple", "--size", size)
        assert result.exit_code == 0, result.stderr
        request = drawn.requests[-1]
        assert request.width is not None
        assert request.height is not None
        for region in request.regions:
            shape = request.width * (region.box.x_max - region.box.x_min)
            shape /= request.height * (region.box.y_max - region.box.y_min)
            assert 0.4 < shape < 2.5, (size, region)  # as wide as high, in pixels


def test_more_than_sixteen_regions_are_refused(cli: Cli) -> None:
    given = [part for i in range(17) for part in ("--region", f"apple={i},0,900,900")]
    result = cli("generate", PROMPT, *given)
    assert result.exit_code == 2
    assert "17 regions are more than the 16" in result.stderr


def test_regions_of_no_commitment_end_before_a_run_begins(cli: Cli, home: Path) -> None:
    result = cli("generate", PROMPT, "--region", "a dog=1,1,9,9")
    assert result.exit_code == 2
    assert "there is: red apple, blue car" in result.stderr
    assert not (home / "runs").exists()


def test_regions_come_from_the_command_line_to_the_report(parts: Parts, cli: Cli) -> None:
    parts["generators", DEFAULT_GENERATOR] = lambda: FakeGenerator(name=DEFAULT_GENERATOR, reads=READS)
    apple = Observation(label="red apple", box=Box.of(120, 60, 410, 340))
    parts["verifiers", "objects"] = lambda: FakeVerifier(seen={"e1": [apple]})
    result = cli("generate", PROMPT, "--json", "--region", "red apples=100,50,400,350")
    assert result.exit_code == 0, result.stderr
    report = json.loads(result.stdout)
    first = report["drafts"][0]["regions"]
    assert [region["id"] for region in first] == ["e1#1", "e1#2", "e2#1"]
    assert first[0]["box"] == [100, 50, 400, 350]
    assert [region["found"] for region in first] == [[120, 60, 410, 340], None, None]
    assert not report["notes"]


def test_a_generator_that_reads_no_regions_says_so(cli: Cli) -> None:
    result = cli("generate", PROMPT, "--region", "red apples=100,50,400,350")
    assert result.exit_code == 3  # and nobody saw whether it stands there all the same
    assert f"{DEFAULT_GENERATOR} does not read the regions" in result.stderr


def test_regions_in_the_environment_are_parted_by_semicolons(monkeypatch: pytest.MonkeyPatch, home: Path) -> None:
    monkeypatch.setenv("SCOPE_REGION", "a=1,1,9,9; b=2,2,9,9")
    assert resolve({}).region == ("a=1,1,9,9", "b=2,2,9,9")
