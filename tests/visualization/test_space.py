"""A hand in space as an image."""

import numpy as np

from handkp_plugins.visualization.space import SpacePlot


def ink(image: np.ndarray) -> np.ndarray:
    """Saturated pixels: the bones, but not the grey axes."""
    return np.ptp(image.astype(int), axis=2) > 60


def test_the_hand_moves_in_a_cube_that_stays():
    plot = SpacePlot(np.zeros(3), 2, 200, 'm')
    hand = np.random.default_rng(0).uniform(-0.3, 0.3, (21, 3))
    image = plot.draw(hand)
    assert image.shape == (200, 200, 3) and image.dtype == np.uint8 and ink(image).sum() > 100
    assert np.array_equal(plot.draw(hand), image)
    up = plot.draw(hand - [0, 0.5, 0])
    rows = [np.nonzero(ink(i))[0].mean() for i in (image, up)]
    assert rows[1] < rows[0] - 20  # y points down


def test_unknown_points_are_left_out():
    plot = SpacePlot(np.zeros(3), 2, 200)
    hand = np.random.default_rng(0).uniform(-0.3, 0.3, (21, 3))
    whole = ink(plot.draw(hand)).sum()
    hand[1:] = np.nan
    assert ink(plot.draw(hand)).sum() == 0 < whole
