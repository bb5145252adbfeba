"""Scores of 3D hands against values worked out by hand."""

import numpy as np
import pytest
from mmpose.evaluation.functional.mesh_eval import compute_similarity_transform
from scipy.spatial.transform import Rotation

from handkp_plugins.evaluation.functional.hand_mesh import (
    error_auc,
    f_scores,
    procrustes_align,
    procrustes_errors,
    root_relative_errors,
    size_normalized_errors,
)


def hands(number: int = 3, points: int = 21) -> np.ndarray:
    return np.random.default_rng(0).normal(0, 40, (number, points, 3))


def moved(points: np.ndarray) -> np.ndarray:
    return 1.7 * points @ Rotation.from_euler('xyz', [40, -130, 20], degrees=True).as_matrix() + [300, -20, 600]


def test_root_relative_errors():
    truth = hands()
    predicted = truth + [500, 0, 0]
    assert root_relative_errors(predicted, truth).max() < 1e-9
    predicted[:, 4] += [3, 4, 0]
    errors = root_relative_errors(predicted, truth)
    assert errors[:, 4] == pytest.approx(5) and errors.mean() == pytest.approx(5 / 21)
    predicted[:, 9] += [0, 0, 2]  # the root: all others are off
    assert root_relative_errors(predicted, truth)[:, [0, 9]] == pytest.approx(np.array([[2, 0]] * 3))


def test_a_hand_of_twice_the_size_has_no_size_normalized_error():
    truth = hands()
    assert size_normalized_errors(2 * truth + 7, truth).max() < 1e-9
    assert root_relative_errors(2 * truth, truth).mean() > 10


def test_only_the_bone_from_wrist_to_root_sets_the_size():
    """Least squares would shrink this hand by another factor."""
    truth = hands()
    predicted = truth.copy()
    predicted[:, 12] += [0, 9, 0]
    errors = size_normalized_errors(predicted, truth)
    assert errors[:, 12] == pytest.approx(9) and errors.sum() == pytest.approx(27)
    predicted[:, 0] = predicted[:, 9]  # no size
    assert np.isinf(size_normalized_errors(predicted, truth)).any()


def test_procrustes_undoes_place_turn_and_size():
    truth = hands()
    assert procrustes_errors(moved(truth), truth).max() < 1e-9


def test_a_mirrored_hand_stays_wrong():
    truth = hands()
    assert (procrustes_errors(truth * [-1, 1, 1], truth).mean(1) > 5).all()


def test_procrustes_agrees_with_mmpose():
    truth, rng = hands(), np.random.default_rng(1)
    predicted = moved(truth * [-1, 1, 1]) + rng.normal(0, 10, truth.shape)
    expected = [compute_similarity_transform(p, t) for p, t in zip(predicted, truth, strict=True)]
    assert procrustes_align(predicted, truth) == pytest.approx(np.stack(expected))


def test_joints_move_vertices():
    truth, vertices = hands(), hands(points=50)
    assert procrustes_align(moved(truth), truth, moved(vertices)) == pytest.approx(vertices)


def test_broken_predictions():
    """A NaN spoils its own hand; a hand in one place ends in the middle of the true one."""
    truth = hands()
    predicted = moved(truth)
    predicted[1, 3, 2] = np.nan
    predicted[2] = 8
    errors = procrustes_errors(predicted, truth)
    assert errors[0].max() < 1e-9 and np.isinf(errors[1]).all()
    assert errors[2] == pytest.approx(np.linalg.norm(truth[2] - truth[2].mean(0), axis=1))
    assert f_scores(predicted, truth)[1].tolist() == [0, 0]


def test_f_scores_by_hand():
    """Vertices 100 mm apart. Of 4 predicted ones 3 are near; of 6 true ones 3: 2·¾·½ / 1¼."""
    truth = np.zeros((1, 6, 3))
    truth[0, :, 0] = 100 * np.arange(6)
    predicted = truth[:, :4] + [0, 4, 0]
    predicted[0, 3] += [0, 30, 0]
    predicted[0, 2] += [0, 6, 0]  # 10 mm: within 15
    assert f_scores(predicted, truth)[0] == pytest.approx([2 * 0.5 * (2 / 6) / (0.5 + 2 / 6), 2 * 0.75 * 0.5 / 1.25])
    assert f_scores(truth, truth)[0].tolist() == [1, 1]
    assert f_scores(truth + [0, 5, 0], truth)[0].tolist() == [0, 1]  # 5 is not nearer than 5
    assert f_scores(truth + [0, 50, 0], truth)[0].tolist() == [0, 0]


@pytest.mark.parametrize(('error', 'area'), [(25, 0.5), (0, 1), (51, 0), (np.inf, 0), (10, 79.5 / 99), (30, 39.5 / 99)])
def test_area_of_a_constant_error(error, area):
    """Thresholds are 50/99 mm apart; from the last one below the error to the next the curve is a ramp."""
    assert error_auc(np.full((2, 21), error, float)) == pytest.approx(area, abs=1e-12)


def test_area_of_two_errors():
    assert error_auc(np.array([[10.0, 30], [30, 10]])) == pytest.approx((79.5 + 39.5) / 198)
