import numpy as np
import pytest

from handkp_plugins.evaluation.functional.box_scores import GROUPS, box_scores, crop_pixels

BOXES = np.array([[10, 20, 110, 60], [0, 0, 25, 50]], float)  # longer sides 100 and 50


def test_a_tenth_of_the_box_is_a_tenth_of_the_crop_without_its_padding():
    distances = np.array([[10.0, 50.0], [5.0, 0.0]])
    np.testing.assert_allclose(crop_pixels(distances, BOXES), [[20.48, 102.4], [20.48, 0]])


def test_scores_by_hand():
    distances = np.full((2, 21), 30.0)  # 61.44 px in the first hand; unlabelled in the second but for four
    distances[0, :5] = [0, 9.99, 10, 20, np.nan]
    distances[1, :4] = [5, 9.99, 2.5, 1]
    visibility = np.ones((2, 21))
    visibility[0, 5:] = 0
    visibility[1, 4:] = 0
    scores = box_scores(distances, visibility, BOXES)
    assert (scores['n_hands'], scores['n_keypoints']) == (2, 9)
    # in tenths of the box: 0, 0.999, 1, 2, inf; 1, 1.998, 0.5, 0.2
    assert scores['pck_0.1'] == pytest.approx(4 / 9)
    assert scores['pck_0.2'] == pytest.approx(7 / 9)
    assert scores['median_px'] == pytest.approx(20.48)
    assert scores['mean_px'] == np.inf
    assert scores['groups']['wrist'] == dict(n=2, median_px=pytest.approx(10.24), mean_px=pytest.approx(10.24))
    assert scores['groups']['DIP'] == dict(n=2, median_px=pytest.approx(22.528), mean_px=pytest.approx(22.528))
    assert scores['groups']['tip']['n'] == 1
    assert 'hidden' not in scores['groups']


def test_hidden_and_visible_where_both_are_told():
    distances = np.full((1, 21), 10.0)
    distances[0, 7] = 40
    visibility = np.full((1, 21), 2)
    visibility[0, 7], visibility[0, 8] = 1, 0
    groups = box_scores(distances, visibility, BOXES[:1])['groups']
    assert groups['hidden'] == dict(n=1, median_px=pytest.approx(81.92), mean_px=pytest.approx(81.92))
    assert groups['visible'] == dict(n=19, median_px=pytest.approx(20.48), mean_px=pytest.approx(20.48))


def test_each_keypoint_is_in_one_group():
    assert sorted(sum(GROUPS.values(), [])) == list(range(21))
    assert (GROUPS['MCP'], GROUPS['tip']) == ([1, 5, 9, 13, 17], [4, 8, 12, 16, 20])


def test_boxes_that_cannot_be():
    with pytest.raises(ValueError, match=r'expected x1 < x2 and y1 < y2, got \[5.0, 0.0, 5.0, 9.0\]'):
        crop_pixels(np.zeros((1, 21)), np.array([[5, 0, 5, 9]]))
    with pytest.raises(ValueError, match='boxes: expected 2, one for each hand, got 1'):
        crop_pixels(np.zeros((2, 21)), BOXES[:1])
