from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest

from handkp_plugins.visualization import plot_keypoint_bars


def bars(path: Path, shares: list[float]) -> np.ndarray:
    plot_keypoint_bars([f'keypoint{i}' for i in range(len(shares))], np.array(shares), path, 'PCK')
    return cv2.imread(str(path))


def ink(picture: np.ndarray) -> int:
    """Pixels in matplotlib's first blue."""
    return int((np.abs(picture.astype(int) - [180, 119, 31]).max(-1) < 8).sum())


def test_bars_grow_with_the_shares_and_matplotlib_stays_as_it_was(tmp_path: Path):
    before = dict(matplotlib.rcParams)
    low, high = bars(tmp_path / 'a' / 'low.png', [0.3] * 3), bars(tmp_path / 'high.png', [0.9] * 3)
    assert ink(high) == pytest.approx(3 * ink(low), rel=0.15)
    rows = np.flatnonzero((np.abs(high.astype(int) - [180, 119, 31]).max(-1) < 8).any(1))
    frame = np.flatnonzero((high[:, high.shape[1] // 2 :] < 60).all(-1).mean(1) > 0.8)  # the lines above and below
    assert np.ptp(rows) / np.ptp(frame) == pytest.approx(0.9 / 1.08, abs=0.02)
    assert dict(matplotlib.rcParams) == before


def test_a_keypoint_without_a_score_has_no_bar(tmp_path: Path):
    one = bars(tmp_path / 'one.png', [0.5, np.nan])
    assert ink(bars(tmp_path / 'two.png', [0.5, 0.5])) == pytest.approx(2 * ink(one), rel=0.15)
    assert ink(bars(tmp_path / 'none.png', [np.nan, np.nan])) == 0


@pytest.mark.parametrize('shares', [[], [0.5, 1.5], [-0.1]])
def test_errors(tmp_path: Path, shares: list[float]):
    with pytest.raises(ValueError, match='shares: '):
        bars(tmp_path / 'a.png', shares)
    with pytest.raises(ValueError, match=r'shares: expected one for each of the 2 names, 1 or more, got \(1,\)'):
        plot_keypoint_bars(['a', 'b'], np.ones(1), tmp_path / 'a.png', '')
