"""What benchmarks ask generators to draw: held-out pairs of known nouns, read as they are meant, in boxes that hold."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from PIL import Image

from scope.benchmarks.tasks import SIGNS, TASKS, Case, Prompt, Words, area, covered, facts, meant, prompts, worded
from scope.errors import ScopeError
from scope.parsing.grammar import Grammar
from scope.protocols import Vocabulary
from scope.specification import Type, from_pixels, to_pixels
from scope.worlds.pocket import WORDS, Group, Plan, draw, holds
from scope.worlds.pocket.catalogue import COLORS, HELD_OUT_NOUNS, NOUNS, SETTINGS
from scope.worlds.pocket.sampling import EXTRA_WORDS

pytestmark = pytest.mark.heavy
COUNT = 8
WHOLE = Words.of([None])

#: Of each task: types that its commitments are of.
TYPES = {
    "single_object": {Type.ATTRIBUTE},
    "two_object": {Type.ATTRIBUTE},
    "counting": {Type.COUNT, Type.ATTRIBUTE},
    "position": {Type.RELATION},
    "color_attribution": {Type.ATTRIBUTE},
    "setting": {Type.SETTING, Type.ATTRIBUTE},
    "text": {Type.TEXT, Type.ATTRIBUTE},
    "style": {Type.STYLE, Type.ATTRIBUTE},
    "crowded": {Type.RELATION, Type.ATTRIBUTE},
    "free_boxes": {Type.ATTRIBUTE},
}
#: Types that they may be of beside: "a dog" is exactly one, and "with a sign" a relation.
MORE = {task: {Type.SETTING, Type.COUNT} for task in TYPES} | {"text": {Type.SETTING, Type.COUNT, Type.RELATION}}


@pytest.fixture(scope="module")
def asked() -> dict[str, list[Prompt]]:
    return {task: prompts(task, WHOLE, COUNT) for task in TASKS}


@pytest.mark.parametrize("task", TASKS)
def test_every_prompt_is_held_out_and_says_what_its_task_is_of(task: str, asked: dict[str, list[Prompt]]) -> None:
    assert len({prompt.spec.prompt for prompt in asked[task]}) == COUNT
    for prompt in asked[task]:
        types = {c.type for c in prompt.spec.commitments} - {Type.PRESENCE}
        assert TYPES[task] <= types <= TYPES[task] | MORE[task]
        assert prompt.case.is_held_out
        assert facts(prompt.spec) == meant(prompt.case)


def test_the_same_words_and_seed_give_the_same_prompts_and_no_two_tasks_the_same_noise(
    asked: dict[str, list[Prompt]],
) -> None:
    assert prompts("crowded", WHOLE, COUNT) == asked["crowded"]
    assert prompts("crowded", WHOLE, COUNT, seed=5) != asked["crowded"]
    seeds = [prompt.seed for of_task in asked.values() for prompt in of_task]
    assert len(set(seeds)) == len(seeds)


@pytest.mark.parametrize("task", TASKS)
def test_a_bound_request_has_a_region_for_each_thing_and_all_that_is_said_holds_there(
    task: str, asked: dict[str, list[Prompt]]
) -> None:
    for prompt in asked[task]:
        case, layout = prompt.case, prompt.layout()
        assert len(prompt.bound_request.regions) == case.total
        assert prompt.request == prompt.bound_request.model_copy(update={"regions": ()})
        assert [obj.color for obj in layout.objects] == [g.color for g in case.plan.groups for _ in range(g.count)]
        assert (layout.board is None) == (case.plan.text is None)
        relations = [(0, case.plan.relation, 1)] if case.plan.relation else case.relations
        for subject, name, other in relations:
            boxes: list[Sequence[tuple[int, int, int, int]]] = [
                [obj.xyxy_px for obj in layout.objects if obj.group == group] for group in (subject, other)
            ]
            assert holds(name, *boxes), prompt.spec.prompt


def test_boxes_given_by_hand_are_those_of_the_request_and_of_the_true_scene(asked: dict[str, list[Prompt]]) -> None:
    for prompt in asked["free_boxes"]:
        boxes = prompt.case.boxes
        assert tuple(to_pixels(region.box, 128, 128) for region in prompt.bound_request.regions) == boxes
        assert tuple(obj.xyxy_px for obj in prompt.layout().objects) == boxes
        for i, (x0, y0, x1, y1) in enumerate(boxes):
            width, height = sorted((x1 - x0, y1 - y0))
            assert 20 <= width < height <= min(100, 2 * width)
            assert 0 <= min(x0, y0) < max(x1, y1) <= 128
            assert all(covered(boxes[i], other) <= 0.15 for other in boxes[:i])


def test_a_true_scene_shows_each_thing_in_its_region_and_nowhere_else() -> None:
    (prompt,) = prompts("two_object", WHOLE, 1)
    scene = draw(prompt.layout())
    assert prompt.true_scene().tobytes() == Image.fromarray(scene.image).tobytes()
    for number, region in enumerate(prompt.bound_request.regions, 1):
        x0, y0, x1, y1 = to_pixels(region.box, 128, 128)
        ys, xs = np.nonzero(scene.mask == number)
        assert len(xs) > 100
        assert x0 <= xs.min() <= xs.max() < x1
        assert y0 <= ys.min() <= ys.max() < y1


def test_only_what_all_generators_know_is_asked_for() -> None:
    small = Vocabulary(frozenset(NOUNS[:8]), frozenset(COLORS), frozenset({"beach"}), max_count=3, max_letters=5)
    large = replace(small, nouns=frozenset(NOUNS), settings=frozenset({"beach", "night"}), max_count=9, max_letters=4)
    words = Words.of([small, None, large])
    assert words.nouns == NOUNS[:8]
    assert (words.settings, words.max_count, words.max_letters) == (("beach",), 3, 4)
    assert max(map(len, words.signs)) == 4
    with pytest.raises(ScopeError, match="too few"):
        Words.of([Vocabulary(frozenset({"apple"}), frozenset(), frozenset({"beach"}), 1)])


def test_the_whole_world_is_asked_for_without_the_nouns_that_no_generator_is_shown() -> None:
    assert set(WHOLE.nouns) == set(NOUNS) - HELD_OUT_NOUNS
    assert set(WHOLE.settings) == set(SETTINGS) - {"plain"}


def test_signs_say_words_of_up_to_eight_letters_that_no_training_saw() -> None:
    assert not set(SIGNS) & set(WORDS + EXTRA_WORDS)
    assert {len(word) for word in SIGNS} == set(range(3, 9))
    assert len(set(SIGNS)) == len(SIGNS) >= 80


def test_a_crowd_is_worded_so_that_each_relation_is_of_its_own_two_things() -> None:
    nouns = ("apple", "car", "cat", "dog", "tree")
    plan = Plan(tuple(Group(noun, 1, "red") for noun in nouns), setting="night")
    case = Case(plan, ((0, "left of", 1), (2, "above", 3)))
    for seed in range(20):
        text = worded(case, np.random.default_rng(seed))
        assert facts(Grammar().decompose(text)) == meant(case), text


def test_what_is_read_otherwise_than_it_was_meant_is_told_from_it() -> None:
    case = Case(Plan((Group("panda", 1, "red"),)))  # which is another animal
    assert facts(Grammar().decompose("a red panda")) != meant(case)


def test_areas_of_boxes_are_those_of_their_cells() -> None:
    canvas = np.zeros((2, 30, 30), bool)
    a, b = (2, 3, 12, 9), (8, 5, 20, 28)
    for plane, (x0, y0, x1, y1) in zip(canvas, (a, b), strict=True):
        plane[y0:y1, x0:x1] = True
    assert area(a) == canvas[0].sum()
    assert covered(a, b) == canvas.all(0).sum() / canvas[0].sum()
    assert covered(a, (12, 9, 13, 10)) == 0  # they touch
    assert to_pixels(from_pixels(a, 128, 128), 128, 128) == a
