"""Keypoint scores in pixels, in plain NumPy.

Shapes: N hands, K keypoints, L labelled keypoints. ``predicted`` and ``truth`` (N, K, 2) are pixels of the same image.
``labelled`` (N, K) is true where the truth is known; other keypoints never count. A keypoint is correct at t if its
distance is strictly less than t. A predicted NaN is incorrect.
"""

from collections.abc import Sequence

import numpy as np


def keypoint_distances(predicted: np.ndarray, truth: np.ndarray, labelled: np.ndarray) -> np.ndarray:
    """Return the Euclidean distances (L,) of the labelled keypoints in pixels; infinite for a predicted NaN.

    Raises ValueError if the shapes do not match, or a labelled true coordinate is not finite.
    """
    predicted, truth = np.asarray(predicted, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    labelled = np.asarray(labelled).astype(bool)
    if predicted.ndim != 3 or predicted.shape[-1] != 2 or truth.shape != predicted.shape:
        raise ValueError(f'predicted, truth: expected equal shapes (N, K, 2), got {predicted.shape}, {truth.shape}')
    if labelled.shape != truth.shape[:2]:
        raise ValueError(f'labelled: expected shape {truth.shape[:2]}, got {labelled.shape}')
    if not np.isfinite(truth[labelled]).all():
        raise ValueError('truth: expected finite coordinates, got a NaN or infinite one at a labelled keypoint')
    distances = np.linalg.norm(predicted[labelled] - truth[labelled], axis=-1)
    return np.where(np.isnan(distances), np.inf, distances)


def pck_at(distances: np.ndarray, threshold: float) -> float:
    """Return the share of distances (L,) strictly below ``threshold``; NaN if there are none (P-MSDSNet, eq. 9)."""
    return float(np.mean(distances < threshold)) if len(distances) else float('nan')


def pck_curve(distances: np.ndarray, thresholds: Sequence[float] = tuple(range(1, 51))) -> np.ndarray:
    """Return :func:`pck_at` for each threshold, (T,)."""
    return np.array([pck_at(distances, t) for t in thresholds])


def mpjpe_at(distances: np.ndarray, threshold: float) -> tuple[float, int]:
    """Return the mean of the distances (L,) strictly below ``threshold``, and their count (P-MSDSNet, eq. 10).

    The mean alone improves when fewer keypoints are found, so report it with its count. It is NaN for a count of 0.
    """
    correct = distances[distances < threshold]
    return (float(correct.mean()) if len(correct) else float('nan')), len(correct)


def mean_square(distances: np.ndarray) -> float:
    """Return the mean of the squared distances (L,) in px²; NaN if there are none (joint heads, Table 1)."""
    return float(np.mean(np.square(distances))) if len(distances) else float('nan')


def acceleration_errors(
    predicted: np.ndarray, truth: np.ndarray, labelled: np.ndarray, frames: np.ndarray
) -> np.ndarray:
    """Return ‖(p₊ − 2p + p₋) − (y₊ − 2y + y₋)‖ of each keypoint in each three consecutive frames of one video.

    A keypoint counts if it is labelled in all three frames (Kanazawa et al., Learning 3D Human Dynamics from Video).
    ``frames`` (F,) are the different indices of the F frames, in any order; N = F. Returns (L,) in pixels per frame².
    """
    order = np.argsort(frames)
    frames, labelled = np.asarray(frames)[order], np.asarray(labelled).astype(bool)[order]
    steps = np.diff(frames)
    if (steps == 0).any():
        raise ValueError(f'frames: expected each index once, got {frames[:-1][steps == 0][0]} twice')
    consecutive = (steps[:-1] == 1) & (steps[1:] == 1)
    whole = labelled[:-2] & labelled[1:-1] & labelled[2:] & consecutive[:, None]
    acceleration = [np.diff(np.asarray(points, dtype=np.float64)[order], n=2, axis=0) for points in (predicted, truth)]
    return keypoint_distances(*acceleration, whole)
