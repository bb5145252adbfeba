"""Which hand of a view, and which frames of several."""

import json

import numpy as np
import pytest
from helpers.seen_videos import write_view, write_views

from handkp_plugins.apps.triangulation.views import SUREST, pair_frames, read_view


@pytest.fixture
def two_hands(tmp_path):
    """Track 1 has the score 0.9, then 0.3; track 2, at its place plus 100, is in the last two of four frames at 0.6."""
    points = np.random.default_rng(0).uniform(0, 200, (4, 21, 2))
    scores = np.array([0.9, 0.9, 0.9, 0.3])[:, None]
    path = write_view(tmp_path / 'a.json', points, scores)
    document = json.loads(path.read_text())
    for i in (2, 3):
        other = dict(keypoints=(points[i] + 100).tolist(), scores=[0.6] * 21, track=2)
        document['items'][i]['instances'].append(other)
    path.write_text(json.dumps(document))
    return path, points


def test_one_hand(tmp_path):
    points = np.random.default_rng(0).uniform(0, 200, (4, 21, 2))
    points[2] = np.nan
    view = read_view(write_view(tmp_path / 'a.json', points, 0.5))
    assert np.array_equal(view.keypoints, points, equal_nan=True) and view.scores[:, 3].tolist() == [0.5, 0.5, 0, 0.5]
    assert view.size == (640, 480) and view.source == 'a.avi' and view.index.tolist() == [0, 1, 2, 3]


def test_several_hands_need_a_choice(two_hands):
    path, points = two_hands
    with pytest.raises(
        ValueError, match='a.json: expected one hand a frame, got more in 2 of 4 frames, first in frame 2'
    ):
        read_view(path)
    assert np.array_equal(read_view(path, '1').keypoints, points)
    second = read_view(path, '2').keypoints
    assert np.isnan(second[:2]).all() and np.array_equal(second[2:], points[2:] + 100)
    surest = read_view(path, SUREST).keypoints
    assert np.array_equal(surest[:3], points[:3]) and np.array_equal(surest[3], points[3] + 100)
    with pytest.raises(ValueError, match="a.json: --hand: expected a track, one of 1, 2, got '3'"):
        read_view(path, '3')


def test_frames_of_the_same_moment(tmp_path):
    (a, b, c), _ = write_views(tmp_path)
    views = [read_view(path) for path in (a, b, c)]
    assert pair_frames(views).tolist() == [[i] * 3 for i in range(12)]
    assert pair_frames(views, [0, 3, -1]).tolist() == [[i, i + 3, i - 1] for i in range(1, 9)]
    with pytest.raises(ValueError, match='--shift: expected a number for each of 3 views, got 2'):
        pair_frames(views, [0, 1])
    with pytest.raises(ValueError, match='expected frames of the same moment, got none with --shift 0 12 0'):
        pair_frames(views, [0, 12, 0])


def test_videos_of_different_lengths(tmp_path):
    (a, b, _), _ = write_views(tmp_path)
    short = write_view(tmp_path / 'short.json', np.random.default_rng(0).uniform(0, 9, (10, 21, 2)))
    views = [read_view(path) for path in (a, b, short)]
    with pytest.raises(
        ValueError, match='short.json: expected the same number of frames, got 12, 12, 10; --shift says'
    ):
        pair_frames(views)
    assert len(pair_frames(views, [0, 0, -2])) == 10


@pytest.mark.parametrize(('score', 'said'), [(1.2, '1.2'), (-0.1, '-0.1')])
def test_scores_that_are_no_confidences(tmp_path, score, said):
    points = np.random.default_rng(0).uniform(0, 200, (3, 21, 2))
    scores = np.full((3, 21), 0.5)
    scores[1, 4] = score
    with pytest.raises(ValueError, match=f'a.json: frame 1, instance 0: scores: expected 0 to 1, got {said}'):
        read_view(write_view(tmp_path / 'a.json', points, scores))


def test_malformed_files(tmp_path):
    points = np.random.default_rng(0).uniform(0, 200, (3, 21, 2))
    with pytest.raises(ValueError, match='a.json: no hand in any of its 3 frames'):
        read_view(write_view(tmp_path / 'a.json', np.full((3, 21, 2), np.nan)))
    with pytest.raises(ValueError, match='a.json: expected version 1, got 2'):
        read_view(write_view(tmp_path / 'a.json', points, version=2))
    with pytest.raises(FileNotFoundError, match='gone.json: no such file; expected keypoints.json of tools/demo.py'):
        read_view(tmp_path / 'gone.json')
    path = write_view(tmp_path / 'a.json', points)
    items = json.loads(path.read_text())['items']
    for change, message in (
        (dict(frame=0), 'a.json: frame: expected rising numbers, got 0 again or late'),
        (dict(width=9), r'a.json: width, height: expected one size of all frames, got \[\(9, 480\), \(640, 480\)\]'),
    ):
        with pytest.raises(ValueError, match=message):
            read_view(write_view(tmp_path / 'a.json', points, items=[*items[:2], items[2] | change]))
