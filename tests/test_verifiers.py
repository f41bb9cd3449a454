"""What the verifiers conclude from detections written by hand; and the detector's own maps."""

import math
from dataclasses import replace

import numpy as np
import pytest
import torch
from PIL import Image, ImageDraw, ImageFont

from scope.models.detector import NAMED, SIGN, Detection, Detector, DetectorOutput, detect, look
from scope.nn.boxes import xyxy
from scope.parsing.grammar import Grammar
from scope.training.data.cluttered_scenes import (
    WORLD_VENDORS,
    Clutter,
    ClutteredScene,
    PlacedObject,
    cluttered_scene,
    of_world,
)
from scope.training.recipes.detector import detector_loss, targets
from scope.verifiers.objects import DetectedScene
from scope.verifiers.text import TextVerifier, similarity
from scope.worlds.pocket import Group, Plan, compose, held_out, sample_whole
from scope.worlds.pocket.catalogue import COLOR_NAMES, SETTING_NAMES
from scope.worlds.pocket.framing import frame_of


def thing(noun: str, color: str, x: float, y: float) -> Detection:
    return Detection(noun, color, 0.9, 0.9, (x - 16.0, y - 16.0, x + 16.0, y + 16.0))


TWO_DOGS = (
    PlacedObject("dog", "red", "noto", (40.0, 60.0, 54.0, 30.0), (40.0, 60.0, 50.0, 30.0)),
    PlacedObject("dog", "red", "noto", (82.0, 66.0, 48.0, 36.0), (82.0, 66.0, 44.0, 36.0)),
)

APPLES_LEFT = [thing("apple", "red", 20, 40), thing("apple", "red", 40, 90), thing("car", "blue", 100, 60)]

MICE = [
    *(thing("mouse", "red", 16 * i, 20) for i in range(1, 5)),
    *(thing("mouse", "yellow", 16 * i, 90) for i in (1, 4)),
]

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
    ("a quasar", APPLES_LEFT, "plain", {"None:presence", "None:count"}),
    ("a wooden car", APPLES_LEFT, "plain", {"met", "None:attribute"}),
    ("a car behind two apples", APPLES_LEFT, "plain", {"met", "violated:relation"}),
    ("a car holding two apples", APPLES_LEFT, "plain", {"met", "None:relation"}),
    # A singular promises one, and a bound what its words say.
    ("a car and an apple", APPLES_LEFT, "plain", {"met", "violated:count"}),
    ("at least two apples", APPLES_LEFT, "plain", {"met"}),
    ("at least three apples", APPLES_LEFT, "plain", {"met", "violated:count"}),
    ("at most three apples", APPLES_LEFT, "plain", {"met"}),
    ("fewer than two apples", APPLES_LEFT, "plain", {"met", "violated:count"}),
    ("between two and four apples", APPLES_LEFT, "plain", {"met"}),
    ("three to five apples", APPLES_LEFT, "plain", {"met", "violated:count"}),
    ("a car in the top left", [thing("car", "blue", 20, 20)], "plain", {"met"}),
    ("a car in the top left", APPLES_LEFT, "plain", {"met", "violated:setting"}),
    # Whether words can be read is the text verifier's to say; where the sign stands is seen here.
    (
        'a sign that says "HI" above a car',
        [thing("sign", "white", 64, 20), thing("car", "red", 64, 90)],
        "plain",
        {"met", "None:text", "None:presence"},
    ),
    (
        'a sign that says "HI" above a car',
        [thing("sign", "white", 64, 90), thing("car", "red", 64, 20)],
        "plain",
        {"met", "None:text", "None:presence", "violated:relation"},
    ),
    # What is narrower than the world's words is seen as the wider one, a synonym as its noun.
    ("two bunnies", [thing("rabbit", "white", 30, 60), thing("rabbit", "white", 90, 60)], "plain", {"met"}),
    ("a golden retriever", [thing("dog", "yellow", 64, 64)], "plain", {"met"}),
    ("a poodle and a cat", [thing("dog", "yellow", 64, 64)], "plain", {"violated:presence"}),
    # Two kinds of a noun are two things, and each of them is counted with the other.
    ("a corgi and a golden retriever", [thing("dog", "yellow", 64, 64)], "plain", {"violated:presence"}),
    (
        "a corgi and a golden retriever",
        [thing("dog", "yellow", 30, 64), thing("dog", "brown", 90, 64)],
        "plain",
        {"met"},
    ),
    ("two corgis and a golden retriever", [thing("dog", "brown", x, 64) for x in (20, 60, 100)], "plain", {"met"}),
    # A part is counted among the whole, by its colour or its place; all of the whole, whatever its colour.
    ("six mice, four are red and two are yellow", MICE, "plain", {"met"}),
    ("six mice, three of them red", MICE, "plain", {"met", "violated:count"}),
    ("five mice, four of them red", MICE, "plain", {"met", "violated:count"}),
    ("six mice, one of them green", MICE, "plain", {"met", "violated:presence", "violated:attribute"}),
    ("six mice, two of them sleeping", MICE, "plain", {"met", "None:presence", "None:count", "None:attribute"}),
    (
        "two cats, one black and one white",
        [thing("cat", "black", 30, 60), thing("cat", "white", 90, 60)],
        "plain",
        {"met"},
    ),
    (
        "two cups. The left cup is red and the right cup is blue.",
        [thing("cup", "blue", 30, 60), thing("cup", "red", 90, 60)],
        "plain",
        {"met", "violated:relation"},
    ),
    # What stands together is near each other.
    ("a man with a dog", [thing("person", "red", 30, 60), thing("dog", "brown", 60, 60)], "plain", {"met"}),
    (
        "a man with a dog",
        [thing("person", "red", 20, 20), thing("dog", "brown", 100, 100)],
        "plain",
        {"met", "violated:relation"},
    ),
    # A place by night is two commitments.
    ("two apples in a city at night", APPLES_LEFT, "city by night", {"met"}),
    ("two apples in a city at night", APPLES_LEFT, "city", {"met", "violated:setting"}),
]


