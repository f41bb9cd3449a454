"""Boxes in tensors: known overlaps, and pooling against sampling."""

import pytest
import torch
from torch.nn import functional as F

from scope.nn.boxes import nms, pairwise_iou, roi_pool, xywh, xyxy


def test_pairwise_iou_has_known_values():
    box = torch.tensor([[10.0, 10.0, 8.0, 4.0]])
    others = torch.tensor(
        [[10.0, 10.0, 8.0, 4.0], [14.0, 10.0, 8.0, 4.0], [30.0, 10.0, 8.0, 4.0], [10.0, 10.0, 4.0, 2.0]]
    )
    assert pairwise_iou(box, others)[0].tolist() == pytest.approx([1, 1 / 3, 0, 1 / 4])


def test_the_best_of_each_thing_is_left():
    same = torch.tensor([[1, 1, 0, 0], [1, 1, 1, 0], [0, 1, 1, 0], [0, 0, 0, 1]]).bool()
    assert nms(same) == [0, 2, 3]  # what was taken away takes nothing away
    assert nms(same[:0, :0]) == []


def test_corners_are_the_inverse_of_centre_and_sides():
    assert xyxy(xywh((3, 5, 24, 99))) == (3, 5, 24, 99)


def test_pooled_coordinates_are_the_middles_of_the_bins():
    x, y = torch.meshgrid(torch.arange(32.0) * 4 + 2, torch.arange(32.0) * 4 + 2, indexing="xy")
    (pooled,) = roi_pool(torch.stack([x, y])[None], torch.tensor([[[60.0, 70.0, 32.0, 20.0]]]), (4, 8), 4)[0]
    assert torch.allclose(pooled[0], (torch.arange(8) * 4 + 46.0).expand(4, 8), atol=1e-4)
    assert torch.allclose(pooled[1], (torch.arange(4) * 5 + 62.5)[:, None].expand(4, 8), atol=1e-4)


@pytest.mark.parametrize("box", [(60.0, 70, 32, 20), (-10, 5, 40, 40), (120, 126, 50, 30), (64, 64, 200, 9)])
def test_pooling_is_what_dense_sampling_tends_to(box):
    torch.manual_seed(0)
    maps, bins, samples = torch.randn(2, 3, 32, 32), (7, 5), 80
    pooled = roi_pool(maps, torch.tensor(box).float().expand(2, 1, 4), bins, 4)[:, 0]
    x, y, width, height = box
    ys, xs = ((torch.arange(n * samples) + 0.5) / (n * samples) - 0.5 for n in bins)
    across, down = (x + width * xs) / 64 - 1, (y + height * ys) / 64 - 1
    grid = torch.stack([across.expand(len(ys), -1), down[:, None].expand(-1, len(xs))], -1).expand(2, -1, -1, -1)
    sampled = F.grid_sample(maps, grid, padding_mode="border", align_corners=False)
    assert torch.allclose(pooled, F.avg_pool2d(sampled, samples), atol=2e-3)


def test_a_box_is_pooled_from_its_own_picture():
    maps = torch.stack([torch.full((1, 8, 8), float(i)) for i in range(3)])
    pooled = roi_pool(maps, torch.tensor([[16.0, 16.0, 9.0, 7.0]]).expand(3, 2, 4), (2, 2), 4)
    assert torch.allclose(pooled, torch.arange(3.0)[:, None, None, None, None].expand(3, 2, 1, 2, 2))
