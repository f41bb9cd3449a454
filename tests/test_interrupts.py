"""Ctrl-C: held back, let through, and remembered in between."""

import signal
import threading

import pytest

from scope.engine.signals import Interrupts

pytestmark = pytest.mark.usefixtures("sigint")


def interrupt() -> None:
    signal.raise_signal(signal.SIGINT)


def test_an_interrupt_is_held_back_until_it_is_let_through() -> None:
    steps = []

    def work() -> None:
        interrupts = Interrupts()
        with interrupts.held():
            interrupt()
            steps.append("held")
            with interrupts.let():
                steps.append("never")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == ["held"]


def test_an_interrupt_within_let_stops_at_once() -> None:
    steps = []

    def work() -> None:
        interrupts = Interrupts()
        with interrupts.held(), interrupts.let():
            interrupt()
            steps.append("never")

    with pytest.raises(KeyboardInterrupt):
        work()
    assert steps == []


def test_afterwards_an_interrupt_does_what_it_did_before() -> None:
    with Interrupts().held():
        pass
    assert signal.getsignal(signal.SIGINT) is signal.default_int_handler
    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_a_program_that_handles_interrupts_itself_keeps_its_handler() -> None:
    came = []
    before = signal.signal(signal.SIGINT, lambda number, frame: came.append(number))
    try:
        with Interrupts().held():
            interrupt()
    finally:
        signal.signal(signal.SIGINT, before)
    assert came == [signal.SIGINT]


def test_other_threads_may_hold_too_without_touching_the_handler() -> None:
    handlers = []

    def hold() -> None:
        with Interrupts().held():
            handlers.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=hold)
    thread.start()
    thread.join()
    assert handlers == [signal.default_int_handler]
