from pathlib import Path

import cv2
import matplotlib
import numpy as np
import pytest

from handkp_plugins.visualization import confusion, heatmap_overlay, plot_pck_curves, tile


def flat(height: int, width: int, value: int) -> np.ndarray:
    return np.full((height, width, 3), value, np.uint8)


def test_tile_rows_columns_and_order():
    sheet = tile([flat(10, 10, v) for v in (10, 20, 30)], columns=2)
    assert sheet.shape == (2 * 10 + 3 * 4, 2 * 10 + 3 * 4, 3)
    assert [sheet[9, 9, 0], sheet[9, 23, 0], sheet[23, 9, 0], sheet[23, 23, 0]] == [10, 20, 30, 255]


def test_tile_keeps_the_aspect_ratio():
    sheet = tile([flat(10, 40, 50), flat(20, 20, 90)], columns=9, cell=(20, 20))
    first = sheet[4:24, 4:24, 0]
    assert (first[8:12] == 50).all()
    assert (first[:7] == 255).all()
    assert (sheet[4:24, 28:48] == 90).all()


def test_tile_captions_stand_above_and_fit():
    plain = tile([flat(30, 60, 100)] * 2, columns=2)
    captioned = tile([flat(30, 60, 100)] * 2, columns=2, captions=['a', 'a caption that is far too long for its cell'])
    assert captioned.shape[0] == plain.shape[0] + 20
    assert (captioned[:24, 4:64] < 200).any()
    assert (captioned[:, 64:68] == 255).all()
    assert (captioned[:, -4:] == 255).all()


@pytest.mark.parametrize(
    'arguments, message',
    [
        (dict(images=[], columns=2), 'images: at least one'),
        (dict(images=[flat(3, 3, 0)], columns=0), 'columns, cell: at least 1'),
        (dict(images=[flat(3, 3, 0)], columns=1, captions=['a', 'b']), 'captions: expected 1.*got 2'),
        (dict(images=[np.zeros((3, 3))], columns=1), 'image: a uint8 array'),
    ],
)
def test_tile_errors(arguments: dict, message: str):
    with pytest.raises(ValueError, match=message):
        tile(**arguments)


def test_confusion_is_drawn_by_shares_of_the_true_class(monkeypatch, tmp_path):
    drawn = []
    monkeypatch.setattr(confusion, 'save_plot', lambda figure, path: drawn.append((figure, path)))
    confusion.plot_confusion(('open', 'fist', 'ok'), [[3, 1, 0], [0, 8, 2], [0, 0, 0]], tmp_path / 'a.png')
    (figure, path), *others = drawn
    (axes,) = figure.axes
    assert not others and path == tmp_path / 'a.png'
    shares = [[0.75, 0.25, 0], [0, 0.8, 0.2], [0, 0, 0]]
    np.testing.assert_allclose(axes.images[0].get_array(), shares)
    assert axes.images[0].get_clim() == (0, 1)
    numbers = {text.get_position(): (text.get_text(), text.get_color()) for text in axes.texts}
    assert numbers == {(0, 0): ('3', 'white'), (1, 0): ('1', 'black'), (1, 1): ('8', 'white'), (2, 1): ('2', 'black')}
    for labels in (axes.get_xticklabels(), axes.get_yticklabels()):
        assert [label.get_text() for label in labels] == ['open', 'fist', 'ok']
    assert (axes.get_xlabel(), axes.get_ylabel()) == ('recognised', 'true')
    with pytest.raises(ValueError, match=r'counts: expected \(2, 2\), a class or more, got \(3, 3\)'):
        confusion.plot_confusion(('a', 'b'), np.zeros((3, 3)), tmp_path / 'a.png')


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
        (np.full((2, 2), np.nan), 0.5, 'heatmap: finite numbers'),
        (np.zeros((2, 2)), 2, 'opacity: expected 0 to 1, got 2'),
    ],
)
def test_heatmap_overlay_errors(heatmap: np.ndarray, opacity: float, message: str):
    with pytest.raises(ValueError, match=message):
        heatmap_overlay(flat(8, 8, 0), heatmap, opacity)


def matplotlib_state() -> tuple:
    settings = {k: matplotlib.rcParams[k] for k in matplotlib.rcParams if k != 'backend'}  # asking for it chooses one
    return matplotlib.get_backend(auto_select=False), settings


def test_plot_pck_curves_writes_a_picture_and_keeps_matplotlib_as_it_was(tmp_path: Path):
    before = matplotlib_state()
    path = tmp_path / 'ünï' / 'pck.png'
    path.parent.mkdir()
    plot_pck_curves({'ours': np.linspace(0, 1, 50), 'mean pose': np.linspace(0, 0.3, 50)}, path)
    picture = cv2.imread(str(path))
    assert picture.shape == (480, 720, 3)
    assert (picture < 128).any()
    assert matplotlib_state() == before


@pytest.mark.parametrize(
    'curves, message',
    [
        ({}, 'curves: at least one'),
        ({'a': np.zeros(3), 'b': np.zeros(4)}, r"got \(4,\) for 'b'"),
        ({'a': np.array([0.5, 1.5])}, "expected shares from 0 to 1, .* for 'a'"),
        ({'a': np.array([np.nan])}, 'shares from 0 to 1'),
    ],
)
def test_plot_pck_curves_errors(tmp_path: Path, curves: dict, message: str):
    with pytest.raises(ValueError, match=message):
        plot_pck_curves(curves, tmp_path / 'pck.png')
