"""A hand in space as an image."""

import numpy as np
import pytest

from handkp_plugins.structures.skeleton import KEYPOINT_COLORS
from handkp_plugins.visualization.space import SpacePlot


def of_finger(image: np.ndarray, keypoint: int) -> np.ndarray:
    """Pixels near the colour of the finger of a keypoint."""
    return np.abs(image[..., ::-1].astype(int) - KEYPOINT_COLORS[keypoint]).max(2) < 40


def straight_hand() -> np.ndarray:
    """The thumb points up and the little finger down, the others lie on each other to the right."""
    hand = np.zeros((21, 3))
    hand[1:, 0] = np.tile([0.2, 0.4, 0.6, 0.8], 5)
    hand[1:5], hand[17:21] = hand[1:5, [1, 0, 2]] * [1, -1, 1], hand[17:21, [1, 0, 2]]
    return hand


def test_axes_are_those_of_a_camera():
    plot = SpacePlot(2.5, 200, 'm')
    image = plot.draw(straight_hand())
    assert image.shape == (200, 200, 3) and image.dtype == np.uint8
    thumb, ring, little = (np.argwhere(of_finger(image, k)).mean(0) for k in (4, 16, 20))
    assert thumb[0] < ring[0] - 10 and ring[0] < little[0] - 10  # y is down
    assert ring[1] > thumb[1] + 10 and ring[1] > little[1] + 10  # x is right


def test_the_cube_follows_the_hand():
    plot = SpacePlot(2.5, 200, 'm')
    here, there = (plot.draw(straight_hand() + place) for place in ([0, 0, 0], [7, -3, 20]))
    for k in (4, 16, 20):
        assert np.argwhere(of_finger(there, k)).mean(0) == pytest.approx(np.argwhere(of_finger(here, k)).mean(0), abs=2)


def test_unknown_points_are_left_out():
    plot, hand = SpacePlot(2.5, 200), straight_hand()
    assert of_finger(plot.draw(hand), 20).any()
    hand[18] = np.nan
    image = plot.draw(hand)
    assert of_finger(image, 20).any() and of_finger(image, 4).any()
    hand[17:] = np.nan
    assert not of_finger(plot.draw(hand), 20).any()
    assert not of_finger(plot.draw(np.full((21, 3), np.nan)), 4).any()
