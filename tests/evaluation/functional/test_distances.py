import numpy as np
import pytest

from handkp_plugins.evaluation.functional.distances import keypoint_distances, mpjpe_at, pck_at, pck_curve
from handkp_plugins.structures.crops import to_input_space

# Two hands of three keypoints. Distances: 5 (3-4-5 triangle), 0, 10; then 1, 13 (5-12-13), and one unlabelled.
TRUTH = np.array([[[0, 0], [10, 10], [20, 20]], [[0, 0], [0, 0], [50, 50]]], dtype=float)
PREDICTED = np.array([[[3, 4], [10, 10], [20, 30]], [[1, 0], [5, 12], [0, 0]]], dtype=float)
LABELLED = np.array([[1, 1, 1], [1, 1, 0]])


@pytest.fixture
def distances() -> np.ndarray:
    return keypoint_distances(PREDICTED, TRUTH, LABELLED)


def test_distances_of_labelled_keypoints_only(distances):
    assert distances.tolist() == [5, 0, 10, 1, 13]


def test_pck_is_strictly_below_the_threshold(distances):
    assert pck_at(distances, 5) == 2 / 5  # the distance of exactly 5 is incorrect
    assert pck_at(distances, 5.001) == 3 / 5
    assert pck_at(distances, 20) == 1


def test_pck_curve_runs_from_1_to_50(distances):
    curve = pck_curve(distances)
    assert curve.shape == (50,)
    assert curve[[0, 1, 4, 5, 9, 10, 12, 13, 49]].tolist() == [0.2, 0.4, 0.4, 0.6, 0.6, 0.8, 0.8, 1, 1]


def test_mpjpe_averages_the_correct_keypoints_and_counts_them(distances):
    assert mpjpe_at(distances, 5) == (0.5, 2)
    assert mpjpe_at(distances, 11) == (4, 4)
    assert mpjpe_at(distances, 14) == (29 / 5, 5)


def test_no_correct_and_no_labelled_keypoint_give_nan_not_zero(distances):
    mean, count = mpjpe_at(distances + 1, 1)
    assert np.isnan(mean) and count == 0
    nothing = keypoint_distances(PREDICTED, TRUTH, np.zeros((2, 3)))
    assert np.isnan(pck_at(nothing, 5)) and np.isnan(pck_curve(nothing)).all()


def test_prediction_that_is_not_a_number_is_incorrect():
    predicted = PREDICTED.copy()
    predicted[0, 1] = np.nan
    distances = keypoint_distances(predicted, TRUTH, LABELLED)
    assert distances.tolist() == [5, np.inf, 10, 1, 13]
    assert pck_at(distances, 1e9) == 4 / 5
    assert mpjpe_at(distances, 5) == (1, 1)


def test_unlabelled_truth_may_be_nan_but_labelled_may_not():
    truth = TRUTH.copy()
    truth[1, 2] = np.nan
    assert len(keypoint_distances(PREDICTED, truth, LABELLED)) == 5
    truth[0, 0] = np.nan
    with pytest.raises(ValueError, match='truth: expected finite coordinates'):
        keypoint_distances(PREDICTED, truth, LABELLED)


@pytest.mark.parametrize(
    'predicted, labelled, message',
    [
        (PREDICTED[:1], LABELLED, r'expected equal shapes \(N, K, 2\), got \(1, 3, 2\), \(2, 3, 2\)'),
        (PREDICTED, LABELLED[:, :2], r'labelled: expected shape \(2, 3\), got \(2, 2\)'),
    ],
)
def test_wrong_shapes(predicted, labelled, message):
    with pytest.raises(ValueError, match=message):
        keypoint_distances(predicted, TRUTH, labelled)


def test_input_space_maps_the_crops_corners_to_the_inputs_corners():
    points = np.array([[60, 30], [140, 70], [100, 50], [100, 51]])  # crop of 80×40 about (100, 50)
    mapped = to_input_space(points, center=[[100, 50]], scale=[[80, 40]], input_size=(256, 128))
    assert mapped.tolist() == [[0, 0], [256, 128], [128, 64], [128, 67.2]]
