"""Close-ups and scenes: what tokenizers learn from is drawn once, shows nothing held out, and its cells are true."""

import numpy as np
import pytest
import torch

from scope.training.data import tokenizer_images as trained
from scope.training.data.tokenizer_images import CELL_CLASSES, tokenizer_images
from scope.worlds import closeups as world
from scope.worlds.closeups import CELLS, NOUNS, SIDE, closeups
from scope.worlds.pocket import Group, Plan, catalogue, compose, held_out, sample, sample_whole
from scope.worlds.pocket.background import background
from scope.worlds.pocket.catalogue import COLOR_NAMES, SETTING_NAMES

COUNT, SEED = 120, 3


@pytest.fixture(scope="module")
def drawn():
    return closeups(COUNT, SEED)


def plan_of(drawn, i: int) -> Plan:
    noun, color = NOUNS[drawn.nouns[i]], world.COLORS[drawn.colors[i]]
    return Plan((Group(noun, 1, None if color == "own" else color),), None, SETTING_NAMES[drawn.settings[i]])


def test_close_ups_are_a_pure_function_of_count_and_seed(drawn):
    again = closeups(COUNT, SEED)
    assert all(np.array_equal(a, b) for a, b in zip(vars(drawn).values(), vars(again).values(), strict=True))
    assert not np.array_equal(closeups(COUNT, SEED + 1).images, drawn.images)
    assert np.array_equal(closeups(7, SEED).images, drawn.images[:7])
    assert len(drawn) == COUNT
    assert drawn.images.shape == (COUNT, SIDE, SIDE, 3)


def test_nothing_that_is_held_out_is_in_them(drawn):
    assert not any(held_out(plan_of(drawn, i)) for i in range(COUNT))


def test_they_show_many_nouns_every_colour_and_most_settings(drawn):
    assert set(drawn.colors.tolist()) == set(range(len(world.COLORS)))
    expected = len(SETTING_NAMES) * (1 - (1 - 1 / len(SETTING_NAMES)) ** COUNT)  # of as many draws, each as likely
    assert len(set(drawn.settings.tolist())) > 0.9 * expected
    assert len(set(drawn.nouns.tolist())) > 0.8 * len(NOUNS)


def test_what_is_not_covered_is_the_setting_and_what_is_covered_is_not(drawn):
    """Each picture is a window of its setting's own, at half size."""
    for i in range(4):
        # All windows of 64 px, four at a time a way to halve them.
        doubled = np.pad(background(SETTING_NAMES[drawn.settings[i]]) * 255, ((0, 1), (0, 1), (0, 0)), mode="edge")
        halves = (doubled[:-1, :-1] + doubled[1:, :-1] + doubled[:-1, 1:] + doubled[1:, 1:]) / 4
        ground, thing = (np.kron(cells, np.ones((4, 4), bool)) for cells in (~drawn.covered[i], drawn.covered[i]))
        picture = drawn.images[i].astype(float)
        apart = [np.abs(picture - halves[y : y + 64 : 2, x : x + 64 : 2]) for y in range(65) for x in range(65)]
        nearest = min(apart, key=lambda a: a[ground].mean())
        assert np.median(nearest[ground]) < 1  # cells at the edge show some of the thing
        assert nearest[thing].mean() > 10
        assert 0.05 < drawn.covered[i].mean() < 0.8


def test_the_prompt_says_what_is_shown(drawn):
    for i in range(20):
        words = drawn.prompt(i)
        assert NOUNS[drawn.nouns[i]] in words
        assert words.startswith(("a ", "an "))
        color = world.COLORS[drawn.colors[i]]
        assert color == "own" or f" {color} " in words


def test_labels_of_close_ups_name_noun_and_colour_where_the_thing_is_and_the_setting_everywhere():
    seen, drawn = tokenizer_images("closeups", 16, 9), closeups(16, 9)
    assert torch.equal(seen.images.permute(0, 2, 3, 1), torch.from_numpy(drawn.images))
    assert seen.cell_labels.shape == (16, 3, CELLS, CELLS)
    for i, (nouns, colors, settings) in enumerate(seen.cell_labels.numpy()):
        color = world.COLORS[drawn.colors[i]]
        assert set(nouns[drawn.covered[i]].tolist()) == {1 + catalogue.NOUNS.index(NOUNS[drawn.nouns[i]])}
        assert set(colors[drawn.covered[i]].tolist()) == {1 if color == "own" else 2 + COLOR_NAMES.index(color)}
        assert not nouns[~drawn.covered[i]].any()
        assert not colors[~drawn.covered[i]].any()
        assert set(settings.ravel().tolist()) == {SETTING_NAMES.index(SETTING_NAMES[drawn.settings[i]])}


def test_labels_of_scenes_name_each_thing_where_its_ink_is():
    """Two pictures of three are scenes, whose masks are known; what stands on another overlaps it a little."""
    seen, random = tokenizer_images("scenes", 12, 4), np.random.default_rng(4)
    right = []
    for i in range(12):
        if i % 3 == 0:
            trained.cluttered_scene(random, trained.Clutter(trained.WORLD_VENDORS))
            continue
        scene = compose(sample_whole(random) if i % 3 == 1 else sample(random, "train"), (4, i))
        assert torch.equal(seen.images[i].permute(1, 2, 0), torch.from_numpy(scene.image))
        nouns, colors, settings = seen.cell_labels[i].numpy()
        assert set(settings.ravel().tolist()) == {SETTING_NAMES.index(scene.plan.setting)}
        for row, column in np.argwhere(scene.cells > 0):
            thing = scene.objects[scene.cells[row, column] - 1]
            color = 2 + COLOR_NAMES.index(thing.color) if thing.color else 1
            right.append((nouns[row, column], colors[row, column]) == (1 + catalogue.NOUNS.index(thing.noun), color))
    assert len(right) > 40
    assert np.mean(right) > 0.97


def test_a_thing_between_cells_has_as_many_of_them_as_it_is_wide():
    for side in (32, 48, 64):
        for left in range(0, 128 - side + 1):
            cells = trained._covered(left + side / 2, float(side))
            assert cells.stop - cells.start == side // 16
            assert abs(16 * cells.start - left) <= 8
            assert cells.stop <= 8


def test_pictures_are_drawn_once_hold_only_classes_and_come_in_batches():
    seen = tokenizer_images("scenes", 12, 4)
    assert seen is tokenizer_images("scenes", 12, 4)
    assert len(seen) == 12
    assert (seen.cell_labels.amax((0, 2, 3)) < torch.tensor(CELL_CLASSES)).all()
    assert seen.cell_labels.min() >= 0
    batch = seen.batch(torch.tensor([5, 0]), torch.device("cpu"))
    assert torch.equal(((batch + 1) * 127.5).round().byte(), seen.images[[5, 0]])
