"""Repairs of regions: what is at fault is drawn anew, there or elsewhere, and all else is kept."""

import random
from collections.abc import Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from conftest import Parts
from PIL import Image
from prompts import PROMPT, start

import scope
from scope.engine import execution
from scope.engine.ledger_updates import replaced
from scope.engine.masks import grown, mask_of
from scope.engine.outcome import Outcome, Progress
from scope.errors import UsageError
from scope.protocols import DEFAULT_GENERATOR
from scope.runs.repair_stats import Gain
from scope.runs.store import Run
from scope.skills.bind import REDRAW_FROM, request_of
from scope.skills.layout import LayoutSkill
from scope.skills.layouts.moving import moved
from scope.skills.layouts.own_boxes import with_own_boxes
from scope.skills.repair import Repair
from scope.specification import (
    Box,
    Cause,
    Observation,
    Region,
    Specification,
    Status,
    Strategy,
    faults,
    last_repair,
    to_pixels,
)
from scope.specification.geometry import holds, overlap
from scope.specification.placements import regions
from scope.testing import FakeGenerator, FakeReader, FakeVerifier, fake_toolbox

BOUND = frozenset({"regions", "edit"})
SIDE = 64


def laid_out(prompt: str = PROMPT, seed: int = 0) -> Specification:
    return LayoutSkill().run(FakeReader().decompose(prompt), fake_toolbox(seed=seed))


def seen(*found: Region | Box) -> list[Observation]:
    return [Observation(label="x", box=f.box if isinstance(f, Region) else f) for f in found]


def bound_generator() -> FakeGenerator:
    return FakeGenerator(size=SIDE, reads=BOUND)


def drawn(
    verifier: FakeVerifier, generator: FakeGenerator | None = None, prompt: str = PROMPT, **options: object
) -> tuple[Run, Outcome]:
    run = start(prompt, learned=False, **options)
    tools = fake_toolbox(verifier, generator=generator or bound_generator(), skills=(LayoutSkill(),))
    return run, execution.generate(run, tools)


def strategies(outcome: Outcome) -> list[str]:
    return [repair.strategy.value for repair in outcome.repairs]


def opened(run: Run, path: str) -> np.ndarray:
    with Image.open(run.folder / path) as image:
        return np.asarray(image.convert("L"))


def part(box: Box, side: int = SIDE) -> tuple[slice, slice]:
    x0, y0, x1, y1 = to_pixels(box, side, side)
    return slice(y0, y1), slice(x0, x1)


def one_missing() -> FakeVerifier:
    """Return a verifier that sees the first of two apples on every draft, and the car."""
    first, _, car = regions(laid_out())
    return FakeVerifier({"c1": "violated"}, seen={"e1": seen(first), "c1": seen(first), "e2": seen(car)})


# -- the mask ------------------------------------------------------------------------------------


def random_box(chance: random.Random) -> Box:
    y0, x0 = chance.randint(0, 800), chance.randint(0, 800)
    return Box.of(y0, x0, chance.randint(y0 + 100, 1000), chance.randint(x0 + 100, 1000))


@pytest.mark.parametrize("seed", range(40))
def test_what_is_not_at_fault_is_not_in_the_mask_unless_something_at_fault_stands_on_it(seed: int) -> None:
    chance = random.Random(seed)
    things = [Region(id=f"e{i}#1", commitments=(f"e{i}",), phrase="thing", box=random_box(chance)) for i in range(1, 7)]
    at_fault, kept = things[: seed % 3], things[seed % 3 :]
    strays = [random_box(chance) for _ in range(chance.randint(0, 2))]
    mask = np.asarray(mask_of(things, at_fault, strays, (128, 96))) == 255

    def inside(box: Box) -> np.ndarray:
        x0, y0, x1, y1 = to_pixels(box, 128, 96)
        filled = np.zeros((96, 128), bool)
        filled[y0:y1, x0:x1] = True
        return filled

    may = np.zeros_like(mask)
    for box in (*(region.box for region in at_fault), *strays):
        may |= inside(grown(box))
    assert not (mask & ~may).any()
    for region in kept:
        smaller = [inside(other.box) for other in at_fault if other.box.area < region.box.area]
        assert not (mask & inside(region.box) & ~np.any([np.zeros_like(mask), *smaller], axis=0)).any()
    for region in at_fault:
        in_front = [inside(other.box) for other in kept if other.box.area <= region.box.area]
        assert (mask | ~inside(region.box) | np.any([np.zeros_like(mask), *in_front], axis=0)).all()


