"""A hand of constant shape, fitted to noisy keypoints in two views."""

import numpy as np
import pytest
import roma
import torch

from handkp_plugins.apps.triangulation.fit import FittedHand, fit_hand
from handkp_plugins.evaluation.triangulation import projection_matrices, triangulate_dlt
from handkp_plugins.models.hand_layers import HandLayer
from handkp_plugins.structures.skeleton import BONES

FRAMES, NOISE = 12, 3.0
NEAR, FAR = np.array(BONES).T


def moving_hand(mirror: float = 1.0) -> np.ndarray:
    """A hand (F, 21, 3) in millimetres that closes and turns, of a shape of its own."""
    layer, time = HandLayer(), torch.linspace(0, 1, FRAMES)
    vectors = torch.zeros(FRAMES, 16, 3)
    vectors[:, 1:, 0] = -0.5 * time[:, None]
    vectors[:, 0] = time[:, None] * torch.tensor([0.3, 0.5, -0.2])
    shape = torch.tensor([0.8, -0.6, 0.5] + 7 * [0.0]).expand(FRAMES, 10)
    points = layer(layer.add_mean_pose(roma.rotvec_to_rotmat(vectors)), shape)[1].double().numpy()
    return 1000 * (points * [mirror, 1, 1] + [0, 0, 0.6]) + 20 * np.arange(FRAMES)[:, None, None] * [1, 0, 0]


@pytest.fixture(scope='module')
def cameras() -> np.ndarray:
    """Two cameras (2, 3, 4), 30° apart."""
    turn = roma.rotvec_to_rotmat(torch.tensor([[0, 0, 0], [0, 0.52, 0]])).double().numpy()
    center = np.array([0, 0, 600.0])
    intrinsics = np.tile([[700.0, 0, 320], [0, 700, 240], [0, 0, 1]], (2, 1, 1))
    return projection_matrices(intrinsics, turn, center - np.einsum('vij,j->vi', turn, center))


def seen(points: np.ndarray, cameras: np.ndarray, noise: float = NOISE) -> np.ndarray:
    pixels = np.einsum('vij,fkj->fvki', cameras[..., :3], points) + cameras[None, :, None, :, 3]
    return pixels[..., :2] / pixels[..., 2:] + np.random.default_rng(0).normal(0, noise, (*pixels.shape[:3], 2))


def fit(
    points: np.ndarray, cameras: np.ndarray, pixels: np.ndarray, **options: object
) -> tuple[FittedHand, np.ndarray]:
    triangulated = triangulate_dlt(pixels, cameras).points
    weights = np.ones(pixels.shape[:3])
    return fit_hand(pixels, weights, cameras, triangulated, **options), triangulated


def variation(points: np.ndarray) -> np.ndarray:
    lengths = np.linalg.norm(points[:, NEAR] - points[:, FAR], axis=-1)
    return lengths.std(0) / lengths.mean(0)


def error(found: np.ndarray, truth: np.ndarray) -> float:
    return float(np.linalg.norm(found - truth, axis=-1).mean())


def test_a_fitted_hand_is_nearer_and_keeps_its_bones(cameras: np.ndarray) -> None:
    truth = moving_hand()
    hand, triangulated = fit(truth, cameras, seen(truth, cameras), side='right', iterations=150)
    assert error(hand.points, truth) < 0.75 * error(triangulated, truth)
    assert np.median(variation(hand.points)) < 0.02 < 0.05 < np.median(variation(triangulated))
    assert hand.vertices.shape == (FRAMES, HandLayer().num_vertices, 3)
    length = NOISE * np.sqrt(np.pi / 2)  # of the noise; a fit takes some of it
    assert 0.5 * length < hand.error < length


def test_the_side_is_found(cameras: np.ndarray) -> None:
    truth = moving_hand(mirror=-1.0)
    hand, _ = fit(truth, cameras, seen(truth, cameras, 1.0), iterations=80)
    assert hand.side == 'left' and error(hand.points, truth) < 8


def test_frames_that_one_view_misses_are_filled(cameras: np.ndarray) -> None:
    truth = moving_hand()
    pixels = seen(truth, cameras, 1.0)
    pixels[4, 1], pixels[7] = np.nan, np.nan
    hand, triangulated = fit(truth, cameras, pixels, side='right', iterations=80)
    assert np.isnan(triangulated[4]).all() and error(hand.points[4], truth[4]) < 15
    assert np.isnan(hand.points[7]).all() and np.isfinite(hand.points[[3, 5, 6, 8]]).all()


def test_too_few_keypoints(cameras: np.ndarray) -> None:
    pixels = np.full((3, 2, 21, 2), np.nan)
    with pytest.raises(ValueError, match='triangulated: expected a frame with 8 keypoints or more, got none'):
        fit_hand(pixels, np.zeros((3, 2, 21)), cameras, np.full((3, 21, 3), np.nan))
