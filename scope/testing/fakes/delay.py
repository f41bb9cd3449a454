"""How a fake takes its time."""

import time


def wait(seconds: float) -> None:
    """Sleep for so many seconds, if any."""
    if seconds > 0:  # sleeping for no time at all gives the processor away
        time.sleep(seconds)
