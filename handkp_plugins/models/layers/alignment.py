"""Similarity transforms between predictions of the same hand in several views."""

import roma
import torch
from torch import Tensor


def align_points(source: Tensor, target: Tensor, rotation: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Rotate, scale and move points onto others (HaMuCo, A; its code).

    The scale is tr(R K) / ‖X‖² with K = X Yᵀ of the centred points, and the means coincide afterwards.

    Letters: P points.

    Args:
        source: X, (…, P, 3).
        target: Y, (…, P, 3).
        rotation: R, (…, 3, 3), from the axes of the source to those of the target. None for the one that fits best,
            by Procrustes without reflection; no gradient passes through it.

    Returns:
        The aligned source (…, P, 3) and the scale (…,). A negative scale means that a known rotation is far from both
        hands.
    """
    middle = target.mean(-2, keepdim=True)
    x, y = source - source.mean(-2, keepdim=True), target - middle
    covariance = x.mT @ y  # (…, 3, 3)
    if rotation is None:
        with torch.no_grad():
            rotation = roma.special_procrustes(covariance.mT.float()).to(x)
    scale = (rotation * covariance.mT).sum((-2, -1)) / x.square().sum((-2, -1)).clamp(min=1e-12)
    return scale[..., None, None] * x @ rotation.mT + middle, scale


def align_views(points: Tensor, rotations: Tensor | None) -> tuple[Tensor, Tensor]:
    """Align the hand of each view j with that of each view i.

    No gradient passes to the hands that are aligned with.

    Letters: B frames, V views, P points.

    Args:
        points: (B, V, P, 3), each in the axes of its camera.
        rotations: (B, V, 3, 3) from the world to the cameras. None where they are not known.

    Returns:
        (B, V, V, P, 3), of view i and view j, in the axes of view i; and scales (B, V, V).
    """
    between = None if rotations is None else rotations[:, :, None] @ rotations[:, None].mT  # R_i R_jᵀ
    views = points.shape[1]
    sources = points[:, None].expand(-1, views, -1, -1, -1)
    targets = points.detach()[:, :, None].expand(-1, -1, views, -1, -1)
    return align_points(sources, targets, between)
