"""A sheet of 24 pictures, eight prompts by three seeds, each with its proof: what a first user gets with the defaults.

Every picture is drawn as `scope generate` draws it, repairs included, with nothing learnt from others (`--no-learned`).
A row a picture: how many of its commitments are met, after how many drafts, and what the verifiers say of each.
"""

import time
from dataclasses import dataclass
from pathlib import Path

from PIL import Image

from scope import app
from scope.benchmarks.experiments.plots import image_grid
from scope.benchmarks.progress import Progress
from scope.benchmarks.results import Metric, Results, Row
from scope.config import Options
from scope.engine.proof import Proof
from scope.errors import ScopeError
from scope.protocols import DEFAULT_GENERATOR
from scope.testing import temporary_home

PROMPTS = (
    "two red apples to the left of a blue car on a beach",
    "a black cat and a white dog in a forest",
    "three pink balloons in the sky",
    "a snowman with a sign that says HELLO, in the snow",
    "a green turtle below an orange fish, under the sea",
    "a 3-D render of a rocket and a yellow star in space",
    "a brown horse, a white cow and a red tractor on a farm",
    "a purple umbrella to the right of a yellow taxi in the rain",
)
SEEDS = (0, 1, 2)


@dataclass(frozen=True)
class Drawn:
    """One picture, and what became of its prompt."""

    prompt: str
    seed: int
    image: Image.Image
    proof: Proof
    exit: int
    drafts: int
    seconds: float

    @property
    def row(self) -> Row:
        """Return its row: the figures, and the proof in a sentence a commitment."""
        metrics = {"met": self.proof.met, "commitments": len(self.proof.rows), "exit": self.exit, "drafts": self.drafts}
        said = "; ".join(f"{row.commitment} {row.claim}: {row.verdict}, {row.evidence}" for row in self.proof.rows)
        return Row(
            name=f"{self.prompt}, seed {self.seed}",
            metrics={name: Metric(value=value) for name, value in metrics.items()}
            | {"seconds": Metric(value=round(self.seconds, 2))},
            note=said,
        )


def draw(prompt: str, seed: int, generator: str) -> Drawn:
    """Draw one picture with the defaults.

    Raises: ScopeError if there is no picture.
    """
    began = time.monotonic()
    with temporary_home():
        result = app.generate(prompt, options=Options(generator=generator, seed=seed, learned=False))
        if result.image is None:
            raise ScopeError(f"nothing was drawn of {prompt!r}; the sheet is not written")
        outcome, seconds = result.outcome, time.monotonic() - began
        return Drawn(prompt, seed, result.image, result.proof, outcome.exit, len(outcome.drafts), seconds)


def make(picture: Path, generator: str = DEFAULT_GENERATOR) -> Results:
    """Draw the sheet into a PNG, and return the proofs."""
    began, drawn = time.monotonic(), list[Drawn]()
    progress = Progress(f"{generator}, drawn", len(PROMPTS) * len(SEEDS))
    for prompt in PROMPTS:
        for seed in SEEDS:
            drawn.append(draw(prompt, seed, generator))
            progress.add()
    rows = {f"seed {seed}": [one.image for one in drawn if one.seed == seed] for seed in SEEDS}
    picture.parent.mkdir(parents=True, exist_ok=True)
    image_grid(PROMPTS, rows).save(picture, optimize=True)
    return Results(
        name="pictures", command="scope bench pictures", seeds=SEEDS, n_expected=len(drawn),
        hours=(time.monotonic() - began) / 3600, rows=tuple(one.row for one in drawn),
    )  # fmt: skip
