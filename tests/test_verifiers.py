"""What the verifiers conclude from detections written by hand; and the detector's own maps."""

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from scope.models.detector import Detection, Detector, DetectorOutput, detect
from scope.parsing.grammar import Grammar
from scope.training.data.cluttered_scenes import WORLD_VENDORS, cluttered_scene, of_world
from scope.training.recipes.detector import detector_loss, targets
from scope.verifiers.objects import DetectedScene
from scope.verifiers.text import TextVerifier, similarity
from scope.worlds.pocket import Group, Plan, compose, held_out, sample
from scope.worlds.pocket.catalogue import COLOR_NAMES, NOUNS, SETTING_NAMES


def thing(noun: str, color: str, x: float, y: float) -> Detection:
    return Detection(noun, color, 0.9, 0.9, (x - 16.0, y - 16.0, x + 16.0, y + 16.0))


APPLES_LEFT = [thing("apple", "red", 20, 40), thing("apple", "red", 40, 90), thing("car", "blue", 100, 60)]

CASES = [
    ("two red apples to the left of a blue car on a beach", APPLES_LEFT, "beach", {"met"}),
    ("two red apples to the right of a blue car", APPLES_LEFT, "plain", {"met", "violated:relation"}),
    ("three red apples", APPLES_LEFT, "plain", {"met", "violated:count"}),
    ("two green apples", APPLES_LEFT, "plain", {"met", "violated:attribute"}),
    ("a dog", APPLES_LEFT, "plain", {"violated:presence"}),
    ("a car at night", APPLES_LEFT, "beach", {"met", "violated:setting"}),
    ("a car, no dogs", APPLES_LEFT, "plain", {"met"}),
    ("a car, no apples", APPLES_LEFT, "plain", {"met", "violated:absence"}),
    (
        "a red apple and a green apple",
        [thing("apple", "red", 20, 20), thing("apple", "green", 90, 20)],
        "plain",
        {"met"},
    ),
    ("a red apple and a green apple", [thing("apple", "red", 20, 20)], "plain", {"met", "violated:presence"}),
    ("an automobile", APPLES_LEFT, "plain", {"met"}),
    ("a unicorn", APPLES_LEFT, "plain", {"None:presence"}),
    ("a wooden car", APPLES_LEFT, "plain", {"met", "None:attribute"}),
    ("a car behind an apple", APPLES_LEFT, "plain", {"met", "violated:relation"}),
    ("a car holding an apple", APPLES_LEFT, "plain", {"met", "None:relation"}),
    ("a car in the top left", [thing("car", "blue", 20, 20)], "plain", {"met"}),
    ("a car in the top left", APPLES_LEFT, "plain", {"met", "violated:setting"}),
]


@pytest.mark.parametrize(("prompt", "found", "setting", "expected"), CASES, ids=[c[0] for c in CASES])
def test_what_follows_from_what_is_found(prompt, found, setting, expected):
    spec = Grammar().decompose(prompt)
    scene = DetectedScene(found, setting, spec)
    findings = {(o, c.type) for c in spec.commitments for o, _, _ in [scene.check(c)]}
    outcomes = {"met" if outcome == "met" else f"{outcome}:{type_}" for outcome, type_ in findings}
    # A missing entity breaks what is said of it too; the machine blocks those, so only the cause is compared.
    if "violated:presence" in outcomes:
        outcomes -= {"violated:attribute", "violated:count", "violated:relation"}
    assert outcomes == expected


def maps_of(truth: dict[str, torch.Tensor]) -> DetectorOutput:
    """Return the maps of a detector that is right everywhere."""

    def logits(index: torch.Tensor, classes: int) -> torch.Tensor:
        one_hot = torch.nn.functional.one_hot(index.clamp_min(0), classes).movedim(-1, 1)
        return 40.0 * one_hot - 20

    setting = 40.0 * torch.nn.functional.one_hot(truth["setting"], len(SETTING_NAMES)) - 20
    return DetectorOutput(
        center=40.0 * (truth["center"] == 1) - 20,
        noun=logits(truth["noun"], len(NOUNS)),
        color=logits(truth["color"], len(COLOR_NAMES)),
        side=truth["side"],
        setting=setting,
    )


def test_a_perfect_detector_finds_the_truth_and_has_no_loss():
    random = np.random.default_rng(0)
    scenes = [compose(sample(random, "train", NOUNS), i) for i in range(40)]
    truth = targets([of_world(scene) for scene in scenes], np.zeros((40, 2), np.int64))
    maps = maps_of(truth)
    loss, _ = detector_loss(maps, truth)
    assert loss.item() == pytest.approx(0, abs=1e-3)
    for i, scene in enumerate(scenes):
        found = sorted((d.noun, *(round(v) for v in d.center)) for d in detect(maps, i))
        true = sorted((o.noun, *(v + o.side_px // 2 for v in o.xyxy_px[:2])) for o in scene.objects)
        assert len(found) == len(true)
        for (noun, x, y), (true_noun, true_x, true_y) in zip(found, true, strict=True):
            assert noun == true_noun
            assert abs(x - true_x) <= 8
            assert abs(y - true_y) <= 8


def test_a_cluttered_scene_for_the_loop_holds_no_drawing_of_a_held_out_vendor_or_colour():
    random = np.random.default_rng(1)
    objects = [shown for _ in range(60) for shown in cluttered_scene(random, WORLD_VENDORS).objects]
    assert len(objects) > 200
    assert not any(held_out(Plan((Group(shown.noun, 1, shown.color),))) for shown in objects)


def test_the_detector_has_one_answer_per_cell():
    maps = Detector(16, 1).eval()(torch.zeros(2, 3, 128, 128))
    assert maps.center.shape == (2, 16, 16)
    assert maps.noun.shape == (2, len(NOUNS), 16, 16)
    assert maps.setting.shape == (2, len(SETTING_NAMES))


@pytest.fixture(scope="module")
def reader() -> TextVerifier:
    return TextVerifier()


def card(words: str) -> Image.Image:
    image = Image.new("RGB", (128, 128), (240, 240, 235))
    font = ImageFont.load_default(26)
    ImageDraw.Draw(image).text((64, 64), words, fill=(20, 20, 30), font=font, anchor="mm")
    return image


@pytest.mark.parametrize(("drawn", "outcome"), [("FRESH", "met"), ("FLESH", "violated"), ("", "violated")])
def test_words_are_read_letter_for_letter(reader, drawn, outcome):
    spec = Grammar().decompose('a sign that says "FRESH"')
    text = next(c for c in spec.commitments if c.type == "text")
    assert reader.check(card(drawn), [text], spec)[0].outcome == outcome


def test_similarity_joins_lines_and_ignores_case_and_space():
    assert similarity("Hello World", ["HELLO", "world"]) == 1
    assert similarity("Hello", []) == 0
    assert 0 < similarity("HELLO", ["HELP"]) < 1


def test_a_strip_has_no_words_and_what_is_not_about_words_is_not_judged() -> None:
    verifier, spec = TextVerifier(), Grammar().decompose('an apple and a sign that says "HI"')
    verdicts = {v.commitment: v.outcome for v in verifier.check(Image.new("RGB", (300, 2)), spec.commitments, spec)}
    words = {c.id for c in spec.commitments if verifier.handles(c)}
    assert {verdicts[i] for i in words} == {"violated"}
    assert {outcome for i, outcome in verdicts.items() if i not in words} == {None}
