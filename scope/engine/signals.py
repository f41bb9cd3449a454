"""Ctrl-C stops a run in the middle of its work, and never in the middle of LangGraph's bookkeeping.

A KeyboardInterrupt may come between any two instructions. Between the two with which a thread pool starts a thread and
remembers it, it leaves a thread that nobody will ever stop, and a process that hangs when it should exit.
"""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from types import FrameType


class Interrupts:
    """Holds SIGINT back within `held`, except within `let`; a second one is never held back."""

    def __init__(self) -> None:
        self._came = 0  # interrupts that were held back
        self._let = False

    @contextmanager
    def held(self) -> Iterator[None]:
        """Hold interrupts back. In other threads, or where the program handles SIGINT itself, this does nothing."""
        in_main = threading.current_thread() is threading.main_thread()
        if not in_main or signal.getsignal(signal.SIGINT) is not signal.default_int_handler:
            yield
            return
        signal.signal(signal.SIGINT, self._on_signal)
        try:
            yield
        finally:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    @contextmanager
    def let(self) -> Iterator[None]:
        """Let interrupts through, one that was held back included; in other threads, only where they `check`.

        Raises: KeyboardInterrupt.
        """
        if threading.current_thread() is not threading.main_thread():
            self.check()
            yield
            return
        before, self._let = self._let, True
        try:
            self.check()
            yield
        finally:
            self._let = before

    def check(self) -> None:
        """Raise KeyboardInterrupt if one was held back."""
        if self._came:
            raise KeyboardInterrupt

    def _on_signal(self, number: int, frame: FrameType | None) -> None:
        self._came += 1
        if self._let or self._came > 1:  # who asks twice is not made to wait for a server's answer
            raise KeyboardInterrupt
