"""Scores of 3D hands, joints and meshes, in plain NumPy.

Shapes: N hands, K joints in our order, V vertices; ``predicted`` and ``truth`` (N, K, 3) in millimetres. A function
returns the error of each joint, and a score is their mean over joints and hands; a root that is aligned counts as 0.
Errors where the hands are, without any alignment (MPJPE in the world's or the camera's space), are those of
:func:`~handkp_plugins.evaluation.functional.camera_space.joint_errors`.

Sources: N-JE is that of the code of HaMuCo (Zheng et al., HaMuCo: Hand Pose Estimation via Multiview Collaborative
Self-Supervised Learning, ICCV 2023). F-scores and AUC are those of FreiHAND's evaluation script (Zimmermann et al.,
2019), but its Procrustes alignment may reflect the hand, and ours may not.
"""

import numpy as np
from scipy.spatial import cKDTree

from .camera_space import area_under_curve, joint_errors, pck3d_curve

ROOT, WRIST = 9, 0
"""The middle finger's MCP, which roots are aligned at, and the other end of the bone that sizes are compared by."""


def root_relative_errors(predicted: np.ndarray, truth: np.ndarray, root: int = ROOT) -> np.ndarray:
    """Return the distances (N, K) after both hands' roots were brought together."""
    return joint_errors(*(points - points[:, root : root + 1] for points in (predicted, truth)))


def size_normalized_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the errors (N, K) of N-JE: as :func:`root_relative_errors`, the prediction scaled to the true hand's size.

    (p − p₉)·|y₉ − y₀| / |p₉ − p₀| is compared with y − y₉. MMPose's ``n-mpjpe`` takes the scale of least squares.
    """
    relative = [points - points[:, ROOT : ROOT + 1] for points in (predicted, truth)]
    predicted_size, true_size = (np.linalg.norm(points[:, WRIST], axis=1) for points in relative)
    with np.errstate(divide='ignore', invalid='ignore'):
        scale = true_size / predicted_size
        return joint_errors(relative[0] * scale[:, None, None], relative[1])


def procrustes_align(predicted: np.ndarray, truth: np.ndarray, moved: np.ndarray | None = None) -> np.ndarray:
    """Scale, rotate and shift each prediction (N, P, 3) so that it comes nearest to its truth, without reflection.

    Args:
        moved: Points (N, Q, 3) that get the same transformation, as vertices with that of the joints; ``predicted`` by
            default.

    Returns the transformed points; NaN for a prediction with a NaN. One whose points coincide goes to the mean.
    """
    moved = predicted if moved is None else moved
    centers = [points.mean(1, keepdims=True) for points in (predicted, truth)]
    p, y = predicted - centers[0], truth - centers[1]
    u, s, vt = np.linalg.svd(np.nan_to_num(p.transpose(0, 2, 1) @ y))
    signs = np.ones_like(s)
    signs[:, 2] = np.sign(np.linalg.det(u @ vt))
    rotation = (u * signs[:, None]) @ vt  # (N, 3, 3), to the right of points
    scale = (s * signs).sum(1) / np.maximum(np.square(p).sum((1, 2)), np.finfo(float).tiny)
    return scale[:, None, None] * (moved - centers[0]) @ rotation + centers[1]


def procrustes_errors(predicted: np.ndarray, truth: np.ndarray) -> np.ndarray:
    """Return the distances (N, P) after :func:`procrustes_align`: PA-MPJPE of joints, PA-VE of vertices."""
    return joint_errors(procrustes_align(predicted, truth), truth)


def f_scores(predicted: np.ndarray, truth: np.ndarray, thresholds: tuple[float, ...] = (5, 15)) -> np.ndarray:
    """Return F (N, T) of aligned meshes: of the shares of vertices nearer than t to a vertex of the other mesh, of both
    meshes, the harmonic mean.

    The meshes may have different numbers of vertices. A prediction with a NaN has 0.
    """
    scores = np.zeros((len(truth), len(thresholds)))
    for score, p, y in zip(scores, predicted, truth, strict=True):
        if not np.isfinite(p).all():
            continue
        distances = cKDTree(y).query(p)[0], cKDTree(p).query(y)[0]
        for i, t in enumerate(thresholds):
            precision, recall = (np.mean(d < t) for d in distances)
            score[i] = 2 * precision * recall / max(precision + recall, np.finfo(float).tiny)
    return scores


def error_auc(errors: np.ndarray, limit: float = 50.0, number: int = 100) -> float:
    """Return the area under the share of errors (N, K) of at most t, for ``number`` values of t in 0…limit: 0 to 1."""
    thresholds = np.linspace(0, limit, number)
    return area_under_curve(pck3d_curve(errors, np.ones_like(errors), thresholds), thresholds)
