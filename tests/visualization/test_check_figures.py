from pathlib import Path

import cv2
import numpy as np

from handkp_plugins.visualization.check_figures import beside_label, plot_frames


def test_prediction_left_and_label_right():
    image = np.full((100, 100, 3), 200, np.uint8)
    box = np.array([30.0, 30.0, 70.0, 70.0])
    spot = np.tile([[50.0, 50.0]], (21, 1))
    labelled = np.zeros(21, bool)
    labelled[0] = True
    before = image.copy()
    picture = beside_label(image, box, spot - [10, 0], spot + [0, 10], labelled, size=60, margin=1.5)
    np.testing.assert_array_equal(image, before)
    assert picture.shape == (60, 120, 3)
    # 60 pixels show 60 pixels of the image, from 20 on
    left, right = picture[:, :60], picture[:, 60:]
    assert (left[30, 20] != 200).any() and (left[40, 30] == 200).all()
    assert (right[40, 30] != 200).all() and (right[30, 20] == 200).all()


def test_outside_the_image_is_grey_and_no_number_is_not_drawn():
    image = np.full((40, 40, 3), 10, np.uint8)
    nothing = np.full((21, 2), np.nan)
    picture = beside_label(image, np.array([0.0, 0.0, 20.0, 20.0]), nothing, nothing, np.zeros(21), size=40)
    assert (picture[0, 0] == 128).all() and (picture[20, 20] == 10).all()


def curve_pixels(picture: np.ndarray) -> int:
    """Pixels in the blue of the curve."""
    return int(((picture[..., 0] > 120) & (picture[..., 2] < 90)).sum())


def test_a_lost_frame_is_a_gap(tmp_path: Path):
    whole, gap = tmp_path / 'whole.png', tmp_path / 'gap.png'
    frames = np.arange(3, 9)
    plot_frames(whole, frames, np.linspace(0, 50, 6), 'a video', 20.48)
    plot_frames(gap, np.delete(frames, 2), np.delete(np.linspace(0, 50, 6), 2), 'a video', 20.48)
    assert cv2.imread(str(gap)).shape == (360, 1200, 3)
    whole_curve, curve_with_gap = (curve_pixels(cv2.imread(str(path))) for path in (whole, gap))
    assert curve_with_gap < 0.8 * whole_curve
