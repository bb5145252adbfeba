"""Noisy labels have the shares, deviations and confidences that their description states."""

import numpy as np
import pytest

from handkp_plugins.structures.skeleton import FINGER_KEYPOINTS
from handkp_plugins.synthetic.multiview import pseudo_labels as module
from handkp_plugins.synthetic.multiview.pseudo_labels import make_pseudo_keypoints

N = 20_000
SWITCHES = ('GROSS_SHARE', 'GROSS_SHARE_HIDDEN', 'FINGER_SHARE', 'TURN_SHARE')
SHAPE = np.array([(10.0 * (i % 4) + 5, 45.0 * (1 + (i - 1) // 4)) if i else (0.0, 135.0) for i in range(21)]) + 20
"""A flat hand whose fingers are 45 pixels apart."""


@pytest.fixture
def only(monkeypatch):
    """Leave one kind of error, beside the noise."""

    def switch(*names: str) -> None:
        for name in set(SWITCHES) - set(names):
            monkeypatch.setattr(module, name, 0.0)

    return switch


def made(size: int = 224, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Errors in pixels at 224 (N, 21, 2), which are hidden (N, 21), and confidences (N, 21)."""
    rng = np.random.default_rng(seed)
    points = np.tile(SHAPE * size / 224, (N, 1, 1))
    hidden = rng.random((N, 21)) < 0.35
    pseudo = make_pseudo_keypoints(points, hidden, size, rng)
    return (pseudo[..., :2] - points) * 224 / size, hidden, pseudo[..., 2]


@pytest.mark.parametrize('size', [224, 64])
def test_noise_is_3_pixels_and_8_where_hidden(only, size):
    only()
    error, hidden, _ = made(size)
    assert error[~hidden].std(0) == pytest.approx([3, 3], rel=0.01)
    assert error[hidden].std(0) == pytest.approx([8, 8], rel=0.01)
    assert np.abs(error.mean((0, 1))).max() < 0.05


def test_gross_errors_are_on_the_next_finger_or_up_to_60_pixels_away(only, monkeypatch):
    only('GROSS_SHARE', 'GROSS_SHARE_HIDDEN')
    monkeypatch.setattr(module, 'NOISE', 0.0)
    monkeypatch.setattr(module, 'NOISE_HIDDEN', 0.0)
    error, hidden, _ = made()
    wrong = np.abs(error).max(-1) > 0
    assert wrong[~hidden].mean() == pytest.approx(0.02, rel=0.05) and wrong[hidden].mean() == pytest.approx(
        0.1, rel=0.05
    )
    assert np.abs(error).max() <= 60 and error[wrong & (np.arange(21) == 0)].std(0) == pytest.approx([35, 35], rel=0.05)
    next_finger = np.array([0.0, 45.0]) * np.where(np.arange(21) < 17, 1, -1)[:, None]
    swapped = np.abs(error - next_finger).max(-1) < 1e-9
    assert swapped[wrong & (np.arange(21) > 0)].mean() == pytest.approx(0.5, abs=0.02) and not swapped[:, 0].any()


def test_one_finger_lies_on_its_neighbour_in_8_percent_of_the_images(only):
    only('FINGER_SHARE')
    error, _, _ = made()
    middle = np.stack([np.median(error[:, ids, 1], axis=1) for ids in FINGER_KEYPOINTS.values()], axis=1)
    moved = np.abs(middle) > 30
    assert moved.any(1).mean() == pytest.approx(0.08, rel=0.07) and moved.sum(1).max() == 1
    assert moved.mean(0) == pytest.approx([0.016] * 5, rel=0.15)
    assert (middle[moved] > 0).mean() == pytest.approx(0.8, abs=0.05)  # the little finger goes the other way


def test_the_hand_is_turned_in_10_percent_of_the_images(only):
    only('TURN_SHARE')
    error, _, _ = made()
    spread = SHAPE - SHAPE.mean(0)
    noisy = error + SHAPE - SHAPE.mean(0)
    cross = (spread[:, 0] * noisy[..., 1] - spread[:, 1] * noisy[..., 0]).sum(1)
    angle = np.degrees(np.arctan2(cross, (spread * noisy).sum((1, 2))))
    turned = np.abs(angle) > 30
    assert turned.mean() == pytest.approx(0.1, rel=0.07)
    # half of all turns are to either side; their sizes are uniform from 45 to 180
    assert (angle[turned] > 0).mean() == pytest.approx(0.5, abs=0.05)
    assert np.quantile(np.abs(angle[turned]), [0.02, 0.5, 0.98]) == pytest.approx([47.7, 112.5, 177.3], abs=5)


def test_confidence_falls_with_the_error_and_is_lower_where_hidden():
    error, hidden, confidence = made()
    size = np.linalg.norm(error, axis=-1)
    assert confidence.min() == 0.05 and confidence.max() == 1
    bins = [confidence[(size >= low) & (size < high)].mean() for low, high in ((0, 5), (5, 15), (15, 30), (30, 60))]
    assert all(a > b + 0.05 for a, b in zip(bins, bins[1:], strict=False))
    near = (size > 4) & (size < 6)
    # the clip takes little away in the middle of the range: .75 exp(-.2) = .614, and .7 of it
    assert np.median(confidence[near & ~hidden]) == pytest.approx(0.614, abs=0.02)
    assert np.median(confidence[near & hidden]) == pytest.approx(0.430, abs=0.02)
    assert confidence[near & ~hidden].std() == pytest.approx(0.23, abs=0.03)


def test_a_seed_repeats_and_the_truth_is_left_alone():
    points, hidden = np.tile(SHAPE, (5, 1, 1)), np.zeros((5, 21), bool)
    first, again, other = (make_pseudo_keypoints(points, hidden, 224, np.random.default_rng(s)) for s in (1, 1, 2))
    assert np.array_equal(first, again) and not np.array_equal(first, other)
    assert first.shape == (5, 21, 3) and np.array_equal(points, np.tile(SHAPE, (5, 1, 1)))
    assert make_pseudo_keypoints(points[:0], hidden[:0], 224, np.random.default_rng(0)).shape == (0, 21, 3)


@pytest.mark.parametrize(
    'change, message',
    [
        ({'points': np.zeros((2, 20, 2))}, r'points: expected shape \(N, 21, 2\), got \(2, 20, 2\)'),
        ({'points': np.full((2, 21, 2), np.nan)}, 'points: expected finite numbers, got NaN'),
        ({'hidden': np.zeros((1, 21), bool)}, r'hidden: expected shape \(2, 21\), got \(1, 21\)'),
        ({'size': 0}, 'size: expected 1 or more, got 0'),
    ],
)
def test_bad_input(change, message):
    arguments = dict(points=np.zeros((2, 21, 2)), hidden=np.zeros((2, 21), bool), size=224) | change
    with pytest.raises(ValueError, match=message):
        make_pseudo_keypoints(**arguments, rng=np.random.default_rng(0))
