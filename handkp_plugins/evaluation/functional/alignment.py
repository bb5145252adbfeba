"""Alignment of 3D keypoints with 2D ones when the pose of the camera is only roughly known."""

import numpy as np
from scipy.optimize import least_squares
from scipy.spatial.transform import Rotation

_TILT = 0.3  # radians; a flat hand looks the same when it tilts to either side, so both sides are tried


def project_onto(
    points: np.ndarray,
    target: np.ndarray,
    around: np.ndarray,
    degrees: tuple[float, float, float],
    scales: tuple[float, float],
) -> np.ndarray:
    """Rotate, scale, shift and project ``points`` orthographically so that they come nearest to ``target``.

    Least squares over all points finds six numbers: three for the rotation, one for the scale, two for the shift. The
    difference that remains is that of the hand's shape, not of its place. The bounds are needed: without them a
    mirrored result would match a view from behind, and a far-off result would match a label shrunk to a dot.

    Args:
        points: [K, 3] in any unit.
        target: [K, 2] in pixels, x right and y down; the third axis points away from the camera.
        around: Rough rotation [3, 3] of the points into the camera's frame.
        degrees: Largest deviation from it about the camera's axes x, y, z; each above 0 and below 180.
        scales: The smallest and the largest scale, in pixels per unit of the points.

    Returns [K, 2] in pixels of the target; ValueError for wrong shapes, infinite coordinates or bounds out of range.
    """
    points, target = np.asarray(points, np.float64), np.asarray(target, np.float64)
    if points.ndim != 2 or points.shape[1] != 3 or target.shape != (len(points), 2) or len(points) < 4:
        raise ValueError(
            f'points, target: expected [K, 3] and [K, 2] with 4 or more points, got {points.shape}, {target.shape}'
        )
    if not (0 < scales[0] < scales[1] and 0 < min(degrees) <= max(degrees) < 180):
        raise ValueError(
            f'scales, degrees: expected two ascending scales above 0, and angles between 0 and 180, '
            f'got {scales}, {degrees}'
        )
    if not (np.isfinite(points).all() and np.isfinite(target).all()):
        raise ValueError('points, target: expected finite coordinates, got NaN or infinity')
    u = target - target.mean(0)
    x = (points - points.mean(0)) @ np.asarray(around, np.float64).T * scales[1]  # in pixels at the largest scale

    def residual(parameters: np.ndarray) -> np.ndarray:
        return (parameters[3] * Rotation.from_rotvec(parameters[:3]).apply(x)[:, :2] - u).ravel()

    low, most = scales[0] / scales[1], np.radians(degrees)
    bounds = ([*-most, low], [*most, 1.0])
    tilt = np.minimum(_TILT, most / 2)
    starts = ([sign * tilt[0], sign * tilt[1], 0.0, (low + 1) / 2] for sign in (-1, 1))
    best = min((least_squares(residual, start, bounds=bounds) for start in starts), key=lambda fit: fit.cost)
    return residual(best.x).reshape(-1, 2) + target
