from dataclasses import dataclass

import numpy as np
import pytest

from handkp_plugins.visualization import FrameRate, draw_hand, draw_hands, draw_label, draw_rate, frame

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


@pytest.mark.parametrize('height', [120, 1080])
def test_the_rate_is_in_the_upper_left_corner(height: int):
    image = np.full((height, 2 * height, 3), 90, np.uint8)
    draw_rate(image, 12.3)
    rows, columns = np.nonzero((image != 90).any(2))
    assert len(rows) > 50 and rows.max() < height / 6 and columns.max() < height
    assert image.max() > 200 and image.min() < 60  # readable on white and on black


def test_the_rate_is_steadied(monkeypatch: pytest.MonkeyPatch):
    times = iter([0.0, 0.1, 0.2, 0.4])
    monkeypatch.setattr(frame.time, 'perf_counter', lambda: next(times))
    rate = FrameRate()
    assert rate.tick() is None
    assert [rate.tick() for _ in range(3)] == pytest.approx([10, 10, 1 / 0.11])
