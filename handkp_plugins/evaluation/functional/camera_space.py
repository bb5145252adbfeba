"""Scores of hand joints in the camera's space, in plain NumPy.

Shapes: F frames, J joints; ``predicted`` and ``truth`` (F, J, 3) in millimetres; ``labelled`` (F, J), true where the
truth is known. A joint is correct at t if its distance is at most t, as in HTT's curves; the scores in pixels use
"less than". A joint with a NaN coordinate is incorrect. Joints without any label are left out of the means over joints.
"""

import numpy as np


def joint_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return Euclidean distances (F, J) in mm; infinite if the prediction is NaN."""
    predicted, truth = np.asarray(predicted, np.float64), np.asarray(truth, np.float64)
    if predicted.ndim != 3 or predicted.shape[2] != 3 or truth.shape != predicted.shape:
        raise ValueError(f'predicted, truth: expected equal shapes (F, J, 3), got {predicted.shape}, {truth.shape}')
    errors = np.linalg.norm(predicted - truth, axis=-1)
    return np.where(np.isnan(errors), np.inf, errors)


def root_aligned(points: np.ndarray, root: int = 0) -> np.ndarray:
    """Joints (F, J, 3) → joints relative to the root, without the root, (F, J − 1, 3). No scaling, no rotation."""
    return np.delete(points - points[:, root : root + 1], root, axis=1)


def mean_error(errors: np.ndarray, labelled: np.ndarray) -> float:
    """Return MEPE in mm, the mean over joints of the mean over their labelled frames; NaN without labels."""
    labelled = np.asarray(labelled, bool)
    if labelled.shape != errors.shape:
        raise ValueError(f'labelled: expected shape {errors.shape}, got {labelled.shape}')
    count = labelled.sum(0)
    sums = np.where(labelled, errors, 0).sum(0)
    return float(np.mean(sums[count > 0] / count[count > 0])) if count.any() else float('nan')


def pck3d_curve(errors: np.ndarray, labelled: np.ndarray, thresholds: np.ndarray) -> np.ndarray:
    """Return the 3D PCK (T,): for each threshold the mean over joints of the share of frames with a smaller error."""
    return np.array([mean_error(errors <= t, labelled) for t in thresholds])


def area_under_curve(curve: np.ndarray, thresholds: np.ndarray) -> float:
    """Return the area under a curve, by trapezoids, divided by the range of the thresholds: 0 to 1."""
    return float(np.trapezoid(curve, thresholds) / (thresholds[-1] - thresholds[0]))
