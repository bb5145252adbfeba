"""Turns of pixels, by hand and against NumPy's of an image."""

import numpy as np
import pytest

from handkp_plugins.structures.rot90 import turn_pixels, turned_size


@pytest.mark.parametrize('quarters', [0, 1, 2, 3, -1])
def test_pixels_go_where_the_image_takes_them(quarters: int) -> None:
    w, h = 5, 3
    image = np.arange(w * h).reshape(h, w)
    turned = np.rot90(image, quarters)
    assert turned.shape[::-1] == turned_size((w, h), quarters)
    for x in range(w):
        for y in range(h):
            x2, y2 = turn_pixels(np.array([x, y]), quarters, (w, h)).astype(int)
            assert turned[y2, x2] == image[y, x]


def test_half_a_turn_and_the_way_back() -> None:
    points = np.random.default_rng(0).uniform(0, 9, (4, 21, 2))
    np.testing.assert_array_equal(turn_pixels([3, 1], 2, (7, 5)), [7 - 1 - 3, 5 - 1 - 1])
    for k in range(4):
        back = turn_pixels(turn_pixels(points, k, (7, 5)), -k, turned_size((7, 5), k))
        np.testing.assert_allclose(back, points, atol=1e-12)
