"""From the 2D keypoints of the views to a hand in space, frame by frame."""

import warnings
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from handkp_plugins.evaluation.epipolar import check_cameras
from handkp_plugins.evaluation.triangulation import (
    projection_matrices,
    reprojection_errors,
    triangulate_dlt,
    triangulate_ransac,
)
from handkp_plugins.fileio.calibration import Calibration
from handkp_plugins.structures.skeleton import BONES, KEYPOINT_NAMES
from handkp_plugins.visualization.report import format_table

from .fit import FittedHand, Side, fit_hand
from .views import View

METHODS = ('dlt', 'weighted', 'ransac')
_CELLS = (('length', '{:.4g}'.format), ('variation', '{:.1%}'.format))


@dataclass(frozen=True)
class HandInSpace:
    """A hand in F frames that V views share."""

    index: np.ndarray  # (F,) frame of the first view
    time: np.ndarray  # (F,) seconds of the first view
    points: np.ndarray  # (F, 21, 3) in the calibration's world, NaN where fewer than two views know a keypoint
    used: np.ndarray  # (F, V, 21) bool
    errors: np.ndarray  # (F, V, 21) of reprojection, px without lens distortion; NaN where a view is not used
    num_behind: int = 0  # points that were left out, because they were behind a camera

    def frame_errors(self) -> np.ndarray:
        """Return the mean reprojection error (F,) in pixels; NaN without a point."""
        return _nan(np.nanmean, self.errors, (1, 2))

    def bone_lengths(self) -> tuple[np.ndarray, np.ndarray]:
        """Return each bone's mean length, and its standard deviation over the frames as a share of it, (20,) each."""
        near, far = np.array(BONES).T
        lengths = np.linalg.norm(self.points[:, near] - self.points[:, far], axis=-1)
        mean = _nan(np.nanmean, lengths, 0)
        return mean, _nan(np.nanstd, lengths, 0) / mean


def _nan(function: Callable[..., np.ndarray], values: np.ndarray, axis: int | tuple[int, ...]) -> np.ndarray:
    with warnings.catch_warnings():
        warnings.simplefilter('ignore', RuntimeWarning)  # of means of nothing, which are NaN
        return function(values, axis=axis)


def check_sizes(views: Sequence[View], calibration: Calibration) -> None:
    """Raise ValueError unless there is a camera for each view, of its image size."""
    if len(views) != len(calibration.cameras):
        raise ValueError(
            f'--calibration: expected a camera for each of {len(views)} views, in their order, got '
            f'{len(calibration.cameras)}'
        )
    for view, camera in zip(views, calibration.cameras, strict=True):
        if camera.size and view.size and camera.size != view.size:
            raise ValueError(
                f'camera {camera.name}: size: expected {view.size[0]}x{view.size[1]}, that of the frames of '
                f'{view.path}, got {camera.size[0]}x{camera.size[1]}'
            )


