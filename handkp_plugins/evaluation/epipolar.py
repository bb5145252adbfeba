"""Whether calibrated cameras fit the keypoints of their views, by epipolar lines. Shapes as in ``triangulation``."""

from collections.abc import Sequence
from itertools import combinations, permutations

import numpy as np

from .triangulation import check_views, projection_matrices, to_homogeneous, triangulate_dlt

_FAR = 0.15  # of the hand's extent: a median distance from epipolar lines that is no noise of keypoints
_MAX_FRAMES, _MAX_PERMUTED = 200, 5


def epipolar_residuals(points: np.ndarray, projections: np.ndarray) -> np.ndarray:
    """Return how far, in pixels, a keypoint of view b is from the epipolar line of that of view a: (…, V, V, K) [a, b].

    NaN where one of both is unknown, and where a is b.
    """
    points, projections, _ = check_views(points, projections, None)
    centers = -np.linalg.solve(projections[..., :3], projections[..., 3:])[..., 0]
    homogeneous = np.concatenate([points, np.ones((*points.shape[:-1], 1))], axis=-1)
    on_rays = homogeneous @ np.swapaxes(np.linalg.pinv(projections), -1, -2)  # (…, V, K, 4): a point of each ray
    epipoles = np.swapaxes(to_homogeneous(centers, projections), -2, -3)  # (…, a, b, 3)
    seen = np.einsum('...brc,...akc->...abkr', projections, on_rays)
    lines = np.cross(epipoles[..., None, :], seen)
    lengths = np.linalg.norm(lines[..., :2], axis=-1)
    same = np.eye(points.shape[-3], dtype=bool)[..., None]
    with np.errstate(divide='ignore', invalid='ignore'):
        distances = np.abs((lines * homogeneous[..., None, :, :, :]).sum(-1)) / lengths
    return np.where(same, np.nan, distances)


def check_cameras(
    points: np.ndarray,
    intrinsics: np.ndarray,
    rotations: np.ndarray,
    translations: np.ndarray,
    sizes: Sequence[tuple[int, int] | None] | None = None,
    names: Sequence[str] | None = None,
) -> float:
    """Return how far keypoints (F, V, K, 2) are from their epipolar lines, if the cameras fit.

    That is the median in pixels of the view in which it is largest.

    Args:
        intrinsics, rotations, translations: (V, 3, 3), (V, 3, 3) and (V, 3), at rest.
        sizes: [W, H] of each view's images, where they are known.
        names: Of the cameras; by default their numbers.

    Raises ValueError that says what seems wrong: an R is no rotation; a K is of another image size; the cameras are
    swapped; R and t lead from the camera to the world; t has the wrong sign; or the views do not fit at all.
    """
    intrinsics, rotations = np.asarray(intrinsics), np.asarray(rotations)
    names = list(map(str, range(len(intrinsics)))) if names is None else list(names)
    for name, matrix, size in zip(names, intrinsics, sizes or [None] * len(names), strict=True):
        if size is not None and (np.abs(matrix[:2, 2] / size - 0.5) > 0.25).any():
            raise ValueError(
                f'K of camera {name}: expected a principal point near the middle of an image of {size[0]}x{size[1]} '
                f'px, got ({matrix[0, 2]:.0f}, {matrix[1, 2]:.0f}): K seems to be of another image size'
            )
    step = -(-len(points) // _MAX_FRAMES)
    some = np.asarray(points, np.float64)[::step]
    projections = projection_matrices(intrinsics, rotations, translations)

    def misfits(candidate: np.ndarray) -> np.ndarray:
        """Return the median distance (V,) of each view's keypoints and lines."""
        residuals = epipolar_residuals(some, candidate)  # (F, V, V, K)
        own = np.moveaxis(np.stack([residuals, np.swapaxes(residuals, 1, 2)]), 2, 0)  # (V, 2, F, V, K)
        seen = [view[np.isfinite(view)] for view in own]
        return np.array([np.median(distances) if len(distances) else 0.0 for distances in seen])

    if not (np.isfinite(some).all(-1).sum(1) >= 2).any():
        raise ValueError('points: expected a frame in which two views know the hand, got none')
    found = misfits(projections).max()
    far = _FAR * float(np.ma.median(np.ma.masked_invalid(some).ptp(2).max(-1)))
    if found > far:
        got = f'got keypoints {found:.0f} px (median) from their epipolar lines'
        less = min(far, found / 2)
        order = min(_orders(len(names)), key=lambda order: misfits(projections[order]).max())
        if (distance := misfits(projections[order]).max()) < less:
            fitting = ', '.join(names[i] for i in order)
            raise ValueError(
                f'cameras: expected those of the views, {got}; swapped? With the cameras {fitting}, in this order, it '
                f'is {distance:.1f} px'
            )
        inverse = np.swapaxes(rotations, -1, -2)
        back = projection_matrices(intrinsics, inverse, -(inverse @ np.asarray(translations)[..., None])[..., 0])
        if (distance := misfits(back).max()) < less:
            raise ValueError(
                f'R, t: expected from the world to the camera, {got}; taken as from the camera to the world it is '
                f'{distance:.1f} px'
            )
        raise ValueError(
            f'R, t, K: expected views that fit within {far:.0f} px, {got}, in camera '
            f'{names[misfits(projections).argmax()]} most; either they are wrong, or the views do not show the same '
            'hand at the same moment'
        )
    depths = to_homogeneous(triangulate_dlt(some, projections).points, projections)[..., 2]
    if (behind := np.mean(depths[np.isfinite(depths)] <= 0)) > 0.5:
        raise ValueError(f't: expected hands before the cameras, got {behind:.0%} of the points behind: wrong sign?')
    return float(found)


def _orders(number: int) -> list[list[int]]:
    """Return the orders of the cameras to try: all, or of many cameras those with two swapped."""
    order = list(range(number))
    if number <= _MAX_PERMUTED:
        return list(map(list, permutations(order)))
    return [[b if i == a else a if i == b else i for i in order] for a, b in combinations(order, 2)]
