"""3D scores against values worked out by hand."""

import numpy as np
import pytest

from handkp_plugins.evaluation.functional.camera_space import (
    area_under_curve,
    joint_errors,
    mean_error,
    pck3d_curve,
    root_aligned,
)

ALL = np.ones((4, 21), bool)


def steps(last: float) -> np.ndarray:
    return np.arange(0, last + 1, 2.5)


@pytest.mark.parametrize(('last', 'expected'), [(80, 0.890625), (50, 0.825), (90, (80 + 1.25) / 90)])
def test_ten_millimetres_everywhere(last: float, expected: float) -> None:
    """Correct from 10 mm on, that threshold included; `<` would give .859375 and .775."""
    curve = pck3d_curve(np.full((4, 21), 10.0), ALL, steps(last))
    assert curve.tolist() == [0.0] * 4 + [1.0] * (len(steps(last)) - 4)
    assert area_under_curve(curve, steps(last)) == pytest.approx(expected)


def test_numbers_of_thresholds() -> None:
    assert [len(steps(last)) for last in (80, 90, 50)] == [33, 37, 21]


def test_a_constant_offset_is_gone_when_wrists_are_aligned() -> None:
    truth = np.random.default_rng(0).normal(0, 50, (4, 21, 3))
    predicted = truth + [30, -40, 0]
    assert mean_error(joint_errors(predicted, truth), ALL) == pytest.approx(50)
    aligned = joint_errors(root_aligned(predicted), root_aligned(truth))
    assert aligned.shape == (4, 20) and mean_error(aligned, ALL[:, 1:]) == pytest.approx(0, abs=1e-9)
    assert joint_errors(root_aligned(1.1 * truth), root_aligned(truth)).min() > 0  # it is not scaled


def test_means_are_taken_joint_by_joint() -> None:
    """Joint 0: 10 mm in one frame of one; joint 1: 0, 20 and 60 mm; joint 2 is labelled nowhere."""
    errors = np.array([[10.0, 0, np.nan], [99, 20, 5], [99, 60, 5]])
    labelled = np.array([[1, 1, 0], [0, 1, 0], [0, 1, 0]])
    assert mean_error(errors, labelled) == pytest.approx((10 + 80 / 3) / 2)
    assert pck3d_curve(errors, labelled, np.array([0, 10, 20])) == pytest.approx(
        [1 / 6, (1 + 1 / 3) / 2, (1 + 2 / 3) / 2]
    )


def test_not_a_number_is_incorrect() -> None:
    errors = joint_errors(np.full((1, 1, 3), np.nan), np.zeros((1, 1, 3)))
    assert np.isinf(errors).all() and pck3d_curve(errors, np.ones((1, 1)), steps(80)).max() == 0
    assert np.isnan(mean_error(errors, np.zeros((1, 1))))


def test_shapes() -> None:
    with pytest.raises(ValueError, match=r'expected equal shapes \(F, J, 3\), got \(1, 21, 3\), \(1, 42, 3\)'):
        joint_errors(np.zeros((1, 21, 3)), np.zeros((1, 42, 3)))
    with pytest.raises(ValueError, match=r'labelled: expected shape \(4, 21\), got \(4, 20\)'):
        mean_error(np.zeros((4, 21)), ALL[:, 1:])
