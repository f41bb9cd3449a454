"""Edit pairs: exact where they say so, pure, and one edit on many scenes."""

import numpy as np
import pytest
from PIL import Image, ImageOps

from scope.errors import UsageError
from scope.worlds.pocket import Plan, check, draw, held_out, holds
from scope.worlds.pocket.catalogue import HELD_OUT_VENDORS, TONED, VENDORS
from scope.worlds.pocket.edits import (
    APPEARANCE_EDITS,
    CONTENT_EDITS,
    FAMILIES,
    HELD_OUT_FAMILIES,
    TRAINED_FAMILIES,
    EditPair,
    families,
    pair,
)
from scope.worlds.pocket.scene import Layout

SEEDS = range(3)
each_family = pytest.mark.parametrize("family", list(FAMILIES))


def differing(edit: EditPair) -> np.ndarray:
    return (edit.before.image != edit.after.image).any(-1)


def test_there_are_many_families_and_six_are_never_trained():
    assert len(FAMILIES) >= 20
    assert len(HELD_OUT_FAMILIES) == 6
    assert set(HELD_OUT_FAMILIES) | set(TRAINED_FAMILIES) == set(FAMILIES)
    assert not set(HELD_OUT_FAMILIES) & set(TRAINED_FAMILIES)


@each_family
def test_a_pair_differs_only_where_it_says(family):
    for seed in SEEDS:
        edit = pair(family, seed)
        assert edit.before.image.shape == edit.after.image.shape == (128, 128, 3)
        assert edit.after.image.dtype == np.uint8
        assert differing(edit).any()
        assert not (differing(edit) & ~edit.changed).any()
        assert edit.instruction == edit.instruction.strip() != ""


@each_family
def test_a_pair_is_a_pure_function_of_family_and_seed(family):
    one, again, other = pair(family, 1), pair(family, 1), pair(family, 2)
    assert np.array_equal(one.before.image, again.before.image)
    assert np.array_equal(one.after.image, again.after.image)
    assert one.instruction == again.instruction
    assert not np.array_equal(one.before.image, other.before.image)


@each_family
def test_training_sees_nothing_that_is_held_out_and_no_vendor_of_the_judge(family):
    for seed in SEEDS:
        edit = pair(family, seed)
        for plan in (edit.before.plan, edit.after.plan):
            assert not held_out(plan)
            assert plan.style not in HELD_OUT_VENDORS


@pytest.mark.parametrize("family", list(CONTENT_EDITS))
def test_the_truth_after_is_what_the_plan_after_says(family):
    for seed in SEEDS:
        after = pair(family, seed).after
        check(after.plan)
        for index, group in enumerate(after.plan.groups):
            mine = [o for o in after.objects if o.group == index]
            assert len(mine) == group.count
            assert {(o.noun, o.color, o.tone) for o in mine} == {(group.noun, group.color, group.tone)}
        if after.plan.relation:
            groups = range(len(after.plan.groups))
            inks = [[after.ink(i) for i, o in enumerate(after.objects) if o.group == g] for g in groups]
            assert holds(after.plan.relation, *inks)
        assert after.mask.max() == len(after.objects)


@each_family
def test_one_edit_is_done_to_many_scenes(family):
    """The parameter comes from the seed alone: with it, the same is done to another content."""
    one, other = (pair(family, 4, content=content) for content in (10, 11))
    assert not np.array_equal(one.before.image, other.before.image)
    if family in APPEARANCE_EDITS:
        assert one.instruction == other.instruction
    elif family in ("recolour", "skin-tone"):
        assert one.instruction.split()[-2:][-1] == other.instruction.split()[-1]


@each_family
def test_held_out_contents_are_edited_too(family):
    assert held_out(pair(family, 3, split="held_out").before.plan)


def test_unknown_families_are_named_with_what_is_near():
    with pytest.raises(UsageError, match="'recolour'"):
        pair("recolor", 0)
    with pytest.raises(UsageError, match="did you mean 'sepia'"):
        families("blur,sepi")
    assert families("") == ()
    assert families("all") == tuple(FAMILIES)
    assert families("held_out") == HELD_OUT_FAMILIES
    assert families("blur, sepia") == ("blur", "sepia")


# -- what each family means, by another way than it is drawn -------------------------------------


def only(edit: EditPair, *fields: str) -> None:
    """Check that nothing but these fields of the plan changed."""
    for field in ("groups", "relation", "setting", "text", "style", "absent", "font"):
        same = getattr(edit.before.plan, field) == getattr(edit.after.plan, field)
        assert same == (field not in fields), field


