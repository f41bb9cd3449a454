"""The reward's detector: its targets and losses; and what is scored of what it sees."""

from itertools import islice

import numpy as np
import pytest
import torch

from scope.benchmarks.experiments.judge import plans, signed
from scope.models.reward_detector import (  # fmt: skip
    CHARACTERS,
    NOTHING,
    SIGN,
    Classes,
    Proposals,
    RewardDetector,
    Seen,
    Thing,
    look,
    mended,
    propose,
    text_of,
)
from scope.nn.boxes import pairwise_iou, xywh
from scope.parsing.grammar import Grammar
from scope.specification import Type
from scope.training.data.cluttered_scenes import cluttered_scene, sign_scene
from scope.training.recipes.reward import (
    CLUTTER,
    cell_targets,
    class_loss,
    proposal_loss,
    reading_loss,
    shown_in,
    targets,
)
from scope.training.rewards import Reward, is_whole, mean_share, score
from scope.worlds.pocket import Plan, compose, counterfactual, specification
from scope.worlds.pocket.catalogue import COLOR_NAMES, NOUNS, SETTING_NAMES, VENDORS, drawn_by


def one_hot(index: int, names: tuple[str, ...]) -> tuple[float, ...]:
    return tuple(float(i == index) for i in range(len(names)))


def perfectly_seen(plan: Plan, seed: int) -> Seen:
    """What a detector sees that knows the truth."""
    scene, style = compose(plan, (7, seed)), one_hot(VENDORS.index(plan.style), VENDORS)
    things = tuple(
        Thing(o.noun, 1.0, one_hot(COLOR_NAMES.index(o.color or "red"), COLOR_NAMES), style, xywh(o.xyxy_px))
        for o in scene.objects
    )
    return Seen(things, (plan.text,) if plan.text else (), one_hot(SETTING_NAMES.index(plan.setting), SETTING_NAMES))


# -- the detector --------------------------------------------------------------------------------


def perfect(scenes, truth) -> tuple[Proposals, Classes]:
    """What the model says that knows the truth."""
    setting = torch.nn.functional.one_hot(truth.setting, len(SETTING_NAMES)) * 30.0
    cells = Proposals(torch.where(truth.heat == 1, 12.0, -12.0), truth.offset, truth.log_size, setting, ())
    sizes = (len(NOUNS) + 2, len(COLOR_NAMES), len(VENDORS))
    logits = (
        torch.nn.functional.one_hot(index.clamp_min(0), n) * 30.0
        for index, n in zip((truth.noun, truth.color, truth.style), sizes, strict=True)
    )
    return cells, Classes(*logits, truth.shift)


def test_a_perfect_detector_has_no_loss_and_proposes_the_truth():
    random = np.random.default_rng(0)
    scenes = [cluttered_scene(random, CLUTTER) for _ in range(8)]
    truth = targets(scenes, 5, 3, random)
    cells, classes = perfect(scenes, truth)
    losses = proposal_loss(cells, truth) | class_loss(classes, truth)
    assert sum(losses.values()).item() == pytest.approx(0, abs=1e-2)
    for i, scene in enumerate(scenes):
        boxes, true = propose(cells, i), torch.tensor([box for box, *_ in shown_in(scene)])
        assert len(boxes) == len(true)
        assert torch.allclose(boxes[pairwise_iou(true, boxes).argmax(1)], true, atol=1e-3)


def test_two_of_a_noun_that_overlap_have_two_peaks():
    heat, near, *_ = cell_targets([(40.0, 60.0, 50.0, 30.0), (82.0, 66.0, 44.0, 36.0)])
    assert (heat == 1).sum() == 2
    assert 2 * 4 <= near.sum() <= 2 * 9


def test_boxes_that_are_asked_about_show_a_thing_a_sign_or_nothing():
    random = np.random.default_rng(1)
    scenes = [cluttered_scene(random, CLUTTER) for _ in range(12)]
    truth, signs = targets(scenes, 5, 3, random), 0
    assert truth.boxes.shape == (12, 8, 4)
    for i, scene in enumerate(scenes):
        true = torch.tensor([box for box, *_ in shown_in(scene)])
        best, which = pairwise_iou(truth.boxes[i], true).max(1)
        shown = truth.noun[i] != NOTHING
        assert (best[~shown] < 0.4).all()
        assert (best[shown] > 0.3).all()  # thin ones share little with what is a pixel off
        assert torch.allclose(mended(truth.boxes[i], truth.shift[i])[shown], true[which][shown], atol=1e-3)
        signs += int((truth.noun[i] == SIGN).any())
    assert signs == sum(scene.sign is not None for scene in scenes)


def test_what_is_read_is_the_likeliest_text():
    columns = [0, 3, 3, 0, 3, 1, 1, 0]
    assert text_of(torch.nn.functional.one_hot(torch.tensor(columns), 1 + len(CHARACTERS)).float()) == "CCA"


