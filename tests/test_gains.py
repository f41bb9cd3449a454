"""Repairs are chosen by what they did before: the index of this machine, and this run."""

from pathlib import Path

import pytest

from scope.runs import repair_stats
from scope.runs.repair_stats import Gain
from scope.skills.repair import Repair
from scope.specification import Cause, Repairing, RepairResult, Specification, Status, Strategy
from scope.testing import FakeGenerator, FakeReader, fake_toolbox

FIXED = RepairResult(strategy=Strategy.REBIND, family="count", fixed=("c1", "c2"), broke=("c3",), seconds=2.0)
VAIN = FIXED.model_copy(update={"fixed": (), "broke": ()})


pytestmark = pytest.mark.usefixtures("home")


def broken_count() -> Specification:
    spec = FakeReader().decompose("2 apple")
    for i in spec.statuses():
        spec = spec.move(i, Status.BOUND, Cause.skill("test", "1"))
    return spec.move("e1", Status.MET, Cause.skill("test", "1"), draft="d1").move(
        "c1", Status.VIOLATED, Cause.skill("test", "1"), draft="d1"
    )


def test_what_repairs_did_is_remembered_by_strategy_and_family() -> None:
    repair_stats.learn("run1", "flow", [FIXED, VAIN])
    repair_stats.learn("run2", "flow", [FIXED])
    repair_stats.learn("run3", "other", [FIXED])
    assert repair_stats.known("flow") == {"rebind/count": Gain(tries=3, fixed=4, broke=2, seconds=6.0)}


def test_remembering_a_run_twice_changes_nothing() -> None:
    for _ in range(3):
        repair_stats.learn("run1", "flow", [FIXED])
    assert repair_stats.known("flow")["rebind/count"].tries == 1


def test_an_index_that_cannot_be_read_is_no_index(home: Path) -> None:
    (home / "repair_stats.sqlite").write_bytes(b"not a database, and long enough to be looked at" * 40)
    repair_stats.learn("run1", "flow", [FIXED])
    assert repair_stats.known("flow") == {}


def test_at_first_the_order_is_rebind_regenerate_and_over() -> None:
    spec, records = broken_count(), []
    for expected in (Strategy.REBIND, Strategy.REGENERATE, Strategy.REBIND):
        strategy = Repair(records=records).choose(spec, fake_toolbox())
        assert strategy == expected
        records.append(VAIN.model_copy(update={"strategy": strategy}))


def test_resampling_is_tried_third() -> None:
    generator = FakeGenerator(reads=frozenset({"edit"}))
    records = [VAIN.model_copy(update={"strategy": s}) for s in (Strategy.REBIND, Strategy.REGENERATE)]
    assert Repair(records=records).choose(broken_count(), fake_toolbox(generator=generator)) == Strategy.RESAMPLE


def test_what_helped_this_family_before_comes_first() -> None:
    known = {"regenerate/count": Gain(tries=8, fixed=12, broke=0, seconds=4.0)}
    assert Repair(gains=known).choose(broken_count(), fake_toolbox()) == Strategy.REGENERATE
    other = {"regenerate/presence": Gain(tries=8, fixed=12, broke=0, seconds=4.0)}
    assert Repair(gains=other).choose(broken_count(), fake_toolbox()) == Strategy.REBIND


def test_what_breaks_as_much_as_it_fixes_gains_nothing() -> None:
    known = {"rebind/count": Gain(tries=8, fixed=12, broke=12, seconds=4.0)}
    assert Repair(gains=known).choose(broken_count(), fake_toolbox()) == Strategy.REGENERATE


def test_faster_of_two_equal_repairs_comes_first() -> None:
    known = {
        "rebind/count": Gain(tries=8, fixed=8, broke=0, seconds=40.0),
        "regenerate/count": Gain(tries=8, fixed=8, broke=0, seconds=4.0),
    }
    assert Repair(gains=known).choose(broken_count(), fake_toolbox()) == Strategy.REGENERATE


def test_a_person_may_choose() -> None:
    spec = Repair(chosen=Strategy.EDIT).run(broken_count(), fake_toolbox())
    [event] = [e for e in spec.events if e.after is Status.REPAIRED]
    assert event.evidence == Repairing(strategy=Strategy.EDIT, family="count", round=1)


def test_a_few_tries_say_nothing() -> None:
    known = {"regenerate/count": Gain(tries=7, fixed=14, broke=0, seconds=4.0)}
    assert Repair(gains=known).choose(broken_count(), fake_toolbox()) == Strategy.REBIND
