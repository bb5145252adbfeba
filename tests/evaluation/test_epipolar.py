"""Cameras that fit their views, and those that do not."""

import numpy as np
import pytest
from helpers.views import SIZE, K, cameras, hands, seen
from scipy.spatial.transform import Rotation

from handkp_plugins.evaluation.epipolar import check_cameras, epipolar_residuals
from handkp_plugins.evaluation.triangulation import projection_matrices


def views(number=3, frames=5, noise=3.0):
    calibration = cameras(number)
    points = seen(hands(frames), calibration)
    return points + np.random.default_rng(0).normal(0, noise, points.shape), calibration


def test_distances_by_hand():
    """Two cameras beside each other: the lines are the rows, so the distance is that of the rows."""
    k, r, t = np.stack([K, K]), np.stack([np.eye(3)] * 2), np.array([[0.0, 0, 0], [-0.1, 0, 0]])
    points = seen(np.array([[0.0, 0, 0.5], [0.1, 0.05, 0.7]]), (k, r, t))
    points[1] += [[20.0, 7], [0, -4]]
    residuals = epipolar_residuals(points, projection_matrices(k, r, t))
    assert residuals[0, 1] == pytest.approx([7, 4]) and residuals[1, 0] == pytest.approx([7, 4])
    assert np.isnan(residuals[0, 0]).all() and np.isnan(residuals[1, 1]).all()


def test_true_cameras_have_no_distance():
    points, calibration = views(noise=0)
    residuals = epipolar_residuals(points, projection_matrices(*calibration))
    assert residuals.shape == (5, 3, 3, 21) and np.nanmax(residuals) < 1e-6
    points[:, 1, 4] = np.nan
    assert np.isnan(epipolar_residuals(points, projection_matrices(*calibration))[:, :, 1, 4]).all()


@pytest.mark.parametrize('number', [2, 3, 6])
def test_good_cameras_pass(number):
    points, calibration = views(number)
    points[0, 0] = np.nan
    assert 0.5 < check_cameras(points, *calibration, sizes=[SIZE] * number) < 5


@pytest.mark.parametrize(('number', 'order'), [(2, [1, 0]), (3, [0, 2, 1]), (3, [1, 2, 0]), (6, [4, 1, 2, 3, 0, 5])])
def test_swapped_cameras(number, order):
    points, calibration = views(number)
    swapped = [part[order] for part in calibration]
    fitting = ', '.join('abcdef'[i] for i in np.argsort(order))
    with pytest.raises(ValueError, match=f'cameras: expected .* swapped[?] With the cameras {fitting}, in this order'):
        check_cameras(points, *swapped, names='abcdef'[:number])


def test_poses_from_the_camera_to_the_world():
    points, (k, r, t) = views()
    inverse = np.swapaxes(r, 1, 2)
    message = 'R, t: expected from the world to the camera, .* taken as from the camera to the world it is [0-9.]+ px'
    with pytest.raises(ValueError, match=message):
        check_cameras(points, k, inverse, -(inverse @ t[..., None])[..., 0])


def test_one_wrong_pose_among_many():
    points, (k, r, t) = views(6)
    turn = Rotation.from_euler('xy', [15, 20], degrees=True).as_matrix()
    r[4], t[4] = turn @ r[4], turn @ t[4]
    with pytest.raises(ValueError, match='R, t, K: expected .*, in camera e most; either they are wrong'):
        check_cameras(points, k, r, t, names='abcdef')


def test_views_of_other_moments():
    points, calibration = views(2, frames=20)
    moving = points + np.linspace(0, 400, 20)[:, None, None, None]
    with pytest.raises(ValueError, match='the views do not show the same hand at the same moment'):
        check_cameras(np.stack([moving[:, 0], moving[::-1, 1]], axis=1), *calibration)


def test_hands_behind_the_cameras():
    points, (k, r, t) = views(2)
    with pytest.raises(ValueError, match='t: expected hands before the cameras, got 100% of the points behind'):
        check_cameras(points, k, r, -t)


def test_intrinsics_of_another_image_size():
    points, calibration = views(2)
    with pytest.raises(ValueError, match=r'K of camera left: expected .* of 1920x1080 px, got \(321, 238\)'):
        check_cameras(points, *calibration, sizes=[(1920, 1080), SIZE], names=['left', 'right'])


def test_a_rotation_that_is_none():
    points, (k, r, t) = views(2)
    with pytest.raises(ValueError, match='R: expected a rotation'):
        check_cameras(points, k, 2 * r, t)


def test_no_hand_in_two_views():
    points, calibration = views(2)
    points[:, 0] = np.nan
    with pytest.raises(ValueError, match='points: expected a frame in which two views know the hand, got none'):
        check_cameras(points, *calibration)