@pytest.mark.parametrize(("prompt", "found", "setting", "expected"), CASES, ids=[c[0] for c in CASES])
def test_what_follows_from_what_is_found(prompt, found, setting, expected):
    spec = Grammar().decompose(prompt)
    scene = DetectedScene(found, setting, spec)
    findings = {(o, c.type) for c in spec.commitments for o, _, _ in [scene.check(c)]}
    outcomes = {"met" if outcome == "met" else f"{outcome}:{type_}" for outcome, type_ in findings}
    # A missing entity breaks what is said of it too; the machine blocks those, so only the cause is compared.
    if "violated:presence" in outcomes:
        outcomes -= {"violated:count", "violated:relation"} | ({"violated:attribute"} - expected)
    assert outcomes == expected


def maps_of(truth: dict[str, torch.Tensor]) -> DetectorOutput:
    """Return the maps of a detector that is right everywhere."""

    def logits(index: torch.Tensor, classes: int) -> torch.Tensor:
        one_hot = torch.nn.functional.one_hot(index.clamp_min(0), classes).movedim(-1, 1)
        return 40.0 * one_hot - 20

    setting = 40.0 * torch.nn.functional.one_hot(truth["setting"], len(SETTING_NAMES)) - 20
    return DetectorOutput(
        center=40.0 * (truth["center"] == 1) - 20,
        noun=logits(truth["noun"], len(NAMED)),
        color=logits(truth["color"], len(COLOR_NAMES)),
        offset=truth["offset"],
        log_size=truth["log_size"],
        setting=setting,
    )


def test_a_perfect_detector_finds_the_truth_and_has_no_loss():
    random = np.random.default_rng(0)
    scenes = [of_world(compose(sample_whole(random), i)) for i in range(40)]
    scenes += [cluttered_scene(random, Clutter(WORLD_VENDORS)) for _ in range(20)]
    truth = targets(scenes)
    maps = maps_of(truth)
    loss, _ = detector_loss(maps, truth)
    assert loss.item() == pytest.approx(0, abs=1e-3)
    for i, scene in enumerate(scenes):
        seen = detect(maps, i)
        boards = [d.xyxy_px for d in seen if d.noun == SIGN]
        assert len(boards) == (scene.sign is not None)
        if scene.sign is not None:
            assert boards[0] == pytest.approx(scene.sign.xyxy_px, abs=1e-2)
        found = sorted((d for d in seen if d.noun != SIGN), key=lambda d: (d.noun, d.xyxy_px))
        true = sorted(scene.objects, key=lambda o: (o.noun, _in_picture(o)))
        assert len(found) == len(true)
        for one, other in zip(found, true, strict=True):
            assert one.noun == other.noun
            assert one.xyxy_px == pytest.approx(_in_picture(other), abs=1e-2)


