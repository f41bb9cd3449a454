"""Phrases whose states are random and not the text encoder's: a table of all of the world's takes it many seconds."""

import zlib
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import pytest
import torch

from scope.models.text_encoder import STATE_DIM
from scope.training.data import bound_scenes


def random_states(phrases: Sequence[str], batch: int = 256) -> torch.Tensor:
    """Return states that each phrase has for itself, (n, 384)."""
    seeds = (torch.Generator().manual_seed(zlib.crc32(phrase.encode())) for phrase in phrases)
    return torch.stack([torch.randn(STATE_DIM, generator=seed) for seed in seeds])


@contextmanager
def unread() -> Iterator[None]:
    """Have the table of phrases made without the text encoder."""
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(bound_scenes, "mean_states", random_states)
        bound_scenes.phrase_table.cache_clear()
        yield
    bound_scenes.phrase_table.cache_clear()
