"""Prompts that nobody writes: real ones cut, shuffled, glued and spoilt, and noise of every script."""

from collections.abc import Iterator, Sequence

import numpy as np

_BITS = (
    '"', "'", "“", "”", "(", ")", "((", ":1.3)", "[", "]", ",", ";", ".", "...", "!", "?", "-", "--ar 16:9",
    "<lora:x:1>", "\u202e", "\u200b", "\u0000", "\t", "\n", "🍎", "🤖", "猫", "кошка", "قطة", "é", "%", "&", "#", "3",
    "1,000", "2x2", "no", "not", "without", "and", "or", "neither", "one", "of", "them", "it", "its", "the other",
    "than", "as", "between", "a", "the", "'s", "=", "|", "\\", "/", "*", "_", "0", "-1",
)  # fmt: skip


def prompts(count: int, real: Sequence[str], seed: int = 0) -> Iterator[str]:
    """Yield prompts made of pieces of real ones, each in one of five ways."""
    rng = np.random.default_rng(seed)
    for i in range(count):
        words = " ".join(real[int(rng.integers(len(real)))] for _ in range(2)).split()
        yield _WAYS[i % len(_WAYS)](words[: int(rng.integers(1, 40))], rng)


def _shuffled(words: list[str], rng: np.random.Generator) -> str:
    return " ".join(words[int(i)] for i in rng.permutation(len(words)))


def _cut(words: list[str], rng: np.random.Generator) -> str:
    text = " ".join(words)
    start, end = sorted(int(i) for i in rng.integers(0, len(text) + 1, 2))
    return text[start:end]


def _spoilt(words: list[str], rng: np.random.Generator) -> str:
    for _ in range(1 + len(words) // 3):
        words.insert(int(rng.integers(len(words) + 1)), _BITS[int(rng.integers(len(_BITS)))])
    return " ".join(words)


def _glued(words: list[str], rng: np.random.Generator) -> str:
    return "".join(word + ("" if rng.random() < 0.2 else " ") for word in words)


def _noise(words: list[str], rng: np.random.Generator) -> str:
    points = rng.integers(1, 0x2FFF, len(words) * 3)
    bits = [_BITS[int(i)] for i in rng.integers(0, len(_BITS), len(words))]
    return "".join(chr(int(p)) for p in points) + " ".join(bits)


_WAYS = (_shuffled, _cut, _spoilt, _glued, _noise)
