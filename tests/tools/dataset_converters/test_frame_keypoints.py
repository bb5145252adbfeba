import json
from pathlib import Path

import numpy as np
import pytest
from frame_keypoints import read_frame_keypoints

HEADER = ','.join(['frame', *(f'{axis}{k}' for k in range(21) for axis in 'xyv')])


def line(frame: object, points: np.ndarray) -> str:
    return ','.join([str(frame), *map(str, points.ravel())])


def points(start: float = 0) -> np.ndarray:
    """Keypoint k at (start + k, 2k), visible but for the last, which is not labelled."""
    hand = np.array([[start + k, 2.0 * k, 2] for k in range(21)])
    hand[20] = [np.nan, np.nan, 0]
    return hand


def test_csv_in_any_order(tmp_path: Path):
    path = tmp_path / 'a.csv'
    path.write_text('\n'.join([HEADER, line(7, points(5)), line(2, points())]))
    hands = read_frame_keypoints(path)
    assert list(hands) == [7, 2]
    np.testing.assert_array_equal(hands[7], points(5))


def test_json_with_and_without_depth_and_hands(tmp_path: Path):
    path = tmp_path / 'a.json'
    flat, deep = points()[:, :2], np.column_stack([points()[:, :2], np.full(21, 9.0)])
    flat[20] = deep[20, :2] = 1
    for hand in (flat, deep):
        path.write_text(json.dumps([hand.tolist(), None, hand.tolist()]))
        hands = read_frame_keypoints(path)
        assert list(hands) == [0, 2]
        np.testing.assert_array_equal(hands[2], np.column_stack([flat, np.ones(21)]))


def with_value(cell: int, value: str) -> str:
    cells = line(1, points()).split(',')
    cells[cell] = value
    return ','.join(cells)


@pytest.mark.parametrize(
    ('content', 'message'),
    [
        ('frame,x,y\n', 'line 1: expected the header frame,x0,y0,v0,…,x20,y20,v20, got frame,x,y'),
        ('', 'line 1: expected the header'),
        (f'{HEADER}\n1,2,3', 'line 2: expected 64 values, got 3'),
        (f'{HEADER}\n{with_value(0, "x")}', "line 2: frame: expected a whole number from 0, got 'x'"),
        (f'{HEADER}\n{with_value(0, "-1")}', 'line 2: frame: expected a whole number'),
        (f'{HEADER}\n{with_value(4, "left")}', "line 2: expected numbers, got text .*'left'"),
        (f'{HEADER}\n{with_value(3, "3")}', r'line 2: visibility: expected 0, 1 or 2, got \[3'),
        (f'{HEADER}\n{with_value(1, "nan")}', 'line 2: expected finite numbers at a labelled keypoint'),
        (
            f'{HEADER}\n{line(4, points())}\n{line(4, points())}',
            'line 3: expected one hand for each frame, got frame 4 for the second',
        ),
        (
            f'{HEADER}\n{line(4, points() / [100, 100, 1])}',
            'expected pixels of the frame, got hands of less than 2',
        ),
    ],
)
def test_bad_csv(tmp_path: Path, content: str, message: str):
    path = tmp_path / 'a.csv'
    path.write_text(content)
    with pytest.raises(ValueError, match=rf'a\.csv: {message}'):
        read_frame_keypoints(path)


def test_bad_json(tmp_path: Path):
    path = tmp_path / 'a.json'
    path.write_text(json.dumps([[[1.0, 2.0]] * 21, [[np.nan, 2.0]] + [[1.0, 2.0]] * 20]))
    with pytest.raises(ValueError, match=r'a\.json: row 1: expected finite numbers, or null for no hand,'):
        read_frame_keypoints(path)
    path.write_text(json.dumps([[[0.1, 0.02, 0.3]] * 20 + [[0.2, 0.01, 0.3]]]))
    with pytest.raises(ValueError, match=r'a\.json: expected pixels of the frame, .* metres, or shares of the image'):
        read_frame_keypoints(path)
