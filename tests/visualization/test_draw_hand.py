import numpy as np
import pytest

from handkp_plugins.structures.skeleton import KEYPOINT_COLORS
from handkp_plugins.visualization import draw_hand
from handkp_plugins.visualization.hand import line_width


def spread_keypoints() -> np.ndarray:
    """A flat open hand: the wrist below, five straight fingers above it."""
    points = [(100, 190)] + [(20 + 40 * f, 150 - 40 * i) for f in range(5) for i in range(4)]
    return np.array(points, dtype=np.float32)


def test_each_finger_has_its_color_and_the_input_stays():
    image = np.zeros((200, 200, 3), np.uint8)
    keypoints = spread_keypoints()
    picture = draw_hand(image, keypoints)
    assert not image.any()
    assert picture.shape == image.shape
    assert picture.dtype == np.uint8
    for k, (x, y) in enumerate(keypoints.astype(int)):
        np.testing.assert_array_equal(picture[y, x], KEYPOINT_COLORS[k][::-1], err_msg=f'keypoint {k}')
    np.testing.assert_array_equal(picture[130, 20], KEYPOINT_COLORS[2][::-1], err_msg='bone of the thumb')


def test_low_scores_are_faint_and_zero_scores_absent():
    image = np.zeros((200, 200, 3), np.uint8)
    scores = np.ones(21)
    scores[4] = 0.1
    scores[8] = 0.0
    keypoints = spread_keypoints()
    keypoints[8] = np.nan
    picture = draw_hand(image, keypoints, scores)
    np.testing.assert_allclose(picture[30, 20], 0.35 * np.array(KEYPOINT_COLORS[4][::-1]), atol=1)
    np.testing.assert_allclose(picture[50, 20], 0.35 * np.array(KEYPOINT_COLORS[4][::-1]), atol=1, err_msg='its bone')
    assert not picture[20:55, 55:65].any()
    np.testing.assert_array_equal(picture[70, 60], KEYPOINT_COLORS[7][::-1])


def test_box():
    picture = draw_hand(np.zeros((220, 220, 3), np.uint8), spread_keypoints(), bbox=(5, 10, 210, 212))
    assert picture[10, 5:210].min() == 255
    assert picture[212, 5:210].min() == 255


def test_nothing_to_draw_and_keypoints_far_outside():
    image = np.full((50, 60, 3), 7, np.uint8)
    np.testing.assert_array_equal(draw_hand(image, np.zeros((21, 2)), np.zeros(21)), image)
    np.testing.assert_array_equal(draw_hand(image, spread_keypoints() + 1e9), image)


@pytest.mark.parametrize('scale, width', [(0.1, 1), (1, 4), (10, 40)])
def test_line_width_follows_the_hand(scale: float, width: int):
    assert line_width(spread_keypoints() * scale) == width


@pytest.mark.parametrize(
    'change, message',
    [
        (dict(keypoints=np.zeros((20, 2))), r'keypoints: expected shape \(21, 2\), got \(20, 2\)'),
        (dict(keypoints=np.full((21, 2), np.nan)), 'keypoints: finite numbers'),
        (dict(scores=np.ones(3)), r'scores: expected shape \(21,\), got \(3,\)'),
        (dict(image=np.zeros((9, 9), np.uint8)), r'image: .* got uint8 \(9, 9\)'),
        (dict(image=None), 'image: .* got NoneType'),
    ],
)
def test_errors(change: dict, message: str):
    arguments = dict(image=np.zeros((9, 9, 3), np.uint8), keypoints=np.zeros((21, 2))) | change
    with pytest.raises(ValueError, match=message):
        draw_hand(**arguments)