def group_before_and_after(edit: EditPair):
    changed = [(a, b) for a, b in zip(edit.before.plan.groups, edit.after.plan.groups, strict=True) if a != b]
    assert len(changed) == 1
    return changed[0]


def test_recolouring_names_the_thing_and_its_new_colour():
    for seed in range(10):
        edit = pair("recolour", seed)
        only(edit, "groups")
        before, after = group_before_and_after(edit)
        assert before.noun == after.noun
        assert edit.instruction.endswith(str(after.color))
        assert np.array_equal(edit.before.mask, edit.after.mask)  # its shape stays


def test_skin_tones_change_people_and_hands_only():
    for seed in SEEDS:
        before, after = group_before_and_after(pair("skin-tone", seed))
        assert before.noun == after.noun
        assert before.noun in TONED
        assert before.tone != after.tone
        assert before.color is after.color is None


def test_what_is_added_was_not_there_and_what_is_removed_is_gone():
    for seed in SEEDS:
        added, removed = pair("add", seed), pair("remove", seed)
        assert added.after.plan.groups[:-1] == added.before.plan.groups
        assert added.after.objects[:-1] == added.before.objects
        gone = set(removed.before.plan.groups) - set(removed.after.plan.groups)
        assert len(gone) == 1
        assert next(iter(gone)).noun in removed.instruction or next(iter(gone)).count > 1
        more = pair("count", seed)
        before, after = group_before_and_after(more)
        assert after.count == before.count + 1


def test_replacing_keeps_places_and_number():
    for seed in SEEDS:
        edit = pair("replace", seed)
        before, after = group_before_and_after(edit)
        assert before.noun != after.noun
        assert before.count == after.count
        assert [o.xyxy_px for o in edit.before.objects] == [o.xyxy_px for o in edit.after.objects]


def test_moving_goes_where_it_says_and_keeps_the_size():
    for seed in range(8):
        edit = pair("move", seed)
        (before, after), = [
            (a.xyxy_px, b.xyxy_px) for a, b in zip(edit.before.objects, edit.after.objects, strict=True) if a != b
        ]  # fmt: skip
        dx, dy = after[0] - before[0], after[1] - before[1]
        steps = {"left": -dx, "right": dx, "up": -dy, "down": dy}
        assert steps[edit.instruction.split()[-1]] == max(steps.values()) >= 32
        assert (after[2] - after[0], after[3] - after[1]) == (before[2] - before[0], before[3] - before[1])


def test_scaling_keeps_one_box_inside_the_other():
    for seed in range(6):
        edit = pair("scale", seed)
        (small, large), = [
            sorted((a.xyxy_px, b.xyxy_px), key=lambda box: box[2] - box[0])
            for a, b in zip(edit.before.objects, edit.after.objects, strict=True) if a != b
        ]  # fmt: skip
        assert large[0] <= small[0] < small[2] <= large[2]
        assert large[1] <= small[1] < small[3] <= large[3]
        before, after = (sum(o.xyxy_px[2] - o.xyxy_px[0] for o in scene.objects) for scene in (edit.before, edit.after))
        assert (after > before) == edit.instruction.endswith("larger")


def test_swapping_twice_is_nothing():
    edit = pair("swap", 0)
    first, second = edit.after.objects
    assert (second.xyxy_px, first.xyxy_px) == tuple(o.xyxy_px for o in edit.before.objects)


def test_a_new_background_shows_only_where_things_do_not_cover_it():
    for seed in SEEDS:
        edit = pair("background", seed)
        only(edit, "setting")
        assert (~edit.changed).any()
        assert np.array_equal(edit.before.mask, edit.after.mask)


def test_restyling_draws_the_same_things_by_another_vendor():
    edit = pair("restyle", 0)
    only(edit, "style")
    assert {edit.before.plan.style, edit.after.plan.style} <= set(VENDORS)
    assert [o.xyxy_px for o in edit.before.objects] == [o.xyxy_px for o in edit.after.objects]


def test_a_new_text_changes_the_sign_alone():
    edit = pair("text", 0)
    only(edit, "text")
    assert f'"{edit.after.plan.text}"' in edit.instruction
    assert edit.changed.sum() == 112 * 32


