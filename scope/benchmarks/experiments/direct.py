"""Which checkpoint of the learned layout is chosen, and at which alignment starts: the pair (layout flow, bound flow).

Each checkpoint of a run of `scope train layout` lays out prompts alone, the shipped bound flow draws them, and the
reward's detector scores them on dev prompts, of another seed than the benchmark's. The best is `chosen`; the one whose
`first_six` and `text` are nearest .63 and .59, where the policies of Flow-OPD (arXiv 2605.08063) start, is
`alignment_start`. Of these two and of the last the judge is then asked, on the prompts of `scope bench generators`.
"""

import math
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from scope.benchmarks.generators import Comparison, System
from scope.benchmarks.results import Results, Row
from scope.benchmarks.scores import Thing
from scope.benchmarks.tasks import SEED, TASKS, Words, prompts
from scope.errors import UsageError
from scope.generators import flow
from scope.generators.layouts import load_layouts
from scope.judges.pocket import load as load_judge
from scope.nn.images import device, to_tensor
from scope.specification import Commitment, Specification, Verdict
from scope.training import rewards

DEV_SEED = SEED + 1_000_000
COUNT, QUICK = 40, 2
START = {"first_six": 0.63, "text": 0.59}
_STEPS = 4
_ASKED = tuple(task for task in TASKS if task not in ("setting", "style", "crowded", "free_boxes"))


@dataclass(frozen=True)
class Found:
    """What the reward's detector reads in a picture. Of things it gives scores alone."""

    words: tuple[str, ...]
    detections: tuple[Thing, ...] = ()


class AskedOfReward:
    """The reward's detector in the judge's place: dev prompts are its own."""

    name, version = rewards.Reward.name, rewards.Reward.version

    def __init__(self, reward: rewards.Reward) -> None:
        self.reward = reward

    def handles(self, commitment: Commitment) -> bool:
        """Return that it may be asked anything; what it knows nothing of it does not find met."""
        return True

    def check(self, image: Image.Image, commitments: Sequence[Commitment], spec: Specification) -> list[Verdict]:
        """Return a verdict a commitment."""
        (scores,) = self.reward.score(_tensor(image), [spec])
        by = f"{self.name}@{self.version}"
        return [_verdict(c, c.id in scores and scores[c.id].met, by) for c in commitments]

    def perceive(self, image: Image.Image, asked: Collection[str] = ()) -> Found:
        """Return the words that can be read."""
        return Found(self.reward.see(_tensor(image))[0].words)


def _verdict(commitment: Commitment, met: bool, by: str) -> Verdict:
    return Verdict(commitment=commitment.id, outcome="met" if met else "violated", reason="", verifier=by)


def _tensor(image: Image.Image) -> torch.Tensor:
    return to_tensor([np.asarray(image)], device())


def measure(quick: bool = False, count: int = COUNT, data: Path | None = None) -> Results:
    """Score the checkpoints of a run of `scope train layout`, whose folder is `data`; without one, the shipped layout.

    Raises: UsageError if the folder holds none; WeightsError if weights are damaged.
    """
    count = QUICK if quick else count
    steps = checkpoints(data) if data else {"shipped": None}
    generator = flow.load()
    words = Words.of([generator.vocabulary])
    dev, test = ({task: prompts(task, words, count, seed) for task in _ASKED} for seed in (DEV_SEED, SEED))
    rewarded, judge = Comparison(dev, AskedOfReward(rewards.load()), None), load_judge()
    rows = [_row(name, generator, path, rewarded, "by the reward's detector") for name, path in steps.items()]
    named = {"chosen": best(rows), "last": rows[-1].name, "alignment_start": nearest(rows)}
    judged = Comparison(test, judge, None)
    asked = {of: _row(of, generator, steps[of], judged, f"{of}, by the judge") for of in dict.fromkeys(named.values())}
    told = [asked[of].model_copy(update={"name": name}) for name, of in named.items()]
    flags = f" --count {count}" * (count != COUNT) + " --data FOLDER" * bool(data)
    return Results(
        name="direct", command="scope bench direct" + flags, seeds=(DEV_SEED, SEED),
        judge=f"{judge.name}@{judge.version}", n_expected=count * len(_ASKED), rows=(*rows, *told),
    )  # fmt: skip


def checkpoints(folder: Path) -> dict[str, Path | None]:
    """Return the checkpoints of a run by the names of their rows, in order.

    Raises: UsageError if there are none.
    """
    paths = sorted(folder.glob("layout-*.safetensors"))
    if not paths:
        raise UsageError(f"{folder} holds no layout-*.safetensors; train some: scope train layout --out {folder}")
    end = folder / "layout.safetensors"
    named: dict[str, Path | None] = {f"step_{int(path.stem.split('-')[1])}": path for path in paths}
    return named | ({"end": end} if end.exists() else {})


def best(rows: Sequence[Row]) -> str:
    """Return the name of the row that draws most right; of equals the first."""
    return max(rows, key=lambda row: row.metrics["whole"].value).name


def nearest(rows: Sequence[Row]) -> str:
    """Return the name of the row nearest the point where alignment starts."""
    return min(rows, key=lambda row: math.hypot(*(row.metrics[m].value - at for m, at in START.items()))).name


def _row(name: str, generator: flow.FlowGenerator, layout: Path | None, comparison: Comparison, note: str) -> Row:
    generator.layouts = load_layouts(layout)
    system = System(name, "flow", flow.load, _STEPS, bound=False)
    return Row(name=name, metrics=comparison.scores(name, comparison.drawn(system, generator)), note=note)
