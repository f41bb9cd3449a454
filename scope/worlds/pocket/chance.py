"""Drawing at random. `numpy.random.Generator.choice` gives the same answers from the same draws, but slowly."""

from collections.abc import Sequence
from typing import TypeVar

from numpy.random import Generator as Random

__all__ = ["Random", "pick"]

T = TypeVar("T")


def pick(random: Random, options: Sequence[T]) -> T:
    """Draw one of several, each as likely."""
    return options[int(random.integers(len(options)))]
