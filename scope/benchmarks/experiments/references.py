"""Whether a thing that the weights do not know is drawn from one picture of it.

Nouns that no generator was trained on (`catalogue.HELD_OUT_NOUNS`), each shown by one drawing of one vendor, those of
the held-out vendors as well, on white; asked for as "the mascot" in a box of any shape and in a setting. `found` is the
share in whose box the judge finds that very noun; `true_scenes` have the drawing itself there. `by_name` asks for the
noun without a picture, of which the weights know nothing: a control, which nothing but chance can raise.
"""

import tempfile
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.progress import Progress
from scope.benchmarks.results import Results, Row
from scope.benchmarks.scores import iou
from scope.benchmarks.tasks import free_box
from scope.files import sha256_of_file
from scope.generators import flow, ntm
from scope.judges.pocket import Judge
from scope.judges.pocket import load as load_judge
from scope.protocols import Generator
from scope.specification import Reference, Region, Request, from_pixels
from scope.specification.boxes import XyxyPx
from scope.worlds.pocket.background import background
from scope.worlds.pocket.catalogue import ALL_VENDORS, HELD_OUT_NOUNS, SETTING_NAMES, drawings
from scope.worlds.pocket.rng import pick
from scope.worlds.pocket.sprites import SIZE, Pixels, sprite

SEED, COUNT, QUICK = 960_000, 200, 8
SYSTEMS: dict[str, tuple[Callable[[], Generator], int]] = {"flow_50": (flow.load, 50), "ntm_4": (ntm.load, 4)}
_SHOWN = 96  # pixels of the drawing that is shown
_SAME_BOX = 0.4  # intersection over union


@dataclass(frozen=True)
class Case:
    """One thing to be drawn: who drew its picture, and where it is to stand."""

    noun: str
    vendor: str
    box: XyxyPx
    setting: str
    seed: int

    def picture(self) -> Image.Image:
        """Return the picture that is shown: the drawing on white."""
        return _on(np.ones((128, 128, 3), np.float32), self, (16, 16, 16 + _SHOWN, 16 + _SHOWN))

    def true_scene(self) -> Image.Image:
        """Return the drawing where it is asked for."""
        return _on(background(self.setting).copy(), self, self.box)

    def request(self, phrase: str, picture: Path | None) -> Request:
        """Return the request for it, by a phrase and perhaps by a picture."""
        region = Region(id="e1#1", commitments=("e1",), phrase=phrase, box=from_pixels(self.box, SIZE, SIZE))
        shown = () if picture is None else (_reference(picture),)
        setting = "" if self.setting == "plain" else self.setting
        return Request(text=f"the {phrase}", regions=(region,), references=shown, setting=setting, seed=self.seed)


def _on(canvas: Pixels, case: Case, box: XyxyPx) -> Image.Image:
    x0, y0, x1, y1 = box
    rgb, alpha = sprite(case.noun, None, (x1 - x0, y1 - y0), case.vendor)
    canvas[y0:y1, x0:x1] += alpha * (rgb - canvas[y0:y1, x0:x1])
    return Image.fromarray((canvas * 255 + 0.5).clip(0, 255).astype(np.uint8))


def _reference(picture: Path) -> Reference:
    return Reference(path=str(picture), sha256=sha256_of_file(picture), commitment="e1")


def cases(count: int) -> Iterator[Case]:
    """Yield what is asked for; the same whenever it is asked."""
    rng, drawn = np.random.default_rng(SEED), drawings()
    pairs = [(noun, vendor) for noun in sorted(HELD_OUT_NOUNS) for vendor in ALL_VENDORS if noun in drawn[vendor]]
    for number in range(count):
        noun, vendor = pick(rng, pairs)
        yield Case(noun, vendor, free_box(rng), pick(rng, SETTING_NAMES), SEED + number)


def is_found(judge: Judge, image: Image.Image, case: Case) -> bool:
    """Return whether the judge finds the noun in its box."""
    found = judge.perceive(image).detections
    return any(d.noun == case.noun and iou(d.xyxy_px, case.box) >= _SAME_BOX for d in found)


def measure(quick: bool = False, count: int = COUNT) -> Results:
    """Draw and judge them with both generators.

    Raises: WeightsError if weights are missing or damaged.
    """
    began, asked, judge = time.monotonic(), list(cases(QUICK if quick else count)), load_judge()
    flags = " --quick" if quick else f" --count {count}" if count != COUNT else ""
    rows = [_row("true_scenes", judge, asked, [case.true_scene() for case in asked])]
    for name, (load, steps) in SYSTEMS.items():
        generator = load()
        rows.append(_row(f"{name}_by_name", judge, asked, _drawn(generator, steps, asked, shown=False)))
        rows.append(_row(name, judge, asked, _drawn(generator, steps, asked, shown=True)))
    return Results(
        name="references", command="scope bench references" + flags, seeds=(SEED,),
        judge=f"{judge.name}@{judge.version}", n_expected=len(asked) * len(rows), rows=tuple(rows),
        hours=(time.monotonic() - began) / 3600, judge_ceiling={"found": rows[0].metrics["found"].value},
    )  # fmt: skip


def _drawn(generator: Generator, steps: int, asked: list[Case], shown: bool) -> list[Image.Image]:
    progress, images = Progress(f"{generator.name}, drawn", len(asked)), []
    with tempfile.TemporaryDirectory() as folder:
        for case in asked:
            path = Path(folder) / "mascot.png"
            case.picture().save(path)
            request = case.request("mascot", path) if shown else case.request(case.noun, None)
            images.append(generator.generate([request.model_copy(update={"steps": steps})])[0].image)
            progress.add()
    return images


def _row(name: str, judge: Judge, asked: list[Case], images: list[Image.Image]) -> Row:
    small = [image.resize((SIZE, SIZE), Image.Resampling.BOX) for image in images]
    found = sum(is_found(judge, image, case) for image, case in zip(small, asked, strict=True))
    return Row(name=name, metrics={"found": share(found, len(asked))})
