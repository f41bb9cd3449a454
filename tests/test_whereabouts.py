"""Where things stand against where they were put: matched by their boxes, named, and never a reason of its own."""

import random

import pytest
from prompts import PROMPT, start

from scope.engine import execution
from scope.engine.ledger_updates import entered
from scope.engine.outcome import json_report
from scope.engine.proof import Proof
from scope.engine.whereabouts import STANDS, fit, located, strays
from scope.models.detector import Detection
from scope.parsing.grammar import Grammar
from scope.skills.bind import Bind, request_of
from scope.skills.layout import LayoutSkill
from scope.skills.layouts.own_boxes import with_own_boxes
from scope.specification import (
    Box,
    Cause,
    Commitment,
    Draft,
    Judgement,
    Kind,
    Observation,
    Region,
    Specification,
    Type,
    Verdict,
)
from scope.testing import FakeGenerator, FakeReader, FakeVerifier, fake_toolbox
from scope.verifiers.objects import DetectedScene, ObjectsVerifier

LEFT, MIDDLE, RIGHT = Box.of(300, 0, 600, 300), Box.of(300, 350, 600, 650), Box.of(300, 700, 600, 1000)
FAR = Box.of(700, 0, 990, 290)


def region(name: str, box: Box, text: str = "") -> Region:
    return Region(id=name, commitments=(name.partition("#")[0],), phrase="thing", text=text, box=box)


PLACED = (region("e1#1", LEFT), region("e1#2", MIDDLE), region("e2#1", RIGHT))


def seen(*boxes: Box | None, fits: bool = True) -> tuple[Observation, ...]:
    return tuple(Observation(label="thing", box=box, fits=fits) for box in boxes)


def verdict(of: str, outcome: str | None, *evidence: Observation) -> Verdict:
    plain = {"commitment": of, "outcome": outcome, "reason": "so", "verifier": "fake@1", "evidence": evidence}
    return Verdict.model_validate(plain)


def judged(*verdicts: Verdict, regions: tuple[Region, ...] = PLACED, prompt: str = PROMPT) -> tuple[Verdict, ...]:
    return located(FakeReader().decompose(prompt), verdicts, regions)


# -- matching ------------------------------------------------------------------------------------


def test_each_thing_is_matched_to_the_region_that_it_fills_most_and_each_region_once() -> None:
    near = Box.of(310, 340, 620, 640)
    (count,) = judged(verdict("c1", "violated", *seen(near, MIDDLE, RIGHT, FAR)))
    assert [o.region for o in count.evidence] == [None, "e1#2", "e2#1", None]
    assert count.regions == ("e1#1", "e1#2")  # nothing stands in one, and two stand in the other
    assert strays(count) == (near, FAR)


@pytest.mark.parametrize(("off", "stands"), [(0, True), (149, True), (151, False)])
def test_half_a_side_may_be_off(off: int, stands: bool) -> None:
    moved = Box.of(300, off, 600, 300 + off)
    assert (fit(moved, PLACED[0]) >= STANDS) is stands


def test_words_are_matched_by_how_much_of_them_lies_on_their_board() -> None:
    board, line = region("c4#1", Box.of(200, 200, 600, 900), text="OPEN"), Box.of(350, 300, 450, 500)
    assert fit(line, board) == 1
    assert fit(line, board.model_copy(update={"text": ""})) < STANDS


# -- what is at fault ----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("of", "evidence", "at_fault", "astray"),
    [
        ("c1", seen(LEFT), ("e1#2",), ()),  # one of two is missing
        ("c1", seen(LEFT, MIDDLE, FAR), (), (FAR,)),  # one is too many
        ("c1", seen(LEFT, FAR), ("e1#2",), (FAR,)),  # it stands elsewhere
        ("c1", seen(LEFT, MIDDLE, MIDDLE), ("e1#2",), (MIDDLE,)),  # two stand where one was put
        ("c2", (*seen(LEFT), *seen(MIDDLE, fits=False)), ("e1#2",), ()),  # one of them is green
        ("c3", seen(LEFT, MIDDLE, RIGHT), ("e1#1", "e1#2", "e2#1"), ()),  # all in place, and yet it does not hold
        ("e2", (), ("e2#1",), ()),
        ("c6", (), (), ()),  # the setting is in no region
    ],
)
def test_the_regions_at_fault(
    of: str, evidence: tuple[Observation, ...], at_fault: tuple[str, ...], astray: tuple[Box, ...]
) -> None:
    (found,) = judged(verdict(of, "violated", *evidence))
    assert found.regions == at_fault
    assert strays(found) == astray


def test_what_is_met_or_not_judged_has_no_region_at_fault() -> None:
    assert [v.regions for v in judged(verdict("e1", "met", *seen(FAR)), verdict("c3", None))] == [(), ()]


def test_no_verdict_becomes_another_by_its_regions() -> None:
    chance = random.Random(0)
    ids = [c.id for c in FakeReader().decompose(PROMPT).commitments]
    for _ in range(200):
        verdicts = [
            verdict(i, chance.choice(["met", "violated", None]), *seen(*chance.choices([LEFT, MIDDLE, FAR, None], k=2)))
            for i in ids
        ]
        kept = {"commitment", "outcome", "reason", "score", "verifier", "blocked_by"}
        found = judged(*verdicts)
        assert [v.model_dump(include=kept) for v in found] == [v.model_dump(include=kept) for v in verdicts]
        assert judged(*verdicts, regions=()) == tuple(verdicts)


