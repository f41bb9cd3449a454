"""Boxes seen from cells: shares against a fine grid, who owns a cell, and places by hand."""

import math

import pytest
import torch

from scope.nn.cells import PLACE, covered, owners, places


def test_what_a_box_covers_of_each_cell_is_what_a_fine_grid_counts():
    corners = torch.randint(0, 257, (2, 5, 2, 2), generator=torch.Generator().manual_seed(0)).sort(dim=2).values
    boxes = corners.flatten(2).float() / 256  # x0, y0, x1, y1
    middles = (torch.arange(256) + 0.5) / 256
    columns, rows = ((boxes[..., i, None] <= middles) & (middles < boxes[..., i + 2, None]) for i in (0, 1))
    inside = (rows[..., :, None] & columns[..., None, :]).float()
    counted = inside.view(2, 5, 8, 32, 8, 32).mean((3, 5)).flatten(2)
    assert torch.allclose(covered(boxes, 8), counted, atol=1e-5)
    assert 0 < counted.mean() < 1


def test_what_lies_beyond_the_picture_covers_nothing():
    boxes = torch.tensor([[[-1.0, -1.0, 0.25, 2.0], [1.0, 0.0, 1.5, 1.0]]])
    assert covered(boxes, 2)[0].tolist() == [[0.5, 0, 0.5, 0], [0, 0, 0, 0]]


WHOLE, RIGHT, CORNER = [0.0, 0.0, 1.0, 1.0], [0.5, 0.0, 1.0, 1.0], [0.75, 0.5, 1.0, 1.0]  # the corner: half a cell
BOXES = torch.tensor([[WHOLE, RIGHT, CORNER]])


def test_a_cell_is_owned_by_what_covers_most_of_it_and_of_equals_by_the_later():
    owner, share = owners(BOXES, torch.tensor([[True, True, True]]), 2, 2)
    assert owner.shape == share.shape == (1, 4, 2)
    assert owner[0, 3].tolist() == [1, 0]
    assert share[0, 3].tolist() == [1, 1]
    assert (int(owner[0, 0, 0]), share[0, 0].tolist()) == (0, [1, 0])
    reversed_owner, _ = owners(BOXES.flip(1), torch.tensor([[True, True, True]]), 2, 2)
    assert reversed_owner[0, 3].tolist() == [2, 1]


def test_what_is_masked_owns_nothing():
    owner, share = owners(BOXES, torch.tensor([[True, False, True]]), 2, 3)
    assert owner[0, 3, :2].tolist() == [0, 2]
    assert share[0, 3].tolist() == [1, 0.5, 0]
    _, nothing = owners(BOXES, torch.zeros(1, 3, dtype=torch.bool), 2, 3)
    assert not nothing.any()


def test_fewer_boxes_than_a_cell_could_hear_leave_shares_of_zero():
    owner, share = owners(BOXES[:, :1], torch.tensor([[True]]), 2, 3)
    assert owner.shape == (1, 4, 3)
    assert owner.tolist() == [[[0, 0, 0]] * 4]
    assert share.tolist() == [[[1, 0, 0]] * 4]


def test_a_place_is_where_the_middle_of_the_cell_lies_in_the_box_and_how_large_the_box_is():
    (found,) = places(torch.tensor([WHOLE]), torch.tensor([1]), torch.tensor([0.75]), 2)
    assert len(found) == PLACE
    assert found[:4].tolist() == pytest.approx([0.25, -0.25, 1.2, 1.2])  # the upper right cell; log 1 + 1.2
    assert found[4:8].tolist() == pytest.approx([math.sqrt(0.5), -math.sqrt(0.5), math.sqrt(0.5), math.sqrt(0.5)])
    assert found[8:12].tolist() == pytest.approx([1, -1, 0, 0], abs=1e-6)  # the next octave
    angles = [2.0**o * math.pi * 1.2 / 4 for o in range(2)]
    waves = [wave for a in angles for wave in (math.sin(a), math.sin(a), math.cos(a), math.cos(a))]
    assert found[-9:-1].tolist() == pytest.approx(waves, abs=1e-6)
    assert found[-1] == 0.75


def test_the_same_part_of_a_box_elsewhere_is_the_same_place():
    boxes = torch.tensor([[0.0, 0.0, 0.5, 0.5], [0.25, 0.5, 0.75, 1.0]])
    one, other = places(boxes, torch.tensor([0, 8 + 1]), torch.tensor([1.0, 1.0]), 4)
    assert torch.allclose(one, other, atol=1e-5)


def test_a_box_without_an_area_has_places_that_are_finite():
    assert torch.isfinite(places(torch.full((1, 4), 0.3), torch.tensor([0]), torch.tensor([0.0]), 4)).all()
