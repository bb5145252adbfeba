"""The crop moves at random and holds every labelled keypoint."""

import numpy as np
import pytest
from mmpose.datasets.transforms import TopdownAffine

from handkp_plugins.datasets.transforms import CropCenterNoise


def sample(**extra):
    keypoints = np.array([[[40.0, 50], [60, 50], [50, 90], [500, 500]]])
    return dict(
        keypoints=keypoints,
        keypoints_visible=np.array([[1.0, 1, 1, 0]]),
        bbox_center=np.array([[50.0, 70]], np.float32),
        bbox_scale=np.array([[20.0, 40]], np.float32),
        **extra,
    )


def test_the_centre_has_the_variance_that_is_asked_for():
    np.random.seed(0)
    moved = np.concatenate([CropCenterNoise(8.0)(sample())['bbox_center'] for _ in range(2000)]) - [50, 70]
    assert moved.var(0) == pytest.approx([8, 8], rel=0.1) and np.abs(moved.mean(0)).max() < 0.3


def test_labelled_keypoints_stay_inside():
    np.random.seed(1)
    grown = 0
    for _ in range(200):
        before = sample()
        found = CropCenterNoise(8.0)(sample())
        distance = np.abs(found['keypoints'][0, :3] - found['bbox_center'])
        assert (distance <= found['bbox_scale'] / 2 + 1e-4).all()
        assert (found['bbox_scale'] >= before['bbox_scale']).all() and found['bbox_scale'].max() < 100
        grown += (found['bbox_scale'] > before['bbox_scale']).any()
    assert grown > 150


def test_keypoints_stay_inside_the_networks_input():
    np.random.seed(2)
    warp = TopdownAffine(input_size=(256, 256))
    for size in (20, 60, 200):
        for _ in range(60):
            keypoints = np.random.uniform(100, 100 + size, (1, 21, 2))
            center = (keypoints.min(1) + keypoints.max(1)) / 2
            hand = dict(
                img=np.zeros((400, 400, 3), np.uint8),
                keypoints=keypoints,
                keypoints_visible=np.ones((1, 21)),
                bbox_center=center.astype(np.float32),
                bbox_scale=np.ptp(keypoints, axis=1).astype(np.float32),
            )
            found = warp(CropCenterNoise(8.0)(hand))
            seen = found['transformed_keypoints']
            assert seen.min() >= -0.5 and seen.max() <= 255.5


def test_no_keypoint_and_no_noise_change_nothing():
    found = CropCenterNoise(0.0)(sample() | dict(keypoints_visible=np.zeros((1, 4))))
    assert np.array_equal(found['bbox_scale'], sample()['bbox_scale'])
    assert np.array_equal(found['bbox_center'], sample()['bbox_center'])
    with pytest.raises(ValueError, match='variance: expected a number of px² from 0, got -1'):
        CropCenterNoise(-1)
