"""Moves fingers apart that recorded keypoints put inside each other."""

from collections.abc import Callable

import numpy as np
from scipy.optimize import least_squares

from ..hand.kinematics import frame_scales, joint_frames, keypoints_from_frames
from ..hand.pose import HIGH, LOW
from ..hand.proxies import penetration_depths, pose_penetration, proxy_spheres
from ..hand.shape import HandShape

_SHAPE = HandShape()
_TOUCH_DEPTH = 0.0035  # metres by which flesh gives way where fingers touch
_DEPTH_WEIGHT = 10.0  # weight of a metre of depth beyond that, relative to a metre that a keypoint moves
_ANGLE_WEIGHT = 1e-3  # weight of a radian that an angle changes: what no keypoint shows stays as it is
_STEP = np.radians(0.1)
_MAX_STEPS = 30
_FINGERS = slice(0, -2)  # all angles but the wrist's


def separate_fingers(
    angles: np.ndarray, views: np.ndarray, depth_share: float = 1.0, progress: Callable[[int], None] = lambda done: None
) -> np.ndarray:
    """Find the nearest poses (N, 24) in degrees in which no finger of a hand of mean shape is inside another.

    Keypoints say nothing of thickness: a thumb that lies across fingers or under them is often recorded as inside them.
    The nearest pose is the one whose keypoints move least. A finger that would have to pass through another stays.

    Args:
        views: (N, 3, 3) rotations from the palm's frame to the camera's.
        depth_share: Weight of a keypoint's motion in depth, where recordings are less sure; above 0.
        progress: Called with 1 after each hand.
    """
    out = np.array(angles, dtype=float)
    for i, (pose, view) in enumerate(zip(out, views, strict=True)):
        if pose_penetration(pose, _SHAPE) > _TOUCH_DEPTH:
            out[i] = _separate(pose, np.diag([1.0, 1.0, depth_share]) @ view)
        progress(1)
    return out


def _separate(angles: np.ndarray, weighted_view: np.ndarray) -> np.ndarray:
    scales, start, wrist = frame_scales(_SHAPE), np.radians(angles[_FINGERS]), angles[_FINGERS.stop :]

    def errors(moved: np.ndarray) -> np.ndarray:
        """(B, E) of finger angles (B, 22) in radians."""
        frames = joint_frames(np.concatenate([np.degrees(moved), np.tile(wrist, (len(moved), 1))], axis=1), _SHAPE)
        points = np.einsum('bki,ji->bkj', keypoints_from_frames(frames, _SHAPE), weighted_view)
        inside = np.maximum(penetration_depths(proxy_spheres(frames, scales)) - _TOUCH_DEPTH, 0)
        return np.concatenate([points.reshape(len(moved), -1), _DEPTH_WEIGHT * inside, _ANGLE_WEIGHT * moved], axis=1)

    goal = errors(start[None])[0]
    goal[3 * 21 : len(goal) - len(start)] = 0  # no depth at all
    low, high = np.radians(LOW[_FINGERS]), np.radians(HIGH[_FINGERS])

    def jacobian(moved: np.ndarray) -> np.ndarray:
        trial = errors(np.concatenate([moved[None], moved + _STEP * np.eye(len(moved))]))
        return (trial[1:] - trial[0]).T / _STEP

    result = least_squares(
        lambda moved: errors(moved[None])[0] - goal,
        np.clip(start, low + 1e-4, high - 1e-4),
        jacobian,
        bounds=(low, high),
        max_nfev=_MAX_STEPS,
        x_scale='jac',
    )
    return np.concatenate([np.degrees(result.x), wrist])
