"""Numbered samples of the world: number i of a seed is the same scene or edit pair, whoever asks for it.

What `scope world show` puts on a sheet is what `scope world export` writes.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from scope.specification import Model
from scope.worlds.pocket.captions import caption
from scope.worlds.pocket.catalogue import VENDORS
from scope.worlds.pocket.edits import pair
from scope.worlds.pocket.ground_truth import specification
from scope.worlds.pocket.sampling import sample, sample_whole
from scope.worlds.pocket.scene import Scene, compose
from scope.worlds.pocket.splits import Split


class Selection(Model):
    """What is sampled. `edits`: families of edit pairs, in turn; none: scenes. `core`: of the core vocabulary only."""

    seed: int = Field(default=0, ge=0)
    split: Split = "train"
    styles: tuple[str, ...] = VENDORS
    edits: tuple[str, ...] = ()
    core: bool = False


@dataclass(frozen=True)
class Sample:
    """Pictures by name ("png" alone is the scene's own), the words for them, and what is true of them."""

    pictures: Mapping[str, NDArray[np.uint8]]
    text: str
    truth: Mapping[str, Any]

    def json(self) -> str:
        """Return the truth as JSON."""
        return json.dumps(self.truth, ensure_ascii=False)


def draw_sample(selection: Selection, number: int) -> Sample:
    """Return one sample. Pictures: "png" and "masks.png", or "before.png", "after.png" and "changed.png"."""
    return _pair(selection, number) if selection.edits else _scene(selection, number)


def _scene(selection: Selection, number: int) -> Sample:
    rng = np.random.default_rng((selection.seed, number))
    plan = (
        sample(rng, selection.split) if selection.core else sample_whole(rng, selection.split, styles=selection.styles)
    )
    scene = compose(plan, (selection.seed, number))
    words = caption(plan, rng)
    truth = {"number": number, "split": selection.split, "spans": words.spans, **_truth(scene)}
    return Sample({"png": scene.image, "masks.png": scene.mask}, words.text, truth)


def _pair(selection: Selection, number: int) -> Sample:
    family = selection.edits[number % len(selection.edits)]
    seed = int(np.random.default_rng((selection.seed, number)).integers(2**62))
    edit = pair(family, seed, split=selection.split)
    pictures = {
        "before.png": edit.before.image,
        "after.png": edit.after.image,
        "changed.png": edit.changed.astype(np.uint8) * 255,
    }
    truth = {"number": number, "split": selection.split, "family": family, "seed": seed}
    return Sample(pictures, edit.instruction, truth | {"before": _truth(edit.before), "after": _truth(edit.after)})


def _truth(scene: Scene) -> dict[str, Any]:
    fields = {"id", "type", "claim", "value", "targets"}
    return {
        "plan": asdict(scene.plan),
        "objects": [asdict(item) for item in scene.objects],
        "commitments": [c.model_dump(mode="json", include=fields) for c in specification(scene.plan).commitments],
    }
