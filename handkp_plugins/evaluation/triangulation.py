"""Hands in space from their 2D keypoints in several calibrated views.

Shapes: V views, K keypoints, and any axes before them, such as frames. ``points`` (…, V, K, 2) are pixels without lens
distortion, NaN where they are unknown. ``projections`` (…, V, 3, 4) take homogeneous points of the world to pixels.
``weights`` (…, V, K) are confidences; a keypoint of weight 0 is not used. The world may have any origin and unit.

OpenCV triangulates from two views only; these functions take any number, without a loop over keypoints.
"""

from dataclasses import dataclass
from itertools import combinations

import numpy as np
from scipy.optimize import least_squares

from handkp_plugins.structures.cameras import rotation_fault

INLIER = 10.0
"""Pixels within which a view agrees with a point (HaMuCo's RANSAC baseline)."""
# Huber's loss in its smooth form: SciPy's plain one has singular steps where all residuals are large. Residuals above
# f_scale pixels, about the noise of a visible keypoint, count linearly.
_HUBER = dict(loss='soft_l1', f_scale=3.0)
_NEAREST = 0.1  # of its first depth, to which the refinement may bring a point; at 0 its pixel is infinite


@dataclass(frozen=True)
class Triangulation:
    """Points of the world, and the views that each comes from."""

    points: np.ndarray  # (…, K, 3), NaN where fewer than two views know the keypoint
    used: np.ndarray  # (…, V, K), bool

    @property
    def num_missing(self) -> int:
        """Return the number of points that fewer than two views know."""
        return int(np.isnan(self.points).any(-1).sum())


def projection_matrices(intrinsics: np.ndarray, rotations: np.ndarray, translations: np.ndarray) -> np.ndarray:
    """Return K [R | t] (…, V, 3, 4) of K and R (…, V, 3, 3) and t (…, V, 3); R and t lead from the world to the camera.

    Raises ValueError if an R is no rotation.
    """
    rotations, translations = np.asarray(rotations, np.float64), np.asarray(translations, np.float64)
    for place in np.ndindex(rotations.shape[:-2]):
        if fault := rotation_fault(rotations[place]):
            raise ValueError(f'R: expected a rotation, got for camera {place[-1]} {fault}')
    return np.asarray(intrinsics, np.float64) @ np.concatenate([rotations, translations[..., None]], axis=-1)


def project(points: np.ndarray, projections: np.ndarray) -> np.ndarray:
    """Project points (…, K, 3) of the world to pixels (…, V, K, 2); NaN for those that are not before the camera."""
    h = to_homogeneous(points, projections)
    with np.errstate(divide='ignore', invalid='ignore'):
        return np.where(h[..., 2:] > 0, h[..., :2] / h[..., 2:], np.nan)


def reprojection_errors(points_3d: np.ndarray, points: np.ndarray, projections: np.ndarray) -> np.ndarray:
    """Return distances (…, V, K) in pixels; NaN if a point is unknown, infinite behind a camera."""
    errors = np.linalg.norm(project(points_3d, projections) - points, axis=-1)
    behind = to_homogeneous(points_3d, projections)[..., 2] <= 0
    return np.where(behind & np.isfinite(points).all(-1), np.inf, errors)


def triangulate_dlt(points: np.ndarray, projections: np.ndarray, weights: np.ndarray | None = None) -> Triangulation:
    """Solve the rows u·P₃ − P₁ and v·P₃ − P₂ of all views for each point by least squares.

    A view's weight multiplies its rows. The last homogeneous coordinate is 1, so that the result does not depend on the
    world's origin or unit.
    """
    points, projections, known = check_views(points, projections, weights)
    rows = _rows(points, projections)
    rows = np.where(known[..., None, None], rows, 0.0)  # (…, V, K, 2, 4)
    if weights is not None:
        rows = rows * np.where(known, weights, 0.0)[..., None, None]
    rows = np.moveaxis(rows, -4, -3)  # (…, K, V, 2, 4)
    rows = rows.reshape(*rows.shape[:-3], -1, 4)
    solved = -(np.linalg.pinv(rows[..., :3]) @ rows[..., 3:])[..., 0]
    used = known & (known.sum(-2, keepdims=True) >= 2)
    return Triangulation(np.where(used.any(-2)[..., None], solved, np.nan), used)