# -- drawn anew ----------------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
def test_a_region_at_fault_is_drawn_anew_and_the_rest_is_kept() -> None:
    generator = bound_generator()
    run, outcome = drawn(one_missing(), generator, drafts=3, max_rounds=1)
    first, missing, car = outcome.drafts[0].request.regions
    assert strategies(outcome) == ["redraw"]
    tries = [draft for draft in outcome.drafts if draft.parent == "d1"]
    assert len({draft.request.seed for draft in tries}) == len(tries) == 3
    for draft in tries:
        edit = draft.request.edit
        assert edit is not None
        assert edit.mask is not None
        assert (edit.image.path, edit.image.sha256) == (outcome.drafts[0].path, outcome.drafts[0].sha256)
        assert edit.strength == REDRAW_FROM
        assert [c.id for c in edit.toward] == ["c1"]
        assert draft.request.regions == (first, missing, car)
        assert sha256((run.folder / edit.mask.path).read_bytes()).hexdigest() == edit.mask.sha256
        mask = opened(run, edit.mask.path)
        assert mask.shape == (SIDE, SIDE)
        assert (mask[part(missing.box)] == 255).all()
        assert not mask[part(first.box)].any()
        assert not mask[part(car.box)].any()
    asked = generator.requests[-1].edit
    assert asked is not None
    assert asked.mask is not None
    assert Path(asked.mask.path).is_file()
    assert Path(asked.image.path).is_file()


@pytest.mark.usefixtures("home")
def test_what_stands_where_nothing_was_put_is_in_the_mask() -> None:
    first, second, car = regions(laid_out())
    cells = [Box.of(y, x, y + 100, x + 100) for y in range(0, 900, 100) for x in range(0, 900, 100)]
    empty = next(cell for cell in cells if not any(overlap(grown(cell), r.box) for r in (first, second, car)))
    verifier = FakeVerifier({"c1": "violated"}, seen={"c1": seen(first, second, empty)})
    run, outcome = drawn(verifier, drafts=1, max_rounds=1)
    edit = outcome.drafts[-1].request.edit
    assert edit is not None
    assert edit.mask is not None
    mask = opened(run, edit.mask.path)
    assert (mask[part(empty)] == 255).all()
    assert not any(mask[part(region.box)].any() for region in (first, second, car))


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize("reads", [frozenset({"regions"}), frozenset({"edit"}), frozenset()])
def test_only_a_generator_that_reads_regions_and_edits_draws_them_anew(reads: frozenset[str]) -> None:
    _, outcome = drawn(one_missing(), FakeGenerator(size=SIDE, reads=reads), drafts=1, max_rounds=4)
    assert len(outcome.repairs) == 4
    assert not {"redraw", "move"} & set(strategies(outcome))


@pytest.mark.usefixtures("home")
def test_what_is_in_no_region_is_not_repaired_by_regions() -> None:
    _, outcome = drawn(FakeVerifier({"setting": "violated"}), drafts=1, max_rounds=1)
    assert strategies(outcome) == ["regenerate"]  # who is told each region reads no other words


