"""Boxes seen from a grid: shares against a fine grid, and maps that are laid into boxes against Pillow and by hand."""

import numpy as np
import pytest
import torch
from PIL import Image

from scope.nn.cells import covered, laid


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


def box(*corners: float) -> torch.Tensor:
    return torch.tensor([corners])


def test_a_map_as_fine_as_its_places_is_laid_as_it_is_and_nothing_beside_it():
    drawing = torch.arange(1.0, 17.0).view(1, 1, 4, 4)
    found = laid(drawing, box(0.25, 0.5, 0.75, 1.0), 8)
    assert torch.allclose(found[0, 0, 4:, 2:6], drawing[0, 0], atol=1e-4)
    found[0, 0, 4:, 2:6] = 0
    assert not found.any()


@pytest.mark.parametrize("corners", [(0.1, 0.2, 0.55, 0.9), (0.0, 0.0, 1.0, 1.0), (0.301, 0.4, 0.352, 0.46)])
def test_a_map_of_one_number_covers_what_its_box_covers(corners: tuple[float, ...]):
    found = laid(torch.ones(1, 1, 5, 7), box(*corners), 16)
    assert torch.allclose(found.flatten(), covered(box(*corners), 16)[0], atol=1e-4)


def test_it_is_the_interpolation_of_pillow_where_a_map_is_coarser_or_finer():
    smooth = np.random.default_rng(0).normal(size=(6, 6)).astype(np.float32)
    for points, side in ((6, 48), (48, 12)):
        drawing = np.asarray(Image.fromarray(smooth).resize((points, points), Image.Resampling.BICUBIC))
        wanted = np.asarray(Image.fromarray(drawing).resize((side, side), Image.Resampling.BILINEAR))
        found = laid(torch.from_numpy(drawing.copy())[None, None], box(0.0, 0.0, 1.0, 1.0), side)[0, 0]
        assert np.abs(found.numpy() - wanted).max() < 0.05


def test_the_same_map_elsewhere_is_the_same_picture_elsewhere():
    drawing = torch.randn(1, 3, 8, 8, generator=torch.Generator().manual_seed(0))
    one, other = laid(drawing, box(0.1, 0.1, 0.4, 0.6), 20), laid(drawing, box(0.35, 0.3, 0.65, 0.8), 20)
    assert torch.allclose(one[..., 2:12, 2:8], other[..., 6:16, 7:13], atol=1e-4)


def test_a_box_without_an_area_shows_nothing_and_is_finite():
    assert not laid(torch.ones(1, 1, 4, 4), torch.full((1, 4), 0.3), 8).any()
