"""Rotated points against NumPy's rotation of an image."""

import numpy as np
import pytest

from handkp_plugins.structures.rot90 import rot90_points, rot90_size


@pytest.mark.parametrize('k', [0, 1, 2, 3, -1])
def test_pixels_go_where_the_image_takes_them(k: int) -> None:
    w, h = 5, 3
    image = np.arange(w * h).reshape(h, w)
    rotated = np.rot90(image, k)
    assert rotated.shape[::-1] == rot90_size((w, h), k)
    for x in range(w):
        for y in range(h):
            x2, y2 = rot90_points(np.array([x, y]), k, (w, h)).astype(int)
            assert rotated[y2, x2] == image[y, x]


def test_half_a_turn_and_the_way_back() -> None:
    points = np.random.default_rng(0).uniform(0, 9, (4, 21, 2))
    np.testing.assert_array_equal(rot90_points([3, 1], 2, (7, 5)), [7 - 1 - 3, 5 - 1 - 1])
    for k in range(4):
        back = rot90_points(rot90_points(points, k, (7, 5)), -k, rot90_size((7, 5), k))
        np.testing.assert_allclose(back, points, atol=1e-12)
