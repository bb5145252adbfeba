"""The pinhole camera and how a hand is placed before it."""

import numpy as np
import pytest

from handkp_plugins.synthetic.rendering.camera import Camera, find_translation


def test_projection_worked_out_by_hand():
    camera = Camera(size=101, focal=200)
    assert camera.project(np.array([[0.0, 0, 1], [0.1, -0.05, 0.5]])).tolist() == [[50, 50], [90, 30]]
    pixel = camera.matrix @ np.array([0.1, -0.05, 0.5])
    assert (pixel[:2] / pixel[2]).tolist() == [90, 30]


@pytest.mark.parametrize('seed', range(4))
def test_place_meets_centre_and_extent(seed):
    rng = np.random.default_rng(seed)
    points = rng.normal(size=(21, 3)) * 0.05 + rng.normal(size=3)
    camera, centre = Camera(256, 300), np.array([100.0, 140.0])
    pixels = camera.project(points + find_translation(points, camera, centre, 150))
    low, high = pixels.min(0), pixels.max(0)
    assert np.allclose(0.5 * (low + high), centre, atol=1)
    assert (high - low).max() == pytest.approx(150, abs=2)
