"""Fingers that recorded keypoints put inside each other, moved apart with as little change as can be."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import least_squares

from ..hand.kinematics import frame_scales, frames_of_angles, keypoints_from_frames
from ..hand.pose import HIGH, LOW
from ..hand.proxies import depths, pose_penetration, proxy_spheres
from ..hand.shape import HandShape

_SHAPE = HandShape()
_TOUCHING = 0.0035
"""Metres by which flesh gives way where fingers touch."""
_STIFFNESS = 10.0
"""Weight of a metre of depth beyond that, as against a metre that a keypoint moves."""
_EASE = 1e-3
"""Weight of a radian that an angle changes: what no keypoint shows stays as it is."""
_STEP = np.radians(0.1)
_MAX_STEPS = 30
_FINGERS = slice(0, -2)  # all angles but the wrist's


def separated(
    angles: np.ndarray,
    views: np.ndarray,
    depth_share: float = 1.0,
    progress: Callable[[int], None] = lambda done: None,
) -> np.ndarray:
    """Angles (N, 24) in degrees of the nearest poses that put no finger of a hand of mean shape inside another.

    Keypoints tell nothing of thickness: a thumb that lies across fingers or under them is often recorded as inside
    them. Near means that the keypoints move little; towards and away from the camera, where recordings are less sure,
    that may count less. Where a finger would have to pass through another, it stays inside a little.

    Args:
        angles: (N, 24) degrees.
        views: (N, 3, 3) rotations from the palm's frame to the camera's.
        depth_share: what a metre of a keypoint's depth counts as against one in the picture, above 0.
        progress: called with 1 after each hand.
    """
    out = np.array(angles, dtype=float)
    for i, (pose, view) in enumerate(zip(out, views, strict=True)):
        if pose_penetration(pose, _SHAPE) > _TOUCHING:
            out[i] = _separated(pose, np.diag([1.0, 1.0, depth_share]) @ view)
        progress(1)
    return out


def _separated(angles: np.ndarray, seen: np.ndarray) -> np.ndarray:
    scales, start = frame_scales(_SHAPE), np.radians(angles[_FINGERS])
    wrist = angles[_FINGERS.stop :]

    def errors(moved: np.ndarray) -> np.ndarray:
        """(B, E) of finger angles (B, 22) in radians."""
        degrees = np.concatenate([np.degrees(moved), np.tile(wrist, (len(moved), 1))], axis=1)
        frames = frames_of_angles(degrees, _SHAPE)
        points = np.einsum('bki,ji->bkj', keypoints_from_frames(frames, _SHAPE), seen)
        inside = np.maximum(depths(proxy_spheres(frames, scales)) - _TOUCHING, 0)
        return np.concatenate([points.reshape(len(moved), -1), _STIFFNESS * inside, _EASE * moved], axis=1)

    goal = errors(start[None])[0]
    goal[3 * 21 : len(goal) - len(start)] = 0  # no depth at all
    low, high = np.radians(LOW[_FINGERS]), np.radians(HIGH[_FINGERS])

    def slopes(moved: np.ndarray) -> np.ndarray:
        trial = errors(np.concatenate([moved[None], moved + _STEP * np.eye(len(moved))]))
        return (trial[1:] - trial[0]).T / _STEP

    found = least_squares(
        lambda moved: errors(moved[None])[0] - goal,
        np.clip(start, low + 1e-4, high - 1e-4),
        slopes,
        bounds=(low, high),
        max_nfev=_MAX_STEPS,
        x_scale='jac',
    )
    return np.concatenate([np.degrees(found.x), wrist])
