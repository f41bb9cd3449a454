"""Which nouns the loop's detector takes for which, over all that the world draws.

Each noun stands alone in scenes of the world, in each style that draws it; what is found nearest to it is what it is
taken for. The detector is not told what was asked for (`ObjectsVerifier` is, and prefers that), so this is the worst
case. Rows: `all_nouns`, the share that is named right by the detector and by the judge, and the pairs that are confused
most, both ways together.
"""

from collections import Counter
from collections.abc import Callable, Iterator

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.progress import Progress
from scope.benchmarks.results import Results, Row
from scope.judges.pocket import load as load_judge
from scope.specification import Specification
from scope.verifiers import objects
from scope.worlds.pocket import Group, Plan, Scene, compose
from scope.worlds.pocket.catalogue import NOUNS, SETTING_NAMES, VENDORS, drawn_by
from scope.worlds.pocket.rng import pick

SEED, EACH, QUICK = 650_000, 2, 30
WORST = 20  # pairs that are shown

Found = list[tuple[str, tuple[float, float, float, float]]]  # nouns and their boxes, corners in pixels
See = Callable[[NDArray[np.uint8]], Found]


def shown(each: int, nouns: tuple[str, ...] = NOUNS) -> Iterator[Scene]:
    """Yield every noun alone in scenes, in every style that draws it, `each` times."""
    rng = np.random.default_rng(SEED)
    for style in VENDORS:
        for noun in (noun for noun in drawn_by(style) if noun in nouns):
            for number in range(each):
                plan = Plan((Group(noun),), setting=pick(rng, SETTING_NAMES), style=style)
                yield compose(plan, (SEED, NOUNS.index(noun), VENDORS.index(style), number))


def taken_for(found: Found, box: tuple[float, float, float, float]) -> str:
    """Return the noun whose box has its middle nearest to that of `box`, if that lies in it; else ""."""
    x0, y0, x1, y1 = box
    x, y = (x0 + x1) / 2, (y0 + y1) / 2
    near = [(abs((a + c) / 2 - x) + abs((b + d) / 2 - y), noun) for noun, (a, b, c, d) in found
            if x0 <= (a + c) / 2 <= x1 and y0 <= (b + d) / 2 <= y1]  # fmt: skip
    return min(near)[1] if near else ""


def worst(taken: list[tuple[str, str]], most: int = WORST) -> list[tuple[str, str, int]]:
    """Return the pairs (noun, what it is taken for), either way, that are confused most, and how often."""
    counted = Counter(tuple(sorted(pair)) for pair in taken if pair[0] != pair[1] and pair[1])
    ranked = sorted(counted.items(), key=lambda item: (-item[1], item[0]))
    return [(first, second, times) for (first, second), times in ranked[:most]]


def _seers() -> dict[str, See]:
    verifier, judge, nothing = objects.load(), load_judge(), Specification(prompt="")
    return {
        "detector": lambda image: [
            (d.noun, d.xyxy_px) for d in verifier.perceive(Image.fromarray(image), nothing).detections
        ],
        "judge": lambda image: [(d.noun, d.xyxy_px) for d in judge.perceive(Image.fromarray(image)).detections],
    }


def measure(quick: bool = False) -> Results:
    """Name every noun of the world; `quick`: some of them.

    Raises: WeightsError if weights are missing or damaged.
    """
    asked = list(shown(EACH, NOUNS[:: len(NOUNS) // QUICK] if quick else NOUNS))
    progress, named = Progress("named", 2 * len(asked)), dict[str, list[tuple[str, str]]]()
    for who, see in _seers().items():
        for scene in asked:
            (thing,) = scene.objects
            named.setdefault(who, []).append((thing.noun, taken_for(see(scene.image), thing.xyxy_px)))
            progress.add()
    right = {who: share(sum(noun == said for noun, said in pairs), len(pairs)) for who, pairs in named.items()}
    missed = {f"{who}_misses": share(sum(not said for _, said in pairs), len(pairs)) for who, pairs in named.items()}
    rows = [Row(name="all_nouns", metrics=right | missed, note="named right; not found at all")]
    rows += [_pair_row(first, second, named) for first, second, _ in worst(named["detector"])]
    return Results(
        name="confusions", command="scope bench confusions", seeds=(SEED,), n_expected=len(asked), rows=tuple(rows)
    )


def _pair_row(first: str, second: str, named: dict[str, list[tuple[str, str]]]) -> Row:
    metrics = {}
    for who, pairs in named.items():
        of_both = [pair for pair in pairs if pair[0] in (first, second)]
        metrics[who] = share(sum(pair in ((first, second), (second, first)) for pair in of_both), len(of_both))
    return Row(name=f"{first} / {second}", metrics=metrics, note="one taken for the other")
