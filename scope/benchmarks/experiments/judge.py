"""The judge's own accuracy: its ceiling on true scenes, how often it passes a violation, what blur does, who agrees.

Rows and metrics are those of `scope bench verifiers`: `accuracy` is the share of the commitments of true held-out
scenes that it calls met, `false_pass` the share that it calls met on counterfactual scenes, which
violate exactly this commitment. The scenes are of the whole world, in its three styles. Besides:

- `words`, `numbers`: what `text` is made of;
- `twemoji`, `fxemoji`: the same over all commitments of scenes by the vendors that only the judge has seen;
- `sharp`, `blur_S` (a Gaussian of S pixels) and `pca_N` (8-px patches by their first N of 192 principal components):
  the same pictures, degraded, of which less should be met the more they are;
- `free_boxes`, `crowded`, `small`: how well its detector finds things (metrics/detections.py);
- `second_opinion`: how often the nearest prototype on ImageNet features classifies an object as the judge does.
"""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from itertools import islice

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageFilter

from scope.benchmarks.metrics import detections
from scope.benchmarks.metrics.detections import Found
from scope.benchmarks.metrics.intervals import share
from scope.benchmarks.results import Metric, Results, Row
from scope.errors import ScopeError
from scope.judges.pocket import Judge, load
from scope.judges.prototypes import PrototypeClassifier
from scope.specification import Commitment, Specification, Type
from scope.worlds.pocket import Group, Plan, Scene, compose, counterfactual, held_out, sample_whole, specification
from scope.worlds.pocket.catalogue import CORE_RELATIONS, HELD_OUT_VENDORS, VENDORS, drawn_by
from scope.worlds.pocket.sampling import font_for, text

SCENES, SIGNS, OTHERS, QUICK = 1000, 300, 200, 40
SEED = 900_000
_ROWS = {
    Type.PRESENCE: "entity", Type.COUNT: "count", Type.ATTRIBUTE: "attribute", Type.RELATION: "relation",
    Type.SETTING: "setting", Type.STYLE: "style", Type.TEXT: "text", Type.ABSENCE: "absence",
}  # fmt: skip
_BLURS, _COMPONENTS, _PATCH = (1, 2, 3), (48, 12, 3), 8
Pixels = NDArray[np.uint8]
Tally = dict[str, list[tuple[bool, bool]]]


# -- scenes --------------------------------------------------------------------------------------


def plans(seed: int, styles: tuple[str, ...] = VENDORS) -> Iterator[Plan]:
    """Yield held-out plans of the whole world. Where there is room for one more object, one noun is absent."""
    rng = np.random.default_rng(seed)
    while True:
        plan = sample_whole(rng, "held_out", styles=styles)
        others = [n for n in drawn_by(plan.style) if n not in {g.noun for g in plan.groups}]
        roomy = plan.relation in (None, *CORE_RELATIONS) and plan.total < 5
        yield replace(plan, absent=(str(rng.choice(others)),) if roomy else ())


def signed(seed: int) -> Iterator[Plan]:
    """Yield held-out plans of one or two objects and a sign, for signs are rare among the others."""
    rng = np.random.default_rng(seed)
    while True:
        plan = sample_whole(rng, "train")
        group, words = Group(plan.groups[0].noun, 1 + int(rng.random() < 0.3)), text(rng)
        plan = Plan((group,), None, plan.setting, words, plan.style, font=font_for(rng, words))
        if held_out(plan):
            yield plan


def tally(judge: Judge, plans: Iterable[Plan], seed: int, types: frozenset[Type]) -> Tally:
    """Return (met on the true scene, met on its counterfactual) of each commitment of these types, by row."""
    rng = np.random.default_rng((seed, 1))
    pairs: Tally = {}
    for number, plan in enumerate(plans):
        spec = specification(plan)
        commitments = [c for c in spec.commitments if c.type in types]
        if not commitments:
            continue
        outcomes = met(judge, compose(plan, (seed, number)).image, commitments, spec)
        for commitment, is_met in zip(commitments, outcomes, strict=True):
            violated = compose(counterfactual(plan, commitment, rng, drawn_by(plan.style)), (seed, number))
            (passed,) = met(judge, violated.image, [commitment], spec)
            pairs.setdefault(_ROWS[commitment.type], []).append((is_met, passed))
    return pairs


