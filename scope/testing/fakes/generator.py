"""A generator that needs no weights."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from PIL import Image

from scope.protocols import OnStep, Picture, Vocabulary, ignore_steps, steps_within
from scope.specification import Request, sha256_of
from scope.testing.fakes.delay import wait


@dataclass
class FakeGenerator:
    """Coloured noise that depends on the request alone.

    `delay` is in seconds per picture; `fails` calls raise RuntimeError before the first that succeeds; `requests` keeps
    what was asked.
    """

    name: str = "fake"
    version: str = "1"
    size: int = 8  # pixels
    steps: int = 2
    delay: float = 0.0
    fails: int = 0
    vocabulary: Vocabulary | None = None
    weights: dict[str, str] = field(default_factory=dict)
    reads: frozenset[str] = frozenset()
    batch: int = 1
    parallel: int = 1
    likelihoods: Sequence[float | None] = ()  # of the first pictures, in order
    requests: list[Request] = field(default_factory=list)

    def generate(self, requests: Sequence[Request], on_step: OnStep = ignore_steps) -> list[Picture]:
        """Return one picture per request."""
        return [self._picture(r, steps_within(on_step, i, len(requests))) for i, r in enumerate(requests)]

    def _picture(self, request: Request, on_step: OnStep) -> Picture:
        if self.fails > 0:
            self.fails -= 1
            raise RuntimeError("this fake was told to fail")
        self.requests.append(request)
        for step in range(self.steps):
            wait(self.delay / self.steps)
            on_step(step + 1, self.steps)
        number = len(self.requests) - 1
        likelihood = self.likelihoods[number] if number < len(self.likelihoods) else None
        return Picture(_noise(sha256_of(request), self.size), likelihood)


def _noise(seed: str, size: int) -> Image.Image:
    length, data = 3 * size * size, b""
    while len(data) < length:
        data += sha256(f"{seed}/{len(data)}".encode()).digest()
    return Image.frombytes("RGB", (size, size), data[:length])
