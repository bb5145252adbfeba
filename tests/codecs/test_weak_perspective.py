"""Keypoints in units of the image."""

import numpy as np
import pytest
import torch

from handkp_plugins.codecs import WeakPerspectiveLabel


def test_a_point_is_projected_as_the_paper_says() -> None:
    codec = WeakPerspectiveLabel((256, 256))
    u = codec.project(torch.tensor([[[0.05, 0.0, 0.3]]]), torch.tensor([[4.0, 0.25, 0.0]]))
    assert u[0, 0, 0].item() == pytest.approx(0.65)
    assert codec.decode(u.numpy())[0][0, 0, 0] == pytest.approx(211.2)


def test_labels_come_back() -> None:
    codec = WeakPerspectiveLabel((128, 128))
    points = np.random.default_rng(0).uniform(-40, 170, (2, 21, 2))
    found = codec.encode(points, np.full((2, 21), 0.3))
    assert np.allclose(codec.decode(found['keypoint_labels'])[0], points, atol=1e-4)
    assert (found['keypoint_weights'] == np.float32(0.3)).all()


def test_a_keypoint_without_confidence_may_be_anywhere() -> None:
    points = np.full((1, 21, 2), np.nan)
    found = WeakPerspectiveLabel((64, 64)).encode(points, np.zeros((1, 21)))
    assert not found['keypoint_labels'].any() and not found['keypoint_weights'].any()


def test_wrong_values_are_named() -> None:
    with pytest.raises(ValueError, match=r'input_size: expected \[W, H\] of a square in pixels, got \(128, 96\)'):
        WeakPerspectiveLabel((128, 96))
    with pytest.raises(ValueError, match='keypoints_visible: expected confidences from 0 to 1, got 0.0, 1.2'):
        WeakPerspectiveLabel((64, 64)).encode(np.zeros((1, 2, 2)), np.array([[0.0, 1.2]]))
