import numpy as np
import pytest

from handkp_plugins.visualization import heatmap_overlay


def flat(height: int, width: int, value: int) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_heatmap_overlay_colors_and_opacity():
    image = flat(40, 40, 100)
    heatmap = np.zeros((4, 4))
    heatmap[:, 3] = 5.0
    picture = heatmap_overlay(image, heatmap, opacity=1)
    assert picture.shape == image.shape
    assert picture[20, 2, 0] > picture[20, 2, 2]  # low is blue (BGR)
    assert picture[20, 38, 2] > picture[20, 38, 0]  # high is red
    np.testing.assert_array_equal(heatmap_overlay(image, heatmap, opacity=0), image)
    assert (image == 100).all()


def test_heatmap_overlay_range():
    image = flat(8, 8, 0)
    constant = heatmap_overlay(image, np.full((2, 2), 3.0))
    np.testing.assert_array_equal(constant, heatmap_overlay(image, np.zeros((2, 2))))
    slope = np.arange(4.0).reshape(2, 2)
    np.testing.assert_array_equal(heatmap_overlay(image, slope), heatmap_overlay(image, 5 * slope + 9))
    assert (constant != heatmap_overlay(image, np.full((2, 2), 3.0), value_range=(0, 3))).any()


@pytest.mark.parametrize(
    'heatmap, opacity, message',
    [
        (np.zeros((2, 2, 2)), 0.5, r'heatmap: expected shape \[h, w\], got \(2, 2, 2\)'),
        (np.full((2, 2), np.nan), 0.5, 'heatmap: expected finite numbers'),
        (np.zeros((2, 2)), 2, 'opacity: expected 0 to 1, got 2'),
    ],
)
def test_heatmap_overlay_errors(heatmap: np.ndarray, opacity: float, message: str):
    with pytest.raises(ValueError, match=message):
        heatmap_overlay(flat(8, 8, 0), heatmap, opacity)
