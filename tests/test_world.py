"""The pocket world: pictures, truths, words and promises agree with each other."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from scope.benchmarks.parser import _pocket_truth, meaning
from scope.spec import Type
from scope.worlds.background import background
from scope.worlds.catalogue import COCO, COLORS, CONCEPTS, FIRST, MAX_COUNT, RELATIONS, SETTINGS
from scope.worlds.pocket import Group, Plan, broken, caption, compose, held_out, sample, specification
from scope.worlds.sprites import sprite

seeds = st.integers(0, 2**31)


def plan_of(seed: int, split: str = "train") -> Plan:
    return sample(np.random.default_rng(seed), split, tuple(CONCEPTS))  # type: ignore[arg-type]


def test_the_vocabulary_is_as_large_as_promised():
    assert len(CONCEPTS) >= 150
    assert set(COCO) < set(CONCEPTS)
    assert len(COCO) == 80
    assert len(FIRST) == 32
    assert len(COLORS) == 11
    assert len(SETTINGS) - 1 >= 12  # without "plain"
    assert set(RELATIONS) == {"left of", "right of", "above", "below", "between", "on top of"}
    assert MAX_COUNT == 5


@given(seeds)
def test_a_scene_is_a_pure_function_of_plan_and_seed(seed):
    plan = plan_of(seed)
    first, again = compose(plan, seed), compose(plan, seed)
    assert np.array_equal(first.image, again.image)
    assert first.objects == again.objects


@given(seeds)
def test_the_truth_holds_what_the_plan_asks_for(seed):
    plan = plan_of(seed)
    scene = compose(plan, seed)
    assert scene.image.shape == (128, 128, 3)
    for index, group in enumerate(plan.groups):
        mine = [o for o in scene.objects if o.group == index]
        assert len(mine) == group.count
        assert {(o.noun, o.color) for o in mine} == {(group.noun, group.color)}


@given(seeds)
def test_objects_do_not_overlap_and_relations_are_exact(seed):
    scene = compose(plan_of(seed), seed)
    taken = np.zeros((128, 128), int)
    for thing in scene.objects:
        x0, y0, x1, y1 = thing.box
        taken[y0:y1, x0:x1] += 1
    assert taken.max() <= 1
    if scene.plan.relation:
        first, second = ([o.box for o in scene.objects if o.group == g] for g in (0, 1))
        low, high = (0, 2) if scene.plan.relation in ("left of", "right of") else (1, 3)
        before, after = (first, second) if scene.plan.relation in ("left of", "above") else (second, first)
        assert max(b[high] for b in before) <= min(b[low] for b in after)


@given(seeds)
def test_splits_do_not_share_a_plan(seed):
    assert not held_out(plan_of(seed, "train"))
    assert held_out(plan_of(seed, "held_out"))


@given(seeds)
def test_spans_hold_the_words_of_their_group(seed):
    plan = plan_of(seed)
    words = caption(plan, np.random.default_rng(seed))
    for start, end, group in words.spans[: len(plan.groups)]:
        said, thing = words.text[start:end], plan.groups[group - 1]
        assert said.endswith((thing.noun, CONCEPTS[thing.noun].plural))
        assert thing.color is None or thing.color in said
    if plan.text:
        assert words.quoted == (plan.text,)
        assert plan.text in words.text


@given(seeds)
def test_the_promise_means_what_the_plan_says(seed):
    plan = plan_of(seed)
    things, relations, rest = _pocket_truth(plan)
    promised = meaning(specification(plan))
    if plan.text:  # the promise speaks of the words, not of the board they stand on
        del things[("sign", 1, ())]
    assert promised == (things, relations, rest)


@given(seeds)
def test_a_broken_plan_breaks_exactly_that_promise(seed):
    plan, random = plan_of(seed), np.random.default_rng(seed)
    before = specification(plan)
    for commitment in before.commitments:
        after = specification(broken(plan, commitment, random, tuple(CONCEPTS)))
        kept = {(c.type, c.targets): c.value for c in after.commitments if c.type is not Type.PRESENCE}
        entities = [c.value for c in after.of(Type.PRESENCE)]
        for other in before.commitments:
            if other.type is Type.PRESENCE:
                still = other.value in entities
            elif other.type is Type.COUNT and other.targets == commitment.targets and commitment.type is Type.COUNT:
                still = kept.get((Type.COUNT, other.targets), 1) == other.value
            else:
                still = kept.get((other.type, other.targets)) == other.value
            assert still == (other.id != commitment.id), (commitment, other)


@pytest.mark.parametrize("color", list(COLORS))
def test_recolouring_brings_the_body_to_the_colour(color):
    """Over all drawings, the recoloured body is nearer to its own colour than to any other of the palette."""
    palette = np.array(list(COLORS.values())) / 255
    right = 0
    for noun in CONCEPTS:
        rgb, alpha = sprite(noun, color, 64)
        natural, _ = sprite(noun, None, 64)
        body = (np.abs(rgb - natural).sum(-1) > 0.05) & (alpha[..., 0] > 0.9)
        if body.sum() < 50:
            right += 1  # it already had this colour
            continue
        median = np.median(rgb[body], axis=0)
        right += list(COLORS)[int(np.linalg.norm(palette - median, axis=1).argmin())] == color
    assert right / len(CONCEPTS) > 0.85


def test_settings_are_told_apart_by_their_mean_rows():
    means = {s: background(s).mean(1) for s in SETTINGS}
    for a in SETTINGS:
        for b in SETTINGS:
            assert a == b or np.abs(means[a] - means[b]).mean() > 0.03, (a, b)


def test_no_drawing_is_empty_or_drawn_twice():
    drawn = {noun: sprite(noun, None, 32) for noun in CONCEPTS}
    assert all(alpha.mean() > 0.1 for _, alpha in drawn.values())
    flat = {noun: (rgb * alpha).tobytes() for noun, (rgb, alpha) in drawn.items()}
    assert len(set(flat.values())) == len(flat)


def test_a_group_says_its_count():
    words = caption(Plan((Group("fish", 3, "red"),)), np.random.default_rng(1))
    assert "fish" in words.text
    assert any(n in words.text for n in ("three", "3"))
