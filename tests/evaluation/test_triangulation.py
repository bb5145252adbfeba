"""Triangulation of hands whose place is known."""

from dataclasses import replace

import numpy as np
import pytest
from helpers.views import cameras, hands, seen
from scipy.spatial.transform import Rotation

from handkp_plugins.evaluation.triangulation import (
    optimal_center,
    project,
    projection_matrices,
    reprojection_errors,
    triangulate_dlt,
    triangulate_ransac,
)

MM = 1e-3


@pytest.fixture(scope='module')
def four():
    """Three frames of a hand, their pixels in four views, and the projections."""
    calibration = cameras(4)
    truth = hands(3)
    return truth, seen(truth, calibration), projection_matrices(*calibration)


@pytest.mark.parametrize('method', [triangulate_dlt, triangulate_ransac])
@pytest.mark.parametrize('number', [2, 3, 4, 8])
def test_exact_without_noise(method, number):
    calibration = cameras(number)
    truth = hands(2)
    found = method(seen(truth, calibration), projection_matrices(*calibration))
    assert np.abs(found.points - truth).max() < 1e-9
    assert found.used.all() and found.num_missing == 0


def test_cameras_may_move_from_frame_to_frame():
    calibrations = [cameras(3, seed) for seed in (0, 1)]
    truth = hands(2)
    points = np.stack([seen(hand, c) for hand, c in zip(truth, calibrations, strict=True)])
    projections = np.stack([projection_matrices(*c) for c in calibrations])
    for method in (triangulate_dlt, triangulate_ransac):
        assert np.abs(method(points, projections).points - truth).max() < 1e-9
    assert reprojection_errors(truth, points, projections).max() < 1e-9


def test_the_result_moves_with_the_world_and_its_unit(four):
    """Noisy rays do not meet; that the solution is the same is a property of the method."""
    truth, points, _ = four
    noisy = points + np.random.default_rng(1).normal(0, 3, points.shape)
    k, r, t = cameras(4)
    shift = np.array([5.0, -3, 2])
    there = projection_matrices(k, r, 1000 * (t - r @ shift))
    here = triangulate_dlt(noisy, projection_matrices(k, r, t)).points
    assert np.abs(here - truth).max() > MM
    assert triangulate_dlt(noisy, there).points == pytest.approx(1000 * (here + shift), abs=1e-5)


@pytest.mark.parametrize('wrong', range(4))
def test_ransac_leaves_out_a_wrong_view(four, wrong):
    truth, points, projections = four
    bad = points.copy()
    bad[:, wrong] += [60, -40]
    found = triangulate_ransac(bad, projections)
    assert np.abs(found.points - truth).max() < 1e-9
    assert found.used.sum(-2).min() == 3 and not found.used[:, wrong].any()
    assert np.abs(triangulate_dlt(bad, projections).points - truth).max() > 10 * MM


def test_ransac_decides_for_each_keypoint(four):
    truth, points, projections = four
    bad = points.copy()
    bad[:, 0, 3] += 80
    bad[:, 2, 7] -= 80
    found = triangulate_ransac(bad, projections)
    assert np.abs(found.points - truth).max() < 1e-9
    assert not found.used[:, 0, 3].any() and not found.used[:, 2, 7].any() and found.used.sum() == 3 * (84 - 2)


def test_two_views_leave_no_choice(four):
    """RANSAC gives the DLT, whether both views agree or not."""
    _, points, projections = four
    rng = np.random.default_rng(0)
    for noise in (2, 100):
        noisy = points[:, :2] + rng.normal(0, noise, points[:, :2].shape)
        plain, robust = (method(noisy, projections[:2]) for method in (triangulate_dlt, triangulate_ransac))
        assert np.array_equal(plain.points, robust.points) and robust.used.all()


def test_huber_refinement_minimizes_pixels(four):
    """With noise below the threshold the DLT's rays differ from the least loss of the pixel errors."""
    _, points, projections = four
    noisy = points + np.random.default_rng(2).normal(0, 2, points.shape)

    def loss(found):
        assert found.used.all()
        return np.sqrt(1 + np.square((project(found.points, projections) - noisy) / 3)).sum()

    dlt, refined = (method(noisy, projections) for method in (triangulate_dlt, triangulate_ransac))
    assert loss(refined) < loss(dlt)
    nudged = [replace(refined, points=refined.points + step) for step in np.diag([1e-4] * 3)]
    assert loss(refined) < min(map(loss, nudged))


@pytest.mark.parametrize('noise', [2, 40])
@pytest.mark.parametrize('method', [triangulate_dlt, triangulate_ransac])
def test_a_frame_alone_is_as_in_a_batch(four, method, noise):
    """Also where hardly any views agree."""
    _, points, projections = four
    noisy = points + np.random.default_rng(0).normal(0, noise, points.shape)
    batch = method(noisy, projections)
    assert np.isfinite(batch.points).all() and batch.used.sum(-2).min() >= 2
    for i in range(3):
        alone = method(noisy[i], projections)
        assert alone.points == pytest.approx(batch.points[i]) and np.array_equal(alone.used, batch.used[i])


def test_weights(four):
    """A view of little weight pulls little, one of weight 0 is not used, and equal weights change nothing."""
    truth, points, projections = four
    bad = points.copy()
    bad[:, 3] += 50
    weights = np.ones(bad.shape[:-1])
    plain = triangulate_dlt(bad, projections).points
    assert triangulate_dlt(bad, projections, 0.3 * weights).points == pytest.approx(plain, abs=1e-12)
    weights[:, 3] = 0.05
    little = triangulate_dlt(bad, projections, weights)
    assert little.used.all() and np.abs(little.points - truth).max() < 0.1 * np.abs(plain - truth).max()
    weights[:, 3] = 0
    none = triangulate_dlt(bad, projections, weights)
    assert np.abs(none.points - truth).max() < 1e-9 and not none.used[:, 3].any()


