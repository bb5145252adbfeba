import numpy as np
import pytest
from scipy.spatial.transform import Rotation

from handkp_plugins.evaluation.functional.alignment import project_onto

SQUARE = np.array([[1, 1, 0], [-1, 1, 0], [-1, -1, 0], [1, -1, 0]], float)


def hand(seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).normal(0, 0.05, (21, 3))


def turned(degrees: float, seed: int) -> np.ndarray:
    axis = np.random.default_rng(seed).normal(size=3)
    return Rotation.from_rotvec(np.radians(degrees) * axis / np.linalg.norm(axis)).as_matrix()


@pytest.mark.parametrize('flatness', [1, 0.05])
@pytest.mark.parametrize('seed', range(6))
def test_a_placed_hand_is_found_again(seed: int, flatness: float):
    points = hand(seed) * [1, 1, flatness]
    around = turned(150, seed)
    placed = 900 * (points @ (turned(30, seed + 1) @ around).T)[:, :2] + [300, 200]
    np.testing.assert_allclose(project_onto(points, placed, around, (60, 60, 60), (500, 1000)), placed, atol=0.02)


def test_by_hand():
    """A square of side 2 onto a rectangle of 4 × 2: twice as large, it tilts by 60 degrees to half its height. With
    scales up to 1.5 the half unit along x stays, and it tilts less; with 45 degrees 2 · cos 45° is its least height."""
    rectangle = SQUARE[:, :2] * [2, 1]
    np.testing.assert_allclose(project_onto(SQUARE, rectangle, np.eye(3), (80, 80, 80), (1, 3)), rectangle, atol=1e-3)
    np.testing.assert_allclose(
        project_onto(SQUARE, rectangle, np.eye(3), (80, 80, 80), (1, 1.5)), SQUARE[:, :2] * [1.5, 1], atol=1e-3
    )
    np.testing.assert_allclose(
        project_onto(SQUARE, rectangle, np.eye(3), (45, 80, 1), (1.999, 2)), SQUARE[:, :2] * [2, 2**0.5], atol=0.01
    )


def test_a_mirrored_result_is_not_explained_by_the_view_from_behind():
    points = hand()
    mirrored = 500 * points[:, :2] * [-1, 1]
    assert np.abs(project_onto(points, mirrored, np.eye(3), (45, 45, 45), (450, 550)) - mirrored).max() > 20


def test_a_far_result_does_not_shrink_the_label():
    placed = project_onto(SQUARE, np.zeros((4, 2)) + 7, np.eye(3), (10, 10, 10), (12, 20))
    assert np.ptp(placed, axis=0).min() > 2 * 12 * np.cos(np.radians(10)) ** 2
    np.testing.assert_allclose(placed.mean(0), 7, atol=1e-6)


@pytest.mark.parametrize(
    'points, target, scales, message',
    [
        (np.zeros((21, 2)), np.zeros((21, 2)), (1, 2), r'got \(21, 2\), \(21, 2\)'),
        (np.zeros((21, 3)), np.zeros((20, 2)), (1, 2), r'got \(21, 3\), \(20, 2\)'),
        (np.full((21, 3), np.nan), np.zeros((21, 2)), (1, 2), 'expected finite coordinates'),
        (np.ones((21, 3)), np.zeros((21, 2)), (2, 1), r'scales, degrees: .* got \(2, 1\), \(45'),
    ],
)
def test_what_cannot_be_aligned(points: np.ndarray, target: np.ndarray, scales: tuple, message: str):
    with pytest.raises(ValueError, match=message):
        project_onto(points, target, np.eye(3), (45, 45, 45), scales)
