from dataclasses import dataclass

import numpy as np
import pytest

from handkp_plugins.structures.skeleton import KEYPOINT_COLORS
from handkp_plugins.visualization.hand import draw_beside_label, draw_hand, draw_hands, draw_label, line_width


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
        (dict(keypoints=np.full((21, 2), np.nan)), 'keypoints: expected finite numbers'),
        (dict(scores=np.ones(3)), r'scores: expected shape \(21,\), got \(3,\)'),
        (dict(image=np.zeros((9, 9), np.uint8)), r'image: .* got uint8 \(9, 9\)'),
        (dict(image=None), 'image: .* got NoneType'),
    ],
)
def test_errors(change: dict, message: str):
    arguments = dict(image=np.zeros((9, 9, 3), np.uint8), keypoints=np.zeros((21, 2))) | change
    with pytest.raises(ValueError, match=message):
        draw_hand(**arguments)


IMAGE = np.full((120, 160, 3), 90, np.uint8)
KEYPOINTS = np.random.default_rng(0).uniform(30, 70, (21, 2))


@dataclass
class Hand:
    box: np.ndarray
    keypoints: np.ndarray
    scores: np.ndarray
    text: str = ''

    def label(self) -> str:
        return self.text


def hand(shift: float, text: str = '') -> Hand:
    return Hand(np.array([25, 25, 75, 75]) + shift, KEYPOINTS + shift, np.ones(21), text)


def test_all_hands_and_their_labels_are_drawn():
    hands = [hand(0, '1 left'), hand(40)]
    expected = IMAGE
    for one in hands:
        expected = draw_hand(expected, one.keypoints, one.scores, bbox=one.box)
    np.testing.assert_array_equal(draw_hands(IMAGE, hands), draw_label(expected, '1 left', hands[0].box))
    nothing = draw_hands(IMAGE, [])
    np.testing.assert_array_equal(nothing, IMAGE)
    assert nothing is not IMAGE and (IMAGE == 90).all()


def test_a_label_lies_above_the_skeleton_of_another_hand():
    first, second = hand(0, 'A'), hand(-20)
    drawn = draw_hands(IMAGE, [first, second])
    np.testing.assert_array_equal(drawn, draw_label(draw_hands(IMAGE, [hand(0), second]), 'A', first.box))


def test_prediction_left_and_label_right():
    image = np.full((100, 100, 3), 200, np.uint8)
    box = np.array([30.0, 30.0, 70.0, 70.0])
    spot = np.tile([[50.0, 50.0]], (21, 1))
    labelled = np.zeros(21, bool)
    labelled[0] = True
    before = image.copy()
    picture = draw_beside_label(image, box, spot - [10, 0], spot + [0, 10], labelled, size=60, margin=1.5)
    np.testing.assert_array_equal(image, before)
    assert picture.shape == (60, 120, 3)
    # 60 pixels show 60 pixels of the image, from 20 on
    left, right = picture[:, :60], picture[:, 60:]
    assert (left[30, 20] != 200).any() and (left[40, 30] == 200).all()
    assert (right[40, 30] != 200).all() and (right[30, 20] == 200).all()


def test_outside_the_image_is_grey_and_no_number_is_not_drawn():
    image = np.full((40, 40, 3), 10, np.uint8)
    nothing = np.full((21, 2), np.nan)
    picture = draw_beside_label(image, np.array([0.0, 0.0, 20.0, 20.0]), nothing, nothing, np.zeros(21), size=40)
    assert (picture[0, 0] == 128).all() and (picture[20, 20] == 10).all()
