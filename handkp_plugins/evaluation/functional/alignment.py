"""Three-dimensional keypoints laid over two-dimensional ones, where only about is known how the hand stood."""

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

_TILT = 0.3  # radians; from the middle a flat hand can tilt to either side, and looks alike


def project_onto(
    points: np.ndarray,
    target: np.ndarray,
    around: np.ndarray,
    degrees: tuple[float, float, float],
    scales: tuple[float, float],
) -> np.ndarray:
    """Turn, scale, shift and project ``points`` orthographically so that they come nearest to ``target``.

    Six numbers (three of the rotation, scale, shift) are found by least squares over all points. Only what no such
    placement can explain remains as difference: the hand's form, not its place. Without bounds too much would be
    explained: a mirrored result by the view from behind, and one that is far off by a label shrunk to a dot.

    Args:
        points: [K, 3] in any unit.
        target: [K, 2] in pixels, x right and y down; the third axis points away from the camera.
        around: rotation [3, 3] of the points into the camera's frame, as far as it is known.
        degrees: how far it may be turned about the camera's axes x, y, z; each above 0 and below 180.
        scales: the least and the largest scale, in pixels for each unit of the points.

    Returns:
        [K, 2] in pixels of the target.

    Raises:
        ValueError: shapes do not fit together, a coordinate is not finite, or a bound cannot be.
    """
    points, target = np.asarray(points, np.float64), np.asarray(target, np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or target.shape != (len(points), 2) or len(points) < 4:
        raise ValueError(
            f'points, target: expected [K, 3] and [K, 2] with 4 or more points, got {points.shape}, {target.shape}'
        )
    if not (0 < scales[0] < scales[1] and 0 < min(degrees) <= max(degrees) < 180):
        raise ValueError(
            f'scales, degrees: expected two scales above 0, the lesser first, and angles between 0 and 180, '
            f'got {scales}, {degrees}'
        )
    if not (np.isfinite(points).all() and np.isfinite(target).all()):
        raise ValueError('points, target: expected finite coordinates')
    u = target - target.mean(0)
    x = (points - points.mean(0)) @ np.asarray(around, np.float64).T * scales[1]  # in pixels, as the scale's part is 1

    def residual(parameters: np.ndarray) -> np.ndarray:
        return (parameters[3] * Rotation.from_rotvec(parameters[:3]).apply(x)[:, :2] - u).ravel()

    low, most = scales[0] / scales[1], np.radians(degrees)
    bounds = ([*-most, low], [*most, 1.0])
    tilt = np.minimum(_TILT, most / 2)
    starts = ([sign * tilt[0], sign * tilt[1], 0.0, (low + 1) / 2] for sign in (-1, 1))
    best = min((least_squares(residual, start, bounds=bounds) for start in starts), key=lambda fit: fit.cost)
    return residual(best.x).reshape(-1, 2) + target