# -- where a person put it -----------------------------------------------------------------------


def own() -> Specification:
    return with_own_boxes(FakeReader().decompose(PROMPT), ["red apple=300,0,600,300"])


@pytest.mark.parametrize(
    ("boxes", "outcome", "reason"),
    [
        ((LEFT, MIDDLE), "met", "so"),
        ((FAR, MIDDLE), "violated", "so; none stands at [300, 0, 600, 300], where you put it"),
        ((None,), None, "so; whether it stands where you put it, nobody saw"),
        ((), None, "so; whether it stands where you put it, nobody saw"),
    ],
)
def test_what_a_person_put_somewhere_is_met_only_there(
    boxes: tuple[Box | None, ...], outcome: str | None, reason: str
) -> None:
    first, second = located(own(), [verdict("e1", "met", *seen(*boxes)), verdict("e2", "met")], PLACED)
    assert (first.outcome, first.reason) == (outcome, reason)
    assert first.regions == (("e1#1",) if outcome == "violated" else ())
    assert second.outcome == "met"  # nobody asked where


@pytest.mark.usefixtures("home")
def test_a_thing_that_stands_elsewhere_keeps_its_color() -> None:
    verifier = FakeVerifier(seen={"presence": seen(FAR)})
    run = start(PROMPT, drafts=1, max_rounds=0, region=("red apple=300,0,600,300",))
    outcome = execution.generate(run, fake_toolbox(verifier))
    assert {v.commitment: v.outcome for v in outcome.verdicts["d1"] if v.outcome != "met"} == {"e1": "violated"}
    assert outcome.exit == 3


# -- what is kept and shown ----------------------------------------------------------------------


@pytest.mark.usefixtures("home")
def test_the_ledger_the_proof_and_the_report_name_the_regions() -> None:
    spec = FakeReader().decompose(PROMPT)
    laid_out = LayoutSkill().run(spec, fake_toolbox())
    first, _, car = request_of(laid_out, seed=0).regions
    script = {"c2": "violated"}
    verifier = FakeVerifier(script, seen={"e1": seen(first.box), "c2": seen(first.box), "e2": seen(car.box)})
    tools = fake_toolbox(verifier, generator=FakeGenerator(reads=frozenset({"regions"})), skills=(LayoutSkill(),))
    outcome = execution.generate(start(drafts=1, max_rounds=0), tools)
    [event] = [e for e in outcome.spec.history("c2") if e.draft == "d1"]
    assert isinstance(event.evidence, Judgement)
    assert event.evidence.regions == ("e1#2",)
    proof = str(Proof.of(outcome))
    assert f"e1#1, red apple, was to stand at {first.box}, was seen at {first.box}\n" in proof
    assert "; c2 fails there" in proof
    rows = json_report(outcome)["drafts"][0]["regions"]
    assert [(row["id"], row["found"] is not None, row["violated"]) for row in rows] == [
        ("e1#1", True, []),
        ("e1#2", False, ["c2"]),
        ("e2#1", True, []),
    ]


def test_ledgers_without_regions_keep_their_bytes() -> None:
    spec = Bind().run(FakeReader().decompose(PROMPT), fake_toolbox())
    draft = Draft(id="d1", path="d1.png", sha256="", request=request_of(spec, seed=0), generator="fake@1")
    events = entered(spec, draft, [verdict("e1", "violated", *seen(FAR))]).events
    assert events[-1].evidence == Judgement(reason="so")
    assert {"regions", "strays"}.isdisjoint(events[-1].model_dump(mode="json")["evidence"])
    assert {"region", "fits"}.isdisjoint(Observation(label="x").model_dump(mode="json"))


# -- the loop's verifier -------------------------------------------------------------------------


def thing(noun: str, color: str, x: float, y: float, half: float = 16.0) -> Detection:
    return Detection(noun, color, 0.9, 0.9, (x - half, y - half, x + half, y + half))


@pytest.mark.parametrize(
    ("type_", "value", "targets", "outcome"),
    [
        (Type.PLACE, "top left", ("e1",), "met"),
        (Type.PLACE, "right", ("e1",), "violated"),
        (Type.COMPARISON, "smaller than", ("e1", "e2"), "met"),
        (Type.COMPARISON, "bigger than", ("e1", "e2"), "violated"),
        (Type.COMPARISON, "faster than", ("e1", "e2"), None),
        (Type.RELATION, "next to", ("e1", "e2"), "violated"),
    ],
)
def test_places_and_comparisons_are_judged_by_what_is_found(
    type_: Type, value: str, targets: tuple[str, ...], outcome: str | None
) -> None:
    asked = Commitment(id="c9", kind=Kind.CONSTRAINT, type=type_, claim="so", value=value, targets=targets)
    spec = Grammar().decompose("an apple and a car").declare(asked, Cause.skill("decompose", "1"))
    scene = DetectedScene([thing("apple", "red", 20.0, 20.0), thing("car", "blue", 90.0, 90.0, 30.0)], "plain", spec)
    assert scene.check(asked)[0] == outcome
    assert {Type.PLACE, Type.COMPARISON} <= ObjectsVerifier.types