@pytest.mark.usefixtures("home")
@pytest.mark.parametrize(
    ("c1", "c3", "best"),
    [
        (["violated", "violated", "met", "met"], ["met"], "d3"),  # accepted
        (["violated", "violated", "met", "met"], ["met", "met", "violated", "violated"], "d1"),  # as much broken: back
        (["violated"], ["met", "met", "violated", "violated"], "d1"),
    ],
)
def test_a_repair_is_accepted_if_more_is_met_and_reverted_if_not(c1: list[str], c3: list[str], best: str) -> None:
    verifier = one_missing()
    verifier.script = {"c1": c1, "c3": c3}
    _, outcome = drawn(verifier, drafts=2, max_rounds=1)
    assert outcome.best is not None
    assert outcome.best.id == best
    assert outcome.spec.statuses() == outcome.spec.statuses_on(best)


@pytest.mark.usefixtures("home")
def test_a_repair_names_what_is_violated() -> None:
    verifier = one_missing()
    verifier.script = {"c1": "violated", "c6": "violated"}
    _, outcome = drawn(verifier, drafts=1, max_rounds=1)
    assert {e.commitment for e in outcome.spec.events if e.after is Status.REPAIRED} == {"c1", "c6"}
    repair = last_repair(outcome.spec)
    assert repair is not None
    assert repair.mask is not None


# -- moved ---------------------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
def test_what_was_drawn_anew_in_vain_is_moved_and_moved_in_vain_is_back() -> None:
    run, outcome = drawn(one_missing(), drafts=1, max_rounds=3)
    assert strategies(outcome)[:2] == ["redraw", "move"]
    before, again, elsewhere, after = (draft.request.regions for draft in outcome.drafts)
    assert before == again == after
    assert [r.id for r, old in zip(elsewhere, before, strict=True) if r != old] == ["e1#2"]
    assert holds("left of", [elsewhere[0].box, elsewhere[1].box], [elsewhere[2].box])
    edit = outcome.drafts[2].request.edit
    assert edit is not None
    assert edit.mask is not None
    mask = opened(run, edit.mask.path)
    assert (mask[part(elsewhere[1].box)] == 255).all()
    assert (mask[part(before[1].box)] == 255).any()  # what stood there vanishes
    assert not mask[part(before[0].box)].any()


@pytest.mark.usefixtures("home")
def test_what_is_seen_elsewhere_is_moved_at_once() -> None:
    first, _, car = regions(laid_out())
    corner = next(box for box in (Box.of(0, 0, 90, 90), Box.of(910, 0, 1000, 90)) if not overlap(box, first.box))
    verifier = FakeVerifier({"c1": "violated"}, seen={"c1": seen(first, corner), "e2": seen(car)})
    _, outcome = drawn(verifier, drafts=1, max_rounds=1)
    assert strategies(outcome) == ["move"]


@pytest.mark.usefixtures("home")
def test_what_a_person_put_somewhere_is_never_moved() -> None:
    own = "red apple=0,0,200,200"
    verifier = FakeVerifier({"e1": "met", "c1": "violated"}, seen={"e2": seen(Box.of(500, 500, 900, 900))})
    _, outcome = drawn(verifier, drafts=1, max_rounds=4, region=(own, "red apple=300,0,500,200"))
    boxes = [[r.box.root for r in draft.request.regions][:2] for draft in outcome.drafts]
    assert boxes == [[(0, 0, 200, 200), (300, 0, 500, 200)]] * len(outcome.drafts)
    assert "move" not in strategies(outcome)


@pytest.mark.parametrize("seed", range(10))
def test_moving_keeps_all_rules_and_all_that_is_not_moved(seed: int) -> None:
    spec = laid_out("1 red apple left of 1 blue car left of 2 green dog", seed)
    before = regions(spec)
    after = moved(spec, before, {"e2#1"}, seed=seed + 100)
    assert [r.id for r in after] == [r.id for r in before]
    assert all(a == b for a, b in zip(after, before, strict=True) if a.id != "e2#1")
    apple, car, *dogs = (region.box for region in after)
    assert holds("left of", [apple], [car])
    assert holds("left of", [car], dogs)
    assert moved(spec, before, {"e2#1"}, seed=seed + 100) == after