def met(judge: Judge, image: Pixels, commitments: list[Commitment], spec: Specification) -> list[bool]:
    """Return of each commitment whether the judge calls it met."""
    return [v.outcome == "met" for v in judge.check(Image.fromarray(image), commitments, spec)]


# -- degraded pictures ---------------------------------------------------------------------------


def blur(image: Pixels, sigma: float) -> Pixels:
    """Return a picture under a Gaussian of `sigma` pixels."""
    return np.asarray(Image.fromarray(image).filter(ImageFilter.GaussianBlur(sigma)))


def principal_components(images: list[Pixels]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Return the mean (192,) and the principal components (192, 192), first ones first, of 8-px patches."""
    patches = np.concatenate([_patches(image) for image in images])
    mean = patches.mean(0)
    _, vectors = np.linalg.eigh(np.cov(patches - mean, rowvar=False))
    return mean, vectors.T[::-1]


def _patches(image: Pixels) -> NDArray[np.float64]:
    """(h, w, 3) -> (patches, 192)."""
    height, width, _ = image.shape
    tiles = image.reshape(height // _PATCH, _PATCH, width // _PATCH, _PATCH, 3)
    return tiles.swapaxes(1, 2).reshape(-1, 3 * _PATCH**2).astype(np.float64)


def project(image: Pixels, mean: NDArray[np.float64], basis: NDArray[np.float64]) -> Pixels:
    """Return a picture with its patches projected to some principal components (n, 192)."""
    height, width, _ = image.shape
    patches = mean + (_patches(image) - mean) @ basis.T @ basis
    tiles = patches.reshape(height // _PATCH, width // _PATCH, _PATCH, _PATCH, 3).swapaxes(1, 2)
    return tiles.reshape(image.shape).round().clip(0, 255).astype(np.uint8)


def degradations(images: list[Pixels]) -> dict[str, Callable[[Pixels], Pixels]]:
    """Return the ways to degrade a picture, by row; `images` are what the principal components are of."""
    mean, basis = principal_components(images)
    blurs = {f"blur_{sigma}": lambda image, sigma=sigma: blur(image, sigma) for sigma in _BLURS}
    pcas = {f"pca_{n}": lambda image, n=n: project(image, mean, basis[:n]) for n in _COMPONENTS}
    return {"sharp": lambda image: image} | blurs | pcas


# -- the second opinion --------------------------------------------------------------------------


def find(judge: Judge, image: Pixels) -> list[Found]:
    """Return the things that the judge finds."""
    return [Found(d.noun, d.color, d.xyxy_px) for d in judge.perceive(Image.fromarray(image)).detections]


def crops(scene: Scene) -> list[Pixels]:
    """Return the pictures of a scene's objects, with a little around them."""
    image = Image.fromarray(scene.image)
    edges = [(x0, y0, x1, y1, (x1 - x0) // 16) for x0, y0, x1, y1 in (item.xyxy_px for item in scene.objects)]
    return [np.asarray(image.crop((x0 - r, y0 - r, x1 + r, y1 + r))) for x0, y0, x1, y1, r in edges]


def classify(judge: Judge, scene: Scene) -> list[str]:
    """Return how the judge classifies each object of a scene: the noun of the nearest detection, or ""."""
    detections = judge.perceive(Image.fromarray(scene.image)).detections
    nouns = []
    for x0, y0, x1, y1 in (item.xyxy_px for item in scene.objects):
        x, y = (x0 + x1) / 2, (y0 + y1) / 2
        near = [(abs(d.x - x) + abs(d.y - y), d.noun) for d in detections]
        nouns.append(min((n for n in near if n[0] < (x1 - x0) / 2), default=(0.0, ""))[1])
    return nouns


def second_opinion(judge: Judge, n: int) -> Row:
    """Return how often judge and prototypes agree on the objects of n scenes, and how often each is right."""
    name = "second_opinion"
    try:
        prototypes = PrototypeClassifier()
    except ScopeError as missing:
        return Row(name=name, note=str(missing))
    trios: list[tuple[str, str, str]] = []
    for style in VENDORS:
        scenes = [compose(plan, (SEED, 4, i)) for i, plan in enumerate(islice(plans(SEED + 4, (style,)), n // 3))]
        by_prototype = prototypes.classify([crop for scene in scenes for crop in crops(scene)], style)
        truth = [item.noun for scene in scenes for item in scene.objects]
        trios += zip(truth, [noun for scene in scenes for noun in classify(judge, scene)], by_prototype, strict=True)
    metrics = {
        "agreement": share(sum(a == b for _, a, b in trios), len(trios)),
        "accuracy": share(sum(truth == b for truth, _, b in trios), len(trios)),
        "judge_accuracy": share(sum(truth == a for truth, a, _ in trios), len(trios)),
    }
    return Row(name=name, metrics=metrics, note="nouns of things; prototypes of the other vendors' drawings")


# -- all together --------------------------------------------------------------------------------


def measure(quick: bool = False) -> Results:
    """Return the judge's ceiling; `quick` on a few scenes.

    Raises: ScopeError if fewer scenes were scored than expected, or Tesseract is not installed.
    """
    judge = load()
    n, n_signs, n_others = (QUICK,) * 3 if quick else (SCENES, SIGNS, OTHERS)
    rows = tally(judge, islice(plans(SEED), n), SEED, frozenset(_ROWS) - {Type.TEXT})
    signs = list(islice(signed(SEED + 1), n_signs))
    rows |= tally(judge, iter(signs), SEED + 1, frozenset({Type.TEXT}))
    if len(rows["text"]) != n_signs or len(rows["entity"]) < n:
        raise ScopeError("fewer scenes were scored than expected; the results are not written")
    rows = {name: rows[name] for name in _ROWS.values()}
    for name, numeric in (("words", False), ("numbers", True)):
        rows[name] = [pair for plan, pair in zip(signs, rows["text"], strict=True) if _is_number(plan) is numeric]
    types = frozenset(_ROWS) - {Type.TEXT, Type.STYLE}
    for vendor in HELD_OUT_VENDORS:
        pairs = tally(judge, islice(plans(SEED + 2, (vendor,)), n_others), SEED + 2, types)
        rows[vendor] = [pair for part in pairs.values() for pair in part]
    return Results(
        name="judge", command="scope bench judge", seeds=(SEED,), n_expected=n, judge=f"{judge.name}@{judge.version}",
        rows=(*(_row(name, pairs) for name, pairs in rows.items()), *degraded(judge, n_others),
              *detections.rows(lambda image: find(judge, image), n_others), second_opinion(judge, n_others)),
    )  # fmt: skip


def _is_number(plan: Plan) -> bool:
    return plan.text is not None and plan.text.isdigit()


def degraded(judge: Judge, n: int) -> Iterator[Row]:
    """Yield how many commitments are met of pictures that are degraded more and more; none of words."""
    scenes = [(p, compose(p, (SEED, 3, i)).image) for i, p in enumerate(islice(plans(SEED + 3), n))]
    specs = [specification(plan) for plan, _ in scenes]
    checked = [[c for c in spec.commitments if c.type not in (Type.TEXT, Type.ABSENCE)] for spec in specs]
    for name, degrade in degradations([image for _, image in scenes]).items():
        hits = [
            hit
            for (_, image), spec, commitments in zip(scenes, specs, checked, strict=True)
            for hit in met(judge, degrade(image), commitments, spec)
        ]
        yield Row(name=name, metrics={"accuracy": share(sum(hits), len(hits))}, note="all but words and absence")


def _row(name: str, pairs: list[tuple[bool, bool]]) -> Row:
    right, wrong = (sum(column) for column in zip(*pairs, strict=True))
    metrics: dict[str, Metric] = {"accuracy": share(right, len(pairs)), "false_pass": share(wrong, len(pairs))}
    return Row(name=name, metrics=metrics)