def triangulate_ransac(
    points: np.ndarray, projections: np.ndarray, weights: np.ndarray | None = None, threshold: float = INLIER
) -> Triangulation:
    """Find the views that agree on each point, and triangulate from them alone.

    Every pair of views is triangulated; the pair with the most views nearer than ``threshold`` pixels wins, of equal
    ones that with the smaller errors. :func:`triangulate_dlt` of these views follows, and a refinement of the pixel
    errors with Huber's loss where they are three or more. Where no pair agrees, and so always where two views know the
    point and disagree, all views are used. Weights only tell which keypoints are used.
    """
    points, projections, known = check_views(points, projections, weights)
    best, best_count, best_sum = known, np.ones(known.sum(-2).shape), np.full(known.sum(-2).shape, np.inf)
    points = np.where(known[..., None], points, np.nan)
    for pair in combinations(range(points.shape[-3]), 2):
        candidate = triangulate_dlt(points[..., pair, :, :], projections[..., pair, :, :]).points
        errors = reprojection_errors(candidate, points, projections)
        inliers = known & (errors < threshold)
        count, total = inliers.sum(-2), np.where(inliers, errors, 0).sum(-2)
        better = (count > best_count) | ((count == best_count) & (count > 1) & (total < best_sum))
        best = np.where(better[..., None, :], inliers, best)
        best_count, best_sum = np.where(better, count, best_count), np.where(better, total, best_sum)
    result = triangulate_dlt(points, projections, best.astype(float))
    refined = result.points.copy()
    in_front = ~(result.used & ~(to_homogeneous(refined, projections)[..., 2] > 0)).any(-2)
    chosen = in_front & (best_count >= 3)  # (…, K)
    projections = np.broadcast_to(projections, (*points.shape[:-2], 3, 4))
    for frame in map(tuple, np.argwhere(chosen.any(-1))):
        own = chosen[frame]
        refined[frame][own] = _refine(
            refined[frame][own], points[frame][:, own], projections[frame], result.used[frame][:, own]
        )
    return Triangulation(refined, result.used)


def optimal_center(
    hand: np.ndarray,
    points: np.ndarray,
    projections: np.ndarray,
    weights: np.ndarray | None = None,
    with_size: bool = False,
) -> np.ndarray:
    """Move a hand, and scale it ``with_size``, so that it fits its 2D keypoints in all views with Huber's loss.

    This is our reading of *Opt-Center*, by which HaMuCo brings a fused hand into the world.

    Args:
        hand: (K, 3) in the world's axes and unit, with any origin.
        points, projections: (V, K, 2) and (V, 3, 4), of one frame.
        weights: (V, K), which multiply the pixel errors.

    Returns the hand in the world, (K, 3); all NaN if two keypoints, or ``with_size`` two views, are not known.
    """
    points, projections, known = check_views(points, projections, weights)
    hand = np.asarray(hand, np.float64)
    if hand.shape != (points.shape[1], 3):
        raise ValueError(f'hand: expected shape ({points.shape[1]}, 3), as the points have, got {hand.shape}')
    if known.sum() < 2 or (with_size and known.any(1).sum() < 2):
        return np.full(hand.shape, np.nan)
    weight = np.ones(known.sum()) if weights is None else np.asarray(weights, np.float64)[known]
    centered = hand - hand.mean(0)
    rows = _rows(points, projections)[known] * weight[:, None, None]  # (M, 2, 4)
    place = np.broadcast_to(centered, (*known.shape, 3))[known]
    constant = rows[..., 3] + np.einsum('mrc,mc->mr', rows[..., :3], place)
    start = np.linalg.lstsq(rows[..., :3].reshape(-1, 3), -constant.ravel(), rcond=None)[0]
    views = np.broadcast_to(projections[:, None], (*known.shape, 3, 4))[known]

    def residuals(parameters: np.ndarray) -> np.ndarray:
        moved = (np.exp(parameters[3]) if with_size else 1.0) * place + parameters[:3]
        h = np.einsum('mrc,mc->mr', views[..., :3], moved) + views[..., 3]
        return (weight[:, None] * (h[:, :2] / h[:, 2:] - points[known])).ravel()

    start = np.append(start, 0.0) if with_size else start
    found = least_squares(residuals, start, x_scale='jac', **_HUBER).x
    return (np.exp(found[3]) if with_size else 1.0) * centered + found[:3]


