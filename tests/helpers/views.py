"""Calibrated cameras around a hand."""

import numpy as np
from scipy.spatial.transform import Rotation

SIZE, FOCAL = (640, 480), 700.0
K = np.array([[FOCAL, 0, 321], [0, FOCAL, 238], [0, 0, 1.0]])


def hands(number: int = 1, seed: int = 0) -> np.ndarray:
    """Points (N, 21, 3) in metres, spread like a hand's, around the origin."""
    return np.random.default_rng(seed).normal(0, 0.05, (number, 21, 3))


def cameras(number: int = 4, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """K, R, t of cameras 0.6 to 0.9 m from the origin, which they look at, in all directions."""
    rng = np.random.default_rng(100 + seed)
    rotations = Rotation.random(number, rng).as_matrix()
    translations = np.column_stack([rng.uniform(-0.03, 0.03, (number, 2)), rng.uniform(0.6, 0.9, number)])
    return np.stack([K] * number), rotations, translations


def seen(points: np.ndarray, calibration: tuple[np.ndarray, np.ndarray, np.ndarray]) -> np.ndarray:
    """Pixels (..., V, K, 2) of points (..., K, 3), camera by camera."""
    views = []
    for k, r, t in zip(*calibration, strict=True):
        h = (points @ r.T + t) @ k.T
        views.append(h[..., :2] / h[..., 2:])
    return np.stack(views, axis=-3)