def seen_keypoints(
    views: Sequence[View], calibration: Calibration, places: np.ndarray, score_thr: float
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Return keypoints (F, V, 21, 2) without lens distortion, NaN below ``score_thr``, their scores (F, V, 21), and
    the cameras' projections (V, 3, 4)."""
    cameras = calibration.cameras
    points = np.stack([c.undistort(v.keypoints[p]) for c, v, p in zip(cameras, views, places.T, strict=True)], axis=1)
    scores = np.stack([v.scores[p] for v, p in zip(views, places.T, strict=True)], axis=1)  # (F, V, 21)
    matrices = (np.stack([getattr(c, key) for c in cameras]) for key in ('intrinsics', 'rotation', 'translation'))
    return np.where((scores >= score_thr)[..., None], points, np.nan), scores, projection_matrices(*matrices)


def triangulate_views(
    views: Sequence[View],
    calibration: Calibration,
    places: np.ndarray,
    method: str = 'weighted',
    score_thr: float = 0.1,
    checked: bool = True,
) -> tuple[HandInSpace, float | None]:
    """Triangulate the hand; returns it, and the epipolar distance of :func:`check_cameras` (None if not ``checked``).

    Args:
        places: (F, V), from :func:`pair_frames`.
        method: ``dlt``; ``weighted``, by the scores; or ``ransac``.
        score_thr: Keypoints of a lower score are not used.
    """
    if method not in METHODS:
        raise ValueError(f'method: expected one of {METHODS}, got {method!r}')
    cameras = calibration.cameras
    points, scores, projections = seen_keypoints(views, calibration, places, score_thr)
    distance = None
    if checked:
        k, r, t = (np.stack([getattr(c, key) for c in cameras]) for key in ('intrinsics', 'rotation', 'translation'))
        distance = check_cameras(points, k, r, t, [v.size for v in views], [c.name for c in cameras])
    if method == 'ransac':
        found = triangulate_ransac(points, projections)
    else:
        found = triangulate_dlt(points, projections, scores if method == 'weighted' else None)
    if not found.used.any():
        raise ValueError(f'scores: expected a keypoint that two views know with {score_thr:g} or more, got none')
    errors = np.where(found.used, reprojection_errors(found.points, points, projections), np.nan)
    behind = np.isinf(errors).any(1)  # (F, 21)
    hand = HandInSpace(
        views[0].index[places[:, 0]],
        views[0].time[places[:, 0]],
        np.where(behind[..., None], np.nan, found.points),
        found.used & ~behind[:, None],
        np.where(behind[:, None], np.nan, errors),
        int(behind.sum()),
    )
    return hand, distance


def fit_views(
    hand: HandInSpace,
    views: Sequence[View],
    calibration: Calibration,
    places: np.ndarray,
    score_thr: float = 0.1,
    side: Side | None = None,
) -> tuple[HandInSpace, FittedHand]:
    """Fit a hand of constant shape and size to what was triangulated; see :func:`~.fit.fit_hand`.

    Returns it as a :class:`HandInSpace`, where also keypoints that one view alone knows have a place, and the fit.
    """
    points, scores, projections = seen_keypoints(views, calibration, places, score_thr)
    fit = fit_hand(points, np.where(np.isfinite(points).all(-1), scores, 0), projections, hand.points, side)
    errors = reprojection_errors(fit.points, points, projections)
    used = np.isfinite(errors)
    fitted = replace(hand, points=fit.points, used=used, errors=np.where(used, errors, np.nan), num_behind=0)
    return fitted, fit


def as_document(hand: HandInSpace, names: Sequence[str]) -> dict[str, Any]:
    """Return ``frames`` and ``summary`` with types that JSON has; ``names`` are those of the views."""
    frames = []
    for i, error in enumerate(hand.frame_errors()):
        known = np.isfinite(hand.points[i]).all(1)
        frames.append(
            dict(
                frame=int(hand.index[i]),
                time=float(hand.time[i]),
                points=[p.tolist() if ok else None for p, ok in zip(hand.points[i], known, strict=True)],
                reprojection_error=float(error) if np.isfinite(error) else None,
                views=[name for name, used in zip(names, hand.used[i].any(1), strict=True) if used],
                num_views=hand.used[i].sum(0).tolist(),
            )
        )
    known = np.isfinite(hand.points).all(2)
    errors = hand.frame_errors()
    errors = errors[np.isfinite(errors)]
    summary = dict(
        frames=len(frames),
        found=int(known.any(1).sum()),
        whole=int(known.all(1).sum()),
        behind=hand.num_behind,
        median_reprojection_error=float(np.median(errors)) if len(errors) else None,
        bones=[
            dict(bone=[KEYPOINT_NAMES[a], KEYPOINT_NAMES[b]], length=_number(length), variation=_number(variation))
            for (a, b), length, variation in zip(BONES, *hand.bone_lengths(), strict=True)
        ],
    )
    return dict(frames=frames, summary=summary)


def _number(value: float) -> float | None:
    return float(value) if np.isfinite(value) else None


def describe(document: dict[str, Any]) -> str:
    """Return the summary in words, with a table of the bones."""
    summary, unit = document['summary'], document['unit']
    error = summary['median_reprojection_error']
    lines = [
        f'frames: {summary["found"]} of {summary["frames"]} with the hand, {summary["whole"]} with all its keypoints',
        f'reprojection error: {"–" if error is None else f"{error:.2f} px"} (median over frames of the mean)',
    ]
    if summary['behind']:
        lines.append(f'left out: {summary["behind"]} keypoints that came to lie behind a camera')
    rows = [
        (bone['bone'][1], *('–' if bone[k] is None else f(bone[k]) for k, f in _CELLS)) for bone in summary['bones']
    ]
    known = [bone['variation'] for bone in summary['bones'] if bone['variation'] is not None]
    if known:
        lines.append(f'bone lengths vary by {np.median(known):.1%} of the mean (median of the bones)')
    return '\n'.join([*lines, format_table([('bone to', f'length ({unit})', 'std/mean'), *rows])])