def test_where_nothing_may_move_all_stays() -> None:
    spec = with_own_boxes(FakeReader().decompose("1 apple"), ["apple=0,0,400,400"])
    assert moved(spec, regions(spec), {"e1#1"}, seed=1) == regions(spec)


def test_the_ledger_follows_the_layout_of_a_draft_and_keeps_what_that_does_not_have() -> None:
    spec, other = laid_out(seed=1), laid_out(seed=2)
    for commitment in spec.commitments:
        if spec.statuses()[commitment.id] is not Status.BOUND:
            spec = spec.move(commitment.id, Status.BOUND, Cause.skill("bind", "1"))
    before = regions(spec)
    there = replaced(spec, regions(other)[:2])
    assert regions(there) == (*regions(other)[:2], before[2])
    assert replaced(there, ()) == there
    assert regions(replaced(there, before)) == before


# -- choosing ------------------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
def test_what_was_measured_goes_before_what_is_believed() -> None:
    _, outcome = drawn(one_missing(), drafts=1, max_rounds=0)
    tools = fake_toolbox(generator=bound_generator())
    assert Repair().choose(outcome.spec, tools) is Strategy.REDRAW
    [fault] = faults(outcome.spec)
    assert (fault.commitment, fault.regions, fault.strays) == ("c1", ("e1#2",), ())
    vain = {"redraw/count": Gain(tries=20, fixed=1, broke=1, seconds=20.0)}
    assert Repair(gains=vain).choose(outcome.spec, tools) is not Strategy.REDRAW


@pytest.mark.usefixtures("home")
def test_a_person_may_choose_to_redraw_where_nothing_is_known_of_regions() -> None:
    run = start(confirm=("repair",), max_rounds=1, drafts=1)
    tools = fake_toolbox(FakeVerifier({"setting": "violated"}), generator=bound_generator())
    outcome = execution.generate(run, tools, ask=lambda q: q.text.replace("strategy: rebind", "strategy: redraw"))
    edit = outcome.drafts[-1].request.edit
    assert edit is not None
    assert edit.mask is None


# -- what is kept --------------------------------------------------------------------------------


@pytest.mark.usefixtures("home")
def test_a_run_that_was_stopped_between_goes_on_with_the_same_mask() -> None:
    _, whole = drawn(one_missing(), drafts=1, max_rounds=1)
    run, stopped = start(drafts=1, max_rounds=1, learned=False), []

    def stop(news: Progress) -> None:
        if news.stage == "generate" and news.round == 1 and not stopped:
            stopped.append(news)
            raise KeyboardInterrupt

    tools = fake_toolbox(one_missing(), generator=bound_generator(), skills=(LayoutSkill(),))
    with pytest.raises(KeyboardInterrupt):
        execution.generate(run, tools, stop)
    outcome = execution.generate(run, tools)
    assert [d.request for d in outcome.drafts] == [d.request for d in whole.drafts]


def test_a_redrawn_picture_is_drawn_again_while_what_it_was_drawn_from_is_there(
    parts: Parts, home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    verifier = one_missing()
    verifier.script = {"c1": ["violated", "met"]}
    parts["verifiers", "objects"] = lambda: verifier
    parts["generators", DEFAULT_GENERATOR] = lambda: FakeGenerator(name=DEFAULT_GENERATOR, size=SIDE, reads=BOUND)
    made = scope.generate(PROMPT, output="a.png", drafts=1, max_rounds=1)
    assert made.outcome.best is not None
    assert made.outcome.best.id == "d2"
    assert scope.rerun("a.png").same
    assert made.run is not None
    _remove(sorted((made.run.folder / "masks").iterdir()))
    with pytest.raises(UsageError, match=r"drawn from another picture .*r1\.png, which is not there any more"):
        scope.rerun("a.png")


def _remove(files: Sequence[Path]) -> None:
    assert files
    for file in files:
        file.unlink()


def test_without_a_repair_of_regions_nothing_is_added_to_the_ledger() -> None:
    spec = laid_out()
    assert request_of(spec, seed=1).edit is None
    assert "mask" not in spec.canonical()