def test_reading_loss_is_least_of_the_text_that_is_there():
    columns = torch.tensor([c for i in (1, 2, 2, 36) for c in [0] * 4 + [i] * 11])
    logits = torch.nn.functional.one_hot(columns, 1 + len(CHARACTERS)).float()[None] * 20
    right, wrong = (reading_loss(logits, [text]).item() for text in ("ABB9", "ABC9"))
    assert right == pytest.approx(0, abs=1e-3)
    assert wrong > 2


def test_a_sign_scene_shows_a_sign_and_no_thing():
    scene = sign_scene(np.random.default_rng(2))
    assert scene.objects == ()
    assert scene.sign is not None
    x0, y0, x1, _ = scene.sign.xyxy_px
    assert scene.image[y0 + 3, x0 + 3 : x1 - 3].min() > 200


def test_whatever_it_sees_it_answers():
    torch.manual_seed(0)
    model = RewardDetector(12, 4).eval()
    seen = look(model, torch.rand(3, 3, 128, 128) * 2 - 1)
    assert len(seen) == 3
    assert all(sum(s.setting) == pytest.approx(1, abs=1e-4) for s in seen)


# -- the scores ----------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def true_scenes() -> list[tuple[Plan, int]]:
    return [(plan, i) for i, plan in enumerate((*islice(plans(21), 60), *islice(signed(22), 10)))]


@pytest.mark.heavy
def test_what_is_perfectly_seen_is_whole(true_scenes):
    for plan, seed in true_scenes:
        spec = specification(plan)
        scores = score(perfectly_seen(plan, seed), spec)
        assert set(scores) == {c.id for c in spec.commitments}
        assert is_whole(scores), (plan, {c.claim: scores[c.id] for c in spec.commitments if not scores[c.id].met})
        assert mean_share(scores) == pytest.approx(1)


@pytest.mark.heavy
def test_every_counterfactual_loses_what_it_violates(true_scenes):
    random = np.random.default_rng(7)
    for plan, seed in true_scenes:
        spec = specification(plan)
        for commitment in spec.commitments:
            violated = counterfactual(plan, commitment, random, drawn_by(plan.style))
            found = score(perfectly_seen(violated, seed), spec)[commitment.id]
            assert not found.met, (plan, commitment.claim)
            assert found.share < 1


def thing(noun: str, color: str, x: float, y: float, chance: float = 0.9) -> Thing:
    return Thing(
        noun, chance, one_hot(COLOR_NAMES.index(color), COLOR_NAMES), (1.0, 0.0, 0.0), (float(x), float(y), 30.0, 20.0)
    )


def scores_of(prompt: str, *things: Thing, words: tuple[str, ...] = ()) -> dict[Type, float]:
    spec = Grammar().decompose(prompt)
    found = score(Seen(things, words, one_hot(0, SETTING_NAMES)), spec)
    return {spec[id_].type: one.share for id_, one in found.items()}


def test_the_nearer_the_count_the_larger_the_share():
    dogs = [thing("dog", "red", 20.0 * i, 60) for i in range(1, 6)]
    shares = [scores_of("three dogs", *dogs[:n])[Type.COUNT] for n in range(1, 6)]
    assert shares[0] < shares[1] < shares[2] == 1
    assert shares[2] > shares[3] > shares[4]


def test_a_relation_counts_each_pair():
    apples = [thing("apple", "red", 20, 60), thing("apple", "red", 100, 60)]
    shares = scores_of("two apples to the left of a car", *apples, thing("car", "blue", 60, 60))
    assert shares[Type.RELATION] == 0.5


def test_the_less_likely_the_smaller_the_share():
    assert scores_of("a dog", thing("dog", "red", 9, 9, 0.3))[Type.PRESENCE] == pytest.approx(0.3)
    assert scores_of("a car, no dogs", thing("dog", "red", 9, 9, 0.3))[Type.ABSENCE] == pytest.approx(0.7)


def test_text_is_as_near_as_the_nearest_sign():
    shares = scores_of('a sign that says "FRESH"', words=("FLESH", "ZOO"))
    assert shares[Type.TEXT] == pytest.approx(0.8)
    assert scores_of('a sign that says "FRESH"')[Type.TEXT] == 0


def test_it_leaves_out_what_it_knows_nothing_of():
    assert Type.PRESENCE not in scores_of("a quasar")
    assert Type.ATTRIBUTE not in scores_of("a wooden car", thing("car", "red", 9, 9))


def test_entities_of_one_noun_are_told_apart_by_colour():
    spec = Grammar().decompose("a red apple and a green apple")
    found = score(Seen((thing("apple", "red", 20, 20),), (), one_hot(0, SETTING_NAMES)), spec)
    assert [found[c.id].met for c in spec.of(Type.PRESENCE)] == [True, False]


def test_pictures_of_any_size_are_scored():
    torch.manual_seed(0)
    reward, spec = Reward(RewardDetector(12, 4)), Grammar().decompose("a red apple on a beach")
    small = torch.rand(1, 3, 128, 128) * 2 - 1
    large = small.repeat_interleave(2, 2).repeat_interleave(2, 3)
    one, other = (reward.score(images, [spec])[0] for images in (small, large))
    assert one == other
    assert all(0 <= s.share <= 1 for s in one.values())
