"""Disks and expectations by hand, and there and back."""

import logging

import numpy as np
import pytest
import torch
from mmengine.logging import MMLogger

from handkp_plugins.codecs import DiskMap, ExpectationHeatmap


def test_disk_by_hand() -> None:
    codec = DiskMap((7, 5), radius=2)
    keypoints = torch.tensor([[[3.0, 2.0], [0.0, 0.0], [float('nan'), 1.0]]])
    maps = codec.make_heatmaps(keypoints, torch.tensor([[1.0, 1.0, 0.0]]))
    expected = [[0, 0, 0, 1, 0, 0, 0], [0, 0, 1, 1, 1, 0, 0], [0, 1, 1, 1, 1, 1, 0]]
    assert maps[0, 0].tolist() == expected + expected[1::-1]
    assert maps[0, 1].sum() == 6 and maps[0, 1, 2, 0] == 1 and maps[0, 1, 1, 1] == 1
    assert maps[0, 2].sum() == 0


def test_disk_of_a_coarse_map() -> None:
    """Pixel j of stride 4 has its centre at 4 j + 1.5: one within 3 px of (5, 5), none else within 4."""
    maps = DiskMap((16, 16), (4, 4), radius=3).make_heatmaps(torch.tensor([[[5.0, 5.0]]]))
    assert maps[0, 0].nonzero().tolist() == [[1, 1]]


@pytest.mark.parametrize(('x', 'weight'), [(-16.0, 1), (-16.1, 0), (127 + 16.0, 1), (127 + 16.1, 0)])
def test_a_disk_that_does_not_touch_the_input_has_no_weight(x: float, weight: int) -> None:
    encoded = DiskMap((128, 128)).encode(np.array([[[x, 64]]]))
    assert encoded['keypoint_weights'].tolist() == [[weight]]


def test_disk_there_and_back() -> None:
    codec = DiskMap((64, 48), radius=6)
    truth = torch.tensor([[[20.0, 30.0], [40.0, 12.0]]])
    logits = codec.make_heatmaps(truth) * 80 - 40  # probabilities of 1 and next to 0
    points, scores = codec.batch_decode(logits)
    np.testing.assert_allclose(points[:, 0], truth, atol=1e-3)
    assert scores.tolist() == [[[1, 1]]]


@pytest.mark.parametrize('size', [None, (32, 24)])
def test_score_map_there_and_back(size: tuple[int, int] | None) -> None:
    codec = ExpectationHeatmap((64, 48), size, variance=9)
    truth = torch.tensor([[[20.3, 30.6], [40.0, 15.2]]])
    points, _ = codec.batch_decode(codec.make_heatmaps(truth))
    np.testing.assert_allclose(points[:, 0], truth, atol=0.05)


def test_expectation_by_hand_without_what_is_negative() -> None:
    maps = torch.zeros(1, 1, 4, 8)
    maps[0, 0, 1, 2], maps[0, 0, 3, 6], maps[0, 0, 0, 7] = 0.9, 0.3, -5
    points, scores = ExpectationHeatmap((8, 4)).locate(maps)
    np.testing.assert_allclose(points[0, 0], [3, 1.5], atol=1e-4)
    assert scores.item() == pytest.approx(0.9)


def test_maps_without_a_positive_score_are_counted_and_told() -> None:
    codec = ExpectationHeatmap((8, 4))
    maps = torch.full((1, 3, 4, 8), -1.0)
    maps[0, 0, 2, 5] = -0.5
    maps[0, 1] = 0
    maps[0, 2, 1, 1] = 1
    logger = MMLogger.get_current_instance()
    told: list[str] = []
    handler = logging.Handler()
    handler.emit = lambda record: told.append(record.getMessage())
    logger.addHandler(handler)
    try:
        points, scores = codec.locate(maps)
        for _ in range(3):
            codec.locate(maps)
    finally:
        logger.removeHandler(handler)
    assert points[0].tolist()[0] == [5, 2] and points[0].tolist()[1] == [0, 0]
    np.testing.assert_allclose(points[0, 2], [1, 1], atol=1e-4)
    assert scores.tolist() == [[0, 0, 1]]
    assert (codec.empty, codec.decoded) == (8, 12)
    assert [t.split(' maps')[0].split(': ')[1] for t in told] == ['2 of 3', '4 of 6', '8 of 12']


def test_errors() -> None:
    with pytest.raises(ValueError, match='radius: expected a positive number of px, got 0'):
        DiskMap((8, 8), radius=0)
    with pytest.raises(ValueError, match='epsilon: expected a positive number, got 0'):
        ExpectationHeatmap((8, 8), epsilon=0)
    with pytest.raises(ValueError, match=r'heatmaps: expected shape \(B, K, h, w\), got \(4, 8\)'):
        ExpectationHeatmap((8, 4)).locate(torch.zeros(4, 8))
