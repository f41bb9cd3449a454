"""Real signals, real flipped bits, real races; the harness is the benchmark's."""

import signal

import pytest

from scope.benchmarks.experiments import durability

pytestmark = pytest.mark.slow


def test_killed_runs_finish_as_if_undisturbed() -> None:
    tally = durability.kills(40)
    assert (tally.tried, tally.lost, tally.wrong) == (40, 0, 0)
    assert tally.repeated <= tally.tried


def test_interrupted_runs_exit_130_and_finish_as_if_undisturbed() -> None:
    tally = durability.kills(15, signal.SIGINT)
    assert (tally.tried, tally.lost, tally.wrong) == (15, 0, 0)


def test_killed_runs_spend_their_budget_and_one_call_at_most() -> None:
    tally = durability.budget_kills(20)
    assert (tally.tried, tally.lost, tally.wrong) == (20, 0, 0)
    assert tally.repeated <= tally.tried  # a call that was cut off may be asked, and is counted, once more


def test_no_flipped_bit_gives_another_specification() -> None:
    tally = durability.bit_flips(500)
    assert (tally.tried, tally.lost, tally.wrong) == (500, 0, 0)
    assert tally.refused > 100  # so the bits that were flipped did matter


def test_two_processes_do_not_work_on_one_run_at_once() -> None:
    tally = durability.races(10)
    assert (tally.tried, tally.lost, tally.wrong, tally.repeated) == (10, 0, 0, 0)
