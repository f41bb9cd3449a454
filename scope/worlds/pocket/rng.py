"""Drawing at random. `numpy.random.Generator.choice` gives the same answers from the same draws, but slowly."""

from collections.abc import Sequence
from typing import TypeVar

from numpy.random import Generator as Rng

__all__ = ["Rng", "pick"]

T = TypeVar("T")


def pick(rng: Rng, options: Sequence[T]) -> T:
    """Draw one of several, each as likely."""
    return options[int(rng.integers(len(options)))]