def _in_picture(thing: PlacedObject) -> tuple[float, ...]:
    """What the frame that is known from its ink and its noun shows of the picture."""
    return tuple(min(128, max(0, edge)) for edge in frame_of(xyxy(thing.ink), thing.noun))


def test_things_that_overlap_a_little_are_two_and_one_seen_twice_is_one():
    truth = targets([ClutteredScene(np.zeros((128, 128, 3), np.uint8), TWO_DOGS, "plain")])
    maps = maps_of(truth)
    assert [d.noun for d in detect(maps, 0)] == ["dog", "dog"]
    row, column = (int(v) for v in (maps.center[0] > 0).nonzero()[0])
    maps.center[0, row, column + 1] = 10.0  # less sure than its neighbour, of the same box
    maps.center[0, row, column + 2] = 10.0
    maps.offset[0, 0, row, column + 2] = maps.offset[0, 0, row, column] - 2
    maps.log_size[0, :, row, column + 2] = maps.log_size[0, :, row, column]
    maps.offset[0, 1, row, column + 2] = maps.offset[0, 1, row, column]
    assert len(detect(maps, 0)) == 2


class Knowing(Detector):
    """Sees a scene rightly, wherever it was moved by half a cell."""

    def __init__(self, scene: ClutteredScene) -> None:
        super().__init__(16, 1)
        self.scene = scene

    def forward(self, images: torch.Tensor) -> DetectorOutput:
        moved = [
            replace(o, ink=(o.ink[0] + x, o.ink[1] + y, *o.ink[2:]))
            for x in (0, 4) for y in (0, 4) for o in self.scene.objects
        ]  # fmt: skip
        n = len(self.scene.objects)
        return maps_of(targets([replace(self.scene, objects=tuple(moved[i * n : i * n + n])) for i in range(4)]))


def test_four_looks_find_every_thing_once_where_it_is():
    scene = replace(cluttered_scene(np.random.default_rng(5), Clutter(WORLD_VENDORS)), objects=TWO_DOGS)
    found, setting = look(Knowing(scene), torch.zeros(1, 3, 128, 128))
    assert setting == scene.setting
    assert [d.noun for d in found] == ["dog", "dog"]
    boxes = sorted(d.xyxy_px for d in found)
    for box, true in zip(boxes, sorted(_in_picture(o) for o in TWO_DOGS), strict=True):
        assert box == pytest.approx(true, abs=1e-3)


@pytest.mark.parametrize(
    ("likely", "named"),
    [({}, "wolf"), ({"dog": 10.0}, "dog"), ({"wolf": 10.0}, "wolf"), ({"cat": 10.0}, "wolf"), ({"dog": 2.0}, "wolf")],
)
def test_of_what_looks_alike_it_is_what_was_likelier_drawn(likely: dict[str, float], named: str) -> None:
    class Doubtful(Knowing):
        """Gives four to one that a dog is a wolf."""

        def forward(self, images: torch.Tensor) -> DetectorOutput:
            seen = super().forward(images)
            nouns = torch.full_like(seen.noun, -30.0)
            nouns[:, NAMED.index("wolf")], nouns[:, NAMED.index("dog")] = math.log(4), 0.0
            return replace(seen, noun=nouns)

    scene = replace(cluttered_scene(np.random.default_rng(5), Clutter(WORLD_VENDORS)), objects=TWO_DOGS)
    found, _ = look(Doubtful(scene), torch.zeros(1, 3, 128, 128), likely=likely)
    assert [d.noun for d in found] == [named, named]


def test_a_cluttered_scene_for_the_loop_holds_no_drawing_of_a_held_out_vendor_or_colour():
    random = np.random.default_rng(1)
    objects = [shown for _ in range(60) for shown in cluttered_scene(random, Clutter(WORLD_VENDORS)).objects]
    assert len(objects) > 200
    assert not any(held_out(Plan((Group(shown.noun, 1, shown.color),))) for shown in objects)


def test_the_detector_has_one_answer_per_cell():
    maps = Detector(16, 1).eval()(torch.zeros(2, 3, 128, 128))
    assert maps.center.shape == (2, 16, 16)
    assert maps.noun.shape == (2, len(NAMED), 16, 16)
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