@pytest.mark.parametrize('method', [triangulate_dlt, triangulate_ransac])
def test_fewer_than_two_views_give_nan_and_a_count(four, method):
    _, points, projections = four
    known = points.copy()
    known[0, 1:, 5] = np.nan  # one view knows it
    known[1, :, 6] = np.nan
    known[2, 2:, 7] = np.nan  # two views are enough
    found = method(known, projections)
    assert found.num_missing == 2 and np.isnan(found.points[[0, 1], [5, 6]]).all()
    assert not found.used[0, :, 5].any() and found.used[2, :, 7].tolist() == [True, True, False, False]
    assert np.isfinite(found.points).sum() == (63 - 2) * 3
    errors = reprojection_errors(found.points, known, projections)
    assert np.isnan(errors[0, :, 5]).all() and np.isnan(errors[2, 2:, 7]).all() and errors[2, :2, 7].max() < 1e-9


def test_reprojection_errors_by_hand():
    """A camera at the origin with a focal length of 100: 0.1 at depth 2 is 5 px, and 3-4-5 away is 5."""
    projection = projection_matrices(np.diag([100.0, 100, 1])[None], np.eye(3)[None], np.zeros((1, 3)))
    points = np.array([[0.1, 0, 2], [0, 0, -2]])
    assert project(points, projection)[0, 0].tolist() == [5, 0] and np.isnan(project(points, projection)[0, 1]).all()
    assert reprojection_errors(points, np.array([[[8.0, 4], [0, 0]]]), projection).tolist() == [[5, np.inf]]


@pytest.mark.parametrize('with_size', [False, True])
def test_optimal_center_is_exact(four, with_size):
    truth, points, projections = four
    hand = truth[0] - truth[0, 9]
    hand = hand / 1.3 if with_size else hand
    assert optimal_center(hand, points[0], projections, with_size=with_size) == pytest.approx(truth[0], abs=1e-6)


def test_optimal_center_keeps_the_size_unless_asked(four):
    truth, points, projections = four
    found = optimal_center(truth[0] / 1.3, points[0], projections)
    assert np.ptp(found, axis=0) == pytest.approx(np.ptp(truth[0], axis=0) / 1.3)
    assert found.mean(0) == pytest.approx(truth[0].mean(0), abs=5 * MM)


def test_optimal_center_is_little_moved_by_wrong_keypoints(four):
    truth, points, projections = four
    bad = points[0].copy()
    bad[2, :5] += 90
    hand = truth[0] - truth[0, 9]
    assert np.abs(optimal_center(hand, bad, projections) - truth[0]).max() < 1 * MM
    weights = np.ones((4, 21))
    weights[2, :5] = 0
    assert optimal_center(hand, bad, projections, weights) == pytest.approx(truth[0], abs=1e-6)


def test_optimal_center_needs_enough(four):
    """Of one view a hand of known size is enough, but size and distance cannot be told apart."""
    truth, points, projections = four
    lone = np.full_like(points[0], np.nan)
    lone[1] = points[0, 1]
    hand = truth[0] - truth[0, 9]
    assert optimal_center(hand, lone, projections) == pytest.approx(truth[0], abs=1e-5)
    assert np.isnan(optimal_center(hand, lone, projections, with_size=True)).all()
    assert np.isnan(optimal_center(hand, np.full_like(lone, np.nan), projections)).all()


def test_projections_need_rotations():
    k, r, t = cameras(2)
    for bad, message in (
        (r * [[[1.0]], [[1.1]]], 'camera 1 R Rᵀ that differs from 1 by 0.21'),
        (np.stack([np.diag([1.0, 1, -1]) @ r[0], r[1]]), 'camera 0 a reflection'),
    ):
        with pytest.raises(ValueError, match='R: expected a rotation.*, got for ' + message):
            projection_matrices(k, bad, t)
    nearly = Rotation.from_matrix(r).as_matrix().round(4)  # as written in files
    assert np.isfinite(projection_matrices(k, nearly, t)).all()


@pytest.mark.parametrize(
    ('change', 'message'),
    [
        (dict(points=np.zeros((4, 21, 3))), r'points: expected shape \(…, V, K, 2\), got \(4, 21, 3\)'),
        (dict(projections=np.zeros((3, 3, 4))), r'projections: expected shape \(…, 4, 3, 4\), got \(3, 3, 4\)'),
        (dict(weights=np.ones((4, 20))), r'weights: expected shape \(4, 21\), got \(4, 20\)'),
        (dict(weights=-np.ones((4, 21))), 'weights: expected numbers from 0 on, got a negative one or NaN'),
        (dict(hand=np.zeros((20, 3))), r'hand: expected shape \(21, 3\), as the points have, got \(20, 3\)'),
    ],
)
def test_bad_arrays(four, change, message):
    truth, points, projections = four
    arrays = dict(hand=truth[0], points=points[0], projections=projections) | change
    with pytest.raises(ValueError, match=message):
        optimal_center(**arrays)
    if 'hand' not in change:
        for method in (triangulate_dlt, triangulate_ransac):
            with pytest.raises(ValueError, match=message):
                method(**{name: array for name, array in arrays.items() if name != 'hand'})
