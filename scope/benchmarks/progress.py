"""What a long comparison says meanwhile, on stderr: which part of it, how much is done, how long it may take."""

import sys
import time
from collections.abc import Callable

_EVERY = 30.0  # seconds between two lines


class Progress:
    """Counts what is done of a number of things, and says so now and then: "flow_50: 160 of 2,000, 12 min left"."""

    def __init__(self, what: str, total: int, clock: Callable[[], float] = time.monotonic) -> None:
        self.what, self.total, self.done, self._clock = what, total, 0, clock
        self._began = self._said = clock()

    def add(self, count: int = 1) -> None:
        """Count more as done."""
        self.done += count
        now = self._clock()
        if now - self._said >= _EVERY or (self.done == self.total and now - self._began >= _EVERY):
            self._said = now
            left = (now - self._began) / self.done * (self.total - self.done)
            print(
                f"{self.what}: {self.done:,} of {self.total:,}, {left / 60:.0f} min left", file=sys.stderr, flush=True
            )
