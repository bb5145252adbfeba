"""A hand of constant size and shape that fits its 2D keypoints in all views and frames."""

from dataclasses import dataclass
from typing import Literal

import numpy as np
import roma
import torch
from torch import Tensor
from torch.nn.functional import huber_loss

from handkp_plugins.evaluation.functional.hand_mesh import procrustes_align
from handkp_plugins.models.hand_layers import HandLayer

Side = Literal['left', 'right']
_HUBER = 5.0  # pixels
_POSE, _SHAPE, _SMOOTH = 1.0, 0.3, 2e-4  # weights beside the mean pixel error; smoothness per (0.1 mm a frame²)²
_STEP, _ITERATIONS = 0.03, 300
_FEWEST = 8  # keypoints of a frame from which the first place of the hand is found


@dataclass(frozen=True)
class FittedHand:
    """A hand in F frames."""

    points: np.ndarray  # (F, 21, 3) in the world; NaN in frames in which no view shows the hand
    vertices: np.ndarray  # (F, V, 3), likewise
    faces: np.ndarray  # (T, 3)
    shape: np.ndarray  # (10,) of the open hand
    size: float  # units of the world for a metre of the open hand
    side: Side
    error: float  # mean distance in pixels, by confidence


def fit_hand(
    points: np.ndarray,
    weights: np.ndarray,
    projections: np.ndarray,
    triangulated: np.ndarray,
    side: Side | None = None,
    iterations: int = _ITERATIONS,
) -> FittedHand:
    """Fit the open hand to keypoints: one shape and size, and in each frame a place, a rotation and a pose.

    It minimises Huber's loss of the pixel errors, with weak priors: fingers near the relaxed pose, a usual shape, and
    little acceleration. Adam starts from the triangulated keypoints.

    Letters: F frames, V views.

    Args:
        points: (F, V, 21, 2) pixels without lens distortion, NaN where not known.
        weights: (F, V, 21) confidences.
        projections: (V, 3, 4).
        triangulated: (F, 21, 3), NaN where not known.
        side: Which hand it is; None for the one that fits better.

    Raises:
        ValueError: No frame has eight triangulated keypoints.
    """
    sides: tuple[Side, ...] = (side,) if side else ('right', 'left')
    fits = [_fit(points, weights, projections, triangulated, s, iterations) for s in sides]
    return min(fits, key=lambda fit: fit.error)


def _fit(
    points: np.ndarray, weights: np.ndarray, projections: np.ndarray, triangulated: np.ndarray, side: Side, steps: int
) -> FittedHand:
    layer = HandLayer()
    mirror = torch.tensor([-1.0 if side == 'left' else 1.0, 1, 1])
    identity = torch.eye(3).expand(1, 16, 3, 3)
    mean = (layer(layer.add_mean_pose(identity), torch.zeros(1, 10))[1][0] * mirror).numpy()
    axes, places, size = _start(triangulated, mean)
    frames = len(points)
    known = torch.from_numpy(np.isfinite(points).all(-1) * weights).float()
    target = torch.from_numpy(np.nan_to_num(points)).float()
    views, axes = torch.from_numpy(projections).float(), torch.from_numpy(axes).float()
    fingers, turn = torch.zeros(frames, 15, 3), torch.zeros(frames, 3)
    shift, growth, shape = torch.zeros(frames, 3), torch.zeros(()), torch.zeros(10)
    parameters = [p.requires_grad_() for p in (fingers, turn, shift, growth, shape)]
    start = torch.from_numpy(places).float()
    optimizer = torch.optim.Adam(parameters, _STEP)
    schedule = torch.optim.lr_scheduler.CosineAnnealingLR(optimizer, steps)

    def pose() -> tuple[Tensor, Tensor]:
        local = torch.cat([identity[:, :1].expand(frames, -1, -1, -1), roma.rotvec_to_rotmat(fingers)], 1)
        vertices, keypoints = layer(layer.add_mean_pose(local), shape.expand(frames, 10))
        rotation = roma.rotvec_to_rotmat(turn) @ axes  # (F, 3, 3)
        scale, origin = size * growth.exp(), start + size * 0.1 * shift
        return tuple((p * mirror) @ rotation.mT * scale + origin[:, None] for p in (vertices, keypoints))

    for _ in range(steps):
        _, keypoints = pose()
        error = huber_loss(_project(keypoints, views), target, reduction='none', delta=_HUBER).sum(-1) / _HUBER
        jerks = (keypoints[2:] - 2 * keypoints[1:-1] + keypoints[:-2]) / size * 1e4
        loss = (known * error).sum() / known.sum() + _POSE * fingers.square().mean() + _SHAPE * shape.square().mean()
        if frames > 2:
            loss = loss + _SMOOTH * jerks.square().clamp(max=1e4).mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
        schedule.step()
    with torch.no_grad():
        vertices, keypoints = pose()
        distance = (_project(keypoints, views) - target).norm(dim=-1)
        seen = (known.sum((1, 2)) > 0)[:, None, None]
        hidden = torch.tensor(float('nan'))
        return FittedHand(
            points=torch.where(seen, keypoints, hidden).double().numpy(),
            vertices=torch.where(seen, vertices, hidden).numpy(),
            faces=layer.faces.numpy() if side == 'right' else layer.faces.numpy()[:, ::-1],
            shape=shape.detach().numpy(),
            size=float(size * growth.exp()),
            side=side,
            error=float((known * distance).sum() / known.sum()),
        )


def _project(points: Tensor, views: Tensor) -> Tensor:
    """Points (F, K, 3) → pixels (F, V, K, 2)."""
    seen = torch.einsum('vij,fkj->fvki', views[..., :3], points) + views[None, :, None, :, 3]
    return seen[..., :2] / seen[..., 2:].clamp(min=1e-6)


def _start(triangulated: np.ndarray, mean: np.ndarray) -> tuple[np.ndarray, np.ndarray, float]:
    """Return axes (F, 3, 3), places (F, 3) and size of the mean hand (21, 3) near the triangulated ones.

    A frame with few keypoints takes what the nearest frame with more has.
    """
    known = np.isfinite(triangulated).all(-1)
    good = np.flatnonzero(known.sum(1) >= _FEWEST)
    if not len(good):
        raise ValueError(f'triangulated: expected a frame with {_FEWEST} keypoints or more, got none')
    frame = np.concatenate([np.zeros((1, 3)), np.eye(3)])  # origin and axes
    found = np.stack([
        procrustes_align(mean[None, known[f]], triangulated[None, f, known[f]], frame[None])[0] for f in good
    ])  # fmt: skip
    directions = found[:, 1:] - found[:, :1]  # rows are the turned axes times the size
    sizes = np.linalg.norm(directions, axis=-1).mean(1)
    axes = np.swapaxes(directions / sizes[:, None, None], 1, 2)
    nearest = np.abs(np.arange(len(triangulated))[:, None] - good).argmin(1)
    return axes[nearest], found[nearest, 0], float(np.median(sizes))
