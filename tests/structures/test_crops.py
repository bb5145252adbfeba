"""Pixels of crops and of images."""

import numpy as np
import pytest

from handkp_plugins.structures.crops import to_image_space, to_input_space


def test_there_and_back() -> None:
    place = dict(center=np.array([100.0, 80]), scale=np.array([60.0, 40]), input_size=(30, 20))
    assert to_input_space(np.array([100.0, 80]), **place).tolist() == [15, 10]
    assert to_image_space(np.array([[0.0, 0], [30, 20]]), **place).tolist() == [[70, 60], [130, 100]]
    points = np.random.default_rng(0).uniform(-50, 300, (4, 21, 2))
    assert to_image_space(to_input_space(points, **place), **place) == pytest.approx(points)
