"""Plots: what they show, and that matplotlib's global state stays as it was."""

from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest

from handkp_plugins.visualization import plots


def draw_bars(path: Path, shares: list[float]) -> np.ndarray:
    plots.plot_keypoint_bars([f'keypoint{i}' for i in range(len(shares))], np.array(shares), path, 'PCK')
    return cv2.imread(str(path))


def ink(picture: np.ndarray) -> int:
    """Pixels in matplotlib's first blue."""
    return int((np.abs(picture.astype(int) - [180, 119, 31]).max(-1) < 8).sum())


def test_bars_grow_with_the_shares_and_matplotlib_stays_as_it_was(tmp_path: Path):
    before = dict(matplotlib.rcParams)
    low, high = draw_bars(tmp_path / 'a' / 'low.png', [0.3] * 3), draw_bars(tmp_path / 'high.png', [0.9] * 3)
    assert ink(high) == pytest.approx(3 * ink(low), rel=0.15)
    rows = np.flatnonzero((np.abs(high.astype(int) - [180, 119, 31]).max(-1) < 8).any(1))
    frame = np.flatnonzero((high[:, high.shape[1] // 2 :] < 60).all(-1).mean(1) > 0.8)  # the lines above and below
    assert np.ptp(rows) / np.ptp(frame) == pytest.approx(0.9 / 1.08, abs=0.02)
    assert dict(matplotlib.rcParams) == before


def test_a_keypoint_without_a_score_has_no_bar(tmp_path: Path):
    one = draw_bars(tmp_path / 'one.png', [0.5, np.nan])
    assert ink(draw_bars(tmp_path / 'two.png', [0.5, 0.5])) == pytest.approx(2 * ink(one), rel=0.15)
    assert ink(draw_bars(tmp_path / 'none.png', [np.nan, np.nan])) == 0


@pytest.mark.parametrize('shares', [[], [0.5, 1.5], [-0.1]])
def test_keypoint_bars_errors(tmp_path: Path, shares: list[float]):
    with pytest.raises(ValueError, match='shares: '):
        draw_bars(tmp_path / 'a.png', shares)
    with pytest.raises(ValueError, match=r'shares: expected one for each of the 2 names, 1 or more, got \(1,\)'):
        plots.plot_keypoint_bars(['a', 'b'], np.ones(1), tmp_path / 'a.png', '')


def matplotlib_state() -> tuple:
    settings = {k: matplotlib.rcParams[k] for k in matplotlib.rcParams if k != 'backend'}  # asking for it chooses one
    return matplotlib.get_backend(auto_select=False), settings


def test_plot_pck_curves_writes_a_picture_and_keeps_matplotlib_as_it_was(tmp_path: Path):
    before = matplotlib_state()
    path = tmp_path / 'ünï' / 'pck.png'
    path.parent.mkdir()
    plots.plot_pck_curves({'ours': np.linspace(0, 1, 50), 'mean pose': np.linspace(0, 0.3, 50)}, path)
    picture = cv2.imread(str(path))
    assert picture.shape == (480, 720, 3)
    assert (picture < 128).any()
    assert matplotlib_state() == before


@pytest.mark.parametrize(
    'curves, message',
    [
        ({}, 'curves: expected at least one, got none'),
        ({'a': np.zeros(3), 'b': np.zeros(4)}, r"got \(4,\) for 'b'"),
        ({'a': np.array([0.5, 1.5])}, "expected shares from 0 to 1, .* for 'a'"),
        ({'a': np.array([np.nan])}, 'shares from 0 to 1'),
    ],
)
def test_plot_pck_curves_errors(tmp_path: Path, curves: dict, message: str):
    with pytest.raises(ValueError, match=message):
        plots.plot_pck_curves(curves, tmp_path / 'pck.png')


def test_confusion_is_drawn_by_shares_of_the_true_class(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(plots, 'save_plot', lambda figure, path: drawn.append((figure, path)))
    plots.plot_confusion(('open', 'fist', 'ok'), [[3, 1, 0], [0, 8, 2], [0, 0, 0]], tmp_path / 'a.png')
    (figure, path), *others = drawn
    (axes,) = figure.axes
    assert not others and path == tmp_path / 'a.png'
    shares = [[0.75, 0.25, 0], [0, 0.8, 0.2], [0, 0, 0]]
    np.testing.assert_allclose(axes.images[0].get_array(), shares)
    assert axes.images[0].get_clim() == (0, 1)
    texts = [text for text in axes.texts if text.get_text()]
    numbers = {text.get_position(): text.get_text() for text in texts}
    assert numbers == {(0, 0): '3', (1, 0): '1', (1, 1): '8', (2, 1): '2'}
    light = [sum(text.get_color()[:3]) > 2 for text in texts]
    assert light == [True, False, True, False]  # on dark cells
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == ['open', 'fist', 'ok']
    assert (axes.get_xlabel(), axes.get_ylabel()) == ('recognised', 'true')
    with pytest.raises(ValueError, match=r'counts: expected \(2, 2\), a class or more, got \(3, 3\)'):
        plots.plot_confusion(('a', 'b'), np.zeros((3, 3)), tmp_path / 'a.png')


def curve_pixels(picture: np.ndarray) -> int:
    """Pixels in the blue of the curve."""
    return int(((picture[..., 0] > 120) & (picture[..., 2] < 90)).sum())


def test_a_lost_frame_is_a_gap(tmp_path: Path):
    whole, gap = tmp_path / 'whole.png', tmp_path / 'gap.png'
    frames = np.arange(3, 9)
    plots.plot_frame_errors(frames, np.linspace(0, 50, 6), whole, 'a video', 20.48)
    plots.plot_frame_errors(np.delete(frames, 2), np.delete(np.linspace(0, 50, 6), 2), gap, 'a video', 20.48)
    assert cv2.imread(str(gap)).shape == (360, 1200, 3)
    whole_curve, curve_with_gap = (curve_pixels(cv2.imread(str(path))) for path in (whole, gap))
    assert curve_with_gap < 0.8 * whole_curve