def test_mirrors_and_flips_undo_themselves_and_turn_the_relation():
    turned = {"left of": "right of", "right of": "left of"}
    for family, axis in (("mirror", 1), ("flip", 0)):
        for seed in range(6):
            edit = pair(family, seed)
            assert np.array_equal(np.flip(edit.after.image, axis), edit.before.image)
            assert np.array_equal(np.flip(edit.after.mask, axis), edit.before.mask)
            if family == "mirror":
                relation = edit.before.plan.relation
                assert edit.after.plan.relation == turned.get(str(relation), relation)
            for index, thing in enumerate(edit.after.objects):
                x0, y0, x1, y1 = edit.after.ink(index)
                assert thing.xyxy_px[0] <= x0 < x1 <= thing.xyxy_px[2]
                assert thing.xyxy_px[1] <= y0 < y1 <= thing.xyxy_px[3]


def images(family: str, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    edit = pair(family, seed)
    return edit.before.image.astype(int), edit.after.image.astype(int)


def test_grays_have_no_colour_and_sepia_has_one():
    _, gray = images("grayscale")
    assert (gray.max(-1) == gray.min(-1)).all()
    _, brown = images("sepia")
    assert (brown[..., 0] >= brown[..., 1]).all()
    assert (brown[..., 1] >= brown[..., 2]).all()


def test_inverting_twice_is_nothing():
    before, after = images("invert")
    assert (before + after == 255).all()


def test_negatives_and_grays_are_those_of_pillow():
    """To the last bit for negatives; of grays one in 1,700 lies so near a half that Pillow rounds it otherwise."""
    edit = pair("invert", 1)
    assert np.array_equal(edit.after.image, ImageOps.invert(Image.fromarray(edit.before.image)))
    edit = pair("grayscale", 1)
    theirs = np.asarray(ImageOps.grayscale(Image.fromarray(edit.before.image)), int)
    assert np.abs(edit.after.image - theirs[..., None]).max() <= 1


def test_posterised_channels_have_as_many_values_as_it_says():
    for seed in range(4):
        edit = pair("posterise", seed)
        assert len(np.unique(edit.after.image)) <= int(edit.instruction.split()[-2])


def test_pixels_come_in_blocks_of_their_mean():
    for seed in range(4):
        edit = pair("pixelate", seed)
        side = int(edit.instruction.split()[-1])
        before, after = (
            scene.image.reshape(128 // side, side, 128 // side, side, 3).astype(int)
            for scene in (edit.before, edit.after)
        )
        assert (after == after[:, :1, :, :1]).all()
        assert np.abs(before.mean((1, 3)) - after[:, 0, :, 0]).max() <= 0.5


def test_a_blurred_picture_has_weaker_edges_and_a_noisy_one_stronger():
    def edges(image: np.ndarray) -> float:
        return float(np.square(np.diff(image, axis=1)).mean())

    before, blurred = images("blur")
    assert edges(blurred) < edges(before)
    before, noisy = images("noise")
    assert edges(noisy) > edges(before)
    assert abs((noisy - before).mean()) < 6  # clipped at the ends, else without bias


def test_a_frame_has_one_colour_and_leaves_the_inside():
    edit = pair("frame", 2)
    assert len(np.unique(edit.after.image[edit.changed], axis=0)) == 1
    assert edit.changed[0].all()
    assert not edit.changed[16:112, 16:112].any()


def test_outlines_lie_on_the_ground_beside_things_and_silhouettes_on_them():
    edit = pair("outline", 1)
    assert not (edit.changed & (edit.before.mask > 0)).any()
    near = np.zeros((132, 132), bool)
    for dy in range(5):
        for dx in range(5):
            near[dy : dy + 128, dx : dx + 128] |= edit.before.mask > 0
    assert near[2:-2, 2:-2][edit.changed].all()
    filled = pair("silhouette", 1)
    assert np.array_equal(filled.changed, filled.before.mask > 0)
    assert len(np.unique(filled.after.image[filled.changed], axis=0)) == 1


def test_it_neither_rains_in_the_rain_nor_snows_in_the_snow():
    for seed in range(12):
        assert pair("weather", seed).before.plan.setting not in ("rain", "snow")


def test_night_is_darker_and_fog_has_less_contrast():
    nights = [images("time-of-day", s) for s in range(12) if pair("time-of-day", s).instruction.endswith("night")]
    assert all(after.mean() < 0.5 * before.mean() for before, after in nights)
    fogs = [images("weather", s) for s in range(12) if pair("weather", s).instruction.endswith("foggy")]
    assert all(np.ptp(after) < np.ptp(before) for before, after in fogs)
    assert nights
    assert fogs


def test_an_empty_layout_is_its_background():
    scene = draw(Layout(Plan(()), (), None, 1.0))
    assert scene.mask.max() == 0
    assert len(np.unique(scene.image.reshape(-1, 3), axis=0)) == 1