def check_views(
    points: np.ndarray, projections: np.ndarray, weights: np.ndarray | None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return points and projections as float64, and which points to use (…, V, K); ValueError for wrong shapes."""
    points, projections = np.asarray(points, np.float64), np.asarray(projections, np.float64)
    if points.ndim < 3 or points.shape[-1] != 2 or points.shape[-3] < 1:
        raise ValueError(f'points: expected shape (…, V, K, 2), got {points.shape}')
    if projections.shape[-3:] != (points.shape[-3], 3, 4):
        raise ValueError(f'projections: expected shape (…, {points.shape[-3]}, 3, 4), got {projections.shape}')
    known = np.isfinite(points).all(-1)
    if weights is not None:
        weights = np.asarray(weights, np.float64)
        if weights.shape != known.shape:
            raise ValueError(f'weights: expected shape {known.shape}, got {weights.shape}')
        if not (weights[known] >= 0).all():
            raise ValueError('weights: expected numbers from 0 on, got a negative one or NaN')
        known = known & (weights > 0)
    return points, projections, known


def to_homogeneous(points: np.ndarray, projections: np.ndarray) -> np.ndarray:
    """Return homogeneous pixels (…, V, K, 3) of points (…, K, 3)."""
    return (
        np.einsum('...vrc,...kc->...vkr', projections[..., :3], np.asarray(points, np.float64))
        + projections[..., None, :, 3]
    )


def _rows(points: np.ndarray, projections: np.ndarray) -> np.ndarray:
    """Return the rows u·P₃ − P₁ and v·P₃ − P₂ of each keypoint, (…, V, K, 2, 4)."""
    return points[..., None] * projections[..., None, 2:3, :] - projections[..., None, :2, :]


def _refine(points_3d: np.ndarray, points: np.ndarray, projections: np.ndarray, used: np.ndarray) -> np.ndarray:
    """Minimize Huber's loss of the pixel errors of a frame's points (K, 3) in the views (V, K) that are used."""
    views, keypoints = np.nonzero(used)
    matrices, pixels = projections[views], points[used]

    def homogeneous(x: np.ndarray) -> np.ndarray:
        return np.einsum('mrc,mc->mr', matrices[..., :3], x.reshape(-1, 3)[keypoints]) + matrices[..., 3]

    nearest = _NEAREST * homogeneous(points_3d.ravel())[:, 2]

    def seen(x: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        h = homogeneous(x)
        depth = np.maximum(h[:, 2], nearest)
        return h[:, :2] / depth[:, None], depth

    def residuals(x: np.ndarray) -> np.ndarray:
        return (seen(x)[0] - pixels).ravel()

    def jacobian(x: np.ndarray) -> np.ndarray:
        at, depth = seen(x)
        slopes = (matrices[:, :2, :3] - at[..., None] * matrices[:, 2:, :3]) / depth[:, None, None]
        whole = np.zeros((len(views), 2, len(points_3d), 3))
        whole[np.arange(len(views)), :, keypoints] = slopes
        return whole.reshape(2 * len(views), -1)

    found = least_squares(residuals, points_3d.ravel(), jacobian, x_scale='jac', **_HUBER)
    return found.x.reshape(-1, 3)
